"""What is known of the places in JSON documents: found once per place and kind of value, not once per object.

A single object is known by its shape: its members and their types, in order. Objects that stand together, as the
elements of an array do, are known by their columns: the values of one member in all of them, whoever has it. A plan
says which values are containers, which have a telling name and which are objects' ids; the others need no look.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, replace
from operator import itemgetter
from typing import Any

from apisec.attacks.prototype import pollutes
from apisec.attacks.signals import of_name
from apisec.classification.names import NOTHING, NameEvidence, evidence
from apisec.classification.names.beside import MAX_NAMES, parent_beside
from apisec.redaction.fields import wider
from apisec.redaction.redactor import Forced, label

MAX_SHAPES = 5_000  # plans and members of one tree; traffic chooses names, so that their number has no bound
MAX_ALL = 10_000  # … of all trees: about 20 MB
MAX_LEARNED = 500  # plans and members that one document may bring
MAX_MEMBERS = 250  # of one object
TREE = 10  # what an empty tree counts for
SHRINK_AFTER = 1_000  # readings
MAX_LISTED = 500  # sets of fields of one tree

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
        return self.said.data_class is not None or self.said.likely is not None or self.forced is not None


Kind = tuple[str, str]  # a path, and the type of a scalar there
_KINDS = {str: "string", int: "integer", float: "number", bool: "boolean", type(None): "null"}
_SCALARS = (str, int, float)  # that may be asked


@dataclass(eq=False)
class Shape:
    """What is known of objects with the same members of the same types at one place."""

    kinds: frozenset[Kind]  # of its scalar members
    quotes: int  # strings in it: names and values
    strings: Callable[[dict[str, Any]], tuple[str, ...]] | None  # the values that are text …
    members: tuple[Member, ...]  # … and their places
    telling: tuple[tuple[str, Member], ...]
    named: tuple[tuple[str, Member], ...]  # objects' ids
    objects: tuple[tuple[str, Node], ...]
    arrays: tuple[tuple[str, Node], ...]


@dataclass(eq=False)
class Facet:
    """What is known of scalars of some types in an array."""

    kinds: frozenset[Kind]
    member: Member
    strings: bool  # whether there is text among them …
    pure: bool  # … and nothing else
    telling: bool
    named: bool


@dataclass(eq=False)
class Mix:
    """What is known of the columns of objects that stand together, for some types in each."""

    kinds: frozenset[Kind]
    strings: tuple[tuple[int, Member, bool], ...]  # which columns have text, and whether nothing else
    telling: tuple[tuple[int, Member], ...]
    named: tuple[tuple[int, Member], ...]
    objects: tuple[tuple[int, Node, bool], ...]
    arrays: tuple[tuple[int, Node, bool], ...]


Types = frozenset[type]


class Table:
    """The members of objects that stand together, in the order in which they were met."""

    __slots__ = ("mixes", "names", "node", "pick", "steady")

    def __init__(self, node: Node) -> None:
        self.node = node
        self.names: list[str] = []
        self.pick: Callable[[dict[str, Any]], tuple[Any, ...]] | None = None  # all members of an object
        self.steady = True  # whether no member's meaning depends on the members beside it
        self.mixes: dict[tuple[Types, ...], Mix] = {}

    def add(self, name: str) -> None:
        """Add a member. NotHere when its name cannot be shown."""
        self.node.of(name)
        self.node.tree.count()
        self.steady = self.steady and len(self.names) < MAX_NAMES and not self._wavers(name)
        self.names.append(name)
        self.pick = _getter(self.names)
        self.mixes.clear()

    def _wavers(self, name: str) -> bool:
        """Return whether a name may be read in another way beside one of those known, or one of those beside it."""
        parent = self.node.member.name
        for other in self.names:
            names = frozenset((name, other))
            if any(parent_beside(one, parent, names) != parent for one in names):
                return True
        return False

    def learn(self, types: tuple[Types, ...]) -> Mix:
        """Return what columns of these types are."""
        node = self.node
        node.tree.count()
        columns = list(enumerate(zip(map(node.of, self.names), types, strict=True)))
        mix = self.mixes[types] = Mix(
            frozenset(
                [(member.path, _KINDS[kind]) for _, (member, some) in columns for kind in some if kind in _KINDS]
            ),
            tuple([(at, member, some == {str}) for at, (member, some) in columns if str in some]),
            tuple([(at, m) for at, (m, some) in columns if m.telling and not some.isdisjoint(_SCALARS)]),
            tuple([(at, m) for at, (m, some) in columns if m.object_name and not some.isdisjoint((str, int))]),
            tuple([(at, node.container(m.name), some == {dict}) for at, (m, some) in columns if dict in some]),
            tuple([(at, node.container(m.name), some == {list}) for at, (m, some) in columns if list in some]),
        )
        return mix


class Node:
    """A place in a document where objects or arrays stand."""

    __slots__ = ("beside", "elements", "facets", "known", "member", "nodes", "shapes", "table", "tree", "within")

    def __init__(self, tree: Tree, member: Member) -> None:
        self.tree = tree
        self.member = member
        self.known: dict[str, Member] = {}  # by name
        self.beside: dict[tuple[str, str], Member] = {}  # by name, and what the names beside it stand for
        self.nodes: dict[str, Node] = {}  # containers by name
        self.shapes: dict[tuple[Any, ...], Shape] = {}
        self.table = Table(self)
        self.facets: dict[Types, Facet] = {}  # of scalars in this array
        self.within: Member | None = None  # the elements of this array
        self.elements: Node | None = None  # containers in this array

    def learn(self, value: dict[str, Any], key: tuple[Any, ...]) -> Shape:
        """Make the plan of a shape that was not seen here before. NotHere when it has more members than anybody's."""
        if len(value) > MAX_MEMBERS:
            raise NotHere
        self.tree.count()
        kinds, strings, members, telling, named, objects, arrays = [], [], [], [], [], [], []
        names = frozenset([name for name, inner in value.items() if name and type(inner) not in (dict, list)])
        for name, inner in value.items():
            member, kind = self.among(name, names), type(inner)
            if kind is dict:
                objects.append((name, self.container(name)))
            elif kind is list:
                arrays.append((name, self.container(name)))
            else:
                kinds.append((member.path, _KINDS[kind]))
                if kind is str:
                    strings.append(name)
                    members.append(member)
                if member.telling and kind in _SCALARS:
                    telling.append((name, member))
                if member.object_name and kind in (str, int):
                    named.append((name, member))
        shape = self.shapes[key] = Shape(
            frozenset(kinds), len(value) + len(strings), _getter(strings), tuple(members), tuple(telling),
            tuple(named), tuple(objects), tuple(arrays),
        )  # fmt: skip
        return shape

    def of(self, name: str) -> Member:
        """Return the place of a member. NotHere when its name may be sensitive itself, or an attack."""
        known = self.known.get(name)
        if known is not None:
            return known
        base, shown = self.member, label(name)
        path = f"{base.path}.{shown}" if base.path else shown
        if shown != name or of_name(name) or pollutes(f"{path}."):
            raise NotHere
        self.tree.count()
        member = self.tree.member(path, name, base.name)
        self.known[name] = member
        return member

    def among(self, name: str, names: frozenset[str]) -> Member:
        """Return the place of a member in an object that has scalars of these names."""
        own = self.of(name)
        beside = 1 < len(names) <= MAX_NAMES and name in names
        parent = parent_beside(name, own.parent, names) if beside else own.parent
        if parent == own.parent:
            return own
        known = self.beside.get((name, parent))
        if known is None:
            self.tree.count()
            known = self.beside[name, parent] = replace(own, parent=parent, said=evidence(name, parent))
        return known

    def container(self, name: str) -> Node:
        """Return the place inside of a member that is an object or array."""
        node = self.nodes.get(name)
        if node is None:
            node = self.nodes[name] = Node(self.tree, self.of(name))
        return node

    def element(self) -> Member:
        """Return the place of this array's elements: named after the array."""
        if self.within is None:
            member = self.member
            self.within = self.tree.member(f"{member.path}[]", member.name, member.parent)
        return self.within

    def facet(self, types: Types) -> Facet:
        """Return what scalars of some types in this array are."""
        facet = self.facets.get(types)
        if facet is None:
            self.tree.count()
            member = self.element()
            facet = self.facets[types] = Facet(
                frozenset([(member.path, _KINDS[kind]) for kind in types]),
                member,
                str in types,
                types == {str},
                member.telling and not types.isdisjoint(_SCALARS),
                member.object_name is not None and not types.isdisjoint((str, int)),
            )
        return facet

    def inner(self) -> Node:
        """Return the place of objects and arrays in this array."""
        if self.elements is None:
            self.elements = Node(self.tree, self.element())
        return self.elements


