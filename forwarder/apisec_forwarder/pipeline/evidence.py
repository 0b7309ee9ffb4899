"""Signals of a request: evidence of attacks in its path, query, headers, cookies and body."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from apisec.attacks import answers, protocol
from apisec.attacks.signals import MAX_WORK, Signal, Watch, asked_name, cost, of_document
from apisec.model.transaction import Headers, Request
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
    parts: Iterable[tuple[str, Part | None]],
    request: Request,
    unread_body: str,
    raw_path: str,
    watch: Watch,
    response: Part | None = None,
) -> list[Signal]:
    """Return the signals of a request and of what answered it; ``parts`` are named by their location."""
    return [*_all(parts, request, unread_body, raw_path, watch), *answered(response)]


def _all(
    parts: Iterable[tuple[str, Part | None]], request: Request, unread_body: str, raw_path: str, watch: Watch
) -> Iterator[Signal]:
    for detector, score in watch.scan(raw_path):
        yield Signal(detector, "path", score)
    for detector, name, score in protocol.of_heads(request.headers, request.host):
        yield Signal(detector, f"header.{label(name)}" if name else "header", score)
    for where, value in asked(
        request.headers
    ):  # before the body, which a sender could fill until nothing else is asked
        for detector, score in watch.scan(value):
            yield Signal(detector, where, score)
    for location, part in parts:
        if part is not None:
            yield from of_document(part.document, location, watch)
            if location == "query":
                yield from of_session([leaf.path for leaf in part.document.leaves], request)
    if unread_body:
        for detector, score in watch.scan(unread_body):
            yield Signal(detector, "body", score)


def of_session(paths: Iterable[str], request: Request) -> Iterator[Signal]:
    """Yield what a session's id in a query tells."""
    for path in protocol.sessions(paths, request.headers, request.host):
        yield Signal("protocol.session", f"query.{path}", protocol.SESSION_SCORE)


def answered(part: Part | None) -> Iterator[Signal]:
    """Yield what a response's body tells: an error's echo, content that nobody means to give."""
    if part is not None:
        for detector, path, score in answers.of_document(part.document):
            yield answer(detector, path, score)


def answer(detector: str, path: str, score: float) -> Signal:
    """Return a signal of a response's value."""
    return Signal(detector, f"response.{path}" if path else "response", score)


def shown(signal: Signal, where: str) -> dict[str, str | float]:
    """Return a signal as an event has it."""
    said: dict[str, str | float] = {
        "detector": signal.detector, "family": signal.family, "where": where, "score": signal.score,
    }  # fmt: skip
    if signal.expected:
        said |= {"expected": signal.expected, "seen": signal.seen}
    return said


def asked(headers: Headers) -> Iterator[tuple[str, str]]:
    """Yield where and what is asked of a request's headers and cookies."""
    for name, value in headers:
        lower = name.lower()
        if lower not in NOT_ASKED:
            yield f"header.{label(lower)}", agent_free(value) if lower == "user-agent" else value
    for cookie in cookies(headers):
        yield f"cookie.{label(cookie.name)}", cookie.value
        if asked_name(cookie.name):
            yield f"cookie.{label(cookie.name)}", cookie.name


def left_out(watch: Watch) -> str:
    """Return what coverage says of suspicious values that were not asked."""
    return f"transaction: {watch.skipped} values not asked for attacks, for it would take too long"


def dear(headers: Headers) -> bool:
    """Return whether the headers of a request take more than a quarter of what asking for attacks may cost."""
    values = [value for _, value in headers]
    most = len(values) + sum([value.count(";") for value in values])
    if cost("") * most + (cost("x") - cost("")) * sum(map(len, values)) <= MAX_WORK // 4:
        return False
    watch = Watch()
    for _, value in asked(headers):
        watch.spent += cost(value)
    return watch.spent > MAX_WORK // 4


def agent_free(value: str) -> str:
    """Browsers' agents have parentheses and semicolons: (X11; Linux x86_64)."""
    return value.replace("; ", ", ")
