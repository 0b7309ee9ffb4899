"""Splunkd: everything put together over one HOME, with or without its ports."""

from __future__ import annotations

import contextlib
import fcntl
import functools
import logging
import os
import secrets
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from apisec_sandbox.errors import SandboxError
from apisec_sandbox.splunkd import tls
from apisec_sandbox.splunkd.access_log import AccessLog
from apisec_sandbox.splunkd.alert_actions import AlertActions
from apisec_sandbox.splunkd.auth import Roles, Users
from apisec_sandbox.splunkd.confs import Confs
from apisec_sandbox.splunkd.hec import Collector
from apisec_sandbox.splunkd.home import Home, write_atomic
from apisec_sandbox.splunkd.indexes import Store
from apisec_sandbox.splunkd.intake import Intake
from apisec_sandbox.splunkd.jobs import Jobs
from apisec_sandbox.splunkd.kvstore import KvStore
from apisec_sandbox.splunkd.lookups import Lookups
from apisec_sandbox.splunkd.models import Models
from apisec_sandbox.splunkd.modular_inputs import ModularInputs
from apisec_sandbox.splunkd.persistent import Handlers
from apisec_sandbox.splunkd.rest import Rest
from apisec_sandbox.splunkd.savedsearches import SavedSearches
from apisec_sandbox.splunkd.scheduler import Scheduler
from apisec_sandbox.splunkd.scripts import Runner
from apisec_sandbox.splunkd.storage_passwords import Passwords
from apisec_sandbox.splunkd.streaming import EdgeProtocol
from apisec_sandbox.splunkd.web import Front, Listener, Servers, guarded

LOG = logging.getLogger("apisec_sandbox.server")
MGMT_BODY = 64 * 1024 * 1024
MGMT_THREADS, HEC_THREADS = 16, 8


# Source: Troubleshooting Manual, "Enable debug logging"; the categories of log.cfg that other clients name.
LOG_LEVELS = dict.fromkeys(
    (
        "AdminManager",
        "AggregatorMiningProcessor",
        "AuditLogger",
        "AuthenticationManagerSplunk",
        "DeploymentClient",
        "ExecProcessor",
        "HttpInputDataHandler",
        "IndexProcessor",
        "KVStorageProvider",
        "LicenseMgr",
        "ModularInputs",
        "PipelineComponent",
        "SavedSplunker",
        "SearchScheduler",
        "TcpInputProc",
        "TcpOutputProc",
        "UserManagerPro",
        "sendmodalert",
    ),
    "INFO",
)


@dataclass(frozen=True)
class Options:
    """How to serve. Port 0 asks the system for a free one."""

    host: str = "127.0.0.1"
    mgmt_port: int = 0
    hec_port: int = 0
    with_tls: bool = True
    python: Path = Path(sys.executable)
    schedule: bool = True
    hec_queue_bytes: int | None = None  # what HEC holds until the disk has it; None: as server.conf says


@dataclass(frozen=True)
class Addresses:
    """Where it listens; ``ca`` is the file to verify its certificate against, None without TLS."""

    mgmt: str
    hec: str
    ca: Path | None
    admin_user: str
    admin_password_file: Path
    pid: int


