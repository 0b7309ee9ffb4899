"""Names with values: queries and forms, planned by their names, their text rewritten pair by pair."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from apisec.attacks.prototype import pollutes
from apisec.attacks.signals import of_name
from apisec.classification.names import evidence
from apisec.classification.names.beside import parent_beside
from apisec.decoders import DECODERS, Leaf
from apisec.decoders.form import decode_part, member
from apisec.redaction.redactor import Forced, label
from apisec_forwarder.pipeline.native.asking import Bounded
from apisec_forwarder.pipeline.native.plans import Kinds, Member, NotHere
from apisec_forwarder.pipeline.principal import API_KEY_HEADERS
from apisec_forwarder.pipeline.shown import object_name
from apisec_forwarder.pipeline.signed import SIGNED_PARAMETERS

MAX_PAIRS = 100
MAX_TEXT = 8_192  # characters of a form; longer ones are left to the core
MAX_PLANS = 4_096

_FORM = re.compile(rb"[A-Za-z0-9_][!-~]*")  # of nothing else: a lenient server may see JSON or XML in other text
_FORMS = DECODERS["form"]


@dataclass(frozen=True, eq=False)
class PairsPlan:
    """What is known of pairs with these names."""

    members: tuple[Member, ...]
    keys: tuple[int, ...]  # which ones may hold a key that says who acts
    kinds: Kinds

    def leaves(self, values: list[str]) -> list[Leaf]:
        """Return the values that may be keys, as the core reads them."""
        members = self.members
        return [Leaf(members[i].path, members[i].name, members[i].parent, "string", values[i], 0, 0) for i in self.keys]


class Pairs:
    """A query or form that was taken apart: decoded values, and what replaces some of them."""

    __slots__ = ("_written", "plan", "replaced", "values")

    def __init__(self, plan: PairsPlan, written: list[tuple[str, str]], values: list[str]) -> None:
        self.plan = plan
        self.values = values
        self.replaced: dict[int, str] = {}
        self._written = written  # names and values as they are written

    def text(self, whole: str) -> str:
        """Return the redacted text; ``whole`` is the text as it came."""
        if not self.replaced:
            return whole
        pieces, index = [], 0
        for pair in whole.split("&"):
            if pair:
                name, value = self._written[index]
                shown = self.replaced.get(index)
                pieces.append(f"{name}={value if shown is None else _FORMS.encode(_LEAF, shown)}")
                index += 1
            else:
                pieces.append(pair)
        return "&".join(pieces)

    def shown(self) -> list[str]:
        """Return the decoded values as they are shown."""
        return [self.replaced.get(index, value) for index, value in enumerate(self.values)]

    def objects(self) -> list[tuple[str, str]]:
        """Return the names and shown values of objects' ids."""
        shown = self.shown() if self.replaced else self.values
        members = self.plan.members
        return [(m.object_name, value) for m, value in zip(members, shown, strict=True) if m.object_name]


_LEAF = Leaf("", "", "", "string", "", 0, 0)


def form(data: bytes) -> str:
    """Return the text of a form's body; NotHere when it may be something else."""
    if len(data) > MAX_TEXT or not _FORM.fullmatch(data):
        raise NotHere
    return data.decode("ascii")


class Planner:
    """Plans of pairs, by their names."""

    def __init__(self) -> None:
        self._known: Bounded[tuple[str, tuple[str, ...]], PairsPlan] = Bounded(MAX_PLANS)

    def read(self, text: str, key: str, forced: Forced | None) -> Pairs:
        """Take pairs apart; NotHere when a name is out of the ordinary. ``key``: of what overrides treat alike."""
        pairs = text.split("&")
        if len(pairs) > MAX_PAIRS:
            raise NotHere
        written, values, names = [], [], []
        for pair in pairs:
            if not pair:
                continue
            name, equals, raw = pair.partition("=")
            if not equals:
                raise NotHere
            written.append((name, raw))
            names.append(name)
            values.append(decode_part(raw) if "%" in raw or "+" in raw else raw)
        known = (key, tuple(names))
        plan = self._known.get(known)
        if plan is None:
            plan = self._known.put(known, _plan(names, forced))
        return Pairs(plan, written, values)


def _plan(names: list[str], forced: Forced | None) -> PairsPlan:
    members = [_member(name, forced) for name in names]
    groups: dict[str, set[str]] = {}
    for one in members:
        groups.setdefault(one.path.rpartition(".")[0], set()).add(one.name)
    read = [_among(one, frozenset(groups[one.path.rpartition(".")[0]])) for one in members]
    kinds = Kinds(dict.fromkeys(sorted({one.path for one in read}), "string"))
    return PairsPlan(tuple(read), tuple([i for i, one in enumerate(read) if is_key(one.name)]), kinds)


def _member(raw: str, forced: Forced | None) -> Member:
    name = decode_part(raw)
    path, last, parent, plain = member(name, label)
    if not plain or of_name(last) or pollutes(path):
        raise NotHere
    said = evidence(last, parent) if last else evidence("")
    return Member(path, last, parent, said, forced(path) if forced else None, object_name(last, parent))


def _among(one: Member, names: frozenset[str]) -> Member:
    parent = parent_beside(one.name, one.parent, names)
    return one if parent == one.parent else replace(one, parent=parent, said=evidence(one.name, parent))


def is_key(name: str) -> bool:
    """Return whether a header or parameter may hold a key that says who acts."""
    lower = name.lower()
    return lower in API_KEY_HEADERS or lower in SIGNED_PARAMETERS or evidence(name).data_class == "secret.api_key"
