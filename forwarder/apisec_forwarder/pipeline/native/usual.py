"""What the models of parameters are asked about of a transaction that the native engine has read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from apisec.parameters import Book
from apisec_forwarder.pipeline.native.plans import Member
from apisec_forwarder.pipeline.native.walk import Reading
from apisec_forwarder.pipeline.native.work import Work
from apisec_forwarder.pipeline.observing import (
    SCALARS,
    Found,
    Lesson,
    echoed,
    observed,
    of_head,
    place,
    scalars,
    values,
)
from apisec_forwarder.pipeline.settings import UNASSIGNED


def by_use(work: Work, book: Book | None) -> Lesson | None:
    """Weigh signals by the answer, and by what the parameters usually carry; return what they learn of it."""
    service, identity = work.place.name, work.effect.identity
    if book is None and not work.signals:
        return None
    texts = of_texts(work)
    work.signals += echoed(work.transaction, texts, work.signals)
    if book is None or identity is None or service == UNASSIGNED:
        return None
    kinds = of_kinds(work) if book.teaches() else ()
    heads = of_head(work.transaction.request.headers)
    seen = observed(work.transaction, identity.principal, texts, kinds, heads)
    judged = book.judge(service, work.operation, seen, work.signals)
    work.signals = judged.signals
    return Lesson(service, work.operation, seen, judged)


def of_texts(work: Work) -> list[Found]:
    """Return where and what the texts of a request are."""
    found = [(place("path", name), value) for name, value in work.plan.ids(work.segments)]  # never tokens
    if work.query is not None:
        found += _pairs("query", work.query.plan.members, work.query.values)
    if work.read_by_core is not None:
        found += values(work.read_by_core, "body")
    elif work.reading is not None:
        found += _read(work.reading)
    elif work.form is not None:
        found += _pairs("body", work.form.plan.members, work.form.values)
    return found


def of_kinds(work: Work) -> Iterable[Found]:
    """Return where a request has numbers and truth values, and their kinds."""
    if work.read_by_core is not None:
        return list(scalars(work.read_by_core, "body"))
    if work.reading is None:
        return []
    pairs = frozenset().union(*[met.kinds for met in work.reading.met])
    return [(place("body", path), kind) for path, kind in pairs if kind in SCALARS]


def _pairs(location: str, members: Iterable[Member], texts: Iterable[str]) -> Iterator[Found]:
    for member, text in zip(members, texts, strict=True):
        yield place(location, member.path), text


def _read(reading: Reading) -> Iterator[Found]:
    for texts, where in zip(reading.texts, reading.places, strict=True):
        if isinstance(where, Member):
            path = place("body", where.path)
            for text in texts:
                yield path, text
        else:
            for member, text in zip(where, texts, strict=True):
                yield place("body", member.path), text
