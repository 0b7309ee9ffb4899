"""Several workers behind one address: what was answered has arrived, across kills of workers and reloads."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from apisec_forwarder import keys
from tests.support.hec import FakeHec
from tests.support.processes import Process, forwarder
from tests.support.waiting import free_port, listening, until

CONFIG = """
gateway: {{name: edge-1, env: DEV}}
receiver: {{http: {{listen: "127.0.0.1:{port}"}}}}
workers: {{count: 2, engine: pure}}
keys: {{file: keys.json}}
spool: {{directory: spool, sync_seconds: 0.1}}
hec: {{url: "{url}", token_file: hec.token, batch_seconds: 0.05}}
"""


class Sender:
    """A gateway that posts batches over kept connections, and posts a batch again until it is answered with 200."""

    def __init__(self, port: int, name: str) -> None:
        self._port = port
        self._name = name
        self._link: http.client.HTTPConnection | None = None
        self.answered: list[str] = []
        self.again = 0

    def run(self, stop: threading.Event) -> None:
        while not stop.is_set():
            ids = [f"{self._name}-{len(self.answered) + number}" for number in range(5)]
            while not self._post("\n".join(json.dumps(transaction(one)) for one in ids).encode()):
                self.again += 1
            self.answered += ids
        if self._link is not None:
            self._link.close()

    def _post(self, body: bytes) -> bool:
        try:
            if self._link is None:
                self._link = http.client.HTTPConnection("127.0.0.1", self._port, timeout=60)
            self._link.request("POST", "/v1/transactions", body, {"content-type": "application/x-ndjson"})
            answer = self._link.getresponse()
            answer.read()
        except (OSError, http.client.HTTPException):
            if self._link is not None:
                self._link.close()
            self._link = None
            return False
        return answer.status == 200


def transaction(identifier: str) -> dict[str, object]:
    request = {"method": "GET", "url": f"https://shop.example/orders/{identifier}"}
    return {"id": identifier, "time": 1795224933, "request": request, "response": {"status": 200}}


def datagrams(bound: socket.socket) -> Iterator[bytes]:
    """Yield what has come in so far."""
    with contextlib.suppress(BlockingIOError):
        while True:
            yield bound.recv(4096)


def child_pid(log: Path, name: str) -> int:
    lines = [json.loads(line) for line in log.read_text().splitlines() if "child_started" in line]
    return int([line["child_pid"] for line in lines if line["child"] == name][-1])


def test_what_was_answered_has_arrived(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    port, stop = free_port(), threading.Event()
    keys.write(tmp_path / "keys.json", keys.generate())
    log = tmp_path / "forwarder.log"
    senders = [Sender(port, f"s{number}") for number in range(4)]
    threads = [threading.Thread(target=sender.run, args=(stop,)) for sender in senders]

    def more(log_says: str, times: int = 1) -> None:
        """Wait for an event in the log, and then for more batches from everybody."""
        until(lambda: log.read_text().count(log_says) >= times, 60, log_says)
        before = [len(sender.answered) for sender in senders]
        until(lambda: all(len(one.answered) > had for one, had in zip(senders, before, strict=True)), 60, "batches")

    manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    manager.bind(str(tmp_path / "notify"))
    manager.setblocking(False)
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
    with manager, FakeHec() as hec:
        (tmp_path / "hec.token").write_text(hec.token)
        (tmp_path / "hec.token").chmod(0o600)
        (tmp_path / "f.yaml").write_text(CONFIG.format(port=port, url=hec.url))
        with Process(forwarder("run", "--config", str(tmp_path / "f.yaml")), log) as process:
            until(lambda: listening(port), 30, "the port")
            for thread in threads:
                thread.start()
            try:
                more("supervisor.ready")
                os.kill(child_pid(log, "worker-0a"), signal.SIGKILL)
                more("supervisor.child_ended")
                os.kill(process.pid, signal.SIGHUP)
                more("supervisor.reloaded")
                os.kill(child_pid(log, "worker-1b"), signal.SIGKILL)
                more("supervisor.child_ended", 2)
            finally:
                stop.set()
                for thread in threads:
                    thread.join(60)
            answered = {one for sender in senders for one in sender.answered}
            until(lambda: answered <= set(hec.ids()), 40, "every event")
            assert process.end(30) == 0
        until(lambda: not listening(port), 20, "the end of the port")
        states = [one.split(b"\n")[0] for one in datagrams(manager)]
        assert states == [b"READY=1", b"RELOADING=1", b"READY=1", b"STOPPING=1"]