class Splunkd:
    """The stand-in. ``start`` opens the ports; without it jobs and scripts still work, offline."""

    def __init__(self, home: Home, options: Options | None = None, clock: Callable[[], float] = time.time) -> None:
        home.prepare()
        self.home = home
        self.options = options or Options()
        self.clock = clock
        self._lock = _lock_home(home)
        self.confs = Confs(home)
        self.roles = Roles(self.confs)
        self.users = Users(home, self.roles, clock)
        self.store = Store(home.data, clock)
        self.access = AccessLog(home, self.store)
        self.kv = KvStore(home.data / "kvstore.sqlite")
        self.lookups = Lookups(home, self.confs, self.kv)
        self.models = Models(home, self.confs)
        self.passwords = Passwords(home, self.confs)
        self.hec = Collector(home, self.confs, self.store, self.options.hec_queue_bytes)
        self.jobs = Jobs(self)
        self.saved = SavedSearches(self)
        self.actions = AlertActions(self)
        self.inputs = ModularInputs(self)
        self.scheduler = Scheduler(self)
        self.handlers = Handlers(self)
        self.rest = Rest(self)
        self.runner = Runner(home, self.options.python, "https" if self.options.with_tls else "http")
        self.intake = Intake(self)
        self.messages: dict[str, tuple[str, str]] = {}
        self.log_levels: dict[str, str] = dict(LOG_LEVELS)
        self.started = clock()
        self._servers: Servers | None = None
        self._pools: list[ThreadPoolExecutor] = []

    def index_names(self) -> list[str]:
        """Names of all enabled indexes."""
        stanzas = self.confs.stanzas("indexes")
        return sorted(
            name
            for name, stanza in stanzas.items()
            if name != "default" and ":" not in name and not stanza.flag("disabled")
        )

    @property
    def password_file(self) -> Path:
        return self.home.auth / "admin_password"

    def ensure_admin(self, password: str | None = None) -> None:
        """Make the user ``admin``: with the given password, else with one generated into HOME, mode 600."""
        if password is None:
            if self.users.get("admin"):
                return
            password = secrets.token_urlsafe(18)
        write_atomic(self.password_file, password.encode(), 0o600)
        self.users.save("admin", password, ["admin"])

    def ensure_token(self, name: str, value: str, indexes: tuple[str, ...] = (), use_ack: bool = True) -> None:
        """Make or change a HEC token."""
        settings = {"token": value, "disabled": "0", "useACK": "1" if use_ack else "0"}
        if indexes:
            settings |= {"indexes": ",".join(indexes), "index": indexes[0]}
        self.confs.write("inputs", f"http://{name}", settings, "system", 0o600)

    def start(self) -> Addresses:
        """Open both ports, start the scheduler, return where it listens."""
        self.ensure_admin()
        options = self.options
        certificates = tls.ensure(self.home.auth, options.host) if options.with_tls else None
        pools = [ThreadPoolExecutor(size, thread_name_prefix="http") for size in (MGMT_THREADS, HEC_THREADS)]
        self._pools = pools
        rest = guarded(self.rest.serve, self.rest.error)
        hec = guarded(self.hec.handle, self.hec.failure)
        fronts = (
            (Front(rest, self.rest.too_large, MGMT_BODY, pools[0]), options.mgmt_port),
            (Front(hec, self.hec.too_large, self.hec.max_content, pools[1]), options.hec_port),
        )
        certificate, key = (certificates.certificate, certificates.key) if certificates else (None, None)
        protocols = (
            functools.partial(EdgeProtocol, opener=self.rest.open_stream, on_error=self.rest.error, pool=pools[0]),
            functools.partial(EdgeProtocol, opener=None, on_error=self.rest.error, pool=pools[1]),
        )
        listeners = [
            Listener(front, options.host, port, certificate, key, protocol)
            for (front, port), protocol in zip(fronts, protocols, strict=True)
        ]
        self._servers = Servers(listeners)
        mgmt_port, hec_port = self._servers.ports
        ca = certificates.ca if certificates else None
        self.runner = Runner(self.home, options.python, self.runner.scheme, mgmt_port, ca)
        self.confs.announce("web", "settings", {"mgmtHostPort": f"{options.host}:{mgmt_port}"})
        self.confs.announce("server", "sslConfig", {"enableSplunkdSSL": "true" if options.with_tls else "false"})
        self._servers.start()
        if options.schedule:
            self.scheduler.start()
        base = f"{self.runner.scheme}://{options.host}"
        return Addresses(f"{base}:{mgmt_port}", f"{base}:{hec_port}", ca, "admin", self.password_file, os.getpid())

    def restart(self) -> None:
        """What clients see of a restart; the ports stay open. Sessions, jobs, messages and log levels go."""
        self.jobs.clear()
        self.users.close_sessions()
        self.messages.clear()
        self.log_levels = dict(LOG_LEVELS)
        self.started = self.clock()

    def close(self) -> None:
        """Stop taking requests, end children, make everything durable."""
        self.hec.closing = True
        self.scheduler.stop()
        self.inputs.close()
        self.handlers.close()
        if self._servers:
            self._servers.stop()
        self.jobs.close()
        for pool in self._pools:
            pool.shutdown(wait=True, cancel_futures=True)
        self.store.close()
        self.kv.close()
        os.close(self._lock)


def _lock_home(home: Home) -> int:
    """One process per HOME: two would tear each other's files."""
    handle = os.open(home.root / "var" / "sandbox.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(handle)
        raise SandboxError(
            f"{home.root} is in use by another apisec-sandbox; stop it or choose another --home"
        ) from error
    return handle


@contextlib.contextmanager
def running(home: Path, options: Options | None = None) -> Iterator[tuple[Splunkd, Addresses]]:
    """Serve a HOME for the length of a block."""
    splunkd = Splunkd(Home(home), options)
    try:
        yield splunkd, splunkd.start()
    finally:
        splunkd.close()
