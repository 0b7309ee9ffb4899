"""What HEC says of requests that failed: lines of HttpInputDataHandler in splunkd.log and index _internal.

Source: Getting Data In, "Troubleshoot HTTP Event Collector", and lines as others quote them from Splunk 9. Overload is
not written down: it would add to the load.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from apisec_sandbox.splunkd.hec import codes
from apisec_sandbox.splunkd.hec.codes import HecError
from apisec_sandbox.splunkd.home import Home
from apisec_sandbox.splunkd.indexes import Event, Store
from apisec_sandbox.splunkd.web import Request

LOG = logging.getLogger("apisec_sandbox.hec")
MAX_REASON = 200  # characters
MAX_LOG = 25_000_000  # bytes; splunkd too goes on in a new file then (log.cfg)
SILENT = frozenset((codes.BUSY, *range(codes.HEALTHY, codes.ACK_FULL + 1)))


@dataclass
class Trace:
    """What is known of a request while it is worked on."""

    token: str = "n/a"  # noqa: S105 - what splunkd writes for a token that is not known
    channel: str = "n/a"
    processed: int = 0


class Journal:
    def __init__(self, home: Home, store: Store) -> None:
        self._path: Path = home.log / "splunkd.log"
        self._store = store

    def note(self, request: Request, error: HecError, trace: Trace) -> None:
        """Write the line; a full disk costs the line, never the reply."""
        if error.code in SILENT:
            return
        now = self._store.clock()
        event = Event(now, now, "apisec-sandbox", str(self._path), "splunkd", line(request, error, trace, now), {})
        try:
            self._store.append([event._replace(index_name="_internal")])
            self._write(event.raw)
        except OSError as problem:
            LOG.warning("%s: %s", self._path, problem)

    def _write(self, text: str) -> None:
        if self._path.exists() and self._path.stat().st_size > MAX_LOG:
            self._path.replace(self._path.with_suffix(".log.1"))
        with self._path.open("a", encoding="utf-8", errors="replace") as file:
            file.write(text + "\n")


def line(request: Request, error: HecError, trace: Trace, now: float) -> str:
    """One line of splunkd.log; what a client sent stands in it only as far as a parser's message quotes it."""
    moment = datetime.fromtimestamp(now, UTC)
    stamp = f"{moment:%m-%d-%Y %H:%M:%S}.{moment.microsecond // 1000:03d} +0000"
    reason = (error.because or str(error.__cause__ or "")).replace('"', "'").replace("\n", " ")[:MAX_REASON]
    text = (
        f"{stamp} ERROR HttpInputDataHandler [HttpDedicatedIoThread-0] - Failed processing http input, "
        f"token name={trace.token}, channel={trace.channel}, source_IP={request.client or 'n/a'}, reply={error.code}, "
        f"events_processed={trace.processed}, http_input_body_size={len(request.body)}"
    )
    return f'{text}, parsing_err="{reason}"' if reason else text
