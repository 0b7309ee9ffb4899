"""What the parts of a search expression compile to, and how AND, OR and NOT join them.

Source: Search Manual, "Boolean expressions"; Search Reference, "search" (index: without one the default indexes are
searched, which holds for each side of an OR by itself).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from apisec_sandbox.spl.terms import Test, one_of


@dataclass
class Node:
    """A condition. ``confined`` is its test where nothing around it names an index, if that makes a difference."""

    test: Test
    indexes: list[str] | None = None  # patterns of which the index is one, where that is certain
    nothing: bool = False  # a term that only sets the time range
    early: Test | None = None  # a necessary condition on metadata and _raw alone
    equal: tuple[str, str] | None = None  # the field and the plain value that it equals
    confined: Test | None = None


def negated(inner: Node) -> Node:
    test = inner.test
    return Node(lambda row: not test(row))


def all_of(nodes: list[Node], nothing: bool = False) -> Node:
    if len(nodes) == 1:
        return nodes[0]
    # A part that names its index for certain decides; else one whose open sides go to the default indexes.
    naming = [node for node in nodes if node.indexes is not None]
    chosen = next((node for node in naming if node.confined is None), next(iter(naming), None))
    confined = None
    if chosen is not None and chosen.confined is not None:
        confined = conjunction([node.confined or node.test for node in nodes])
    early = [node.early for node in nodes if node.early]
    return Node(
        conjunction([node.test for node in nodes]),
        chosen.indexes if chosen else None,
        nothing,
        conjunction(early) if early else None,
        confined=confined,
    )


def any_of(nodes: list[Node], defaults: Callable[[], list[str]] | None = None) -> Node:
    """``defaults`` names the default indexes: there the sides look that name no index while others do."""
    if len(nodes) == 1:
        return nodes[0]
    early = [node.early for node in nodes if node.early]
    needed = disjunction(early) if nodes and len(early) == len(nodes) else None
    test = disjunction(_merged(nodes))
    named = [node for node in nodes if node.indexes is not None]
    if not named and nodes:
        return Node(test, None, early=needed)
    indexes = [pattern for node in named for pattern in node.indexes or ()]
    if len(named) == len(nodes):
        confined = disjunction([node.confined or node.test for node in nodes]) if _confined(nodes) else None
        return Node(test, indexes, early=needed, confined=confined)
    if defaults is None:
        return Node(test, None, early=needed)
    places = defaults()
    sides = [node.confined or node.test for node in named]
    rest = [node for node in nodes if node.indexes is None]
    sides.append(_within(disjunction(_merged(rest)), frozenset(places)))
    return Node(test, indexes + places, early=needed, confined=disjunction(sides))


def _confined(nodes: list[Node]) -> bool:
    return any(node.confined is not None for node in nodes)


def _within(test: Test, indexes: frozenset[str]) -> Test:
    return lambda row: row.get("index") in indexes and test(row)


def conjunction(tests: list[Test]) -> Test:
    if len(tests) == 1:
        return tests[0]
    if len(tests) == 2:
        first, second = tests
        return lambda row: first(row) and second(row)
    return lambda row: all(test(row) for test in tests)


def disjunction(tests: list[Test]) -> Test:
    if len(tests) == 1:
        return tests[0]
    return lambda row: any(test(row) for test in tests)


def _merged(nodes: list[Node]) -> list[Test]:
    """Equalities of one field become one look into a set: what a subsearch gives may have 10,000 of them."""
    by_field: dict[str, list[str]] = {}
    tests: list[Test] = []
    for node in nodes:
        if node.equal is None:
            tests.append(node.test)
        else:
            by_field.setdefault(node.equal[0], []).append(node.equal[1])
    return [one_of(name, values) for name, values in by_field.items()] + tests
