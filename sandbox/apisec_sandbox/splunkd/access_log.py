"""splunkd_access: one line for every request to the management port, in a file and in index _internal.

Source: Troubleshooting Manual, "What Splunk software logs about itself" (splunkd_access.log, index _internal).
The query string is left out: it may carry secrets.
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from urllib.parse import quote

from apisec_sandbox.splunkd.home import Home
from apisec_sandbox.splunkd.indexes import Event, Store
from apisec_sandbox.splunkd.web import Reply, Request

LOG = logging.getLogger("apisec_sandbox.access")
MAX_AGENT = 200  # characters


class AccessLog:
    """Writes the lines; a full disk costs a line, never a reply."""

    def __init__(self, home: Home, store: Store) -> None:
        self._path = home.log / "splunkd_access.log"
        self._store = store

    def note(self, request: Request, reply: Reply, seconds: float) -> None:
        now = self._store.clock()
        line = access_line(request, reply, seconds, now)
        event = Event(now, now, "apisec-sandbox", str(self._path), "splunkd_access", line, {}, "_internal")
        try:
            self._store.append([event])
        except OSError as error:
            LOG.warning("%s: %s", self._path, error)


def access_line(request: Request, reply: Reply, seconds: float, now: float) -> str:
    """The line in the form of splunkd_access.log; the user is what the reply's session belonged to."""
    moment = datetime.fromtimestamp(now, UTC)
    stamp = f"{moment:%d/%b/%Y:%H:%M:%S}.{moment.microsecond // 1000:03d} +0000"
    path = "/" + "/".join(quote(segment, safe="-:@") for segment in request.segments)
    agent = request.headers.get("user-agent", "-")[:MAX_AGENT].replace('"', "'")
    size, millis = len(reply.body), round(seconds * 1000)
    return (
        f'{request.client or "-"} - {reply.user or "-"} [{stamp}] "{request.method} {path} HTTP/1.1" '
        f'{reply.status} {size} "-" "{agent}" - - - {millis}ms'
    )
