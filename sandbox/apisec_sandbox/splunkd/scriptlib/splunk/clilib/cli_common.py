"""splunk.clilib.cli_common: conf files merged as btool merges them (system/local, apps' local, apps' default)."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

splunk_home = os.environ.get("SPLUNK_HOME", "")
Conf = dict


def _parse(path: Path) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    stanza, held = "default", ""
    for line in path.read_text("utf-8-sig", errors="replace").splitlines():
        if line.endswith("\\"):
            held += line[:-1] + "\n"
            continue
        text, held = held + line, ""
        bare = text.strip()
        if bare.startswith("[") and bare.endswith("]"):
            stanza = bare[1:-1]
            found.setdefault(stanza, {})
        elif bare and not bare.startswith("#"):
            key, _, value = text.partition("=")
            found.setdefault(stanza, {})[key.strip()] = value.strip()
    return found


def getMergedConf(confName: str) -> dict[str, dict[str, str]]:
    """All stanzas of a conf in the global context."""
    etc = Path(os.environ.get("SPLUNK_ETC") or Path(os.environ["SPLUNK_HOME"]) / "etc")
    apps = sorted((path.name for path in (etc / "apps").iterdir()), reverse=True)
    layers = [etc / "apps" / app / kind / f"{confName}.conf" for kind in ("default", "local") for app in apps]
    layers.append(etc / "system" / "local" / f"{confName}.conf")
    merged: dict[str, dict[str, str]] = {}
    for path in layers:
        if path.is_file():
            for stanza, settings in _parse(path).items():
                merged.setdefault(stanza, {}).update(settings)
    return merged


def getConfStanza(confName: str, stanza: str) -> dict[str, str]:
    conf = getMergedConf(confName)
    return {**conf.get("default", {}), **conf.get(stanza, {})}


def getConfStanzas(confName: str) -> dict[str, dict[str, str]]:
    return getMergedConf(confName)


def getConfKeyValue(confName: str, stanza: str, key: str) -> str:
    return getConfStanza(confName, stanza)[key]


def getAppConf(confName: str, app: str, use_btool: bool = True, app_path: Any = None) -> Any:
    etc = Path(os.environ.get("SPLUNK_ETC") or Path(os.environ["SPLUNK_HOME"]) / "etc")
    folder = Path(app_path) if app_path else etc / "apps" / app
    merged: dict[str, dict[str, str]] = {}
    for kind in ("default", "local"):
        if (path := folder / kind / f"{confName}.conf").is_file():
            for stanza, settings in _parse(path).items():
                merged.setdefault(stanza, {}).update(settings)
    return merged


def getMgmtUri() -> str:
    return os.environ.get("SPLUNKD_URI", "https://127.0.0.1:8089")


def getWebUri() -> str:
    return "http://127.0.0.1:8000"
