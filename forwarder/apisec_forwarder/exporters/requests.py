"""Requests under way: made by an executor's threads, their answers handled by the one thread that collects them."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Executor
from typing import TypeVar

T = TypeVar("T")


class Requests:
    """``make`` starts a request; ``collect`` calls what is to be done with the answers that are there.

    Without an executor, ``make`` makes the request itself, and the answer waits for ``collect`` all the same.
    """

    def __init__(self, executor: Executor | None) -> None:
        self._executor = executor
        self._answers: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._wake = threading.Event()

    def make(self, request: Callable[[], T], then: Callable[[T], None]) -> None:
        """Make ``request`` (in a thread: it touches no state), then ``then`` with its result (when collected)."""

        def run() -> None:
            answer = request()
            self._answers.put(lambda: then(answer))
            self._wake.set()

        if self._executor is None:
            run()
        else:
            self._executor.submit(run)

    def collect(self) -> None:
        """Handle all answers that are there."""
        while True:
            try:
                handle = self._answers.get_nowait()
            except queue.Empty:
                return
            handle()

    def wait(self, seconds: float) -> None:
        """Return when an answer is there, at the latest after ``seconds``."""
        if seconds > 0 and self._answers.empty():
            self._wake.wait(seconds)
        self._wake.clear()

    def close(self) -> None:
        """Start nothing more; requests under way end by themselves."""
        if self._executor is not None:
            self._executor.shutdown(wait=False, cancel_futures=True)
