"""What a response gave: ids, owners and how many records, out of its redacted body."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Any, Dict, FrozenSet, List, NamedTuple, Set, Tuple

from apisec.activity.cut import close_cut
from apisec.activity.hashing import value_hash32
from apisec.activity.naming import FORM, IDENTIFIER, NUMBERED, OWNER, is_key, kind_of

MAX_CHARS = 262_144  # of a body; what is longer is read as text up to here
MAX_REMEMBERED = 2_048  # characters of a body that is recognised when it comes again
MAX_LEAVES = 8_192
MAX_DEPTH = 24
MAX_NAMES = 256  # different names of one body that are asked what they mean
MAX_WORDS = 512  # of a body that is no JSON
MAX_ID = 64  # characters
MAX_CACHED = 4_096  # parents, and names below each, whose meaning is remembered
MAX_LINK_IDS = 6
LEAST_NUMBER = 1_000  # of an id under a name that may mean another number: not a reason's code, a house, a page
_SAYING = IDENTIFIER | OWNER  # bits that say more of a text than its form
# One word with a digit, a hyphen or an underscore; no date, time or decimal.
_ID = re.compile(r"(?!\d{4}-\d\d-\d\d|\d+\.\d*\Z|[\d:]+:\d\d\Z)(?=\w*[\d_:.+=@-])[\w.:+=@-]{2,64}\Z")
_WORD = re.compile(r"(?<![\w.-])(?=[\w.-]{0,63}\d)[\w.-]{1,64}|~[a-z._0-9]{3,40}~[0-9a-f]{16}~")
_TOKEN_LENGTH = len("~~0123456789abcdef~")  # of a token with an empty class
# Tokens of these do not say which object it is.
_NO_IDS = (
    "~pii.name~", "~pii.address~", "~pii.postcode~", "~pii.dob~", "~secret.", "~pci.expiry~", "~pci.cvv~",
)  # fmt: skip
_LINK = re.compile(r"[/?#&=;]")
_ID_PART = re.compile(r"[\d_~-]")
_RECORDS = "},{"


class Given(NamedTuple):
    """What one body holds: hashes of ids, owners by the name of the member, and the number of records.

    ``owners`` are those of what was asked for; ``listed`` those of the records of a list, each mixed with the hash of
    the member's name.
    """

    ids: FrozenSet[int]
    owners: Tuple[Tuple[str, int], ...]
    records: int
    listed: FrozenSet[int] = frozenset()


NOTHING = Given(frozenset(), (), 0)


class _Reading:
    """A body that is being read; ``inside`` says that a list is."""

    __slots__ = ("ids", "inside", "leaves", "listed", "names", "owners", "records")

    def __init__(self) -> None:
        self.ids: Set[int] = set()
        self.owners: List[Tuple[str, int]] = []
        self.listed: Set[int] = set()
        self.records = 0
        self.leaves = 0
        self.inside = False
        self.names: Set[str] = set()

    def few_names(self, names: Iterable[str]) -> bool:
        """Count names, and return whether those of the body so far are few enough to be asked what they mean."""
        self.names.update(names)
        if len(self.names) > MAX_NAMES:
            self.names = {name for name in self.names if not is_key(name)}
        return len(self.names) <= MAX_NAMES


class _Names(Dict[str, int]):
    """Bits by name, below one parent; asked once for each name."""

    def __init__(self, parent: str) -> None:
        super().__init__()
        self.parent = parent

    def __missing__(self, name: str) -> int:
        if is_key(name):
            return FORM
        kind = kind_of(name, self.parent)
        if len(self) < MAX_CACHED:
            self[name] = kind
        return kind


class _Parents(Dict[str, _Names]):
    def __missing__(self, parent: str) -> _Names:
        names = _Names(parent)
        if len(self) < MAX_CACHED:
            self[parent] = names
        return names


class _Unread(Dict[str, int]):
    """Of a body with very many names: what cannot be mistaken, and else the form alone."""

    def __missing__(self, name: str) -> int:
        return IDENTIFIER | FORM if name == "id" or name.endswith(("_id", "Id")) else FORM


_KINDS, _UNREAD = _Parents(), _Unread()


def read_body(text: str) -> Given:
    """Return what a response's body gave."""
    if not text:
        return NOTHING
    return _remembered(text) if len(text) <= MAX_REMEMBERED else _read(text)


