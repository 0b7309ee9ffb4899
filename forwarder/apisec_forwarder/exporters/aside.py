"""What is put aside on disk: events that HEC refuses for good, and those whose team's token it refuses for now."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

from apisec_forwarder import logs
from apisec_forwarder.exporters.hec import Outcome
from apisec_forwarder.exporters.routes import held_writer
from apisec_forwarder.metrics import Metrics
from apisec_forwarder.spool import Spool

logger = logging.getLogger(__name__)


class Aside:
    """Dead letters, and heaps of the spool itself, which come again when a token is taken. OSError: no room."""

    def __init__(self, dead: Spool, held: Callable[[str], Spool] | None, metrics: Metrics) -> None:
        """``held`` opens a writer of the spool by its name; None: a refused token is waited out instead."""
        self._dead = dead
        self._held = held
        self._metrics = metrics

    @property
    def dropped(self) -> int:
        """Dead letters that their cap has dropped."""
        return self._dead.dropped.records

    @property
    def holds(self) -> bool:
        return self._held is not None

    def bury(self, envelope: bytes, outcome: Outcome) -> None:
        """Keep an event that HEC will never take."""
        self._dead.append(envelope)
        self._dead.sync()
        self._metrics.inc("hec_events_refused", code=outcome.code if outcome.code is not None else outcome.status)
        logs.emit(logger, logging.ERROR, "hec.event_refused", code=outcome.code, status=outcome.status)

    def hold(self, route: str, envelopes: Sequence[bytes]) -> None:
        """Put events of a route back into the spool, on a heap of their own, so that those of others go on."""
        assert self._held is not None
        heap = self._held(held_writer(route))
        heap.extend(envelopes)
        heap.sync()
        self._metrics.inc("hec_events_held", len(envelopes))

    def close(self) -> None:
        self._dead.close()
