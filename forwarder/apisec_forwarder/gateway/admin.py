"""Talks to Envoy's admin interface on its unix socket."""

from __future__ import annotations

import http.client
import socket
from pathlib import Path

TIMEOUT_SECONDS = 2.0
MAX_ANSWER_BYTES = 65536


class EnvoyAdmin:
    """Envoy's admin interface. Every call opens its own connection; OSError when Envoy does not answer."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def reopen_logs(self) -> None:
        """Have Envoy open its access log anew (by its next flush); OSError when it refused."""
        self._call("POST", "/reopen_logs")

    def write_failures(self) -> int:
        """Return how many writes to log files have failed since Envoy started (a full tmpfs)."""
        return self._sum("^filesystem.write_failed$")

    def copies_begun(self) -> int:
        """Return for how many transactions external processing was begun since Envoy started."""
        return self._sum("ext_proc.apisec.streams_started$")

    def _sum(self, names: str) -> int:
        """Return the sum of the counters whose names a regular expression finds."""
        lines = self._call("GET", f"/stats?filter={names}").splitlines()
        values = (line.partition(b":")[2].strip() for line in lines)
        return sum(int(value) for value in values if value.isdigit())

    def _call(self, method: str, target: str) -> bytes:
        connection = _UnixConnection(self._path)
        try:
            connection.request(method, target)
            answer = connection.getresponse()
            body = answer.read(MAX_ANSWER_BYTES)
            if answer.status != 200:
                raise OSError(f"Envoy's admin interface answered {answer.status}")
            return body
        except http.client.HTTPException as error:
            raise OSError(f"Envoy's admin interface: {type(error).__name__}") from error
        finally:
            connection.close()


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=TIMEOUT_SECONDS)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(TIMEOUT_SECONDS)
        self.sock.connect(str(self._path))
