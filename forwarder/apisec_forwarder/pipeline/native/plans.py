"""Reads decoded JSON by plans: what is known of an object's members is found once per shape, not once per object.

A shape is an object's member names and their types, at a place. Its plan says which members are containers, which have
a telling name and which are objects' ids; the others need no look at all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import chain
from operator import itemgetter
from typing import Any

from apisec.classification.names import NOTHING, NameEvidence, evidence
from apisec.detectors.signals import scan as signals_of
from apisec.redaction.fields import wider
from apisec.redaction.redactor import Forced, label

MAX_SHAPES = 20_000  # plans and members of one tree; traffic chooses names, so that their number has no bound
MAX_DEPTH = 48  # deeper documents are left to the core, which knows the limit

ObjectName = Callable[[str, str], "str | None"]


class NotHere(Exception):  # noqa: N818 - no error: the core reads this one
    """Something that the plans do not cover: the core reads the part."""


@dataclass(frozen=True, eq=False)
class Member:
    """A place in a document: its path as an event shows it, and what its name says."""

    path: str
    name: str
    parent: str
    said: NameEvidence
    forced: str | None
    object_name: str | None

    @property
    def telling(self) -> bool:
        """Whether its values are always asked."""
        return self.said.data_class is not None or self.forced is not None


@dataclass(eq=False)
class Shape:
    """What is known of objects with the same members of the same types at one place."""

    kinds: frozenset[tuple[str, str]]  # path and kind of its scalar members
    quotes: int  # strings in it: names and values
    strings: Callable[[dict[str, Any]], tuple[str, ...]] | None  # the values that are text …
    members: tuple[Member, ...]  # … and their places
    numbers: tuple[tuple[str, Member], ...]
    telling: tuple[tuple[str, Member], ...]
    named: tuple[tuple[str, Member], ...]  # objects' ids
    objects: tuple[tuple[str, Node], ...]
    arrays: tuple[tuple[str, Node], ...]


_KINDS = {str: "string", int: "integer", float: "number", bool: "boolean", type(None): "null"}


class Node:
    """A place in a document where objects or arrays stand."""

    __slots__ = ("elements", "known", "member", "nodes", "of_elements", "shapes", "tree")

    def __init__(self, tree: Tree, member: Member) -> None:
        self.tree = tree
        self.member = member
        self.shapes: dict[tuple[Any, ...], Shape] = {}
        self.of_elements: dict[type, Shape] = {}  # scalars in this array
        self.elements: Node | None = None  # containers in this array
        self.known: dict[str, Member] = {}  # by name
        self.nodes: dict[str, Node] = {}  # containers by name: shared by all shapes

    def learn(self, value: dict[str, Any], key: tuple[Any, ...]) -> Shape:
        """Make the plan of a shape that was not seen here before."""
        self.tree.count()
        kinds, strings, members, numbers, telling, named = [], [], [], [], [], []
        objects, arrays = [], []
        for name, inner in value.items():
            member = self.known.get(name) or self._member(name)
            kind = type(inner)
            if kind is dict:
                objects.append((name, self._node(name, member)))
            elif kind is list:
                arrays.append((name, self._node(name, member)))
            else:
                kinds.append((member.path, _KINDS[kind]))
                if kind is str:
                    strings.append(name)
                    members.append(member)
                elif kind in (int, float):
                    numbers.append((name, member))
                if member.telling and kind is not type(None) and kind is not bool:
                    telling.append((name, member))
                if member.object_name and kind in (str, int):
                    named.append((name, member))
        quotes = len(value) + len(strings)
        shape = Shape(
            frozenset(kinds), quotes, _getter(strings), tuple(members), tuple(numbers), tuple(telling), tuple(named),
            tuple(objects), tuple(arrays),
        )  # fmt: skip
        self.shapes[key] = shape
        return shape

    def _member(self, name: str) -> Member:
        base, shown = self.member, label(name)
        if shown != name or (not name.isalnum() and signals_of(name)):
            raise NotHere  # the name itself may be sensitive, or an attack
        self.tree.count()
        member = self.tree.member(f"{base.path}.{shown}" if base.path else shown, name, base.name)
        self.known[name] = member
        return member

    def _node(self, name: str, member: Member) -> Node:
        node = self.nodes.get(name)
        if node is None:
            node = self.nodes[name] = Node(self.tree, member)
        return node

    def scalars(self, kind: type) -> Shape:
        """Return the plan of scalars of one type in this array."""
        shape = self.of_elements.get(kind)
        if shape is None:
            self.tree.count()
            member = self.element_member()
            shape = Shape(frozenset(((member.path, _KINDS[kind]),)), 0, None, (member,), (), (), (), (), ())
            self.of_elements[kind] = shape
        return shape

    def element_member(self) -> Member:
        """Return the place of this array's elements: named after the array."""
        member = self.member
        return self.tree.member(f"{member.path}[]", member.name, member.parent)

    def inner(self) -> Node:
        """Return the place of objects and arrays in this array."""
        if self.elements is None:
            self.elements = Node(self.tree, self.element_member())
        return self.elements


def _getter(names: list[str]) -> Callable[[dict[str, Any]], tuple[str, ...]] | None:
    if not names:
        return None
    if len(names) == 1:
        name = names[0]
        return lambda value: (value[name],)
    return itemgetter(*names)


class Kinds(dict[str, str]):
    """Paths and kinds of fields, sorted by path; not to be changed. Remembers how it is written without classes."""

    __slots__ = ("written",)

    def __init__(self, kinds: dict[str, str]) -> None:
        super().__init__(kinds)
        self.written: dict[str, bytes] = {}


