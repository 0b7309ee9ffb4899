"""One run: makes the applications of a shard, lets everyone live, writes what they send."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from apisec_sandbox.campaigns import apis_dev, apis_heldout
from apisec_sandbox.campaigns.app import ENV, GATEWAY, App
from apisec_sandbox.campaigns.attacks import FAMILIES, STYLES, Campaign, plan
from apisec_sandbox.campaigns.calendar import WEEK, season
from apisec_sandbox.campaigns.population import lives
from apisec_sandbox.campaigns.scene import Clock, Scene
from apisec_sandbox.campaigns.sink import Progress, Sink
from apisec_sandbox.campaigns.spec import ApiSpec
from apisec_sandbox.campaigns.values import Tokens, seeded
from apisec_sandbox.campaigns.varied import campaigns as strategies
from apisec_sandbox.campaigns.varied import grammar, population

SPLITS = {"dev": apis_dev.APIS, "heldout": apis_heldout.APIS}
VARIED = "varied"


@dataclass(frozen=True)
class Settings:
    """``apps``: how many; ``attacks``: campaigns an application and week; ``shard`` of ``shards`` is made here."""

    split: str
    seed: str
    start: float
    weeks: float
    scale: float
    apps: int
    attacks: float
    families: tuple[str, ...] = FAMILIES
    styles: tuple[str, ...] = STYLES
    shard: int = 0
    shards: int = 1
    quiet_share: float = 0.25  # of the time passes before the first attack

    @property
    def end(self) -> float:
        return self.start + self.weeks * WEEK


@dataclass(frozen=True)
class Made:
    """What a run has made."""

    sink: Sink
    scenes: list[Scene]
    campaigns: list[Campaign]


def applications(settings: Settings) -> Iterator[tuple[int, ApiSpec, str]]:
    """Yield the applications of the shard: number, what it is, its name."""
    varied = settings.split == VARIED
    specs: Sequence[ApiSpec] = grammar.specs(settings.seed, settings.apps) if varied else SPLITS[settings.split]
    for number in range(settings.apps):
        if number % settings.shards == settings.shard:
            spec = specs[number % len(specs)]
            yield number, spec, f"{spec.name}-{number + 1 if varied else number // len(specs) + 1}"


def generate(settings: Settings, tokens: Tokens, sink: Sink) -> Made:
    """Generate everything; the same settings write the same bytes."""
    clock = Clock()
    scenes: list[Scene] = []
    campaigns: list[Campaign] = []
    for number, spec, name in applications(settings):
        rng = seeded("scene", settings.seed, name)
        year = season(spec.zone, settings.start, settings.weeks, rng)
        app = App(spec, name, settings.seed, tokens, sink, number)
        scene = Scene(app, year, settings.split, settings.start, settings.end, rng)
        scenes.append(scene)
        populate = population.lives if settings.split == VARIED else lives
        clock.add(populate(scene, settings.scale, settings.seed), settings.start)
        begin = settings.start + settings.quiet_share * settings.weeks * WEEK
        found = (strategies.plan if settings.split == VARIED else plan)(scene, settings, begin)
        campaigns += found
        clock.add((each.life() for each in found), settings.start)
    progress = Progress(settings.start, settings.end)
    for now in clock.run(settings.end):
        progress.show(now, sink.total)
    progress.close()
    sink.flush()
    return Made(sink, scenes, campaigns)


class Folder:
    """Where a run writes: one file of each kind a shard, and what a forwarder needs to read the transactions."""

    def __init__(self, path: Path, settings: Settings) -> None:
        self.path = path
        self.suffix = f"-{settings.shard:02}" if settings.shards > 1 else ""

    def file(self, name: str) -> Path:
        stem, dot, kind = name.partition(".")
        return self.path / f"{stem}{self.suffix}{dot}{kind}"

    def open(self, name: str, stack: ExitStack) -> TextIO:
        """Open for writing with mode 600: transactions hold made-up secrets that look like real ones."""
        descriptor = os.open(self.file(name), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        return stack.enter_context(os.fdopen(descriptor, "w", encoding="utf-8", newline="\n"))

    def write(self, name: str, document: Any) -> None:
        with ExitStack() as stack:
            json.dump(document, self.open(name, stack), indent=1)


def write(settings: Settings, tokens: Tokens, path: Path, formats: tuple[str, ...]) -> Made:
    """Run into a folder: ``formats`` are of ``events`` and ``transactions``."""
    path.mkdir(parents=True, exist_ok=True)
    folder = Folder(path, settings)
    with ExitStack() as stack:
        files = [
            folder.open(f"{name}.jsonl", stack) if name in formats else None for name in ("events", "transactions")
        ]
        made = generate(settings, tokens, Sink(files[0], files[1], folder.open("labels.jsonl", stack)))
    if "transactions" in formats:
        forwarder(made.scenes, tokens, folder)
    return made


def forwarder(scenes: list[Scene], tokens: Tokens, folder: Folder) -> None:
    """Write the configuration, key file and OpenAPI documents with which a forwarder makes the same events."""
    services = []
    for scene in scenes:
        app = scene.app
        folder.write(f"openapi_{app.name}.json", openapi(scene))
        document = folder.file(f"openapi_{app.name}.json").name
        services.append(
            {
                "name": app.name,
                "team": app.team,
                "hosts": [app.host],
                "paths": ["/"],
                "index": "apisec",
                "openapi": document,
            }
        )
    folder.write("keys.json", tokens.document())
    with ExitStack() as stack:
        folder.open("hec-token.txt", stack).write("11111111-2222-3333-4444-555555555555\n")
    folder.write(
        "forwarder.yaml",  # JSON is YAML
        {
            "gateway": {"name": GATEWAY, "env": ENV},
            "services": services,
            "receiver": {"envoy": {"log": "access.json"}},
            "keys": {"file": folder.file("keys.json").name},
            "spool": {"directory": "spool", "max_bytes": "1GiB"},
            "hec": {"url": "https://127.0.0.1:8088", "token_file": folder.file("hec-token.txt").name},
        },
    )


def openapi(scene: Scene) -> dict[str, Any]:
    """Return the document of an application's operations."""
    paths: dict[str, Any] = {}
    for op in scene.app.operations.values():
        described: dict[str, Any] = {"operationId": op.spec.key, "responses": {"200": {"description": "done"}}}
        if op.id_name:
            parameter = {"name": op.id_name, "in": "path", "required": True, "schema": {"type": "string"}}
            described["parameters"] = [parameter]
        paths.setdefault(op.spec.path, {})[op.method.lower()] = described
    return {"openapi": "3.0.3", "info": {"title": scene.app.name, "version": "1"}, "paths": paths}
