"""Connecting a script that splunkd started back to splunkd, and running searches there."""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Iterable, Iterator
from typing import Any, Dict, Optional, Tuple
from urllib.parse import urlsplit

from splunklib import client

APP = "apisec"
_BUFFER_BYTES = 1 << 16


class SearchError(Exception):
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
    service: Any, spl: str, *, earliest: str, latest: str, index_window: Optional[Tuple[float, float]] = None
) -> Iterator[Dict[str, Any]]:
    """Run a search and give its rows as they stream in; the export endpoint has no cap on their number.

    ``earliest`` and ``latest`` are Splunk time modifiers or epoch seconds; ``index_window`` limits to events that
    were indexed in [from, to). Raises SearchError, and splunklib's HTTPError when splunkd refuses the search.
    """
    arguments: Dict[str, Any] = {"earliest_time": earliest, "latest_time": latest, "preview": "false"}
    if index_window is not None:
        arguments["index_earliest"], arguments["index_latest"] = (f"{t:.0f}" for t in index_window)
    with contextlib.closing(service.jobs.export(spl, output_mode="json", **arguments)) as stream:
        yield from _rows(io.BufferedReader(stream, _BUFFER_BYTES))


def _rows(lines: Iterable[bytes]) -> Iterator[Dict[str, Any]]:
    """Rows of an export: one JSON object a line, which holds a result, or messages."""
    for line in lines:
        if not line.strip():
            continue
        try:
            item = json.loads(line)
        except ValueError as error:
            raise SearchError(f"splunkd sent something that is not JSON: {line[:200]!r}") from error
        for message in item.get("messages") or ():
            if message.get("type") in ("ERROR", "FATAL"):
                raise SearchError(str(message.get("text")))
        if "result" in item and not item.get("preview"):
            yield item["result"]
