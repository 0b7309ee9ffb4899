"""Walks a decoded document by its plans, and gathers what the others ask for."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import accumulate, chain
from typing import Any

from apisec_forwarder.pipeline.native.plans import Facet, Member, Met, Node, NotHere, Table, Tree

MAX_DEPTH = 48  # deeper documents are left to the core, which knows the limit
FEW = 3  # objects that are read one by one, by their shapes
SPARSE = 3  # so many known members for one that is there: by their shapes too
_CONTAINERS = frozenset((dict, list))


class Reading:
    """What a walk has seen."""

    __slots__ = ("asked", "document", "met", "named", "places", "quotes", "texts", "tree")

    def __init__(self, tree: Tree, document: Any) -> None:
        self.tree = tree
        self.document = document
        self.met: list[Met] = []
        self.asked: list[tuple[Member, Any]] = []  # values under telling names
        self.named: list[tuple[Member, Any]] = []  # values that are objects' ids
        self.quotes = 0  # strings: names and values
        self.texts: list[Sequence[str]] = []  # all values that are text, some together …
        self.places: list[Member | tuple[Member, ...]] = []  # … and the place of all of them, or of each

    def values(self) -> list[str]:
        """Return all values that are text."""
        return list(chain.from_iterable(self.texts))

    def members(self, indexes: Sequence[int]) -> list[Member]:
        """Return the places of some of the values."""
        ends = list(accumulate(map(len, self.texts)))
        found = []
        for index in indexes:
            chunk = bisect_right(ends, index)
            place = self.places[chunk]
            found.append(place if isinstance(place, Member) else place[index - ends[chunk] + len(place)])
        return found

    def numbers(self) -> list[tuple[Member, Any]]:
        """Return all numbers with their places; few documents are asked for them."""
        return list(_numbers(self.tree.root, self.document))


def read(tree: Tree, document: Any) -> Reading:
    """Walk a decoded document; NotHere when the core has to."""
    tree.begin()
    reading = Reading(tree, document)
    if type(document) is dict:
        _object(tree.root, document, reading, 0)
    elif type(document) is list:
        _array(tree.root, document, reading, 0)
    else:
        raise NotHere
    return reading


def _object(node: Node, value: dict[str, Any], reading: Reading, depth: int) -> None:
    """Take one object, by its shape."""
    key = (*value, *map(type, value.values()))
    shape = node.shapes.get(key)
    if shape is None:
        if depth > MAX_DEPTH:
            raise NotHere
        shape = node.learn(value, key)
    reading.met.append(shape)
    reading.quotes += shape.quotes
    for name, member in shape.telling:
        reading.asked.append((member, value[name]))
    for name, member in shape.named:
        reading.named.append((member, value[name]))
    if shape.strings is not None:
        reading.texts.append(shape.strings(value))
        reading.places.append(shape.members)
    for name, inner in shape.objects:
        _object(inner, value[name], reading, depth + 1)
    for name, inner in shape.arrays:
        _array(inner, value[name], reading, depth + 1)


def _objects(node: Node, rows: Sequence[dict[str, Any]], reading: Reading, depth: int) -> None:
    """Take objects that stand at one place together, by their columns."""
    if depth > MAX_DEPTH:
        raise NotHere
    table = node.table
    columns = _columns(table, rows) if len(rows) >= FEW and table.steady else None
    if columns is None:
        for row in rows:
            _object(node, row, reading, depth)
        return
    types = tuple([frozenset(map(type, column)) for column in columns])
    mix = table.mixes.get(types) or table.learn(types)
    reading.met.append(mix)
    reading.quotes += sum(map(len, columns))
    for at, member, pure in mix.strings:
        texts = columns[at] if pure else [value for value in columns[at] if type(value) is str]
        reading.quotes += len(texts)
        reading.texts.append(texts)
        reading.places.append(member)
    for at, member in mix.telling:
        reading.asked += [(member, value) for value in columns[at] if type(value) in (str, int, float)]
    for at, member in mix.named:
        reading.named += [(member, value) for value in columns[at] if type(value) in (str, int)]
    for at, inner, pure in mix.objects:
        some = columns[at] if pure else [value for value in columns[at] if type(value) is dict]
        _objects(inner, some, reading, depth + 1)
    for at, inner, pure in mix.arrays:
        some = columns[at] if pure else [value for value in columns[at] if type(value) is list]
        _array(inner, list(chain.from_iterable(some)), reading, depth + 1)


def _columns(table: Table, rows: Sequence[dict[str, Any]]) -> Sequence[Sequence[Any]] | None:
    """Return the values of each member in all objects that have it; None where there is no use in it."""
    total, count = sum(map(len, rows)), len(rows)
    if len(table.names) * count == total and table.pick is not None:
        try:
            return tuple(zip(*map(table.pick, rows), strict=True))
        except KeyError:
            pass  # not the same members in all of them
    if len(table.names) * count > SPARSE * total:
        return None
    columns = [[row[name] for row in rows if name in row] for name in table.names]
    if sum(map(len, columns)) == total:
        return columns
    known = len(columns)
    for name in dict.fromkeys(chain.from_iterable(rows)):
        if name not in table.names:
            table.add(name)
        if not table.steady:
            return None
    return columns + [[row[name] for row in rows if name in row] for name in table.names[known:]]


def _array(node: Node, values: list[Any], reading: Reading, depth: int) -> None:
    """Take the elements of one or more arrays that stand at one place."""
    if depth > MAX_DEPTH:
        raise NotHere
    types = frozenset(map(type, values))
    if dict in types:
        some = values if len(types) == 1 else [value for value in values if type(value) is dict]
        _objects(node.inner(), some, reading, depth + 1)
    if list in types:
        nested = values if len(types) == 1 else [value for value in values if type(value) is list]
        _array(node.inner(), list(chain.from_iterable(nested)), reading, depth + 1)
    scalar = types - _CONTAINERS
    if scalar:
        some = values if len(types) == len(scalar) else [v for v in values if type(v) not in _CONTAINERS]
        _scalars(node.facet(scalar), some, reading)


def _scalars(facet: Facet, values: list[Any], reading: Reading) -> None:
    """Take elements of an array that are no containers."""
    member = facet.member
    reading.met.append(facet)
    if facet.strings:
        texts = values if facet.pure else [value for value in values if type(value) is str]
        reading.quotes += len(texts)
        reading.texts.append(texts)
        reading.places.append(member)
    if facet.telling:
        reading.asked += [(member, value) for value in values if type(value) in (str, int, float)]
    if facet.named:
        reading.named += [(member, value) for value in values if type(value) in (str, int)]


def _numbers(node: Node, value: Any) -> Iterator[tuple[Member, Any]]:
    if type(value) is dict:
        for name, inner in value.items():
            if type(inner) in (int, float):
                yield node.of(name), inner
            elif type(inner) in (dict, list):
                yield from _numbers(node.container(name), inner)
    else:
        for inner in value:
            if type(inner) in (int, float):
                yield node.element(), inner
            elif type(inner) in (dict, list):
                yield from _numbers(node.inner(), inner)
