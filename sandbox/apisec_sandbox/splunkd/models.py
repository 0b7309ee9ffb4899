"""Data models of the installed apps: ``data/models/NAME.json`` and datamodels.conf.

Source: Admin Manual, datamodels.conf.spec. An app's ``local`` folder wins over its ``default``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from apisec_sandbox.spl.errors import SplError
from apisec_sandbox.splunkd.confs import Confs
from apisec_sandbox.splunkd.home import Home

MAX_FILE = 16 * 1024 * 1024


class Models:
    def __init__(self, home: Home, confs: Confs) -> None:
        self._home = home
        self._confs = confs

    def _files(self, app: str) -> dict[str, Path]:
        """Files by name of the model; the asking app's own ones win."""
        found: dict[str, Path] = {}
        for name in [*(one for one in self._confs.apps() if one != app), app]:
            for folder in ("default", "local"):
                for path in sorted((self._home.apps / name / folder / "data" / "models").glob("*.json")):
                    found[path.stem] = path
        return found

    def names(self, app: str) -> list[str]:
        return sorted(self._files(app))

    def find(self, name: str, app: str) -> tuple[dict[str, Any], Mapping[str, str]] | None:
        """Return a model's JSON and its settings of datamodels.conf.

        Raises:
            SplError: the file is too large, or no JSON object.
        """
        path = self._files(app).get(name)
        if path is None:
            return None
        if path.stat().st_size > MAX_FILE:
            raise SplError(f"The data model {path.name} is larger than {MAX_FILE} bytes")
        try:
            document = json.loads(path.read_text("utf-8"))
        except ValueError as error:
            raise SplError(f"The data model {path.name} is no JSON: {error}") from error
        if not isinstance(document, dict):
            raise SplError(f"The data model {path.name} is no JSON object")
        stanza = self._confs.stanza("datamodels", name, app)
        return document, stanza.settings if stanza else {}
