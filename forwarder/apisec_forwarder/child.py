"""One process that the supervisor keeps running."""

from __future__ import annotations

import ctypes
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence

from apisec_forwarder import logs
from apisec_forwarder.process import EXIT_REPLACE, HANDOVER

logger = logging.getLogger(__name__)

BACKOFF_FIRST_SECONDS = 0.25
BACKOFF_CAP_SECONDS = 30.0
STEADY_SECONDS = 30.0  # a child that ran this long starts anew without a wait
SILENT_SECONDS = 120.0  # a child that gives signs of life and then none for so long is stuck
CRASHES_BEFORE_CARE = 2
PR_SET_PDEATHSIG = 1  # prctl(2)
_CRASHES = {-one for one in (signal.SIGSEGV, signal.SIGBUS, signal.SIGABRT, signal.SIGILL, signal.SIGFPE)}


class Child:
    """A command, the process that runs it now, and what became of those before.

    ``beats``: the child gives signs of life through a pipe (``--ready-fd``); the first one makes it ``ready``.
    ``careful``: the command takes ``--careful``, after crashes.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        *,
        descriptors: Sequence[int] = (),
        beats: bool = True,
        careful: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name = name
        self._command = tuple(command)
        self._descriptors = tuple(descriptors)
        self._beats = beats
        self._careful = careful
        self._clock = clock
        self.process: subprocess.Popen[bytes] | None = None
        self.ready = False
        self.starts = 0
        self.failures = 0  # in a row, each within STEADY_SECONDS
        self.failures_ever = 0
        self.crashes = 0
        self.started = 0.0
        self.start_at = 0.0
        self._heard_at = 0.0
        self._pipe: int | None = None

    def start(self) -> None:
        """Start the process."""
        command, descriptors = list(self._command), list(self._descriptors)
        if self._careful and self.crashes >= CRASHES_BEFORE_CARE:
            command.append("--careful")
        self._close_pipe()
        theirs = -1
        if self._beats:
            self._pipe, theirs = os.pipe2(os.O_CLOEXEC)
            os.set_blocking(self._pipe, False)
            command += ["--ready-fd", str(theirs)]
            descriptors.append(theirs)
        try:
            self.process = subprocess.Popen(  # noqa: S603 (our own interpreter and module)
                command,
                stdin=subprocess.DEVNULL,
                pass_fds=descriptors,
                preexec_fn=_end_with_parent,  # safe here: this process has one thread
            )
        finally:
            if theirs >= 0:
                os.close(theirs)
        self.starts += 1
        self.started = self._heard_at = self._clock()
        self.ready = not self._beats
        logs.emit(logger, logging.INFO, "supervisor.child_started", child=self.name, child_pid=self.process.pid)

    def look(self) -> int | None:
        """Start it when it is time; return its exit code when it has just ended."""
        now = self._clock()
        if self.process is None:
            if now >= self.start_at:
                self.start()
            return None
        self._listen()
        code = self.process.poll()
        if code is None:
            if self.ready and self._beats and now - self._heard_at > SILENT_SECONDS:
                logs.emit(logger, logging.ERROR, "supervisor.child_silent", child=self.name)
                self.process.send_signal(signal.SIGABRT)  # counts as a crash
                self._heard_at = now
            return None
        self._ended(code, now)
        return code

    def _ended(self, code: int, now: float) -> None:
        steady = now - self.started > STEADY_SECONDS
        self.process = None
        self.crashes = self.crashes + 1 if code in _CRASHES else 0
        if code == EXIT_REPLACE and steady:
            self.failures, pause = 0, 0.0
        else:
            self.failures = 0 if steady else self.failures + 1
            self.failures_ever += code != EXIT_REPLACE
            pause = min(BACKOFF_CAP_SECONDS, BACKOFF_FIRST_SECONDS * 2 ** min(self.failures, 20))
        self.start_at = now + pause
        level = logging.INFO if code == EXIT_REPLACE else logging.ERROR
        logs.emit(
            logger,
            level,
            "supervisor.child_ended",
            child=self.name,
            exit_code=code,
            restart_seconds=round(pause, 3),
        )

    def _listen(self) -> None:
        """Take in the signs of life."""
        if self._pipe is None:
            return
        try:
            heard = os.read(self._pipe, 4096)
        except BlockingIOError:
            return
        if heard:
            self.ready, self._heard_at = True, self._clock()

    def tell(self, number: signal.Signals) -> None:
        if self.process is not None:
            self.process.send_signal(number)

    def end(self, deadline: float) -> None:
        """Wait until it has ended, and kill it at the deadline (monotonic). It was told before."""
        if self.process is not None:
            try:
                self.process.wait(timeout=max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                logs.emit(logger, logging.ERROR, "supervisor.child_killed", child=self.name)
                self.process.kill()
                self.process.wait()
        self.process = None
        self._close_pipe()

    def _close_pipe(self) -> None:
        if self._pipe is not None:
            os.close(self._pipe)
            self._pipe = None


def _end_with_parent() -> None:
    """Have the kernel ask for a handover when the supervisor dies, however it dies (Linux only).

    The next supervisor may start at once, and its processes wait for the locks of these.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, HANDOVER)