class Tree:
    """All plans of documents that overrides treat alike; starts anew when it has grown too large."""

    def __init__(self, object_name: ObjectName, forced: Forced | None = None) -> None:
        self._object_name = object_name
        self._forced = forced
        self._listed: dict[frozenset[tuple[str, str]], Kinds] = {}
        self.reset()

    def reset(self) -> None:
        self._count = 0
        self._listed.clear()
        self.top = self.member("", "", "")
        self.root = Node(self, self.top)

    def count(self) -> None:
        """Count one more plan."""
        self._count += 1

    @property
    def full(self) -> bool:
        return self._count > MAX_SHAPES

    def member(self, path: str, name: str, parent: str) -> Member:
        forced = self._forced(path) if self._forced else None
        said = evidence(name, parent) if name else NOTHING
        return Member(path, name, parent, said, forced, self._object_name(name, parent))

    def fields(self, shapes: Iterable[Shape]) -> Kinds:
        """Return the paths of some shapes with their kinds, sorted by path; not to be changed."""
        pairs: frozenset[tuple[str, str]] = frozenset().union(*[shape.kinds for shape in shapes])
        known = self._listed.get(pairs)
        if known is None:
            kinds: dict[str, str] = {}
            for path, kind in sorted(pairs):
                before = kinds.get(path)
                kinds[path] = kind if before is None else wider(before, kind)
            known = Kinds(kinds)
            if len(self._listed) >= MAX_SHAPES // 10:
                self._listed.clear()
            self._listed[pairs] = known
        return known


@dataclass
class Reading:
    """What a walk has seen."""

    shapes: set[Shape] = field(default_factory=set)
    asked: list[tuple[Member, Any]] = field(default_factory=list)  # values under telling names
    named: list[tuple[Member, Any]] = field(default_factory=list)  # values that are objects' ids
    quotes: int = 0  # strings: names and values
    collect: bool = False  # whether all text is wanted
    values: list[str] = field(default_factory=list)
    members: list[Member] = field(default_factory=list)
    document: Any = None
    tree: Tree | None = None
    listed: list[tuple[Member, Any]] | None = None  # numbers, by a walk that asks for them

    def numbers(self) -> list[tuple[Member, Any]]:
        """Return all numbers with their places; few documents are asked for them."""
        if self.tree is None:
            return []
        return read(self.tree, self.document, numbers=True).listed or []


def read(tree: Tree, document: Any, collect: bool = False, numbers: bool = False) -> Reading:
    """Walk a decoded document; NotHere when the core has to."""
    if tree.full:
        tree.reset()
    reading = Reading(collect=collect, document=document, tree=tree, listed=[] if numbers else None)
    if type(document) is dict:
        _objects(tree.root, [document], reading, 0)
    elif type(document) is list:
        _array(tree.root, document, reading, 0)
    else:
        raise NotHere
    return reading


def _objects(node: Node, values: Sequence[dict[str, Any]], reading: Reading, depth: int) -> None:
    """Take objects that stand at one place, those of one shape together."""
    groups: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    for value in values:
        groups.setdefault((*value, *map(type, value.values())), []).append(value)
    for key, some in groups.items():
        shape = node.shapes.get(key)
        if shape is None:
            if depth > MAX_DEPTH:
                raise NotHere
            shape = node.learn(some[0], key)
        _columns(shape, some, reading, depth)


def _columns(shape: Shape, some: list[dict[str, Any]], reading: Reading, depth: int) -> None:
    reading.shapes.add(shape)
    reading.quotes += shape.quotes * len(some)
    for name, member in shape.telling:
        reading.asked += [(member, value[name]) for value in some]
    for name, inner in shape.objects:
        _objects(inner, [value[name] for value in some], reading, depth + 1)
    for name, inner in shape.arrays:
        _array(inner, list(chain.from_iterable([value[name] for value in some])), reading, depth + 1)
    for name, member in shape.named:
        reading.named += [(member, value[name]) for value in some]
    if reading.collect and shape.strings is not None:
        reading.values += chain.from_iterable(map(shape.strings, some))
        reading.members += shape.members * len(some)
    if reading.listed is not None:
        reading.listed += [(member, value[name]) for name, member in shape.numbers for value in some]


def _array(node: Node, value: list[Any], reading: Reading, depth: int) -> None:
    """Take the elements of one or more arrays that stand at one place."""
    if depth > MAX_DEPTH:
        raise NotHere
    kinds = set(map(type, value))
    for kind in kinds:
        some: list[Any] = value if len(kinds) == 1 else [item for item in value if type(item) is kind]
        if kind is dict:
            _objects(node.inner(), some, reading, depth + 1)
        elif kind is list:
            _array(node.inner(), list(chain.from_iterable(some)), reading, depth + 1)
        else:
            _scalars(node, kind, some, reading)


def _scalars(node: Node, kind: type, values: list[Any], reading: Reading) -> None:
    shape = node.scalars(kind)
    reading.shapes.add(shape)
    member = shape.members[0]
    if reading.listed is not None and kind in (int, float):
        reading.listed += [(member, item) for item in values]
    if kind is str:
        reading.quotes += len(values)
        if reading.collect:
            reading.values += values
            reading.members += [member] * len(values)
    if member.telling and kind in (str, int, float):
        reading.asked += [(member, item) for item in values]
    if member.object_name and kind in (str, int):
        reading.named += [(member, item) for item in values]
