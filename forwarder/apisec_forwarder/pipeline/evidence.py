"""Signals of a request: evidence of attacks in its path, query, headers, cookies and body."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from apisec.detectors.signals import Signal, of_document, scan, strongest
from apisec.model.transaction import Headers
from apisec.redaction.redactor import Part, label
from apisec_forwarder.pipeline.principal import cookies

MAX_SIGNALS = 50

# Their syntax has quotes, stars and semicolons of its own, and no server puts them into a query.
NOT_ASKED = frozenset(
    """accept accept-encoding accept-language authorization cookie content-type content-disposition content-length
    if-none-match if-match sec-ch-ua sec-ch-ua-platform sec-ch-ua-mobile cache-control date connection te upgrade
    traceparent tracestate priority via forwarded x-apisec-test""".split()  # noqa: SIM905 - shorter to read than a list of strings
)


def signals(
    parts: Iterable[tuple[str, Part | None]], headers: Headers, unread_body: str, raw_path: str
) -> list[Signal]:
    """Return the strongest signals of a request; ``parts`` are named by their location."""
    return strongest(_all(parts, headers, unread_body, raw_path), MAX_SIGNALS)


def _all(
    parts: Iterable[tuple[str, Part | None]], headers: Headers, unread_body: str, raw_path: str
) -> Iterator[Signal]:
    for location, part in parts:
        if part is not None:
            yield from of_document(part.document, location)
    for detector, score in scan(raw_path):
        yield Signal(detector, "path", score)
    for name, value in headers:
        lower = name.lower()
        if lower not in NOT_ASKED:
            for detector, score in scan(agent_free(value) if lower == "user-agent" else value):
                yield Signal(detector, f"header.{label(lower)}", score)
    for cookie in cookies(headers):
        for detector, score in scan(cookie.value):
            yield Signal(detector, f"cookie.{label(cookie.name)}", score)
    if unread_body:
        for detector, score in scan(unread_body):
            yield Signal(detector, "body", score)


def agent_free(value: str) -> str:
    """Browsers' agents have parentheses and semicolons: (X11; Linux x86_64)."""
    return value.replace("; ", ", ")
