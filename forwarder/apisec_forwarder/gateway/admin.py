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
        text = self._call("GET", "/stats?filter=^filesystem.write_failed$")
        value = text.partition(b":")[2].strip()
        return int(value) if value.isdigit() else 0

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
