"""The pipeline process: gateway's log → transactions → events → spool → HEC, and copies to the decision service.

One thread reads, redacts and spools; another ships. Started by the supervisor as
``python -m apisec_forwarder.worker --config FILE``.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import orjson

from apisec.errors import ApisecError, DecodeError
from apisec.model.transaction import Transaction
from apisec_forwarder import config as configuration
from apisec_forwarder import health, keys, logs
from apisec_forwarder.config import Config
from apisec_forwarder.exporters.hec import HecClient
from apisec_forwarder.exporters.shipper import Shipper
from apisec_forwarder.gateway.admin import EnvoyAdmin
from apisec_forwarder.metrics import Metrics
from apisec_forwarder.pipeline import Pipeline, envelope
from apisec_forwarder.receivers import envoy as envoy_receiver
from apisec_forwarder.receivers.tail import LogTail
from apisec_forwarder.spool import Spool, SpoolReader

logger = logging.getLogger(__name__)

IDLE_SECONDS = 0.05  # how long an empty log is left alone; Envoy flushes every 0.2 s
NICENESS = 10  # the gateway on the same host, and call-outs that a client waits for, go first
DRAIN_SECONDS = 5.0  # after SIGTERM: for what is in the log and for what can still be shipped
STATUS_SECONDS = 1.0
SPOOL_RETRY_SECONDS = 1.0
FRAME_SLACK_BYTES = 256 * 2**10  # headers (Envoy allows 60 KiB each way) and the rest of a line, in base64
CHECKPOINT = "envoy-log.json"


class Feed(Protocol):
    """Where events also go: the decision service. Nothing blocks; what does not fit is counted."""

    dropped: int

    def send(self, event: dict[str, Any]) -> None: ...
    def flush(self) -> None: ...
    def close(self) -> None: ...


class Worker:
    """Everything one pipeline process holds; ``run`` returns when ``stop`` is set."""

    def __init__(self, config: Config) -> None:
        settings = configuration.pipeline_settings(config)
        self._config = config
        self._settings = settings
        self._metrics = Metrics()
        self._pipeline = Pipeline(settings, keys.tokenizer(config.keys, keys.open_ring(config.keys), time.time()))
        spool = config.spool
        self._spool = Spool(spool.directory, "pipeline", spool.max_bytes, sync_seconds=spool.sync_seconds)
        self._dead = Spool(spool.directory, "dead", max(2**16, spool.max_bytes // 10), suffix=".dead")
        self._reader = SpoolReader(spool.directory)
        self._shipper = Shipper(config.hec, self._reader, HecClient(config.hec), self._dead, self._metrics)
        self._admin = _admin(config)
        self._tail = _tail(config, self._admin)
        self._feed = _feed(config)
        self._refusal = _refusal(config)
        self._stop = threading.Event()
        self._newest = 0.0  # end of the newest transaction seen, seconds since the epoch
        self._write_failures = 0
        self._before: dict[str, float] = {}
        self._due = dict.fromkeys(("sync", "status"), 0.0)
        self._due["health"] = time.monotonic() + config.health.interval_seconds
        self._metrics.gauge("start_time_seconds", round(time.time(), 3))

    def run(self, stop: threading.Event) -> int:
        """Work until ``stop``; then drain, and leave a spool and a checkpoint that agree."""
        self._stop = stop
        ship_stop = threading.Event()
        ship = threading.Thread(target=self._shipper.run, args=(ship_stop,), name="hec", daemon=True)
        ship.start()
        logs.emit(logger, logging.INFO, "pipeline.started")
        while not stop.is_set():
            if not self._turn():
                stop.wait(IDLE_SECONDS)
        deadline = time.monotonic() + DRAIN_SECONDS
        while time.monotonic() < deadline and self._turn():
            pass
        self._commit()
        self._health()
        self._spool.sync()
        while time.monotonic() < deadline and ship.is_alive() and not self._shipper.drained():
            time.sleep(IDLE_SECONDS)
        ship_stop.set()
        ship.join(timeout=2.0)
        self._status()
        self._tail.close()
        self._spool.close()
        if self._feed is not None:
            self._feed.close()
        logs.emit(logger, logging.INFO, "pipeline.stopped", spool_bytes=self._reader.pending_bytes())
        return 0

    def _turn(self) -> bool:
        """Handle what the log holds now; whether it held anything."""
        lines = self._tail.read()
        for line in lines:
            self._line(line)
        self._tick()
        return bool(lines)

    def _line(self, line: bytes) -> None:
        self._metrics.inc("lines_received")
        record, torn = envoy_receiver.split_torn(line)
        if torn:
            self._metrics.inc("lines_skipped", torn, cause="torn")
        try:
            transaction = envoy_receiver.parse(record, self._config.gateway.name, self._refusal)
        except DecodeError as error:  # its text is ours and holds no byte of the line
            self._metrics.inc("lines_skipped", cause=str(error).replace(" ", "_"))
            return
        try:
            self._event(transaction)
        except Exception:  # noqa: BLE001 (one transaction must not end the forwarder; it is counted and logged)
            self._metrics.inc("lines_skipped", cause="failed")
            logs.failure(logger, "pipeline.transaction_failed")

    def _event(self, transaction: Transaction) -> None:
        event = self._pipeline.process(transaction)
        self._append(_dump(envelope(event, self._settings)))
        self._metrics.inc("events", coverage=str(event.get("coverage")))
        if event.get("action") == "blocked":
            self._metrics.inc("events_blocked")
        if self._feed is not None:
            self._feed.send(event)
        self._newest = transaction.time + (transaction.duration or 0) / 1000

    def _append(self, record: bytes) -> None:
        """Spool one envelope; while the disk takes nothing, wait (the log outside is the buffer)."""
        while True:
            try:
                self._spool.append(record)
                return
            except OSError as error:
                self._metrics.inc("spool_errors")
                logs.emit(logger, logging.ERROR, "spool.full", errno=error.errno)
                if self._stop.wait(SPOOL_RETRY_SECONDS):
                    # the checkpoint stays where it is: the line is read again by the next process
                    raise SystemExit(1) from error

    def _tick(self) -> None:
        now = time.monotonic()
        if self._feed is not None:
            self._feed.flush()
        if now >= self._due["sync"]:
            self._commit()
            self._due["sync"] = now + self._config.spool.sync_seconds
        if now >= self._due["health"]:
            self._health()
            self._due["health"] = now + self._config.health.interval_seconds
        if now >= self._due["status"]:
            self._status()
            self._due["status"] = now + STATUS_SECONDS

    def _commit(self) -> None:
        """First the spool is durable, then the checkpoint moves."""
        mark = self._tail.mark()
        try:
            self._spool.sync()
            self._spool.enforce()
            self._tail.commit(mark)
        except OSError as error:
            self._metrics.inc("spool_errors")
            logs.emit(logger, logging.ERROR, "spool.sync_failed", errno=error.errno)

    def _measure(self) -> None:
        """Bring the counters that others keep, and the gauges, up to date."""
        counts, dropped = self._tail.counts, self._spool.dropped
        for name, value in (
            ("spool_dropped_events", dropped.records),
            ("spool_damaged", self._reader.damaged),
            ("gateway_write_failures", self._write_failures),
            ("log_rotations", counts.rotations),
            ("log_truncations", counts.truncated),
            ("log_reopen_failures", counts.reopen_failures),
            ("hec_dead_letters_dropped", self._dead.dropped.records),
            ("feed_dropped", self._feed.dropped if self._feed is not None else 0),
        ):
            self._metrics.total(name, value)
        self._metrics.total("lines_skipped", counts.torn, cause="unended")
        self._metrics.total("lines_skipped", counts.oversized, cause="oversized")
        unread = self._tail.unread_bytes()
        self._metrics.gauge("unread_bytes", unread)
        self._metrics.gauge("spool_bytes", self._reader.pending_bytes())
        lag = max(0.0, time.time() - self._newest) if unread and self._newest else 0.0
        self._metrics.gauge("lag_seconds", round(lag, 3))

    def _health(self) -> None:
        if self._admin is not None:
            with contextlib.suppress(OSError):  # Envoy is away: it writes nothing then either
                self._write_failures = self._admin.write_failures()
        self._measure()
        snapshot = self._metrics.snapshot()
        event = health.health_event(self._config, self._before, snapshot, self._hec())
        self._before = snapshot["counters"]
        try:
            self._spool.append(health.health_envelope(self._config, event, time.time()))
        except OSError:
            self._metrics.inc("spool_errors")

    def _status(self) -> None:
        self._measure()
        with contextlib.suppress(OSError):  # a full disk; the log says so already
            health.write_status(self._config, self._metrics.snapshot(), self._hec(), time.time())

    def _hec(self) -> dict[str, Any]:
        state = self._shipper.state
        return {key: value for key, value in vars(state).items() if value not in (None, "")}


def _admin(config: Config) -> EnvoyAdmin | None:
    assert config.receiver.envoy is not None
    path = config.receiver.envoy.admin_socket
    return EnvoyAdmin(path) if path is not None else None


def _tail(config: Config, admin: EnvoyAdmin | None) -> LogTail:
    envoy = config.receiver.envoy
    assert envoy is not None
    bodies = (envoy.request_bytes + envoy.response_bytes) * 4 // 3
    return LogTail(
        envoy.log,
        config.spool.directory / CHECKPOINT,
        bodies + FRAME_SLACK_BYTES,
        rotate_bytes=envoy.rotate_bytes,
        reopen=admin.reopen_logs if admin is not None else None,
    )


def _feed(config: Config) -> Feed | None:
    if config.decisions is None:
        return None
    from apisec_forwarder.decisions.feed import Sender

    return Sender(config.decisions.feed_socket)


def _refusal(config: Config) -> envoy_receiver.RefusalOf:
    if config.decisions is None:
        return envoy_receiver.no_refusal
    from apisec_forwarder.enforcement.envoy import refusal

    return refusal


def _dump(document: dict[str, Any]) -> bytes:
    try:
        return orjson.dumps(document)
    except TypeError:  # orjson refuses lone surrogates; the escape keeps them harmless
        return json.dumps(document, separators=(",", ":")).encode("ascii")


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m apisec_forwarder.worker", description=__doc__)
    parser.add_argument("--config", type=Path, required=True)
    args = parser.parse_args(argv)
    logs.configure("pipeline")
    with contextlib.suppress(OSError):
        os.nice(NICENESS)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    try:
        worker = Worker(configuration.load(args.config))
    except ApisecError as error:
        print(f"apisec-forwarder: error: {error}", file=sys.stderr)
        return 2
    return worker.run(stop)


if __name__ == "__main__":
    sys.exit(main())
