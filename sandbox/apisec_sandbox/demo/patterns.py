"""The forwarder's admin API as the demo asks it: with the product's own command, and directly for exact times."""

from __future__ import annotations

import json
from typing import Any, cast

from apisec_sandbox.demo.processes import run_tool
from apisec_sandbox.demo.world import FORWARDER, World


class Patterns:
    """``apisec-forwarder patterns …`` against the demo's forwarder."""

    def __init__(self, world: World) -> None:
        self._reach = ["--url", world.admin_url, "--token-file", str(world.admin_token), "--ca-file", str(world.ca)]

    def _run(self, *arguments: str) -> Any:
        output = run_tool([FORWARDER, "patterns", *arguments, *self._reach, "--json"])
        return json.loads(output) if output.strip() else None

    def list(self) -> list[dict[str, Any]]:
        document = self._run("list")
        return cast("list[dict[str, Any]]", document["patterns"] if isinstance(document, dict) else document)

    def show(self, identity: str) -> dict[str, Any]:
        return cast("dict[str, Any]", self._run("show", identity))

    def stats(self, identity: str) -> dict[str, Any]:
        return cast("dict[str, Any]", self._run("stats", identity))

    def rollback(self, identity: str, reason: str) -> None:
        self._run("rollback", identity, "--reason", reason)
