"""Asks the core about single values, and remembers its answers: the same value at the same place is the same token."""

from __future__ import annotations

import re
from collections import OrderedDict
from functools import lru_cache
from typing import Generic, NamedTuple, TypeVar

from apisec.classification.names import NameEvidence
from apisec.decoders import Leaf, Limits
from apisec.detectors.engine import MIN_LENGTH
from apisec.redaction.fields import FieldSeen
from apisec.redaction.keys import Tokenizer
from apisec.redaction.proof import proved, spoken
from apisec.redaction.redactor import Redactor
from apisec.redaction.values import refine
from apisec.redaction.work import most
from apisec_forwarder.pipeline.native.plans import Member

MAX_ANSWERS = 2_048
MAX_REMEMBERED = 256  # characters of a value that is remembered
MAX_QUICK = 128
_ODD = re.compile(r"[%&\\~<>{}\[\]\"]|ey")
_NONE: frozenset[str] = frozenset()

K = TypeVar("K")
V = TypeVar("V")


class Bounded(Generic[K, V]):
    """A cache that forgets what was stored first; bounded in entries, its values are bounded by whoever stores."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._known: OrderedDict[K, V] = OrderedDict()
        self.get = self._known.get

    def put(self, key: K, value: V) -> V:
        """Store and return a value."""
        if len(self._known) >= self._limit:
            self._known.popitem(last=False)
        self._known[key] = value
        return value

    def __len__(self) -> int:
        return len(self._known)


class Answer(NamedTuple):
    """What the core says of a value: what replaces it (None: nothing), what it found in it, and nested fields."""

    replacement: str | None
    secrets: tuple[tuple[str, str], ...]
    classes: frozenset[str]
    fields: tuple[tuple[str, str, frozenset[str]], ...]  # path, kind and classes of fields in a nested document
    spent: int = 0  # units of the core's work
    skipped: int = 0  # characters that it did not look at


_Key = tuple[str, str, NameEvidence, "str | None", str]


class Asker:
    """The core's answers about single values. Holds raw values, in this process's memory only."""

    def __init__(self, tokenizer: Tokenizer, limits: Limits, strict: bool) -> None:
        self._tokenizer = tokenizer
        self._limits = limits
        self.strict = strict
        self._known: Bounded[_Key, Answer] = Bounded(MAX_ANSWERS)

    def scratch(self) -> Redactor:
        """Return a redactor whose findings count for nobody yet."""
        return Redactor(self._tokenizer, self._limits, self.strict)

    def ask(self, member: Member, kind: str, value: str, silent: bool = False) -> Answer:
        """Return what the core says of a leaf. ``silent``: the gate has seen that nothing stands in it by itself."""
        key = (value, kind, member.said, member.forced, member.path)
        known = self._known.get(key)
        if known is not None:
            return known
        answer = self._answer(member, kind, value, silent)
        return self._known.put(key, answer) if len(value) <= MAX_REMEMBERED else answer

    def _answer(self, member: Member, kind: str, value: str, silent: bool) -> Answer:
        if kind == "string" and member.forced is None and member.said.data_class is not None:
            quick = self._quick(member.said.data_class, value, silent)
            if quick is not None:
                return quick
        redactor = self.scratch()
        redactor.silent = silent and len(value) <= MAX_REMEMBERED
        fields: dict[str, FieldSeen] = {}
        if member.forced is not None:
            replacement = redactor.force(member.forced, value, kind)
        else:
            leaf = Leaf(member.path, member.name, member.parent, kind, value, 0, 0)
            replacement = redactor.leaf(leaf, fields)
        nested = tuple((path, seen.kind, frozenset(seen.classes)) for path, seen in fields.items())
        return Answer(
            replacement,
            tuple(redactor.secrets.items()),
            frozenset(redactor.classes),
            nested,
            redactor.spent,
            redactor.skipped,
        )

    def _quick(self, data_class: str, value: str, silent: bool) -> Answer | None:
        """Return what ``Redactor.leaf`` says of a value under a name of this class; None: it has to be asked.

        Its steps without those that a short value of plain characters has no use for: documents, claims, encodings.
        """
        if len(value) > MAX_QUICK or _ODD.search(value) is not None:
            return None
        refined = refine(data_class, value)
        found, canonical = refined or (data_class, "")
        proof = proved(found, value) if refined is not None else None
        if proof is not None:
            canonical = proof.canonical
        elif len(value) >= MIN_LENGTH and (not silent or spoken(value, found)):
            return None
        if refined is None:
            return Answer(None, (), _NONE, (), most(value))
        token = self._tokenizer.token(found, canonical)
        return Answer(token, ((value, token),), _only(found), (), most(value))


@lru_cache(maxsize=256)
def _only(data_class: str) -> frozenset[str]:
    return frozenset((data_class,))


def take(redactor: Redactor, answer: Answer) -> None:
    """Let a transaction's redactor know what an answer found."""
    for raw, token in answer.secrets:
        redactor.secrets.setdefault(raw, token)
    redactor.classes |= answer.classes
    redactor.spent += answer.spent
    redactor.skipped += answer.skipped
