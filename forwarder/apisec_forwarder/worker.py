"""A worker process: sources → transactions → events → spool, and copies to the decision service.

Started by the supervisor as ``python -m apisec_forwarder.worker --config FILE --index I --count N``. One thread does
all of it; another process ships what is in the spool. What a worker has not committed is given again to its
successor, so its death costs nothing but time.
"""

from __future__ import annotations

import contextlib
import logging
import os
import resource
import sys
import time
from collections import Counter
from collections.abc import Sequence
from typing import Any, Protocol

from apisec.errors import ApisecError
from apisec.model.transaction import Transaction
from apisec_forwarder import logs, process, status
from apisec_forwarder.config import Config
from apisec_forwarder.files import private_directory
from apisec_forwarder.lane import Lane
from apisec_forwarder.metrics import Metrics
from apisec_forwarder.process import EXIT_REPLACE, EXIT_USAGE, Start, Stop
from apisec_forwarder.receivers.base import Place, Source
from apisec_forwarder.receivers.registry import open_sources
from apisec_forwarder.spool import Spool
from apisec_forwarder.suspects import Suspects

logger = logging.getLogger(__name__)

IDLE_SECONDS = 0.02  # how long sources that gave nothing are left alone
NICENESS = 10  # the gateway on the same host, and call-outs that a client waits for, go first
DRAIN_SECONDS = 5.0  # after SIGTERM: for what the sources still hold
STATUS_SECONDS = 1.0
SPOOL_RETRY_SECONDS = 1.0
# Above its memory a worker is replaced between two batches; one batch that runs away meets this multiple of it
# (address space, so code and mappings count too) and fails alone, as a MemoryError.
ADDRESS_SPACE_FACTOR = 4
ADDRESS_SPACE_SLACK = 2 * 2**30


class Feed(Protocol):
    """Where events also go: the decision service. Nothing blocks; what does not fit is counted."""

    dropped: int

    def send(self, event: dict[str, Any]) -> None: ...
    def flush(self) -> None: ...
    def close(self) -> None: ...


