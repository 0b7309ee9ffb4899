"""From a transaction to the bytes that are spooled: the pipeline's engine with its keys, overrides and vault."""

from __future__ import annotations

import datetime
import json
import logging
from dataclasses import dataclass
from typing import Any

import orjson

from apisec.model.transaction import Transaction
from apisec_forwarder import config as configuration
from apisec_forwarder import keys, logs, vault
from apisec_forwarder.config import Config
from apisec_forwarder.pipeline import Pipeline, envelope

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

    def __init__(self, config: Config, now: float | None = None) -> None:
        self._config = config
        self._vault = vault.opened(config.vault)
        self._build(datetime.datetime.now(datetime.UTC).timestamp() if now is None else now)

    def _build(self, now: float) -> None:
        config = self._config
        self._settings = configuration.pipeline_settings(config)
        ring = keys.open_ring(config.keys)
        self._pipeline = Pipeline(self._settings, keys.tokenizer(config.keys, ring, now))
        self.name = "pure"
        tomorrow = (now // 86400 + 1) * 86400  # overrides end with a day (UTC)
        changes = [ring.changes_after(now), tomorrow if config.redaction.overrides is not None else None]
        self._stale_at = min((at for at in changes if at is not None), default=float("inf"))

    @property
    def vault_failures(self) -> int:
        return 0 if self._vault is None else self._vault.failures

    def make(self, transaction: Transaction, *, want_event: bool) -> Made:
        """Return what is spooled of a transaction, and the event itself where the decisions want it."""
        event = self._pipeline.process(transaction)
        record = _dump(envelope(event, self._settings))
        return Made(record, str(event.get("coverage")), event.get("action") == "blocked", event if want_event else None)

    def refresh(self, now: float) -> None:
        """Take what has changed with time; what cannot be read leaves everything as it was, and says so."""
        if now < self._stale_at:
            return
        try:
            self._build(now)
        except Exception:  # noqa: BLE001 (an unreadable key file must not end what runs with a good key)
            self._stale_at = now + 60.0
            logs.failure(logger, "lane.not_refreshed")
        else:
            logs.emit(logger, logging.INFO, "lane.refreshed")


def _dump(document: dict[str, Any]) -> bytes:
    try:
        return orjson.dumps(document)
    except TypeError:  # orjson refuses lone surrogates; the escape keeps them harmless
        return json.dumps(document, separators=(",", ":")).encode("ascii")
