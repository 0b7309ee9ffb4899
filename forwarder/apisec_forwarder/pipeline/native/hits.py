"""One scan of a transaction's values, and which of them it hit: head, query, body of the request, then the answer."""

from __future__ import annotations

from collections.abc import Iterator
from operator import itemgetter

from apisec.attacks.answers import MAX_ASKED
from apisec.attacks.graphql import BATCHED
from apisec.attacks.signals import Signal, of_batch
from apisec.redaction.redactor import DULL
from apisec_forwarder.pipeline.native.gate import BASE64, SEPARATOR, VALUE, Hit, holds
from apisec_forwarder.pipeline.native.plans import Member, NotHere
from apisec_forwarder.pipeline.native.walk import Reading
from apisec_forwarder.pipeline.native.work import ORDINARY_MEMBER, Work

MAX_SUSPICIOUS = 200  # values of a request that may be attacks; the core has a budget for more
_MARK = SEPARATOR.encode()


def places(data: bytes, hits: list[Hit]) -> list[Hit]:
    """Return in which of the values between separators something was found: what, and the value's index."""
    found, at, index = [], 0, -1
    for kind, end in sorted(hits, key=itemgetter(1)):
        last = end - 1  # the separator behind a value may be part of what was found in it
        index += data.count(_MARK, at, last)
        at = last
        found.append((kind, index))
    return found


class Hits:
    """Which values may hold something. ``suspicious``: of the request's, those that may be an attack."""

    __slots__ = (
        "_found",
        "_told",
        "_work",
        "answered_at",
        "query_at",
        "request",
        "sent_at",
        "suspicious",
        "texts",
        "values",
    )

    def __init__(self, work: Work) -> None:
        self._work = work
        self.query_at = len(work.values)
        values = work.values
        if work.query is not None:
            values += work.query.values
        self.sent_at = len(values)
        if work.reading is not None:
            values += work.reading.values()
        elif work.form is not None:
            values += work.form.values
        self.request = len(values)  # so many are of the request
        if work.response_head is not None and work.transaction.response is not None:
            headers = work.transaction.response.headers
            values += [headers[index][1] for index, _ in work.response_head.asked]
        self.answered_at = len(values)
        if work.response_reading is not None:
            values += work.response_reading.values()
        self.values = values
        self._found: list[int] = []
        self.suspicious: list[int] = []
        self._told: list[int] = []
        self.texts: set[str] = set()  # all values in which something was found
        if values:
            self._scan()

    def _scan(self) -> None:
        values, modal = self.values, self._work.modal
        request = SEPARATOR.join(["", *values[: self.request], ""]).encode()
        response = SEPARATOR.join([*values[self.request :], ""]).encode()
        data = request + response
        if data.count(_MARK) != len(values) + 1:
            raise NotHere  # a value has a separator of its own
        met = set(places(data, modal.text.hits(data)))
        found = {(kind, index) for kind, index in met if kind == VALUE or holds(kind, values[index])}
        self._found = sorted({index for _, index in found})
        self.texts = {values[index] for index in self._found}
        self.suspicious = sorted({index for _, index in places(request, modal.signals.hits(request))})
        if self.answered_at < len(values):
            # No separator stands before the first value of the response here.
            told = {self.request + 1 + index for _, index in places(response, modal.answers.hits(response))}
            self._told = sorted(index for index in told if index >= self.answered_at)
        if len(self.suspicious) > MAX_SUSPICIOUS or len(self._told) > MAX_ASKED:
            raise NotHere
        # The heads' values are not shown.
        self._work.base64 += [
            values[i]
            for kind, i in found
            if kind == BASE64 and (self.query_at <= i < self.request or i >= self.answered_at)
        ]

    def batch(self) -> Iterator[Signal]:
        """Yield what an array of GraphQL's operations tells."""
        reading = self._work.reading
        if reading is None:
            return iter(())
        found = [index for index in self.suspicious if index >= self.sent_at]
        places = [reading.members([index - self.sent_at])[0].path for index in found]
        return of_batch(
            [self.values[index] for index, path in zip(found, places, strict=True) if path == BATCHED], "body"
        )

    def of_heads(self) -> Iterator[tuple[str, str, Member]]:
        """Yield where, value and place of the headers that need to be asked."""
        work, values = self._work, self.values
        found = set(self._found)
        for index, (location, member) in enumerate(work.places):
            if member.telling or (index in found and member is not ORDINARY_MEMBER):
                yield location, values[index], member
        if work.response_head is not None:
            for index, (_, member) in enumerate(work.response_head.asked, self.request):
                if member.telling or index in found:
                    yield "response header", values[index], member

    def of_query(self) -> set[int]:
        """Return which values of the query were hit."""
        return {index - self.query_at for index in self._found if self.query_at <= index < self.sent_at}

    def of_form(self) -> set[int]:
        """Return which values of the request's form were hit."""
        return {index - self.sent_at for index in self._found if self.sent_at <= index < self.request}

    def of_request(self, reading: Reading) -> list[tuple[Member, str]]:
        """Return which values of the request's body need to be asked, beside those with telling names."""
        return self._of(reading, self.sent_at, self.request)

    def of_response(self, reading: Reading) -> list[tuple[Member, str]]:
        """Return which values of the answer's body need to be asked, beside those with telling names."""
        return self._of(reading, self.answered_at, len(self.values))

    def answers(self, reading: Reading) -> list[tuple[str, str]]:
        """Return path and value of what an answer's body may tell of an attack."""
        start = self.answered_at
        members = reading.members([index - start for index in self._told])
        return [(member.path, self.values[i]) for member, i in zip(members, self._told, strict=True)]

    def _of(self, reading: Reading, start: int, end: int) -> list[tuple[Member, str]]:
        values = self.values
        some = [index for index in self._found if start <= index < end and not DULL.fullmatch(values[index])]
        if not some:
            return []
        members = reading.members([index - start for index in some])
        return [(member, values[i]) for member, i in zip(members, some, strict=True) if not member.telling]

    def where(self, index: int) -> str:
        """Return where a value of the request stands, as a signal says it."""
        work = self._work
        if index < self.query_at:
            location, member = work.places[index]
            return location if member is ORDINARY_MEMBER else f"{location}.{member.path}"
        if index < self.sent_at and work.query is not None:
            location, member = "query", work.query.plan.members[index - self.query_at]
        elif work.reading is not None:
            location, member = "body", work.reading.members([index - self.sent_at])[0]
        elif work.form is not None:
            location, member = "body", work.form.plan.members[index - self.sent_at]
        else:
            raise IndexError(index)
        return f"{location}.{member.path}" if member.path else location
