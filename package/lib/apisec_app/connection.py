"""Connecting a script that splunkd started back to splunkd, and running searches there."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any, Dict, Optional
from urllib.parse import urlsplit

from splunklib import client

APP = "apisec"
PAGE = 50_000  # maxresultrows, limits.conf [restapi]
_POLL_SECONDS = 0.3


class SearchFailed(Exception):
    """splunkd refused or failed a search; the message is splunkd's."""


def connect(server_uri: str, session_key: str) -> Any:
    """A service in the app's own namespace, where its macros and lookups are.

    ``server_uri`` is splunkd's, as it hands it to scripts: https://127.0.0.1:8089. Its certificate is splunkd's
    own, mostly self-signed, and the connection stays on this host: as the SDK does, it is not verified.
    """
    parts = urlsplit(server_uri)
    return client.connect(
        scheme=parts.scheme,
        host=parts.hostname,
        port=parts.port or 8089,
        token=session_key,
        app=APP,
        owner="nobody",
        autologin=False,
    )


def quoted(value: str) -> str:
    """A value as a quoted SPL string, in which nothing can end the quotes."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def search(
    service: Any,
    spl: str,
    *,
    earliest: str,
    latest: str,
    timeout: float = 600.0,
    index_window: Optional[tuple[float, float]] = None,
) -> Iterator[Dict[str, Any]]:
    """Run a search and give its rows, page by page.

    ``earliest`` and ``latest`` are Splunk time modifiers or epoch seconds; ``index_window`` limits to events that
    were indexed in [from, to). Raises SearchFailed, and splunklib's HTTPError on a connection's failure.
    """
    arguments: Dict[str, Any] = {"exec_mode": "normal", "earliest_time": earliest, "latest_time": latest}
    arguments["auto_cancel"] = int(timeout)
    if index_window is not None:
        arguments["index_earliest"], arguments["index_latest"] = (f"{t:.0f}" for t in index_window)
    job = service.jobs.create(spl, **arguments)
    try:
        _wait(job, timeout)
        yield from _rows(job)
    finally:
        job.cancel()


def _wait(job: Any, timeout: float) -> None:
    deadline = time.monotonic() + timeout
    while not job.is_done():
        if job.is_ready() and job["dispatchState"] == "FAILED":
            break
        if time.monotonic() > deadline:
            raise SearchFailed(f"not finished after {timeout:.0f} s; shorten the window or raise the quota")
        time.sleep(_POLL_SECONDS)
    if job["dispatchState"] == "FAILED":
        messages = job.content.get("messages")
        raise SearchFailed(json.dumps(messages) if messages else "the search failed without a message")


def _rows(job: Any) -> Iterator[Dict[str, Any]]:
    offset = 0
    while True:
        body = job.results(output_mode="json", count=PAGE, offset=offset).read()
        page = json.loads(body)["results"] if body else []
        yield from page
        offset += len(page)
        if len(page) < PAGE:
            return
