"""Keeps the forwarder's processes running: the pipeline, and the control process when it is configured.

They fail apart: when the control process dies, traffic is still copied; when the pipeline dies, decisions go on.
"""

from __future__ import annotations

import ctypes
import logging
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from apisec_forwarder import logs
from apisec_forwarder.config import Config

logger = logging.getLogger(__name__)

BACKOFF_FIRST_SECONDS = 0.25
BACKOFF_CAP_SECONDS = 30.0
STEADY_SECONDS = 30.0  # a child that ran this long starts anew without a wait
STOP_SECONDS = 10.0  # longer than a child needs to drain; then it is killed
POLL_SECONDS = 0.1
EXIT_USAGE = 2
PR_SET_PDEATHSIG = 1  # prctl(2)


@dataclass
class Child:
    """One process that is to be running."""

    name: str
    command: tuple[str, ...]
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    failures: int = 0
    start_at: float = 0.0


def children_of(config: Config) -> tuple[Child, ...]:
    """Return what this configuration needs; the control process only with ``admin`` and ``decisions``."""
    pipeline = Child("pipeline", (sys.executable, "-m", "apisec_forwarder.worker", "--config", str(config.path)))
    if config.admin is None or config.decisions is None:
        return (pipeline,)
    command = (sys.executable, "-m", "apisec_forwarder.control", "--config", str(config.path))
    return pipeline, Child("control", command)


class Supervisor:
    """Starts children, starts them again when they end, and ends them when it is told to stop."""

    def __init__(self, children: Sequence[Child], clock: Callable[[], float] = time.monotonic) -> None:
        self._children = tuple(children)
        self._clock = clock

    def run(self, stop: threading.Event, reload: threading.Event) -> int:
        """Return 0 after ``stop``, 2 when the pipeline says that its configuration is bad."""
        code = 0
        while not stop.is_set():
            if reload.is_set():
                reload.clear()
                logs.emit(logger, logging.INFO, "supervisor.reload")
                self._end_all()
            for child in self._children:
                if self._look(child) == EXIT_USAGE and child.name == "pipeline":
                    code = EXIT_USAGE
                    stop.set()
            stop.wait(POLL_SECONDS)
        self._end_all()
        logs.emit(logger, logging.INFO, "supervisor.stopped", exit_code=code)
        return code

    def _look(self, child: Child) -> int | None:
        """Start the child when it is time; return its exit code when it has just ended."""
        now = self._clock()
        if child.process is None:
            if now >= child.start_at:
                self._start(child)
            return None
        code = child.process.poll()
        if code is None:
            return None
        child.process = None
        child.failures = 0 if now - child.started > STEADY_SECONDS else child.failures + 1
        pause = min(BACKOFF_CAP_SECONDS, BACKOFF_FIRST_SECONDS * 2 ** min(child.failures, 20))
        child.start_at = now + pause
        logs.emit(
            logger,
            logging.ERROR,
            "supervisor.child_ended",
            child=child.name,
            exit_code=code,
            restart_seconds=round(pause, 3),
        )
        return code

    def _start(self, child: Child) -> None:
        child.process = subprocess.Popen(  # noqa: S603 (our own interpreter and module)
            child.command,
            stdin=subprocess.DEVNULL,
            preexec_fn=_end_with_parent,  # safe here: this process has one thread
        )
        child.started = self._clock()
        logs.emit(logger, logging.INFO, "supervisor.child_started", child=child.name, child_pid=child.process.pid)

    def _end_all(self) -> None:
        """SIGTERM to all, then wait for each; SIGKILL to what does not end."""
        running = [child for child in self._children if child.process is not None]
        for child in running:
            assert child.process is not None
            child.process.terminate()
        deadline = time.monotonic() + STOP_SECONDS
        for child in running:
            assert child.process is not None
            try:
                child.process.wait(timeout=max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                logs.emit(logger, logging.ERROR, "supervisor.child_killed", child=child.name)
                child.process.kill()
                child.process.wait()
            child.process, child.failures, child.start_at = None, 0, 0.0


def _end_with_parent() -> None:
    """Have the kernel send SIGTERM when the supervisor dies, however it dies (Linux only)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
