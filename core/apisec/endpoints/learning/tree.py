"""Templates as they are decided now: a tree of fixed words and parameters that resolves paths."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Callable, Dict, Iterator, List, Optional, Tuple

from apisec.endpoints.learning.decision import Verdict, judge
from apisec.endpoints.learning.evidence import Commonness, Place, Profile, profile, typical
from apisec.endpoints.learning.trie import OTHERS, REST, Distinct, Node, Trie
from apisec.endpoints.templating import is_parameter, parameter_name, segments_of, shape_of

PARAMETER = "{}"
FIXED, VALUE = "fixed", "value"

Skeleton = Tuple[str, ...]
Pins = Mapping[Tuple[Skeleton, str], str]  # (place, word) -> FIXED or VALUE; a person's word, which wins


@dataclass(frozen=True)
class Evidence:
    """Why a place has a parameter: how many values were seen in how many requests, and what weighed most."""

    values: int
    requests: int
    probability: float
    reasons: Tuple[str, ...]


@dataclass
class Branch:
    """A place of the tree: fixed words, parameters by custom method (``""``: none), methods of paths that end here."""

    fixed: Dict[str, Branch] = field(default_factory=dict)
    parameters: Dict[str, Branch] = field(default_factory=dict)
    evidence: Dict[str, Evidence] = field(default_factory=dict)
    methods: Dict[str, int] = field(default_factory=dict)
    worded: bool = False  # whether its parameter takes words
    dated: bool = False  # whether its parameter takes dates only
    verdicts: Dict[str, Verdict] = field(default_factory=dict)


def verb_of(segment: str) -> str:
    """Return the custom method of a segment (``cancel`` of ``1042:cancel``), or nothing."""
    if segment[:1] == "{":  # a shared child, {integer:cancel}; or of a template, {order_id}:cancel
        return segment.partition(":")[2].rstrip("}")
    return shape_of(segment).partition(":")[2]


class Grower:
    """Grows a tree from a trie."""

    def __init__(self, trie: Trie, pins: Pins, is_known: Callable[[str], bool], spec: Sequence[str] = ()) -> None:
        self._trie = trie
        self._pins = pins
        self._spec = _Spec()
        for template in spec:
            self._spec.add(segments_of(template))
        self._is_known = is_known
        self._common = Commonness(trie.root)
        self._typical = typical(trie.root)

    def grow(self) -> Branch:
        return self._branch([self._trie.root], (), "", self._spec)

    def _branch(self, nodes: List[Node], skeleton: Skeleton, parent: str, spec: Optional[_Spec]) -> Branch:
        branch = Branch()
        for node in nodes:
            for method, answers in node.ends.items():
                branch.methods[method] = branch.methods.get(method, 0) + sum(answers.values())
        children = children_of(nodes)
        if not children:
            return branch
        verdicts = self._verdicts(place_of(children, len(skeleton), parent), skeleton, spec)
        groups: Dict[str, List[str]] = {}
        for key in children:
            if key[:1] == "{" or verdicts[key].is_value:
                groups.setdefault(verb_of(key), []).append(key)
        fixed = sorted(set(children).difference(*groups.values()) if groups else children)
        for key in fixed:
            below = spec.children.get(key) if spec else None
            branch.fixed[key] = self._branch(children[key], (*skeleton, key), key, below)
        for verb, keys in sorted(groups.items()):
            shown = f"{PARAMETER}:{verb}" if verb else PARAMETER
            nodes = [node for key in keys for node in children[key]]
            below = spec.children.get(shown) if spec else None
            branch.parameters[verb] = self._branch(nodes, (*skeleton, shown), "", below)
            _explain(branch, verb, keys, children, verdicts)
        branch.verdicts = {key: verdicts[key] for key in fixed}
        return branch

    def _verdicts(self, place: Place, skeleton: Skeleton, spec: Optional[_Spec]) -> Dict[str, Verdict]:
        verdicts = judge(place, self._common, self._is_known, self._typical) if place.candidates else {}
        for key in verdicts:
            pinned = self._pins.get((skeleton, key))
            if pinned is not None:
                verdicts[key] = Verdict(float(pinned == VALUE), ("a person said so",), pinned == VALUE)
            elif spec and (key in spec.children or PARAMETER in spec.children):
                value = key not in spec.children
                verdicts[key] = Verdict(float(value), ("the specification says so",), value)
        return verdicts


class _Spec:
    """Templates of a specification, by segment; ``{}`` for a parameter."""

    def __init__(self) -> None:
        self.children: Dict[str, _Spec] = {}

    def add(self, segments: Sequence[str]) -> None:
        node = self
        for segment in segments:
            verb = segment.rpartition("}")[2] if segment[:1] == "{" and ":" in segment else ""
            key = PARAMETER + verb if segment[:1] == "{" else segment
            node = node.children.setdefault(key, _Spec())


def _explain(
    branch: Branch,
    verb: str,
    keys: Sequence[str],
    children: Mapping[str, Sequence[Node]],
    verdicts: Mapping[str, Verdict],
) -> None:
    """Note what values a parameter takes, and why it is one."""
    words = [key for key in keys if key[:1] != "{" and not shape_of(key)]
    branch.worded |= bool(words) or OTHERS in keys
    shapes = {key.strip("{}").partition(":")[0] if key[:1] == "{" else shape_of(key) for key in keys}
    branch.dated |= shapes == {"date"}
    judged = [verdicts[key] for key in words] or [verdicts[key] for key in keys if key in verdicts]
    branch.evidence[verb] = Evidence(
        sum(_values(children[key]) for key in keys),
        sum(node.count for key in keys for node in children[key]),
        sum(v.probability for v in judged) / len(judged) if judged else 1.0,
        _common_reasons(judged) or ("values of one shape stand here",),
    )


def children_of(nodes: Sequence[Node]) -> Dict[str, List[Node]]:
    found: Dict[str, List[Node]] = {}
    for node in nodes:
        for key, child in node.children.items():
            found.setdefault(key, []).append(child)
    return dict(sorted(found.items()))


def place_of(children: Mapping[str, Sequence[Node]], depth: int, parent: str) -> Place:
    candidates: List[Profile] = []
    values: List[Profile] = []
    distinct = 0
    for key, nodes in children.items():
        (values if key[:1] == "{" else candidates).append(profile(key, nodes))
        if key[:1] == "{":
            distinct += _values(nodes)
    forgotten = sum(node.count for node in children.get(OTHERS, ()))
    return Place(depth, parent, tuple(candidates), tuple(values), forgotten, distinct)


def _values(nodes: Sequence[Node]) -> int:
    """Return how many values a child stands for, at least."""
    counted = [node.distinct for node in nodes if node.distinct is not None]
    if len(counted) < 2:
        return len(counted[0]) if counted else 1
    total = Distinct()
    for distinct in counted:
        total.merge(distinct)
    return len(total)


def _common_reasons(verdicts: Sequence[Verdict]) -> Tuple[str, ...]:
    counts: Dict[str, int] = {}
    for verdict in verdicts:
        for reason in verdict.reasons:
            counts[reason] = counts.get(reason, 0) + 1
    return tuple(sorted(counts, key=lambda reason: (-counts[reason], reason))[:3])


@dataclass(frozen=True)
class Resolved:
    """A path's template: ``segments`` with named parameters, ``skeleton`` without names, and the values."""

    segments: Tuple[str, ...]
    skeleton: Skeleton
    params: Tuple[Tuple[str, str], ...]
    known: bool  # whether the tree has seen this path's template

    @property
    def template(self) -> str:
        return "/" + "/".join(self.segments)


