"""REST endpoints that apps bring: restmap.conf, and the long-lived processes that answer.

Source: restmap.conf.spec ([script:<name>] with scripttype = persist, [admin:<name>], [admin_external:<name>]);
dev.splunk.com, "Custom REST endpoints". A process is started on the first request to its endpoint, answers one
request at a time, and is started anew when it died or took too long.
"""

from __future__ import annotations

import json
import logging
import os
import selectors
import signal
import subprocess
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from apisec_sandbox.errors import SandboxError
from apisec_sandbox.splunkd.confs import Stanza
from apisec_sandbox.splunkd.web import HttpError

if TYPE_CHECKING:
    from apisec_sandbox.splunkd.server import Splunkd

LOG = logging.getLogger("apisec_sandbox.persistent")
REQUEST_SECONDS = 60.0  # restmap.conf has no limit of its own; splunkd's clients give up after 30 to 60 s
MAX_REPLY = 64 * 1024 * 1024  # bytes
INIT, BLOCK, END = 0x01, 0x02, 0x04


@dataclass(frozen=True)
class Target:
    """The endpoint that a path leads to. ``rest`` are the segments after what the stanza names."""

    stanza: Stanza
    rest: tuple[str, ...]
    member: str = ""  # of an admin endpoint

    @property
    def is_script(self) -> bool:
        return self.stanza.name.startswith("script:")


class WorkerError(SandboxError):
    """The process died, took too long, or answered with what is no reply."""


