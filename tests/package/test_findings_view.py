"""The page Findings: its searches run, its form says what an analyst means, and nothing else."""

from __future__ import annotations

import configparser
import copy
import re
import xml.etree.ElementTree as ET
from typing import Any

import pytest

import dashboard_lint
from apisec.abuse.campaigns import Campaign
from tests.support.app import ROOT
from tests.support.splunk import Splunk, SplunkError

DEFAULT = ROOT / "package/default"
FORM = ET.fromstring((DEFAULT / "data/ui/views/apisec_findings.xml").read_text("utf-8"))
QUERIES = {name: node.text or "" for name, node in zip(("list", "course", "say"), FORM.iter("query"), strict=True)}
_TOKEN = re.compile(r"\$([A-Za-z_][\w.]*)(?:\|s)?\$")
CAMPAIGN = f"c-{7:016x}"
SCRAPER = "~principal~00000000000000a1~"


def test_every_token_is_set_by_an_input_or_a_click() -> None:
    assert list(dashboard_lint.lint_form(FORM, DEFAULT)) == []
    broken = copy.deepcopy(FORM)
    for one in broken.iter("input"):
        one.set("token", "other")
    broken.find(".//query").text = "`apisec_nothing` | lookup apisec_none a"  # type: ignore[union-attr]
    faults = " ".join(dashboard_lint.lint_form(broken, DEFAULT))
    for said in ("macro apisec_nothing", "lookup apisec_none", "sets the token 'verdict'", "'time.earliest'"):
        assert said in faults
    assert 'name="apisec_findings"' in (DEFAULT / "data/ui/nav/default.xml").read_text("utf-8")


def test_what_people_write_is_quoted_and_what_changes_things_is_risky() -> None:
    assert {"campaign_said", "verdict", "reason"} == set(re.findall(r"\$(\w+)\|s\$", QUERIES["say"]))
    commands = configparser.RawConfigParser(delimiters=("=",))
    commands.read_string((DEFAULT / "commands.conf").read_text("utf-8"))
    assert commands["apisecdispose"]["is_risky"] == "true"
    # A new campaign is chosen after the reason for the one before is gone.
    clicks = [(one.tag, one.get("token")) for one in next(iter(FORM.iter("drilldown")))]
    assert clicks.index(("unset", "reason")) < clicks.index(("set", "campaign"))


def filled(query: str, **tokens: str) -> str:
    """Put values in as Splunk does: ``$name|s$`` in quotes, ``$name$`` as it stands."""

    def value(found: re.Match[str]) -> str:
        plain = tokens[found[1]]
        escaped = plain.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}"' if found[0].endswith("|s$") else plain

    return _TOKEN.sub(value, query)


def campaign(service: str) -> dict[str, Any]:
    made = Campaign(CAMPAIGN, service, 1)
    made.families, made.operations, made.members = ["scraping"], ["GET /items"], {SCRAPER: 3}
    made.member_count, made.peak, made.told = 1, 97.5, True
    return made.to_document()


def mine(splunk: Splunk, finding: str) -> dict[str, Any]:
    """The row of the list that is the campaign's."""
    (row,) = [one for one in splunk.search(filled(QUERIES["list"], finding=finding)) if one["campaign"] == CAMPAIGN]
    return row


@pytest.mark.app
def test_an_analyst_looks_and_says(splunk: Splunk) -> None:
    splunk.put({"apisec_campaigns": [campaign(splunk.service)]})
    anomaly = {
        "id": "a-1", "time": splunk.now() - 60, "service": "shop", "campaign": CAMPAIGN, "family": "scraping",
        "score": 97.5, "principal": SCRAPER, "operation": "GET /items", "seen": 4000, "expected": 20,
        "unit": "objects in a day", "reasons": ["read 4000 different items in a day; 20 are expected"],
        "examples": ["t-1"],
    }  # fmt: skip
    splunk.send([anomaly], "apisec:anomaly")

    (row,) = [
        one for one in splunk.search(filled(QUERIES["list"], finding="finding=true")) if one["campaign"] == CAMPAIGN
    ]
    assert (row["service"], row["families"], row["Highest score"]) == (splunk.service, "scraping", "97.5")
    (seen,) = splunk.search(filled(QUERIES["course"], campaign=row["campaign"]))
    assert (seen["family"], seen["reasons"]) == ("scraping", anomaly["reasons"][0])  # type: ignore[index]

    reason = 'the "price comparison" of contract 4711'
    say = {"campaign_said": CAMPAIGN, "verdict": "benign", "scope": '""'}
    (said,) = splunk.search(filled(QUERIES["say"], **say, reason=reason))
    assert (said["campaign"], said["verdict"], said["reason"]) == (CAMPAIGN, "benign", reason)
    found = splunk.rest.call("GET", f"/services/apisec/v1/exceptions?service={splunk.service}")["items"]
    assert [(one["principal"], one["source"], one["reason"]) for one in found] == [(SCRAPER, CAMPAIGN, reason)]
    row = mine(splunk, "")
    assert row["verdict"] == "benign"

    with pytest.raises(SplunkError, match="at least 10"):
        splunk.search(filled(QUERIES["say"], **say, reason="ok"))
    with pytest.raises(SplunkError, match="campaign"):
        splunk.search(filled(QUERIES["say"], **{**say, "campaign_said": f"c-{9:016x}"}, reason=reason))
