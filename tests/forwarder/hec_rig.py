"""A shipper whose clock the test moves, over a real spool and real connections."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from apisec_forwarder.config import Hec, HecTarget, HecTeam
from apisec_forwarder.exporters.hec import HecClient
from apisec_forwarder.exporters.routes import Routes
from apisec_forwarder.exporters.shipper import Shipper
from apisec_forwarder.metrics import Metrics
from apisec_forwarder.spool import Spool, SpoolReader
from apisec_forwarder.spool.segments import decode, list_segments
from tests.support.hec import FakeHec


@dataclass
class Rig:
    """A shipper with a clock that the test moves, over a real spool and a real connection."""

    folder: Path
    hec: FakeHec
    now: float = 1000.0
    metrics: Metrics = field(default_factory=Metrics)
    sent: int = 0
    heaps: dict[str, Spool] = field(default_factory=dict)
    others: tuple[FakeHec, ...] = ()  # further targets
    teams: tuple[HecTeam, ...] = ()
    clients: tuple[HecClient, ...] = ()

    def __post_init__(self) -> None:
        token = self.folder / "hec.token"
        token.write_text(self.hec.token)
        token.chmod(0o600)
        several = tuple(HecTarget(url=one.url) for one in (self.hec, *self.others)) if self.others else ()
        self.settings = Hec(
            url=None if several else self.hec.url,
            targets=several,
            teams=self.teams,
            token_file=token,
            index="apisec",
            batch_bytes=1000,
            batch_seconds=0,
            timeout_seconds=2,
            window=16,
        )
        self.spool = Spool(self.folder / "spool", "pipeline", 2**30, clock=lambda: self.now)
        self.dead = Spool(self.folder / "spool", "dead", 2**20, suffix=".dead")
        self.reader = SpoolReader(self.folder / "spool")
        self.shipper = self.start()

    def close(self) -> None:
        for client in self.clients:
            client.close()

    def start(self, **changes: Any) -> Shipper:
        self.close()
        self.settings = replace(self.settings, **changes)
        self.clients = tuple(HecClient(self.settings, target) for target in self.settings.resolved())
        self.shipper = Shipper(
            self.settings,
            self.reader,
            self.clients,
            self.dead,
            self.metrics,
            routes=Routes(self.settings.team_routes(())),
            held=self.held if self.teams else None,
            clock=lambda: self.now,
            jitter=lambda: 1.0,
        )
        return self.shipper

    def held(self, writer: str) -> Spool:
        if writer not in self.heaps:
            self.heaps[writer] = Spool(self.folder / "spool", writer, 2**30)
        return self.heaps[writer]

    def add(self, count: int, index: str = "apisec", pad: int = 50) -> list[str]:
        ids = [f"t{self.sent + number}" for number in range(count)]
        self.sent += count
        for one in ids:
            event = {"id": one, "pad": "x" * pad}
            self.spool.append(json.dumps({"sourcetype": "apisec:transaction", "index": index, "event": event}).encode())
        return ids

    def steps(self, count: int = 50, seconds: float = 0.2) -> None:
        """Let time go by; every round may send, poll and acknowledge."""
        for _ in range(count):
            self.shipper.step()
            self.now += seconds

    def buried(self) -> list[str]:
        found = []
        for segment in list_segments(self.folder / "spool", ".dead"):
            for line in segment.path.read_bytes().splitlines():
                record = decode(line)
                assert record is not None
                found.append(json.loads(record)["event"]["id"])
        return found

    def counter(self, name: str) -> float:
        return float(self.metrics.snapshot()["counters"].get(name, 0))
