"""The exporter process: takes what all workers spooled to Splunk, sums up what they say of themselves, serves metrics.

Started by the supervisor as ``python -m apisec_forwarder.exporter --config FILE``. The only reader of the spool.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from apisec.errors import ApisecError
from apisec_forwarder import health, logs, process, status
from apisec_forwarder.config import Config, status_file
from apisec_forwarder.endpoint import Endpoint
from apisec_forwarder.exporters import open_shipper
from apisec_forwarder.files import write_private
from apisec_forwarder.metrics import Metrics
from apisec_forwarder.process import EXIT_USAGE, Start, Stop
from apisec_forwarder.spool import Spool

logger = logging.getLogger(__name__)

NICENESS = 10  # the gateway on the same host goes first
DRAIN_SECONDS = 5.0  # after SIGTERM: for what can still be shipped
HANDOVER_SECONDS = 3.0  # after SIGUSR2: for what is under way; shorter than a successor waits for the spool's lock
STATUS_SECONDS = 1.0
POLL_SECONDS = 0.1
PROCESS = "exporter"
WRITER = "health"


class Exporter:
    """Everything of the process; ``run`` returns after ``stop``."""

    def __init__(self, config: Config, start: Start | None = None) -> None:
        start = start or Start(config.path)
        self._config = config
        self._pulse = start.pulse()
        self._metrics = Metrics(status.read(status.process_file(config, PROCESS)))
        self._shipper = open_shipper(config, self._metrics)
        spool = config.spool
        self._spool = Spool(
            spool.directory, WRITER, spool.max_bytes, sync_seconds=spool.sync_seconds, overflow=spool.overflow
        )
        self._endpoint = Endpoint(config.metrics.listen, self._collect) if config.metrics is not None else None
        self._told: dict[str, Any] = _read(status.told_file(config))
        self._health_at = time.monotonic() + config.health.interval_seconds
        self._metrics.gauge("start_time_seconds", round(time.time(), 3))
        self._metrics.inc("process_starts", process=PROCESS)

    def run(self, stop: Stop) -> int:
        """Ship until ``stop``; then what can be shipped soon, or with a successor, what is under way."""
        done = threading.Event()
        ship = threading.Thread(target=self._shipper.run, args=(done,), name="shipper", daemon=True)
        ship.start()
        if self._endpoint is not None:
            self._endpoint.start()
        self._pulse.beat()
        logs.emit(logger, logging.INFO, "exporter.started")
        while not stop.asked.wait(STATUS_SECONDS):
            self._pulse.beat()
            self._report()
        if stop.handover:
            self._shipper.hold()
        else:
            self._health()
        finished = self._shipper.settled if stop.handover else self._shipper.drained
        deadline = time.monotonic() + (HANDOVER_SECONDS if stop.handover else DRAIN_SECONDS)
        while time.monotonic() < deadline and ship.is_alive() and not finished():
            time.sleep(POLL_SECONDS)
        done.set()
        ship.join(timeout=1.0)
        self._report(ended=True)
        if self._endpoint is not None:
            self._endpoint.close()
        self._spool.close()
        pending = self._shipper.pending_bytes()
        self._shipper.close()
        logs.emit(logger, logging.INFO, "exporter.stopped", spool_bytes=pending)
        return 0

    def _report(self, *, ended: bool = False) -> None:
        """Write this process's status and the sums; tell Splunk when it is time."""
        self._shipper.measure()
        self._metrics.gauge("resident_bytes", process.resident_bytes())
        with contextlib.suppress(OSError):  # a full disk; the log says so already
            status.write(self._config, PROCESS, self._metrics.snapshot(), ended=ended, hec=self._hec())
            write_private(status_file(self._config), json.dumps(self._collect()).encode(), durable=False)
        if not ended and time.monotonic() >= self._health_at:
            self._health_at = time.monotonic() + self._config.health.interval_seconds
            self._health()

    def _health(self) -> None:
        """Spool one health event; what the disk does not take now, the next one tells."""
        now = time.time()
        document = self._collect()
        event = health.health_event(self._config, self._told, document)
        try:
            self._spool.append(health.health_envelope(self._config, event, now))
            self._spool.sync()
        except OSError as error:
            self._metrics.inc("spool_errors")
            logs.emit(logger, logging.ERROR, "health.not_spooled", errno=error.errno)
            return
        self._told = document
        with contextlib.suppress(OSError):
            write_private(status.told_file(self._config), json.dumps(document).encode(), durable=False)

    def _collect(self) -> dict[str, Any]:
        return status.collect(self._config, time.time())

    def _hec(self) -> dict[str, Any]:
        return {key: value for key, value in vars(self._shipper.state).items() if value not in (None, "")}


def _read(path: Path) -> dict[str, Any]:
    try:
        document = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return document if isinstance(document, dict) else {}


def main(argv: Sequence[str] | None = None) -> int:
    start = process.parse("apisec_forwarder.exporter", __doc__, argv)
    logs.configure(PROCESS)
    with contextlib.suppress(OSError):
        os.nice(NICENESS)
    stop = Stop().listen()
    try:
        exporter = Exporter(start.load(), start)
    except ApisecError as error:
        print(f"apisec-forwarder: error: {error}", file=sys.stderr)
        return EXIT_USAGE
    return exporter.run(stop)


if __name__ == "__main__":
    sys.exit(main())