@dataclass
class Worker:
    """One process and the pipe to it."""

    argv: tuple[str, ...]
    argument: str
    folder: Path
    environment: dict[str, str]
    log: Path
    seconds: float = REQUEST_SECONDS
    lock: threading.Lock = field(default_factory=threading.Lock)
    _process: subprocess.Popen[bytes] | None = None

    def ask(self, block: bytes) -> bytes:
        """Send one request and wait for its reply.

        Raises:
            WorkerError: there is none; the process is gone then, and the next request starts another.
        """
        with self.lock:
            try:
                fresh = self._start()
                assert self._process is not None
                assert self._process.stdin is not None
                self._process.stdin.write(self._packet(block, fresh))
                self._process.stdin.flush()
                return self._reply(time.monotonic() + self.seconds)
            except (WorkerError, OSError) as error:
                self._kill()
                raise WorkerError(f"{Path(self.argv[-1]).name} {self.argument}: {error}") from error

    def _start(self) -> bool:
        if self._process is not None and self._process.poll() is None:
            return False
        self._kill()
        with self.log.open("ab") as errors:
            self._process = subprocess.Popen(  # noqa: S603 - the app's own script
                self.argv,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                cwd=self.folder,
                env=self.environment,
                start_new_session=True,
            )
        return True

    def _packet(self, block: bytes, fresh: bool) -> bytes:
        """Encode a request as splunk.persistconn.packet reads it."""
        parts = [bytes([BLOCK | END | (INIT if fresh else 0)])]
        if fresh:
            parts.append(f"{len(self.argv)}\n".encode())
            parts += [_text(piece.encode()) for piece in (*self.argv, self.argument)]
        return b"".join([*parts, _text(block)])

    def _reply(self, deadline: float) -> bytes:
        assert self._process is not None
        assert self._process.stdout is not None
        reader = _Reader(self._process.stdout, deadline)
        line = reader.line()
        if not line.isdigit() or int(line) > MAX_REPLY:
            raise WorkerError(f"what it wrote is no reply: {line[:80]!r}; stdout belongs to the protocol")
        return reader.exactly(int(line))

    def _kill(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(timeout=10)
        for pipe in (process.stdin, process.stdout):
            if pipe:
                try:
                    pipe.close()
                except OSError:
                    LOG.debug("a pipe of %s was broken", self.argument)

    def close(self) -> None:
        self._kill()


def _text(content: bytes) -> bytes:
    return f"{len(content)}\n".encode() + content


class _Reader:
    """Reads from a pipe until a deadline."""

    def __init__(self, pipe: IO[bytes], deadline: float) -> None:
        self._handle = pipe.fileno()
        self._deadline = deadline
        self._held = b""

    def _more(self) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(self._handle, selectors.EVENT_READ)
            if not selector.select(max(0.0, self._deadline - time.monotonic())):
                raise WorkerError("it did not answer in time and was ended")
        chunk = os.read(self._handle, 1 << 16)
        if not chunk:
            raise WorkerError("it ended without an answer; its stderr is in var/log/splunk")
        self._held += chunk

    def line(self) -> bytes:
        while b"\n" not in self._held:
            if len(self._held) > 100:
                raise WorkerError(f"what it wrote is no reply: {self._held[:80]!r}; stdout belongs to the protocol")
            self._more()
        line, _, self._held = self._held.partition(b"\n")
        return line

    def exactly(self, size: int) -> bytes:
        parts, held = [self._held], len(self._held)
        while held < size:
            self._held = b""
            self._more()
            parts.append(self._held)
            held += len(self._held)
        return b"".join(parts)[:size]


class Handlers:
    """Finds the endpoint of a path and keeps the processes."""

    def __init__(self, splunkd: Splunkd) -> None:
        self._splunkd = splunkd
        self._lock = threading.Lock()
        self._workers: dict[tuple[str, str], Worker] = {}

    def find(self, path: tuple[str, ...]) -> Target | None:
        """Return the endpoint whose ``match`` fits most of the path."""
        found: list[tuple[int, Target]] = []
        stanzas = self._splunkd.confs.stanzas("restmap")
        for name, stanza in stanzas.items():
            prefix = tuple(part for part in stanza.get("match").split("/") if part)
            if name.startswith("script:") and prefix and path[: len(prefix)] == prefix:
                found.append((len(prefix), Target(stanza, path[len(prefix) :])))
            elif name.startswith("admin:"):
                found += _members(stanza, stanzas, prefix, path)
        return max(found, key=lambda item: item[0])[1] if found else None

    def ask(self, target: Target, request: dict[str, Any]) -> dict[str, Any]:
        """Let the endpoint's process answer.

        Raises:
            HttpError: 500, there is no answer that can be read.
        """
        try:
            worker = self._worker(target)
            content = worker.ask(json.dumps(request).encode())
            answer = json.loads(content)
        except WorkerError as error:
            LOG.warning("restmap endpoint %s: %s", target.stanza.name, error)
            raise HttpError(500, f"The endpoint's script failed: {error}") from error
        except (ValueError, RecursionError) as error:
            raise HttpError(500, f"The endpoint's script answered with what is no JSON: {content[:200]!r}") from error
        return answer if isinstance(answer, dict) else {"payload": answer}

    def _worker(self, target: Target) -> Worker:
        key = (target.stanza.app, target.stanza.name)
        argv, argument, folder = self._command(target)
        with self._lock:
            worker = self._workers.get(key)
            if worker is None or worker.argv != argv or worker.argument != argument:
                if worker:
                    worker.close()
                name = target.stanza.name.replace(":", "_").replace("/", "_")
                log = self._splunkd.home.log / f"{name}.log"
                environment = self._splunkd.runner.environment() | _environment(target.stanza)
                worker = self._workers[key] = Worker(argv, argument, folder, environment, log)
            return worker

    def _command(self, target: Target) -> tuple[tuple[str, ...], str, Path]:
        """Name the process: the script itself, or the runner that imports ``handler = module.Class``."""
        runner, stanza = self._splunkd.runner, target.stanza
        if not target.is_script:
            path = runner.script(stanza.app, stanza.get("handlerfile"))
            return runner.argv(path), target.member, path.parent
        handler = stanza.get("handler")
        filename = stanza.get("script") or f"{handler.partition('.')[0]}.py"
        path = runner.script(stanza.app, filename)
        if not handler:
            return runner.argv(path), "", path.parent
        return runner.module("splunk.persistconn.appserver", str(path)), handler, path.parent

    def close(self) -> None:
        with self._lock:
            for worker in self._workers.values():
                worker.close()
            self._workers.clear()


def _members(
    stanza: Stanza, stanzas: dict[str, Stanza], prefix: tuple[str, ...], path: tuple[str, ...]
) -> list[tuple[int, Target]]:
    """Members of an admin endpoint: ``match/member`` and ``admin/member``."""
    names = [part.strip() for part in stanza.get("members").split(",")]
    return [
        (len(front) + 1, Target(own, path[len(front) + 1 :], member))
        for member in names
        for front in sorted({prefix, ("admin",)})
        if (own := stanzas.get(f"admin_external:{member}")) and path[: len(front) + 1] == (*front, member)
    ]


def _environment(stanza: Stanza) -> dict[str, str]:
    return {key[11:]: value for key, value in stanza.settings.items() if key.startswith("driver.env.")}
