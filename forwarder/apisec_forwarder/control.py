"""The control process: admin API, decision service and Envoy's rules, in one event loop.

    python -m apisec_forwarder.control --config forwarder.yaml

The supervisor of ``apisec-forwarder run`` starts it. One loop and no locks: a change of a pattern, the rules file
that Envoy reads and the next call-out see the same state.
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import logging
import signal
import ssl
import sys
import time
from collections.abc import Iterator, Sequence
from typing import Any

import uvicorn

from apisec.classification.overrides import Overrides
from apisec.errors import ApisecError, ConfigError
from apisec.model.decision import Decision
from apisec.model.transaction import Transaction
from apisec.patterns.matcher import Matcher
from apisec_forwarder import config as configuration
from apisec_forwarder import keys, logs, process
from apisec_forwarder.admin.app import build
from apisec_forwarder.admin.context import Context
from apisec_forwarder.admin.people import People
from apisec_forwarder.admin.tokens import Verifier
from apisec_forwarder.bundles import effect
from apisec_forwarder.bundles.manage import Audit, Bundles
from apisec_forwarder.config import Admin, Config, Decisions
from apisec_forwarder.config.overrides import load_overrides
from apisec_forwarder.decisions import snapshot
from apisec_forwarder.decisions.feed import Receiver
from apisec_forwarder.decisions.registry import Registry, audit_envelope
from apisec_forwarder.decisions.server import Server
from apisec_forwarder.decisions.service import DecisionService
from apisec_forwarder.decisions.store import Record, Store
from apisec_forwarder.decisions.tally import Tallies
from apisec_forwarder.enforcement import ecds
from apisec_forwarder.enforcement.compile import compile_patterns
from apisec_forwarder.files import private_directory
from apisec_forwarder.pipeline import Pipeline, PipelineSettings
from apisec_forwarder.spool import Spool

LOG = logging.getLogger(__name__)
SNAPSHOT_SECONDS = 1.0
EXPIRY_CHECK_SECONDS = 1.0
SPOOL_WRITER = "control"


class Timed:
    """Counts the seconds that answers take, around the decision service."""

    def __init__(self, service: DecisionService) -> None:
        self._service = service

    def answer(self, transaction: Transaction, now: float) -> Decision:
        begun = time.perf_counter()
        try:
            return self._service.answer(transaction, now)
        finally:
            self._service.counters.seconds += time.perf_counter() - begun

    def failed(self) -> None:
        self._service.failed()


class Control:
    """Everything of the process; ``serve`` runs until it is told to stop."""

    def __init__(self, config: Config) -> None:
        if config.decisions is None or config.admin is None:
            raise ConfigError("control needs the sections admin and decisions", where=str(config.path))
        self.config = config
        self.decisions: Decisions = config.decisions
        self.admin: Admin = config.admin
        self.settings: PipelineSettings = configuration.pipeline_settings(config)
        self.verifier = Verifier(self.admin.tokens_file)
        self.directory = _directory(self.admin)
        self.tls = _tls(self.admin)
        spool = config.spool
        self.spool = Spool(spool.directory, SPOOL_WRITER, spool.max_bytes, overflow=spool.overflow)
        self.tallies = Tallies()
        pipeline = Pipeline(self.settings, keys.tokenizer(config.keys, keys.open_ring(config.keys), time.time()))
        self.service = DecisionService(pipeline.process, Matcher(), self.tallies)
        self.receiver = Receiver(self.service)
        self.held: frozenset[str] = frozenset()
        store = Store(self.decisions.store)
        self._history_file = store.directory / snapshot.NAME
        teams = {service.name: service.team for service in self.settings.services}
        limits = {name: one.limit for name, one in effect.applied(config).items() if one.limit is not None}
        limit = self.decisions.false_positive_limit
        self.registry = Registry(store, teams, self._changed, self._audit, limit, limits)
        self.bundles = _bundles(config, self.registry, self._audit)
        self._stop = asyncio.Event()

    # --- patterns into force ------------------------------------------------------------------------------

    def _changed(self, records: list[Record], now: float) -> None:
        """Bring matcher, tallies and Envoy's rules in line with the records."""
        matcher = self.service.matcher
        wanted = {record.pattern.id: record.pattern for record in records}
        for former in matcher.patterns:
            if former.id not in wanted:
                matcher.remove(former.id)
                self.tallies.drop(former.id)
        before = {pattern.id: pattern for pattern in matcher.patterns}
        for identity, pattern in wanted.items():
            known = before.get(identity)
            if known is not None and known.digest != pattern.digest:
                self.tallies.drop(identity)  # another pattern under the same id: its counts begin anew
            tally = self.tallies.open(identity, now)
            if known is None or known.mode != pattern.mode or known.digest != pattern.digest:
                tally.mode_changed(now)
            if known != pattern:
                matcher.put(pattern, now)
        self.service.patterns_changed()
        self._write_rules(now)

    def _write_rules(self, now: float) -> None:
        compiled = compile_patterns(self.service.matcher.patterns, self.settings.services, now)
        try:
            ecds.write(self.decisions.ecds_directory, compiled.rules, compiled.shadow_rules)
            self.held = compiled.held
        except (ValueError, OSError):
            logs.failure(LOG, "rules_not_written")

    def _audit(self, event: dict[str, Any], team: str, now: float) -> None:
        indexes = {service.team: service.index for service in self.settings.services if service.index}
        index = indexes.get(team) or self.config.hec.team_index(team) or self.config.hec.index
        gateway = self.config.gateway
        try:
            self.spool.append(audit_envelope(event, gateway.name, gateway.env, index, now))
            self.spool.sync()
        except OSError:
            logs.failure(LOG, "audit_not_spooled", pattern=event.get("pattern"), change=event["change"])

    # --- the process --------------------------------------------------------------------------------------

    async def serve(self) -> None:
        """Start all servers; return after SIGTERM, SIGINT or SIGUSR2, when everything is saved."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT, process.HANDOVER):
            loop.add_signal_handler(number, self._stop.set)
        now = time.time()
        private_directory(self.decisions.ecds_directory)
        restored = snapshot.load(self.service.matcher.history, self._history_file, now)
        self.registry.load(now)
        server = Server(Timed(self.service), self.config.gateway.name)
        for path in (self.decisions.socket, self.decisions.feed_socket):
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        await self.receiver.start(self.decisions.feed_socket)
        await server.start(self.decisions.socket)
        web = _Web(self._web_config(now))
        tasks = [asyncio.create_task(work) for work in (web.serve(), self._expire(), self._snapshots())]
        logs.emit(LOG, logging.INFO, "control_started", patterns=len(self.registry.all()), restored=restored)
        stopped = asyncio.create_task(self._stop.wait())
        await asyncio.wait([stopped, *tasks], return_when=asyncio.FIRST_COMPLETED)
        failed = next((t for t in tasks if t.done()), None)
        web.should_exit = True
        await server.stop()
        await self.receiver.stop()
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(asyncio.shield(tasks[0]), 2.0)
        for task in (*tasks, stopped):
            task.cancel()
        await snapshot.save(self.service.matcher.history, self._history_file)
        self.spool.close()
        if failed is not None and not self._stop.is_set():
            failed.result()
            raise ConfigError(f"the admin API cannot listen on {self.admin.listen}", where=str(self.config.path))

    def _web_config(self, now: float) -> uvicorn.Config:
        context = Context(
            registry=self.registry,
            service=self.service,
            tallies=self.tallies,
            receiver=self.receiver,
            gateway=self.config.gateway.name,
            env=self.config.gateway.env,
            status_file=configuration.status_file(self.config),
            held=lambda: self.held,
            clock=time.time,
            started=now,
            bundles=self.bundles,
        )
        web = uvicorn.Config(
            build(context, self.verifier, self.directory),
            host=self.admin.listen.host,
            port=self.admin.listen.port,
            log_config=None,
            access_log=False,
            server_header=False,
            date_header=False,
            lifespan="off",
            ws="none",
            h11_max_incomplete_event_size=65536,
            limit_concurrency=200,
            timeout_keep_alive=15,
        )
        web.load()
        web.ssl = self.tls
        return web

    async def _expire(self) -> None:
        """Lift what expires, within ``EXPIRY_CHECK_SECONDS`` of its time (call-outs know it to the microsecond)."""
        while True:
            ahead = self.registry.next_expiry(time.time())
            await asyncio.sleep(EXPIRY_CHECK_SECONDS if ahead is None else min(EXPIRY_CHECK_SECONDS, ahead + 0.001))
            self.registry.expire(time.time())

    async def _snapshots(self) -> None:
        """Save what was observed, then let the pipeline forget it."""
        saved = -1
        while True:
            await asyncio.sleep(SNAPSHOT_SECONDS)
            observed = self.service.counters.observed + self.service.counters.call_outs
            if observed == saved:
                continue
            taken = self.receiver.taken()
            try:
                await snapshot.save(self.service.matcher.history, self._history_file)
            except OSError:
                logs.failure(LOG, "history_not_saved")
                continue
            self.receiver.covered(taken)
            saved = observed


def _directory(admin: Admin) -> People | None:
    if admin.ldap is None:
        return None
    from apisec_forwarder.admin.directory import Directory  # its library is loaded where it is used only

    return Directory(admin.ldap)


def _bundles(config: Config, registry: Registry, audit: Audit) -> Bundles | None:
    if config.bundles is None:
        return None
    path, today = config.redaction.overrides, datetime.datetime.now(datetime.UTC).date()
    base = load_overrides(path, today) if path is not None else Overrides()
    return Bundles(config, base, registry, audit)


class _Web(uvicorn.Server):
    """uvicorn in a loop that has its own signal handlers."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _tls(admin: Admin) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(admin.tls_certificate, admin.tls_key)
    except (OSError, ssl.SSLError) as error:
        where = f"{admin.tls_certificate}, {admin.tls_key}"
        raise ConfigError(f"not a certificate and its key: {error.strerror or error.args[-1]}", where=where) from error
    return context


def main(argv: Sequence[str] | None = None) -> int:
    """Run the control process; 0 after a signal, 2 when the configuration cannot be used, 1 on failure."""
    start = process.parse("apisec_forwarder.control", __doc__, argv)
    logs.configure("control")
    try:
        run(start.load())
    except ApisecError as error:
        print(f"apisec-forwarder control: error: {error}", file=sys.stderr)
        return 2
    except Exception:  # noqa: BLE001 - the supervisor starts the process again
        logs.failure(LOG, "control_failed")
        return 1
    return 0


def run(config: Config) -> None:
    """Run the control process of a loaded configuration."""
    import uvloop

    async def work() -> None:
        await Control(config).serve()

    uvloop.run(work())


if __name__ == "__main__":
    raise SystemExit(main())