def _getter(names: list[str]) -> Callable[[dict[str, Any]], tuple[str, ...]] | None:
    if not names:
        return None
    if len(names) == 1:
        name = names[0]
        return lambda value: (value[name],)
    return itemgetter(*names)


Met = Shape | Mix | Facet  # what a walk has met


class Kinds(dict[str, str]):
    """Paths and kinds of fields, sorted by path; not to be changed. Remembers how it is written without classes."""

    __slots__ = ("written",)

    def __init__(self, kinds: dict[str, str]) -> None:
        super().__init__(kinds)
        self.written: dict[str, tuple[bytes, list[bytes]]] = {}  # by location: all entries, and each


class Tree:
    """All plans of documents that overrides treat alike; starts anew when it has grown too large."""

    def __init__(self, object_name: ObjectName, forced: Forced | None = None) -> None:
        self._object_name = object_name
        self._forced = forced
        self._listed: dict[frozenset[Kind], Kinds] = {}
        self._met: dict[frozenset[Met], Kinds] = {}
        self.reset()

    def reset(self) -> None:
        self.size = self.before = 0  # plans and members, now and when the reading began
        self._listed.clear()
        self._met.clear()
        self.top = self.member("", "", "")
        self.root = Node(self, self.top)

    def begin(self) -> None:
        """Begin to read a document."""
        if self.size > MAX_SHAPES:
            self.reset()
        self.before = self.size

    def count(self) -> None:
        """Count one more plan. NotHere when a document brings too many: the core has a budget for such."""
        self.size += 1
        if self.size - self.before > MAX_LEARNED:
            raise NotHere

    def member(self, path: str, name: str, parent: str) -> Member:
        forced = self._forced(path) if self._forced else None
        said = evidence(name, parent) if name else NOTHING
        return Member(path, name, parent, said, forced, self._object_name(name, parent))

    def fields(self, met: Iterable[Met]) -> Kinds:
        """Return the paths of what was met with their kinds, sorted by path; not to be changed."""
        key = frozenset(met)
        known = self._met.get(key)
        if known is None:
            if len(self._met) >= MAX_LISTED:
                self._met.clear()
            known = self._met[key] = self._fields(frozenset().union(*[one.kinds for one in key]))
        return known

    def _fields(self, pairs: frozenset[Kind]) -> Kinds:
        known = self._listed.get(pairs)
        if known is None:
            kinds: dict[str, str] = {}
            for path, kind in sorted(pairs):
                before = kinds.get(path)
                kinds[path] = kind if before is None else wider(before, kind)
            if len(self._listed) >= MAX_LISTED:
                self._listed.clear()
            known = self._listed[pairs] = Kinds(kinds)
        return known


class Forest:
    """The trees of a process: one for each side of each operation, the oldest forgotten when all grow too large."""

    def __init__(self) -> None:
        self._trees: OrderedDict[Hashable, Tree] = OrderedDict()
        self._turn = 0

    def tree(self, key: Hashable, make: Callable[[], Tree]) -> Tree:
        """Return the tree of a key."""
        known = self._trees.get(key)
        if known is None:
            known = self._trees[key] = make()
            self._shrink()
        self._turn += 1
        if self._turn % SHRINK_AFTER == 0:
            self._shrink()
        return known

    def _shrink(self) -> None:
        size = sum([tree.size + TREE for tree in self._trees.values()])
        while size > MAX_ALL and len(self._trees) > 1:
            _, oldest = self._trees.popitem(last=False)
            size -= oldest.size + TREE
