"""What of a transaction the models of parameters are asked about, and learn: see ``apisec.parameters``."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from apisec.attacks.reflected import reflected
from apisec.attacks.signals import Signal
from apisec.classification.names import evidence
from apisec.decoders.base import Document
from apisec.model.transaction import Headers, Transaction, header
from apisec.parameters import Book, Judged, Observed
from apisec.parameters.book import SIZE, TIME, is_payload
from apisec.redaction.keys import Tokenizer
from apisec.redaction.redactor import label
from apisec.redaction.tokens import TOKEN
from apisec_forwarder.pipeline.evidence import NOT_ASKED
from apisec_forwarder.pipeline.messages import ORDINARY
from apisec_forwarder.pipeline.principal import cookies

SCALARS = frozenset(("integer", "number", "boolean"))
ECHOED_SCORE = 0.8
MAX_HEADS = 16  # headers and cookies of a request whose values are asked and learned
MAX_HEAD = 512  # characters of one of them
# What proxies, tracers and clouds add, whose values tell of them and not of the client's parameters.
_ADDED = re.compile(
    r"x-(?:forwarded|envoy|b3|amzn?|azure|goog|ms|google|datadog|newrelic|sentry|ot|cloud)-|x-(?:request|correlation"
    r"|trace|transaction|session)-?id|x-(?:real|client|cluster-client|original)-?ip|cf-|true-client|fastly-|akamai-"
    r"|traceparent|tracestate|baggage|uber-trace|sentry-trace|grpc-|idempotency-key|sec-|proxy-"
)
Found = tuple[str, str]


class Lesson(NamedTuple):
    """What a transaction may teach, once its event is written."""

    service: str
    operation: str
    seen: Observed
    judged: Judged

    def teach(self, book: Book) -> None:
        """Have a book learn it."""
        book.learn(*self)


def salt_of(tokenizer: Tokenizer) -> bytes:
    """Return what keys the hashes of values: the same for all forwarders that hold the key."""
    return tokenizer.token("parameters", b"salt").encode()


def place(location: str, path: str) -> str:
    """Return where a value stands, as a signal says it."""
    return f"{location}.{path}" if path else location


def values(document: Document | None, location: str) -> Iterator[Found]:
    """Yield where and what the texts of a document are."""
    if document is not None:
        for leaf in document.leaves:
            if leaf.kind == "string":
                yield place(location, leaf.path), leaf.value


def scalars(document: Document | None, location: str) -> Iterator[Found]:
    """Yield where a document has numbers and truth values, and their kinds."""
    if document is not None:
        for leaf in document.leaves:
            if leaf.kind in SCALARS:
                yield place(location, leaf.path), leaf.kind


def of_path(params: Iterable[Found]) -> Iterator[Found]:
    """Yield where and what the parameters of a path are, but for those that are tokens already."""
    for name, value in params:
        if not TOKEN.search(value):
            yield place("path", name), value


@lru_cache(maxsize=4096)
def own(name: str) -> bool:
    """Return whether a service may read a header or cookie of this name as a parameter: no credential, no proxy's."""
    lower = name.lower()
    if lower in ORDINARY or lower in NOT_ASKED or _ADDED.match(lower):
        return False
    return (evidence(lower).data_class or "").partition(".")[0] != "secret"


def of_head(headers: Headers) -> list[Found]:
    """Return where and what the headers and cookies are that a service may read as parameters."""
    found = [(f"header.{label(name.lower())}", value) for name, value in headers if own(name)]
    if any([name.lower() == "cookie" for name, _ in headers]):  # noqa: C419 - a third of a generator's time
        found += [(f"cookie.{label(one.name)}", one.value) for one in cookies(headers) if own(one.name)]
    return [(where, value) for where, value in found[:MAX_HEADS] if len(value) <= MAX_HEAD]


def echoed(transaction: Transaction, texts: Sequence[Found], signals: Sequence[Signal]) -> list[Signal]:
    """Return what an answer tells of the values that carry a payload."""
    response = transaction.response
    payloads = [(signal.where, signal.family) for signal in signals if is_payload(signal)]
    if response is None or not payloads or not response.body.data or header(response.headers, "content-encoding"):
        return []
    kind = header(response.headers, "content-type") or ""
    places = {where for where, _ in payloads}
    values = sorted({(where, value) for where, value in texts if where in places})
    return [Signal(name, "response", ECHOED_SCORE) for name in reflected(values, payloads, kind, response.body.data)]


def observed(
    transaction: Transaction,
    principal: str,
    texts: Iterable[Found],
    kinds: Iterable[Found] = (),
    heads: Sequence[Found] = (),
) -> Observed:
    """Return what is asked and learned of a transaction. A refused one teaches nothing, nor one without an answer."""
    response = transaction.response
    answered = response is not None and 200 <= response.status < 400 and transaction.refusal is None
    sizes = {}
    if response is not None and transaction.duration is not None:
        sizes[TIME] = max(0, int(transaction.duration))
    if response is not None and response.body.size:
        sizes[SIZE] = response.body.size
    return Observed(principal, transaction.time, answered, list(texts), sorted(set(kinds)), sizes, heads)
