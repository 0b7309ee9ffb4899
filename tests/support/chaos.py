"""A forwarder under load whose world breaks: processes and HECs are killed, the disk fills, the clock steps.

The gateway is a file that lines are written to, as Envoy does, with an admin socket that reopens it; the forwarder is
the command that a user starts. What counts is what the HECs wrote down: ids indexed, and ids whose acknowledgement
they told.
"""

from __future__ import annotations

import base64
import contextlib
import http.server
import json
import os
import random
import shutil
import signal
import socketserver
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import requests

from apisec_forwarder import keys
from tests.support.hec import FakeHec
from tests.support.processes import Process, forwarder
from tests.support.waiting import free_port, listening, until

ROOT = Path(__file__).resolve().parent.parent.parent
SPOOL_BYTES = 48 * 2**20  # of the file system that is filled, where one can be mounted
CONFIG = """
gateway: {{name: edge-1, env: DEV}}
services: [{{name: shop, team: commerce, hosts: ["*"], index: apisec}}]
receiver: {{envoy: {{log: gateway/access.json, admin_socket: gateway/admin.sock, rotate_bytes: 4MiB}}}}
keys: {{file: keys.json}}
workers: {{engine: {engine}}}
spool: {{directory: disk/spool, max_bytes: 24MiB, sync_seconds: 0.2, overflow: pause}}
hec:
  targets: [{{url: "{first}"}}, {{url: "{second}"}}]
  strategy: {strategy}
  token_file: hec.token
  ack_timeout_seconds: 15
  timeout_seconds: 10
"""


