"""Requests of an API whose templates are known."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator
from dataclasses import dataclass

from benchmarks.paths.specs import Api, Operation
from benchmarks.paths.values import ID_STYLES, Population, Values, kinds_of, size_of

VARIANTS = 4  # shapes of an operation's answer, beside members that come and go
ERRORS = 0.04
ERROR_FIELDS = ("error.code", "error.message")
NAMING = 0.1  # requests that name another object in query or body
TAIL = 1.1  # exponent of the popularity of operations


@dataclass(frozen=True)
class Request:
    """``truth`` numbers the operation; ``fields`` are the answer's; ``ids`` stood in the query or body."""

    method: str
    segments: tuple[str, ...]
    fields: tuple[str, ...]
    ids: tuple[str, ...]
    truth: int


class Traffic:
    """Requests of one API; the same seed gives the same ones."""

    def __init__(self, api: Api, held: bool, seed: int = 1) -> None:
        self._api = api
        self._rng = random.Random(hashlib.sha256(f"{seed} {api.provider} {api.name}".encode()).digest())
        self._makes = Values(held).kinds()
        self._style = self._rng.choices(list(ID_STYLES), list(ID_STYLES.values()))[0]
        self._populations: dict[tuple[tuple[str, ...], str], Population] = {}
        self._siblings: dict[tuple[str, ...], set[str]] = {}
        for operation in api.operations:
            for at, segment in enumerate(operation.skeleton):
                self._siblings.setdefault(operation.skeleton[:at], set()).add(segment)

    def counts(self, low: int, high: int) -> list[int]:
        """Return how often each operation is called: between the bounds, most of them seldom."""
        rng, spread = self._rng, high - low
        return [
            low + min(spread, int((rng.paretovariate(TAIL) - 1) * max(1, spread) / 8)) for _ in self._api.operations
        ]

    def requests(self, low: int, high: int) -> Iterator[Request]:
        """Give every operation between ``low`` and ``high`` requests, in a random order."""
        order = [truth for truth, times in enumerate(self.counts(low, high)) for _ in range(times)]
        self._rng.shuffle(order)
        shapes = [self._shapes(operation) for operation in self._api.operations]
        for truth in order:
            operation = self._api.operations[truth]
            failed = self._rng.random() < ERRORS
            fields = ERROR_FIELDS if failed else self._answer(shapes[truth])
            yield Request(operation.method, self._path(operation), fields, self._ids(), truth)

    def _ids(self) -> tuple[str, ...]:
        """Name something else, now and then: ``?assignee=alice``, ``{"country": "de"}``."""
        if not self._populations or self._rng.random() > NAMING:
            return ()
        return (self._rng.choice(list(self._populations.values())).draw(self._rng),)

    def _shapes(self, operation: Operation) -> list[tuple[str, ...]]:
        rng = self._rng
        count = rng.randint(1, VARIANTS)
        return [tuple(p for p, always in operation.fields if always or rng.random() < 0.85) for _ in range(count)]

    def _answer(self, shapes: list[tuple[str, ...]]) -> tuple[str, ...]:
        fields = shapes[min(int(self._rng.expovariate(1.0)), len(shapes) - 1)]
        if fields and self._rng.random() < 0.1:
            missing = self._rng.randrange(len(fields))
            return fields[:missing] + fields[missing + 1 :]
        return fields

    def _path(self, operation: Operation) -> tuple[str, ...]:
        bare = operation.skeleton
        return tuple(
            self._fill(segment, bare[:at], operation) if "{" in segment else segment
            for at, segment in enumerate(operation.segments)
        )

    def _fill(self, segment: str, place: tuple[str, ...], operation: Operation) -> str:
        out, rest = "", segment
        while "{" in rest:
            literal, _, rest = rest.partition("{")
            name, _, rest = rest.partition("}")
            out += literal + self._population(name, place, operation).draw(self._rng)
        return out + rest

    def _population(self, name: str, place: tuple[str, ...], operation: Operation) -> Population:
        # A parameter has one population wherever the same word leads to it: /users/{id} and /admin/users/{id}.
        last = next((word for word in reversed(place) if word != "{}"), "")
        key = (place if len(place) < 2 else (last,), name)
        found = self._populations.get(key)
        if found is None:
            rng, schema = self._rng, operation.parameters.get(name, {})
            enumeration = [str(v) for v in schema.get("enum") or [] if str(v) and "/" not in str(v)]
            kinds = kinds_of(name, schema, self._style, rng)
            if enumeration:
                makes, size = [lambda _, rank: enumeration[rank % len(enumeration)]], len(enumeration)
            else:
                makes, size = [self._makes[kind] for kind in kinds], size_of(kinds, rng)
            forbidden = frozenset(self._siblings[place])  # a value that is a sibling's name is routed to the sibling
            found = self._populations[key] = Population(rng, makes, size, rng.uniform(0.5, 1.2), forbidden)
        return found
