"""The pages name everything that there is: options, fields, macros, parameters, searches, keys of a detection."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest
from apisec_app.commands.about import ApisecAboutCommand, about
from apisec_app.commands.activity import ApisecActivityCommand, shown
from apisec_app.commands.classify import ApisecClassifyCommand
from apisec_app.commands.inventory import ApisecInventoryCommand
from apisec_app.commands.read import ApisecReadCommand
from apisec_app.commands.score import ADDED, ApisecScoreCommand
from splunklib.searchcommands import Option

import confs
import detections
from apisec.activity import Row
from apisec.endpoints.inventory import Inventory
from tests.support.app import ROOT
from tests.support.shop_events import event

COMMANDS = (ROOT / "docs/reference/commands.md").read_text("utf-8")
APP = (ROOT / "docs/app.md").read_text("utf-8")
DETECTIONS = (ROOT / "docs/detections.md").read_text("utf-8")
CONTENT = (ROOT / "content/README.md").read_text("utf-8")
SUPPORT = "".join(path.read_text("utf-8") for path in sorted((ROOT / "tests/support").glob("splunk*.py")))
OF_THE_SDK = {"logging_configuration", "logging_level", "record", "show_configuration", "phase"}
DEFAULT = ROOT / "package/default"


@pytest.mark.parametrize(
    "command",
    [
        ApisecScoreCommand,
        ApisecInventoryCommand,
        ApisecActivityCommand,
        ApisecClassifyCommand,
        ApisecReadCommand,
    ],
)
def test_commands_and_options(command: type) -> None:
    options = {name: value for name, value in vars(command).items() if isinstance(value, Option)}
    own = {value.name or name for name, value in options.items()} - OF_THE_SDK
    assert own
    assert f"## {command.name}" in COMMANDS  # type: ignore[attr-defined]
    for name in own:
        assert f"| `{name}` |" in COMMANDS


def test_fields_of_the_commands() -> None:
    assert f"## {ApisecAboutCommand.name}" in COMMANDS
    for name in about():
        assert f"`{name}`" in COMMANDS
    for name in ADDED:
        assert f"`{name}`" in COMMANDS
    for name in shown(Row("service", "principal", 1)):
        assert f"`{name}`" in COMMANDS, name
    inventory = Inventory()
    inventory.add(event("p", "GET /a", 1.0))
    for name in inventory.rows()[0]:
        known = name in COMMANDS or re.sub(r"_p\d+$", "", name) in COMMANDS
        assert known, name


def test_macros_searches_parameters_roles() -> None:
    for name in confs.read(DEFAULT / "macros.conf"):
        assert f"`{name}`" in APP + DETECTIONS, name
    for name in confs.read(DEFAULT / "alert_actions.conf")["apisec_block"]:
        if name.startswith("param.") and name != "param._cam":
            assert f"| `{name[6:]}` |" in APP, name
    for stanza in confs.read(DEFAULT / "authorize.conf"):
        kind, _, name = stanza.partition("::") if "::" in stanza else stanza.partition("_")
        assert f"`{name}`" in APP, (kind, name)


def test_defaults_in_the_tables_are_the_shipped_ones() -> None:
    macros = confs.read(DEFAULT / "macros.conf")
    for name, value in re.findall(r"\| `(apisec_\w+)` \| `?([\d.]+|\(index=\w+\))`? \|", APP):
        assert macros[name]["definition"] == value, name


def test_every_detection_is_listed_with_what_it_covers() -> None:
    listed = dict(re.findall(r"^\| `(api_\w+)` \| (.*)", DETECTIONS, re.MULTILINE))
    for detection in detections.load():
        row = listed[detection.slug]
        for tag in (*detection.document["tags"]["mitre_attack_id"], *detection.owasp):
            assert tag.partition(":")[0] in row, detection.slug
    covered = DETECTIONS.partition("## OWASP")[2].partition("## ")[0]
    for item in detections.vocabulary()["owasp_api"]:
        assert re.search(rf"^\| {item.partition(':')[0]} [^|]+ \| `api_", covered, re.MULTILINE), item


OWNER = (ROOT / "docs/splunk-owner.md").read_text("utf-8")


def test_the_page_for_owners_names_what_there_is() -> None:
    """Commands, paths and options that it tells people to use at night."""
    remedies = (ROOT / "package/lookups/apisec_selfcheck.csv").read_text("utf-8")
    for command, argument in re.findall(r"(apisec-(?:forwarder|sandbox)) ([a-z-]+)", OWNER + remedies):
        module = command.replace("-", "_")
        done = subprocess.run([sys.executable, "-m", module, argument, "--help"], capture_output=True, text=True)
        assert done.returncode == 0, (command, argument)
    for name in re.findall(r"`(tools/[\w/.]+|docs/[\w/.]+|default/[\w/.]+)`", OWNER):
        assert (ROOT / name).exists() or (ROOT / "package" / name).exists(), name
    for variable in re.findall(r"SPLUNK_\w+", OWNER):
        assert variable in SUPPORT, variable
    for variable in set(re.findall(r"SPLUNK_[A-Z_]+", SUPPORT)):
        assert f"`{variable}`" in OWNER, variable


def test_keys_of_a_detection() -> None:
    for key in detections._KEYS:
        assert f"`{key}`" in CONTENT, key
