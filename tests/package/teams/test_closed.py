"""What the built app keeps to those who see every team: nothing that is added later stays open by being forgotten."""

from __future__ import annotations

import configparser
import json
import re
from pathlib import Path
from urllib.parse import quote

import pytest

from apisec.teams import Teams
from tests.support.app import ROOT

pytestmark = pytest.mark.app
PAGE = (ROOT / "docs/teams.md").read_text("utf-8")
# Rights that a way to other teams' things, or into their indexes, would lead by.
OTHERS = (
    "apisec_all_teams", "apisec_admin", "apisec_classify", "apisec_block", "run_collect", "run_sendalert",
    "output_file", "schedule_search", "list_inputs", "list_storage_passwords", "edit_tcp", "admin_all_objects",
)  # fmt: skip
CLOSED = "read : [ admin, sc_admin, apisec_admin, apisec_analyst ]"


@pytest.fixture(scope="module")
def metadata(unpacked: Path) -> configparser.RawConfigParser:
    return stanzas(unpacked / "metadata/default.meta")


def stanzas(path: Path) -> configparser.RawConfigParser:
    read = configparser.RawConfigParser(strict=True, delimiters=("=",), comment_prefixes=("#",))
    text = re.sub(r"\\\n", " ", path.read_text("utf-8")).replace("[]", "[(app)]")
    read.read_string(text)
    return read


def test_collections_and_inputs_are_closed(metadata: configparser.RawConfigParser) -> None:
    for kind in ("collections", "inputs"):
        assert CLOSED in metadata[kind]["access"]
    assert not [name for name in metadata.sections() if name.startswith(("collections/", "inputs/"))]


def test_lookups_of_collections_are_closed(metadata: configparser.RawConfigParser, unpacked: Path) -> None:
    transforms = stanzas(unpacked / "default/transforms.conf")
    lookups = [name for name in transforms.sections() if transforms[name].get("external_type") == "kvstore"]
    assert len(lookups) >= 11
    for name in lookups:
        assert CLOSED in metadata[f"transforms/{name}"]["access"], name


def test_scheduled_searches_are_closed_and_none_runs_as_its_owner_for_others(
    metadata: configparser.RawConfigParser, unpacked: Path
) -> None:
    searches = stanzas(unpacked / "default/savedsearches.conf")
    scheduled = [name for name in searches.sections() if searches[name].get("enableSched") == "1"]
    assert len(scheduled) >= 3
    for name in scheduled:
        assert CLOSED in metadata[f"savedsearches/{quote(name)}"]["access"], name
    for name in searches.sections():
        assert searches[name]["dispatchAs"] == "user", name


def test_a_team_s_role_opens_nothing_by_itself(unpacked: Path) -> None:
    roles = stanzas(unpacked / "default/authorize.conf")
    base = roles["role_apisec_team"]
    assert not [name for name in base if name.lower().startswith(("srch", "import"))]
    for capability in (
        "apisec_all_teams",
        "apisec_admin",
        "run_collect",
        "output_file",
        "schedule_search",
        "list_inputs",
    ):
        assert capability not in base, capability
    everything = {name for name in roles.sections() if roles[name].get("apisec_all_teams") == "enabled"}
    assert everything == {"role_apisec_analyst", "role_admin"}


def test_the_page_shows_what_may_be_put_and_what_a_role_is() -> None:
    (body,) = re.findall(r"PUT /services/apisec/v1/teams/payments\n((?: {4}.*\n)+)", PAGE)
    teams = Teams.parse([{"_key": "payments", **json.loads(body)}])
    assert teams.owner("shop", "POST /payments/{payment_id}/capture") == "payments"
    assert teams.owner("other", "GET /", hosts=["pay-eu.example.org"]) == "payments"
    assert teams.index_of("payments") == "apisec_payments"
    assert teams.of_roles(["payments_dev"]) == teams.of_roles(["apisec_team_payments"]) == {"payments"}
    assert PAGE.count("importRoles = apisec_team\n") == 2