def resolve(root: Branch, segments: Sequence[str]) -> Resolved:
    """Return the template of a path; what the tree does not know is told by shape. ``{name}`` counts as a value."""
    branch: Optional[Branch] = root
    shown: List[str] = []
    skeleton: List[str] = []
    params: List[Tuple[str, str]] = []
    parent: Optional[str] = None
    for segment in segments:
        if segment == REST:
            shown.append(REST)
            skeleton.append(REST)
            break
        dated = branch is not None and branch.dated
        branch, verb = _step(branch, segment)
        if verb is None:
            shown.append(segment)
            skeleton.append(segment)
            parent = segment
            continue
        named = segment if dated or branch is None else ""
        name = parameter_name(parent, named, [known for known, _ in params])
        value = segment[: -len(verb) - 1] if verb else segment
        params.append((name, value))
        suffix = f":{verb}" if verb else ""
        shown.append("{" + name + "}" + suffix)
        skeleton.append(PARAMETER + suffix)
    return Resolved(tuple(shown), tuple(skeleton), tuple(params), branch is not None and bool(branch.methods))


def _step(branch: Optional[Branch], segment: str) -> Tuple[Optional[Branch], Optional[str]]:
    """Return the next place, and the custom method of a parameter; None for a fixed word."""
    if branch is None:
        return None, (verb_of(segment) if is_parameter(segment) else None)
    child = branch.fixed.get(segment)
    if child is not None:
        return child, None
    shape = shape_of(segment)
    verb = verb_of(segment) if shape else ""
    child = branch.parameters.get(verb)
    if child is not None and (shape or branch.worded):
        return child, verb
    return None, (verb if shape else None)


def templates(root: Branch) -> Iterator[Tuple[str, Skeleton]]:
    """Give method and skeleton of each operation, in order."""
    waiting: List[Tuple[Skeleton, Branch]] = [((), root)]
    while waiting:
        skeleton, branch = waiting.pop()
        yield from ((method, skeleton) for method in sorted(branch.methods))
        for verb, child in branch.parameters.items():
            waiting.append(((*skeleton, f"{PARAMETER}:{verb}" if verb else PARAMETER), child))
        for word, child in branch.fixed.items():
            waiting.append(((*skeleton, word), child))