def _read(text: str) -> Given:
    reading = _Reading()
    if text[0] in "{[" and len(text) <= MAX_CHARS:
        document = _document(text)
        if type(document) is dict:
            _object(document, "", reading, 0)
        elif type(document) is list:
            _array(document, "", IDENTIFIER | FORM, reading, 0)
        else:
            _words(text, reading)
    else:
        _words(text, reading)
    return Given(frozenset(reading.ids), tuple(reading.owners), reading.records, frozenset(reading.listed))


def _document(text: str) -> Any:
    """Return what the text holds, as far as it goes; None for what is no JSON."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        pass
    try:
        return json.loads(close_cut(text))
    except (ValueError, RecursionError):
        return None


# Health checks, empty lists, what everybody looks at: most bodies come again.
_remembered = lru_cache(maxsize=4096)(_read)


def _words(text: str, given: _Reading) -> None:
    """Of what is no JSON: every word with a digit may be an id; records are counted as far as they can be seen."""
    text = text[:MAX_CHARS]
    given.records = text.count(_RECORDS) + 1 if _RECORDS in text else 0
    for count, found in enumerate(_WORD.finditer(text)):
        if count >= MAX_WORDS:
            break
        given.ids.add(value_hash32(found[0]))


def _object(members: Dict[str, Any], parent: str, given: _Reading, depth: int) -> None:
    given.leaves += len(members)
    if depth > MAX_DEPTH or given.leaves > MAX_LEAVES:
        return
    kinds = _KINDS[parent] if given.few_names(members) else _UNREAD
    for name, value in members.items():
        kind = type(value)
        if kind is str:
            said = kinds[name]
            if said & _SAYING:
                _named(value, said, name, given)
            elif " " not in value and not value.isalpha():  # which most texts are
                _unnamed(value, given)
        elif kind is int:
            said = kinds[name]
            if said & IDENTIFIER or (said & NUMBERED and value >= LEAST_NUMBER):
                _named(str(value), said, name, given)
        elif kind is dict:
            if is_key(name):
                given.ids.add(value_hash32(name))
                given.records += not given.inside
            _object(value, name, given, depth + 1)
        elif kind is list:
            _array(value, name, kinds[name], given, depth + 1)


def _array(values: List[Any], name: str, said: int, given: _Reading, depth: int) -> None:
    given.leaves += len(values)
    if depth > MAX_DEPTH or given.leaves > MAX_LEAVES:
        return
    for value in values:
        kind = type(value)
        if kind is dict:
            given.records += not given.inside
            inside, given.inside = given.inside, True
            _object(value, name, given, depth + 1)
            given.inside = inside
        elif kind is str:
            _unnamed(value, given)
        elif kind is int:
            if said & IDENTIFIER:
                given.ids.add(value_hash32(str(value)))
        elif kind is list:
            _array(value, name, said, given, depth + 1)


def _named(value: str, said: int, name: str, given: _Reading) -> None:
    """A value under a name that says it is an id, or an owner."""
    if not 0 < len(value) <= MAX_ID or (value[0] == "~" and not said & OWNER and not _is_object(value)):
        if value[:1] == "/" or value[:4] == "http":
            _link(value, given)
        return
    hashed = value_hash32(value)
    given.ids.add(hashed)
    if said & OWNER:
        if given.inside:
            given.listed.add(hashed ^ value_hash32(name))
        else:
            given.owners.append((name, hashed))


def _unnamed(value: str, given: _Reading) -> None:
    """A value whose form alone can say that it is an id."""
    if value[:1] == "~":
        if _is_object(value):
            given.ids.add(value_hash32(value))
    elif value[:1] == "/" or value[:4] == "http":
        _link(value, given)
    elif _ID.match(value) is not None:
        given.ids.add(value_hash32(value))


def _is_object(value: str) -> bool:
    """Whether it is a token that tells one object from others: of an e-mail address, not of a date of birth."""
    return len(value) > _TOKEN_LENGTH and value[-1] == value[1 - _TOKEN_LENGTH] == "~" and not value.startswith(_NO_IDS)


def _link(value: str, given: _Reading) -> None:
    """Ids in a link: /orders/42, https://shop.example/orders/42?copy=7."""
    _, found, path = value[:2048].partition("://")
    path = path.partition("/")[2] if found else value[:2048]
    parts = [part for part in _LINK.split(path) if part and len(part) <= MAX_ID and _ID_PART.search(part)]
    given.ids.update(value_hash32(part) for part in parts[-MAX_LINK_IDS:])
