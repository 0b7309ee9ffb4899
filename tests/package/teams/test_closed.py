"""What the built app keeps to those who see every team: nothing that is added later stays open by being forgotten."""

from __future__ import annotations

import configparser
import re
from pathlib import Path
from urllib.parse import quote

import pytest

pytestmark = pytest.mark.app
# Rights that a way to other teams' things, or into their indexes, would lead by.
OTHERS = (
    "apisec_all_teams", "apisec_admin", "apisec_classify", "apisec_block", "run_collect", "run_sendalert", "output_file",
    "schedule_search", "list_inputs", "list_storage_passwords", "edit_tcp", "admin_all_objects",
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