class Worker:
    """Everything one worker holds; ``run`` returns when it is asked to stop, or wants to be replaced."""

    def __init__(self, config: Config, start: Start | None = None) -> None:
        start = start or Start(config.path, count=config.workers.count)
        self._config = config
        self._process = f"worker-{start.index}{start.letter}"
        self._pulse = start.pulse()
        self._metrics = Metrics(status.read(status.process_file(config, self._process)))
        self._lane = Lane(config, process=self._process)
        spool = config.spool
        state = private_directory(spool.directory)
        self._spool = Spool(
            state,
            f"pipeline_{start.index}{start.letter}",
            spool.max_bytes,
            sync_seconds=spool.sync_seconds,
            overflow=spool.overflow,
        )
        self._suspects = Suspects(state / f"suspect-{start.index}.json", careful=start.careful)
        self._feed = _feed(config)
        self._place = Place(config.gateway.name, state, start.index, start.count, start.listening())
        self._sources: Sequence[Source] = open_sources(config, self._place)
        self._stop = Stop()
        self._uncommitted = False
        self._newest = 0.0  # end of the newest transaction read, seconds since the epoch
        self._replace = False
        self._due = dict.fromkeys(("sync", "status"), 0.0)
        self._metrics.gauge("start_time_seconds", round(time.time(), 3))
        self._metrics.inc("process_starts", process=self._process)

    def run(self, stop: Stop) -> int:
        """Work until ``stop``; then drain, and leave a spool and checkpoints that agree."""
        self._stop = stop
        self._pulse.beat()
        logs.emit(logger, logging.INFO, "worker.started", sources=len(self._sources), engine=self._lane.name)
        while not stop.asked.is_set() and not self._replace:
            if not self._turn():
                stop.asked.wait(IDLE_SECONDS)
        for source in self._sources:
            source.drain(handover=stop.handover or self._replace)
        deadline = time.monotonic() + DRAIN_SECONDS
        while time.monotonic() < deadline and (self._turn() or any(source.pending() for source in self._sources)):
            pass
        self._commit()
        self._status(ended=True)
        for source in self._sources:
            source.close()
        for listening in self._place.sockets.values():
            listening.close()
        self._spool.close()
        self._lane.close()
        if self._feed is not None:
            self._feed.close()
        logs.emit(logger, logging.INFO, "worker.stopped", replace=self._replace)
        return EXIT_REPLACE if self._replace and not stop.asked.is_set() else 0

    def _turn(self) -> bool:
        """Ask each source once; whether any had something."""
        busy = False
        for source in self._sources:
            transactions = source.read()
            if transactions:
                busy = True
                self._handle(transactions)
        self._tick(busy)
        return busy

    def _handle(self, transactions: Sequence[Transaction]) -> None:
        """Analyse and spool one batch of a source."""
        if self._suspects.careful:
            for transaction in transactions:
                with self._suspects.noted(transaction) as one:
                    self._spool_all(self._records([one]) if one is not None else [])
            self._suspects.settled()
        else:
            self._spool_all(self._records(transactions))
        self._uncommitted = True
        now = time.time()
        ends = [one.time + (one.duration or 0.0) / 1000 for one in transactions]
        self._newest = max(ends)
        self._metrics.observe("transaction_lag_seconds", [max(0.0, now - end) for end in ends])

    def _records(self, transactions: Sequence[Transaction]) -> list[bytes]:
        """Return the envelopes of the transactions; one that fails is counted and does not end the worker."""
        records: list[bytes] = []
        coverage: Counter[str] = Counter()
        for transaction in transactions:
            try:
                made = self._lane.make(transaction, want_event=self._feed is not None)
            except Exception:  # noqa: BLE001 (one transaction must not end the worker; it is counted and logged)
                self._metrics.inc("transactions_failed")
                logs.failure(logger, "worker.transaction_failed")
                continue
            records.append(made.record)
            coverage[made.coverage] += 1
            if made.blocked:
                self._metrics.inc("events_blocked")
            if self._feed is not None and made.event is not None:
                self._feed.send(made.event)
        for name, count in coverage.items():
            self._metrics.inc("events", count, coverage=name)
        return records

    def _spool_all(self, records: Sequence[bytes]) -> None:
        """Spool the envelopes; while the spool takes nothing, wait: the buffer is at the source."""
        while records:
            try:
                self._spool.extend(records)
                return
            except OSError as error:
                self._metrics.inc("spool_errors")
                logs.emit(logger, logging.ERROR, "spool.full", errno=error.errno)
                self._report()
                if self._stop.asked.wait(SPOOL_RETRY_SECONDS):
                    # nothing is committed: the sources give it again to the next process
                    raise SystemExit(1) from error

    def _tick(self, busy: bool) -> None:
        now = time.monotonic()
        if self._feed is not None:
            self._feed.flush()
        prompt = self._uncommitted and not busy and any(source.prompt for source in self._sources)
        if now >= self._due["sync"] or prompt:
            self._commit()
            self._due["sync"] = now + self._config.spool.sync_seconds
        self._report()

    def _report(self) -> None:
        """Give the sign of life and the status, each second."""
        now = time.monotonic()
        if now >= self._due["status"]:
            self._due["status"] = now + STATUS_SECONDS
            self._pulse.beat()
            self._status()
            self._lane.refresh(time.time())

    def _commit(self) -> None:
        """First the spool is durable, then the sources may forget."""
        try:
            self._spool.sync()
            self._spool.enforce()
            for source in self._sources:
                source.commit()
            self._uncommitted = False
        except OSError as error:
            self._metrics.inc("spool_errors")
            logs.emit(logger, logging.ERROR, "spool.sync_failed", errno=error.errno)

    def _status(self, *, ended: bool = False) -> None:
        self._measure()
        with contextlib.suppress(OSError):  # a full disk; the log says so already
            more = {"spool": str(self._spool.state), "engine": self._lane.name}
            status.write(self._config, self._process, self._metrics.snapshot(), ended=ended, **more)

    def _measure(self) -> None:
        """Bring the counters that others keep, and the gauges, up to date."""
        gauges: dict[str, float] = {}
        for source in self._sources:
            for (name, cause), count in source.counters().items():
                labels = {"source": source.name, **({"cause": cause} if cause else {})}
                self._metrics.total(name, count, **labels)
            for name, value in source.gauges().items():
                gauges[name] = gauges.get(name, 0.0) + value
        for name, value in gauges.items():
            self._metrics.gauge(name, value)
        unread = gauges.get("unread_bytes", 0)
        lag = max(0.0, time.time() - self._newest) if unread and self._newest else 0.0
        self._metrics.gauge("lag_seconds", round(lag, 3))
        self._metrics.total("spool_dropped_events", self._spool.dropped.records)
        self._metrics.total("suspects", self._suspects.found)
        for name, count in self._lane.counts().items():
            self._metrics.total("transactions_analysed", count, lane=name)
        self._metrics.total("vault_failures", self._lane.vault_failures)
        if self._feed is not None:
            self._metrics.total("feed_dropped", self._feed.dropped)
        resident = process.resident_bytes()
        self._metrics.gauge("resident_bytes", resident)
        if resident > self._config.workers.memory and not self._replace:
            logs.emit(logger, logging.WARNING, "worker.memory", resident_bytes=resident)
            self._metrics.inc("memory_replacements")
            self._replace = True


def _feed(config: Config) -> Feed | None:
    if config.decisions is None:
        return None
    from apisec_forwarder.decisions.feed import Sender

    return Sender(config.decisions.feed_socket)


def bound_memory(memory: int) -> None:
    """Make an allocation that runs away fail in this process, before the kernel picks one to kill."""
    limit = max(ADDRESS_SPACE_FACTOR * memory, memory + ADDRESS_SPACE_SLACK)
    with contextlib.suppress(OSError, ValueError):  # a lower limit is set from outside
        resource.setrlimit(resource.RLIMIT_AS, (limit, resource.getrlimit(resource.RLIMIT_AS)[1]))


def main(argv: Sequence[str] | None = None) -> int:
    start = process.parse("apisec_forwarder.worker", __doc__, argv)
    logs.configure(f"worker-{start.index}{start.letter}")
    with contextlib.suppress(OSError):
        os.nice(NICENESS)
    stop = Stop().listen()
    try:
        config: Config = start.load()
        bound_memory(config.workers.memory)
        worker = Worker(config, start)
    except ApisecError as error:
        print(f"apisec-forwarder: error: {error}", file=sys.stderr)
        return EXIT_USAGE
    return worker.run(stop)


if __name__ == "__main__":
    sys.exit(main())
