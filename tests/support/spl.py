"""A stand-in with a given world in it, for searches whose whole result is known."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from apisec_sandbox.spl.values import to_text
from apisec_sandbox.splunkd.home import Home
from apisec_sandbox.splunkd.indexes import Event
from apisec_sandbox.splunkd.jobs import Job, Request
from apisec_sandbox.splunkd.server import Options, Splunkd
from apisec_sandbox.splunkd.web import HttpError


@dataclass
class Found:
    """A finished search: columns in order; cells as text, lists of text, or absent."""

    columns: list[str]
    rows: list[dict[str, Any]]
    messages: list[str]


class Bench:
    """``world`` names events, lookups and data models (of the search app), configuration and more indexes."""

    def __init__(self, folder: Path, world: dict[str, Any]) -> None:
        self.now = float(world["now"])
        self.splunkd = Splunkd(Home(folder), Options(with_tls=False, schedule=False))
        self.splunkd.ensure_admin()
        confs = self.splunkd.confs
        confs.write("authorize", "role_admin", {"srchIndexesDefault": "*"}, "system")
        for index in world.get("indexes", ()):
            confs.write("indexes", index, {"disabled": "0"}, "system")
        tables = self.splunkd.home.apps / "search" / "lookups"
        tables.mkdir(parents=True, exist_ok=True)
        for name, text in world.get("lookups", {}).items():
            (tables / name).write_text(text, encoding="utf-8")
        models = self.splunkd.home.apps / "search" / "local" / "data" / "models"
        models.mkdir(parents=True, exist_ok=True)
        for name, document in world.get("models", {}).items():
            (models / f"{name}.json").write_text(json.dumps({"modelName": name, **document}), encoding="utf-8")
        for conf, stanzas in world.get("confs", {}).items():
            for stanza, settings in stanzas.items():
                confs.write(conf, stanza, settings, "search")
        start, step = world.get("start", 0), world.get("step", 0)
        self.add({"time": start + step * place, **item} for place, item in enumerate(world["events"]))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.splunkd.close()

    def add(self, items: Iterable[dict[str, Any]]) -> None:
        """Index events; time, sourcetype and raw are needed."""
        self.splunkd.store.append(
            Event(
                float(item["time"]),
                self.now,
                item.get("host", "h"),
                item.get("source", "s"),
                item["sourcetype"],
                item["raw"],
                item.get("fields", {}),
                item.get("index", "main"),
            )
            for item in items
        )

    def job(self, search: str, earliest: str = "", latest: str = "") -> Job:
        return self.splunkd.jobs.run(Request(search, earliest=earliest, latest=latest, now=self.now))

    def run(self, search: str, earliest: str = "", latest: str = "") -> Found:
        """Run to the end; a failed search fails the test with its message."""
        job = self.job(search, earliest, latest)
        assert job.state == "DONE", job.error
        rows = [{name: shown(value) for name, value in row.items() if value is not None} for row in job.outcome.rows]
        return Found(list(job.outcome.header), rows, [text for _, text in job.context.messages])

    def refusal(self, search: str) -> str:
        """Return the error of a search that must fail."""
        try:
            job = self.job(search)
        except HttpError as error:
            return str(error.text)
        assert job.state == "FAILED", f"ran: {job.outcome.rows[:3]}"
        return job.error


def shown(value: Any) -> Any:
    return [to_text(item) for item in value] if isinstance(value, list) else to_text(value)
