"""Walks a decoded document by its plans, and gathers what the others ask for."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import accumulate, chain
from typing import Any

from apisec_forwarder.pipeline.native.plans import Column, Facet, Member, Node, NotHere, Shape, Tree

MAX_DEPTH = 48  # deeper documents are left to the core, which knows the limit
FEW = 3  # objects that are read one by one, by their shapes
SPARSE = 3  # so many known members for one that is there: by their shapes too


class Reading:
    """What a walk has seen."""

    __slots__ = ("asked", "document", "met", "named", "places", "quotes", "texts", "tree")

    def __init__(self, tree: Tree, document: Any) -> None:
        self.tree = tree
        self.document = document
        self.met: list[Shape | Facet] = []
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
    if tree.full:
        tree.reset()
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
    total = sum(map(len, rows))
    columns = node.columns
    if len(rows) < FEW or not node.steady or len(columns) * len(rows) > SPARSE * total:
        for row in rows:
            _object(node, row, reading, depth)
        return
    reading.quotes += total
    for column in columns.values():
        total -= _column(column, rows, reading, depth)
    if total:  # members that were not met here before
        added = [node.column(name) for name in dict.fromkeys(chain.from_iterable(rows)) if name not in columns]
        if not node.steady:
            raise NotHere  # the next time they are read one by one
        for column in added:
            _column(column, rows, reading, depth)


def _column(column: Column, rows: Sequence[dict[str, Any]], reading: Reading, depth: int) -> int:
    """Take one member of some objects; return how many have it."""
    name = column.name
    if column.always:
        try:
            values = list(map(column.pick, rows))
        except KeyError:
            column.always = False
            values = [row[name] for row in rows if name in row]
    else:
        values = [row[name] for row in rows if name in row]
        if not values:
            return 0
    types = frozenset(map(type, values))
    facet = column.facets.get(types) or column.learn(types)
    _values(facet, column.member, values, reading)
    if facet.objects is not None:
        some = values if len(types) == 1 else [value for value in values if type(value) is dict]
        _objects(facet.objects, some, reading, depth + 1)
    if facet.arrays is not None:
        some = values if len(types) == 1 else [value for value in values if type(value) is list]
        _array(facet.arrays, list(chain.from_iterable(some)), reading, depth + 1)
    return len(values)


def _values(facet: Facet, member: Member, values: list[Any], reading: Reading) -> None:
    """Take the scalars among some values of one place."""
    if facet.kinds:
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
    scalar = types - {dict, list}
    if scalar:
        facet = node.facet(scalar)
        some = values if len(types) == len(scalar) else [v for v in values if type(v) not in (dict, list)]
        _values(facet, node.element(), some, reading)


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
