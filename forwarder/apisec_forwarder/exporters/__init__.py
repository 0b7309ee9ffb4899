"""Exporters: each takes batches from the spool to one destination and says when they have arrived."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from apisec_forwarder.config import Config
    from apisec_forwarder.exporters.shipper import Shipper
    from apisec_forwarder.metrics import Metrics
    from apisec_forwarder.spool import Spool

MIN_DEAD_LETTER_BYTES = 2**16


def open_shipper(config: Config, metrics: Metrics) -> Shipper:
    """Return the shipper of a configuration: the spool's reader, dead letters, a client for each target, threads.

    ConfigError when another process reads the spool, or a token, key or certificate is not usable.
    """
    from apisec_forwarder.exporters.hec import HecClient
    from apisec_forwarder.exporters.routes import Routes
    from apisec_forwarder.exporters.shipper import Shipper
    from apisec_forwarder.spool import Spool, SpoolReader

    hec, spool = config.hec, config.spool
    clients = [HecClient(hec, target) for target in hec.resolved()]
    dead = Spool(spool.directory, "dead", max(MIN_DEAD_LETTER_BYTES, spool.max_bytes // 10), suffix=".dead")
    return Shipper(
        hec,
        SpoolReader(spool.directory),
        clients,
        dead,
        metrics,
        routes=Routes(hec.team_routes(config.services)),
        held=_Held(spool.directory, spool.max_bytes, spool.overflow) if hec.teams else None,
        executor=ThreadPoolExecutor(max_workers=len(clients) * (hec.connections + 1), thread_name_prefix="hec"),
    )


class _Held:
    """The heaps of events whose token is refused: writers of the spool, opened when first needed."""

    def __init__(self, directory: Path, max_bytes: int, overflow: str) -> None:
        self._directory, self._max_bytes, self._overflow = directory, max_bytes, overflow
        self._open: dict[str, Spool] = {}

    def __call__(self, writer: str) -> Spool:
        from apisec_forwarder.spool import Spool

        if writer not in self._open:
            self._open[writer] = Spool(self._directory, writer, self._max_bytes, overflow=self._overflow)
        return self._open[writer]