class Gateway:
    """Writes one line a transaction, at a steady rate; reopens its log when its admin socket is told to."""

    def __init__(self, folder: Path, rate: float, body_bytes: int, seed: int) -> None:
        folder.mkdir(mode=0o700)
        self._path = folder / "access.json"
        self._rate = rate
        self._random = random.Random(seed)
        self._body = body_bytes
        self._stop = threading.Event()
        self._mutex = threading.Lock()
        self._file = self._open()
        self.sent: dict[str, float] = {}  # id → monotonic time of writing
        self.reopened = 0
        gateway = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                gateway.reopen()
                self._say(b"OK\n")

            def do_GET(self) -> None:
                self._say(b"filesystem.write_failed: 0\n")

            def _say(self, text: bytes) -> None:
                self.send_response(200)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def address_string(self) -> str:
                return "unix"

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 (its name upstream)
                """Quiet."""

        class Server(socketserver.ThreadingUnixStreamServer):
            daemon_threads = True

        self._server = Server(str(folder / "admin.sock"), Handler)
        self._threads = [
            threading.Thread(target=self._server.serve_forever, args=(0.1,), daemon=True),
            threading.Thread(target=self._write, daemon=True),
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def reopen(self) -> None:
        with self._mutex:
            self._file.close()
            self._file = self._open()
            self.reopened += 1

    def stop(self) -> None:
        """Write no more."""
        self._stop.set()
        self._threads[1].join(10)

    def close(self) -> None:
        self.stop()
        self._server.shutdown()
        self._server.server_close()
        self._file.close()

    def _open(self) -> IO[bytes]:
        return self._path.open("ab", buffering=0)

    def _write(self) -> None:
        begun, number = time.monotonic(), 0
        while not self._stop.is_set():
            due = int((time.monotonic() - begun) * self._rate)
            lines = []
            while number < due:
                lines.append(self._line(f"t{number:08d}"))
                self.sent[f"t{number:08d}"] = time.monotonic()
                number += 1
            with self._mutex:
                self._file.write(b"".join(lines))
            self._stop.wait(0.02)

    def _line(self, name: str) -> bytes:
        pad = f"{self._random.getrandbits(self._body * 4):x}"
        request = _frame({":method": "POST", ":path": f"/orders/{name}", ":authority": "shop.example"}, b"")
        body = json.dumps({"order": name, "note": pad}).encode()
        record = {
            "address": "192.0.2.7", "authority": "shop.example", "body_in": 0, "body_out": len(body), "duration_ms": 5,
            "id": name, "method": "POST", "path": f"/orders/{name}", "port": 40000, "q": request,
            "s": _frame({":status": "200", "content-type": "application/json"}, body), "scheme": "https",
            "start": f"{time.time():.6f}", "status": 200, "wire_in": 100, "wire_out": len(body),
        }  # fmt: skip
        return json.dumps(record).encode() + b"\n"


def _frame(headers: dict[str, str], body: bytes) -> str:
    block = "\n".join(f"{name}\n{value}" for name, value in headers.items()).encode()
    return base64.b64encode(b"%d %d\n" % (len(block), len(body)) + block + body).decode()


@dataclass
class Collector:
    """A HEC in a process of its own, so that it can be killed; what it indexed outlives it in the journal."""

    folder: Path
    name: str
    index_seconds: float
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def journal(self) -> Path:
        return self.folder / f"{self.name}.journal"

    def start(self) -> None:
        command = [sys.executable, "-m", "tests.support.hec", str(self.port), str(self.journal)]
        with (self.folder / f"{self.name}.log").open("ab") as log:
            self.process = subprocess.Popen(
                [*command, str(self.index_seconds)], cwd=ROOT, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        until(lambda: listening(self.port), 30, f"{self.name} listens")

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait(10)
            self.process = None

    def fault(self, **fault: Any) -> None:
        """Have it answer like this from now on; without any, as it should."""
        if self.process is not None:
            requests.put(f"http://127.0.0.1:{self.port}/", json=fault, timeout=30).raise_for_status()


@dataclass(frozen=True)
class Outcome:
    """What the HECs wrote down, by id."""

    told: dict[str, float]  # first time that an acknowledgement was told, monotonic
    indexed: dict[str, int]  # how often it was indexed


class World:
    """Everything that is running. Close it in any case."""

    def __init__(
        self,
        folder: Path,
        *,
        rate: float,
        body_bytes: int,
        strategy: str,
        index_seconds: float,
        seed: int,
        engine: str = "auto",
    ) -> None:
        self.folder = folder
        self.random = random.Random(seed)
        self.disk = folder / "disk"
        self.disk.mkdir(mode=0o700)
        self.mounted = _mount(self.disk)
        self.collectors = [Collector(folder, name, index_seconds) for name in ("first", "second")]
        (folder / "hec.token").write_text(FakeHec.token)
        (folder / "hec.token").chmod(0o600)
        keys.write(folder / "keys.json", keys.generate())
        urls = [f"http://127.0.0.1:{one.port}" for one in self.collectors]
        config = CONFIG.format(first=urls[0], second=urls[1], strategy=strategy, engine=engine)
        (folder / "forwarder.yaml").write_text(config)
        self.gateway = Gateway(folder / "gateway", rate, body_bytes, seed)
        self.clock = folder / "clockstep"
        self.clock.write_bytes(struct.pack("q", 0))
        self._preload = _clock_library(folder)
        self.forwarder: Process | None = None

    @property
    def can_step_the_clock(self) -> bool:
        return self._preload is not None

    def start(self) -> None:
        for one in self.collectors:
            one.start()
        self.gateway.start()
        self.start_forwarder()

    def start_forwarder(self) -> None:
        wall = {"LD_PRELOAD": str(self._preload), "CLOCKSTEP_FILE": str(self.clock)} if self._preload else {}
        before = {name: os.environ.get(name) for name in wall}
        os.environ.update(wall)
        try:
            command = forwarder("run", "--config", str(self.folder / "forwarder.yaml"))
            self.forwarder = Process(command, self.folder / "forwarder.log")
        finally:
            for name, value in before.items():
                os.environ.pop(name, None) if value is None else os.environ.update({name: value})

    def step_clock(self, seconds: int) -> None:
        (now,) = struct.unpack("q", self.clock.read_bytes())
        with self.clock.open("r+b") as file:
            file.write(struct.pack("q", now + seconds))

    def kill_one_process(self) -> str:
        """Kill one process of the forwarder, the supervisor included; start the whole again when it was that one."""
        assert self.forwarder is not None
        processes = [self.forwarder.pid, *children(self.forwarder.pid)]
        chosen = self.random.choice(processes)
        if chosen == self.forwarder.pid:
            self.forwarder.kill()
            self.start_forwarder()
            return "the whole forwarder"
        with contextlib.suppress(ProcessLookupError):
            os.kill(chosen, signal.SIGKILL)
        return "a child of the forwarder"

    @contextlib.contextmanager
    def full_disk(self) -> Iterator[None]:
        """Fill the disk of the spool to the last byte."""
        filler = self.disk / "filler"
        try:
            with contextlib.suppress(OSError), filler.open("wb", buffering=0) as file:
                for size in (2**20, 2**12, 1):
                    with contextlib.suppress(OSError):
                        while True:
                            file.write(b"\0" * size)
            yield
        finally:
            filler.unlink(missing_ok=True)

    def outcome(self) -> Outcome:
        told: dict[str, float] = {}
        indexed: dict[str, int] = {}
        for one in self.collectors:
            text = one.journal.read_text() if one.journal.exists() else ""
            for line in text.split("\n")[:-1]:
                what, at, name = line.split(" ")
                if what == "told":
                    told[name] = min(float(at), told.get(name, float("inf")))
                else:
                    indexed[name] = indexed.get(name, 0) + 1
        return Outcome(told, indexed)

    def close(self) -> None:
        if self.forwarder is not None:
            self.forwarder.kill()
        self.gateway.close()
        for one in self.collectors:
            one.kill()
        if self.mounted:
            subprocess.run(["umount", "-l", str(self.disk)], check=False, capture_output=True)


def children(parent: int) -> list[int]:
    """Return the processes whose parent is this one."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = path.read_text().rpartition(")")[2].split()
            if int(fields[1]) == parent:
                found.append(int(path.parent.name))
    return sorted(found)


def _mount(folder: Path) -> bool:
    """Mount a small file system of its own there; False where this user may not."""
    command = ["mount", "-t", "tmpfs", "-o", f"size={SPOOL_BYTES},mode=700", "tmpfs", str(folder)]
    return shutil.which("mount") is not None and subprocess.run(command, capture_output=True).returncode == 0


def _clock_library(folder: Path) -> Path | None:
    """Compile the library that steps the clock; None where there is no C compiler."""
    source, library = Path(__file__).with_name("clockstep.c"), folder / "clockstep.so"
    compiler = shutil.which("cc")
    if compiler is None:
        return None
    made = subprocess.run(
        [compiler, "-shared", "-fPIC", "-O2", "-o", str(library), str(source), "-ldl"], capture_output=True
    )
    return library if made.returncode == 0 else None
