"""What a receiver is to the worker: a ``Source`` of transactions, opened at a ``Place``.

A worker asks its sources in turn: ``read`` gives a bounded batch, the worker redacts and spools it, makes the spool
durable, and calls ``commit``. So a source that can give something again (a file's checkpoint, a client that waits
for its answer) loses nothing when the process dies; one that cannot (a stream) says so in its documentation.
"""

from __future__ import annotations

import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from apisec.model.transaction import Transaction

# The counters that every source keeps, under these names; a source may add its own.
RECEIVED = "transactions_received"  # handed out by read()
SKIPPED = "transactions_skipped"  # input that was no transaction, by cause
DROPPED = "transactions_dropped"  # lost before read(), by cause: queue_full, oversized …


class Source(Protocol):
    """One input of one worker.

    Only ``read``, ``commit``, ``drain``, ``pending`` and ``close`` are called, from one thread; a source that has
    threads or a loop of its own keeps its queue bounded in count and in bytes and drops (counted) what does not fit:
    a gateway never waits for us. No method raises for what the network sent; a bug may raise, which ends the worker.
    """

    name: str  # of the kind, with a number where there are several: envoy, envoy-1, http; a label of the metrics
    prompt: bool  # a client waits for commit(): the worker commits as soon as nothing more is there to read

    def read(self) -> Sequence[Transaction]:
        """Return the next transactions, parsed; an empty sequence when there are none now. Never blocks.

        Bounded: at most some hundred transactions or a few MiB, so that signals and timers are served in between.
        """
        ...

    def commit(self) -> None:
        """Everything that ``read`` has returned so far is durable: move the checkpoint, answer the clients.

        OSError when the checkpoint cannot be stored; the worker counts it and calls again.
        """
        ...

    def drain(self, *, handover: bool) -> None:
        """Take in nothing new; ``read`` goes on to return what was taken in. Called once, before ``close``.

        ``handover``: a successor on this host goes on with the same input, so a file may be left where it is. Without
        it, what stands in a file or a socket's buffer now is read to its end.
        """
        ...

    def pending(self) -> bool:
        """After ``drain``: whether ``read`` may still return something."""
        ...

    def counters(self) -> Mapping[tuple[str, str], int]:
        """Return totals since the start by (metric, cause); cause ``""`` where the metric has none."""
        ...

    def gauges(self) -> Mapping[str, float]:
        """Return what is so now: ``unread_bytes``, ``queue_bytes`` … (names end with their unit)."""
        ...

    def close(self) -> None:
        """Give everything back. What was not committed may be given again to the next process."""
        ...


@dataclass(frozen=True)
class Place:
    """Where a source is opened: in worker ``index`` of ``count``.

    ``sockets`` are the listening sockets that the supervisor holds, by the name of the receiver's section: they
    outlive a worker, so that a connection waits in the kernel while a worker is replaced. ``state`` is a folder of
    mode 700 for checkpoints. A source that only one process can have (a file) belongs to worker ``0``, or to
    worker ``number % count``.
    """

    gateway: str
    state: Path
    index: int = 0
    count: int = 1
    sockets: Mapping[str, socket.socket] = field(default_factory=dict)
