"""From a transaction to the bytes that are spooled: the pipeline's engine with its keys, overrides and vault."""

from __future__ import annotations

import dataclasses
import datetime
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from apisec.classification.overrides import Overrides
from apisec.model.transaction import Transaction
from apisec_forwarder import config as configuration
from apisec_forwarder import keys, logs, vault
from apisec_forwarder.config import Config
from apisec_forwarder.config.overrides import load_overrides
from apisec_forwarder.pipeline import engine, envelope
from apisec_forwarder.pipeline.envelope import dump
from apisec_forwarder.pipeline.learning import Learning

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Made:
    """``record`` is the HEC envelope; ``event`` is there where it was wanted."""

    record: bytes
    coverage: str
    blocked: bool
    event: dict[str, Any] | None = None


class Lane:
    """Makes records, and makes itself anew when a key or an override comes into force or ends."""

    def __init__(self, config: Config, now: float | None = None, process: str = "worker") -> None:
        now = datetime.datetime.now(datetime.UTC).timestamp() if now is None else now
        path = config.redaction.overrides
        overrides = load_overrides(path, _day(now)) if path is not None else Overrides()
        self._config = config
        self._vault = vault.opened(config.vault)
        self._settings = configuration.pipeline_settings(config, overrides=overrides)
        self._lanes: dict[str, int] = {}  # of engines before this one
        learns = config.signals.learn_parameters
        self._learning = Learning(config.spool.directory, process) if learns else None
        self._build(now)
        if self._learning is not None:
            self._learning.merge()  # behind the engine, whose keys tell whether values can be compared

    def _build(self, now: float) -> None:
        """Make the engine of this moment; the file of overrides is read at the start and at a reload only."""
        config = self._config
        settings = dataclasses.replace(self._settings, overrides=self._settings.overrides.on(_day(now)))
        ring = keys.open_ring(config.keys)
        tokenizer = keys.tokenizer(config.keys, ring, now)
        kept = config.spool.directory / "engine"  # compiled patterns
        self._engine = engine(settings, tokenizer, config.workers.engine, self._vault, kept)
        self._engine.learn(self._learning.book if self._learning is not None else None)
        self._settings = settings
        changes = (ring.changes_after(now), _midnight(settings.overrides.next_expiry()))
        self._stale_at = min((at for at in changes if at is not None), default=float("inf"))

    @property
    def name(self) -> str:
        """Which engine it is: native or pure."""
        return self._engine.name

    @property
    def vault_failures(self) -> int:
        return 0 if self._vault is None else self._vault.failures

    def counts(self) -> Mapping[str, int]:
        """Return how many transactions went which way: native, part (a body read by the core), pure."""
        lanes = {**self._lanes, **self._engine.lanes}
        return {name: self._lanes.get(name, 0) + self._engine.lanes.get(name, 0) for name in lanes}

    def make(self, transaction: Transaction, *, want_event: bool) -> Made:
        """Return what is spooled of a transaction, and the event itself where the decisions want it."""
        if want_event:
            event = self._engine.process(transaction)
            record = dump(envelope(event, self._settings))
            return Made(record, str(event.get("coverage")), event.get("action") == "blocked", event)
        record = self._engine.record(transaction)
        return Made(record, self._engine.last_coverage, self._engine.last_blocked)

    def refresh(self, now: float) -> None:
        """Take what has changed with time; what cannot be read leaves everything as it was, and says so."""
        if self._learning is not None:
            self._learning.refresh(now)
        if now < self._stale_at:
            return
        before = self.counts()
        try:
            self._build(now)
        except Exception:  # noqa: BLE001 (an unreadable key file must not end what runs with a good key)
            self._stale_at = now + 60.0
            logs.failure(logger, "lane.not_refreshed")
        else:
            self._lanes = dict(before)
            logs.emit(logger, logging.INFO, "lane.refreshed")

    def close(self) -> None:
        """Leave what was learned of parameters to the next process."""
        if self._learning is not None:
            self._learning.save()


def _day(now: float) -> datetime.date:
    return datetime.datetime.fromtimestamp(now, datetime.UTC).date()


def _midnight(day: datetime.date | None) -> float | None:
    """Return when a day begins (UTC), seconds since the epoch."""
    return None if day is None else datetime.datetime(day.year, day.month, day.day, tzinfo=datetime.UTC).timestamp()
