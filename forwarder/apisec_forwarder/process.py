"""What every process of the forwarder has from the supervisor: configuration, sockets, signals, a sign of life.

The supervisor hands the text of the configuration that it accepted through a descriptor, so that a process that is
started again never meets a file that somebody is editing. The sign of life is a pipe: the first byte says that the
process is ready, each later one that it is alive.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import socket
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from apisec_forwarder import config as configuration
from apisec_forwarder.config import Config

EXIT_USAGE = 2  # the configuration, or what it names, cannot be used
EXIT_REPLACE = 75  # EX_TEMPFAIL of sysexits.h: start a successor at once
HANDOVER = signal.SIGUSR2  # end, and leave to the successor what it can do as well


@dataclass
class Stop:
    """Why and when a process is to end; set by signals."""

    asked: threading.Event = field(default_factory=threading.Event)
    handover: bool = False

    def listen(self) -> Stop:
        """Have SIGTERM and SIGINT ask for the end, and SIGUSR2 for a handover."""

        def end(number: int, _: object) -> None:
            self.handover = number == HANDOVER
            self.asked.set()

        for number in (signal.SIGTERM, signal.SIGINT, HANDOVER):
            signal.signal(number, end)
        return self


class Pulse:
    """The sign of life; without a descriptor it does nothing."""

    def __init__(self, descriptor: int | None) -> None:
        self._descriptor = descriptor
        if descriptor is not None:
            os.set_blocking(descriptor, False)

    def beat(self) -> None:
        if self._descriptor is not None:
            with contextlib.suppress(OSError):  # nobody reads: a full pipe, or the supervisor is gone
                os.write(self._descriptor, b".")


@dataclass(frozen=True)
class Start:
    """What a process was started with."""

    config: Path
    config_fd: int | None = None
    ready_fd: int | None = None
    sockets: dict[str, int] = field(default_factory=dict)
    index: int = 0
    count: int = 1
    letter: str = "a"  # of the generation: two overlap while the configuration is read again
    careful: bool = False  # the last one died without a word: find out over what

    def load(self) -> Config:
        return configuration.load(self.config, self.config_fd)

    def pulse(self) -> Pulse:
        return Pulse(self.ready_fd)

    def listening(self) -> dict[str, socket.socket]:
        return {name: socket.socket(fileno=descriptor) for name, descriptor in self.sockets.items()}


def parse(module: str, description: str | None, argv: Sequence[str] | None) -> Start:
    """Read the command line of a process; the supervisor writes it (``command``)."""
    parser = argparse.ArgumentParser(prog=f"python -m {module}", description=description)
    parser.add_argument("--config", type=Path, required=True, metavar="FILE")
    parser.add_argument("--config-fd", type=int, metavar="N", help="read the configuration's text from here")
    parser.add_argument("--ready-fd", type=int, metavar="N", help="write signs of life here")
    parser.add_argument("--socket", action="append", default=[], metavar="NAME=N", help="a listening socket")
    parser.add_argument("--index", type=int, default=0, metavar="I", help="which worker this is")
    parser.add_argument("--count", type=int, default=1, metavar="N", help="of how many")
    parser.add_argument("--letter", choices=("a", "b"), default="a", help="which generation")
    parser.add_argument("--careful", action="store_true", help="note each transaction before it is analysed")
    args = parser.parse_args(argv)
    sockets = {name: int(number) for name, _, number in (one.partition("=") for one in args.socket)}
    return Start(args.config, args.config_fd, args.ready_fd, sockets, args.index, args.count, args.letter, args.careful)


def resident_bytes() -> int:
    """Return this process's resident memory (proc(5), statm)."""
    try:
        pages = int(Path("/proc/self/statm").read_bytes().split()[1])
    except (OSError, ValueError, IndexError):
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")
