"""What of a transaction the models of parameters are asked about, and learn: see ``apisec.parameters``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from apisec.decoders.base import Document
from apisec.model.transaction import Transaction
from apisec.parameters import Book, Judged, Observed
from apisec.parameters.book import SIZE, TIME
from apisec.redaction.keys import Tokenizer
from apisec.redaction.tokens import TOKEN

SCALARS = frozenset(("integer", "number", "boolean"))
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


def observed(transaction: Transaction, principal: str, texts: Iterable[Found], kinds: Iterable[Found] = ()) -> Observed:
    """Return what is asked and learned of a transaction. A refused one teaches nothing, nor one without an answer."""
    response = transaction.response
    answered = response is not None and 200 <= response.status < 400 and transaction.refusal is None
    sizes = {}
    if response is not None and transaction.duration is not None:
        sizes[TIME] = max(0, int(transaction.duration))
    if response is not None and response.body.size:
        sizes[SIZE] = response.body.size
    return Observed(principal, transaction.time, answered, list(texts), sorted(set(kinds)), sizes)
