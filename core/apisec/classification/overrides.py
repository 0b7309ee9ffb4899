"""What a team says of its own fields: this one is of that class, that one is not sensitive. It wins over detectors.

A document is a mapping, as YAML or JSON give it:

    version: 1
    overrides:
      - {service: shop, path: "customer.*.ref", class: pii.name, author: ada@example.org, reason: holds initials}
      - {service: shop, operation: "GET /products/*", in: body, path: "items[].code", class: none,
         author: ada@example.org, reason: article codes pass the check of cards, expires: 2027-01-01}

``path`` is a glob over the event's field paths: ``*`` stands for any part of one segment, ``**`` for any number of
segments; every element of an array is ``[]``. ``operation`` is a glob over the event's operation. Where several
overrides fit a field, the most specific one wins (``_Key``); two that are equally specific, fit the same field and
disagree are refused when the document is read, so that the order of a file never decides.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Dict, FrozenSet, Iterable, List, NamedTuple, Optional, Tuple

from apisec.classification.classes import BY_NAME, CRITICAL, IDENTITY, sensitivity
from apisec.classification.globs import Trie, fits, intersect, literal_length, paths_intersect, segments
from apisec.classification.names import evidence
from apisec.errors import DocumentError, did_you_mean

VERSION = 1
NONE = "none"  # the class of a field that is not sensitive
ANY_SERVICE = "*"
LOCATIONS = ("body", "query", "path", "header", "cookie")
MAX_OVERRIDES = 50_000
MAX_GLOBS = 2_000  # paths or operations with a star: each pair of them is compared for ties
MAX_TEXT = 1_000  # characters of any value
MIN_DANGEROUS_REASON = 10  # characters: "ok" is no reason to let passwords through
CACHE = 16_384  # fields whose answer is remembered

_REQUIRED = ("service", "path", "class", "author", "reason")
_KEYS = (*_REQUIRED, "operation", "in", "expires")
_CLASSES: FrozenSet[str] = frozenset(name for name, c in BY_NAME.items() if c.sensitivity > IDENTITY) | {NONE}
_DATE = re.compile(r"\d{4}-\d\d-\d\d")


class Problem(NamedTuple):
    """What is wrong, and where in the document: ``("overrides", 3, "class")``."""

    at: Tuple[object, ...]
    message: str


@dataclass(frozen=True)
class Override:
    """One entry. ``expires`` is the first day (UTC) on which it does not count any more."""

    service: str
    path: str
    data_class: str
    author: str
    reason: str
    operation: Optional[str] = None
    location: Optional[str] = None
    expires: Optional[datetime.date] = None


class _Key(NamedTuple):
    """How specific an override is; the first difference decides, and the greater one wins."""

    exact_path: bool
    path: int  # characters of the path that are not wildcards
    exact_operation: bool
    operation: int
    located: bool
    exact_service: bool


def _key(one: Override) -> _Key:
    operation = one.operation
    return _Key(
        "*" not in one.path,
        literal_length(one.path),
        operation is not None and "*" not in operation,
        literal_length(operation) if operation else 0,
        one.location is not None,
        one.service != ANY_SERVICE,
    )


class Overrides:
    """Overrides by service, ready to be asked. Immutable but for its memory of answers."""

    def __init__(self, entries: Iterable[Override] = ()) -> None:
        self.entries: Tuple[Override, ...] = tuple(entries)
        self._tries: Dict[str, Trie[Override]] = {}
        for one in self.entries:
            self._tries.setdefault(one.service, Trie()).add(segments(one.path), one)
        self._known: Dict[Tuple[str, str, str, str], Optional[str]] = {}

    def __len__(self) -> int:
        return len(self.entries)

    @classmethod
    def parse(cls, document: object, where: str) -> Overrides:
        """Take a document; DocumentError with one line for each thing that is wrong, led by ``where``."""
        overrides, problems = read(document)
        if problems:
            lines = [f"{where}: {place(problem.at)}: {problem.message}" for problem in problems]
            raise DocumentError("\n".join(lines))
        return overrides

    def on(self, today: datetime.date) -> Overrides:
        """Return those that count on a day (UTC)."""
        return Overrides(one for one in self.entries if one.expires is None or today < one.expires)

    def next_expiry(self) -> Optional[datetime.date]:
        """Return the first day on which one of these does not count any more, or None."""
        return min((one.expires for one in self.entries if one.expires), default=None)

    def find(self, service: str, operation: str, location: str, path: str) -> Optional[str]:
        """Return the class that an override gives to a field, ``none`` for not sensitive, or None without one.

        ``location`` is one of LOCATIONS, ``path`` a field's path as an event lists it.
        """
        field = (service, operation, location, path)
        try:
            return self._known[field]
        except KeyError:
            pass
        if len(self._known) >= CACHE:  # traffic chooses names, so that their number has no bound
            self._known.clear()
        winner = self.winner(service, operation, location, path)
        found = self._known[field] = winner.data_class if winner else None
        return found

    def winner(self, service: str, operation: str, location: str, path: str) -> Optional[Override]:
        """Return the override that decides about a field, with its author and reason."""
        best: Optional[Override] = None
        for trie in (self._tries.get(service), self._tries.get(ANY_SERVICE)):
            for one in trie.find(segments(path)) if trie else ():
                if _counts(one, operation, location) and (best is None or _key(one) > _key(best)):
                    best = one
        return best


def _counts(one: Override, operation: str, location: str) -> bool:
    if one.location is not None and one.location != location:
        return False
    return one.operation is None or fits(one.operation, operation)


def place(at: Tuple[object, ...]) -> str:
    """Write a place in a document: ``overrides[3].class``."""
    text = ""
    for step in at:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else str(step)
    return text or "the document"


def read(document: object) -> Tuple[Overrides, List[Problem]]:
    """Return the overrides of a document and everything that is wrong with it; what is wrong is left out."""
    if not isinstance(document, Mapping):
        return Overrides(), [Problem((), "must be a mapping with version and overrides")]
    problems = [
        Problem((str(key),), f"unknown key{did_you_mean(str(key), ('version', 'overrides'))}")
        for key in document
        if key not in ("version", "overrides")
    ]
    if document.get("version") != VERSION or isinstance(document.get("version"), bool):
        problems.append(Problem(("version",), f"must be {VERSION}: the only version that this apisec reads"))
    listed = document.get("overrides")
    if not isinstance(listed, list) or len(listed) > MAX_OVERRIDES:
        problems.append(Problem(("overrides",), f"must be a list of at most {MAX_OVERRIDES} entries"))
        return Overrides(), problems
    taken: List[Tuple[int, Override]] = []
    for index, entry in enumerate(listed):
        before = len(problems)
        one = _entry(entry, ("overrides", index), problems)
        if one is not None and len(problems) == before:
            taken.append((index, one))
    problems += _ties(taken)
    return Overrides(one for _, one in taken), problems


def _entry(entry: object, at: Tuple[object, ...], problems: List[Problem]) -> Optional[Override]:
    if not isinstance(entry, Mapping):
        problems.append(Problem(at, "must be a mapping with " + ", ".join(_REQUIRED)))
        return None
    unknown = [str(key) for key in entry if key not in _KEYS]
    problems += [Problem((*at, key), f"unknown key{did_you_mean(key, _KEYS)}") for key in unknown]
    texts = {key: _text(entry, key, at, problems) for key in _KEYS if key != "expires"}
    expires = _expires(entry.get("expires"), at, problems)
    path = texts["path"] or ""
    one = Override(
        service=texts["service"] or "",
        path=path.lower() if texts["in"] == "header" else path,  # an event lists headers in lower case
        data_class=texts["class"] or "",
        author=texts["author"] or "",
        reason=texts["reason"] or "",
        operation=texts["operation"],
        location=texts["in"],
        expires=expires,
    )
    problems += [Problem((*at, key), message) for key, message in _wrong(one)]
    return one


def _text(entry: Mapping[Any, Any], key: str, at: Tuple[object, ...], problems: List[Problem]) -> Optional[str]:
    value = entry.get(key)
    if value is None:
        if key in _REQUIRED:
            problems.append(Problem(at, f"{key} is missing"))
        return None
    if not isinstance(value, str) or not value.strip() or len(value) > MAX_TEXT or not value.isprintable():
        problems.append(Problem((*at, key), f"must be text of 1 to {MAX_TEXT} characters in one line"))
        return None
    return value.strip()


def _expires(value: object, at: Tuple[object, ...], problems: List[Problem]) -> Optional[datetime.date]:
    if isinstance(value, str) and _DATE.fullmatch(value):
        try:
            return datetime.date(*map(int, value.split("-")))
        except ValueError:
            pass
    elif value is None or (isinstance(value, datetime.date) and not isinstance(value, datetime.datetime)):
        return value
    problems.append(Problem((*at, "expires"), "must be a date such as 2027-01-31: the first day without it"))
    return None


def _wrong(one: Override) -> Iterable[Tuple[str, str]]:
    """Yield the key and what is wrong with its value; absent values were named before."""
    if one.location is not None and one.location not in LOCATIONS:
        yield "in", f"must be one of {', '.join(LOCATIONS)}{did_you_mean(one.location, LOCATIONS)}"
    if one.service != ANY_SERVICE and "*" in one.service:
        yield "service", "must be a service's name, or * alone for all services"
    if one.data_class and one.data_class not in _CLASSES:
        near = did_you_mean(one.data_class, _CLASSES)
        yield (
            "class",
            f"{one.data_class!r} is not a class of docs/reference/classes.md{near}",
        )
    if one.data_class == NONE and one.path and one.reason:
        if not literal_length(one.path):
            yield "path", "names no field: a path of wildcards alone cannot be class none"
        elif len(one.reason) < MIN_DANGEROUS_REASON and may_be_critical(one.path):
            yield (
                "reason",
                (
                    f"is shorter than {MIN_DANGEROUS_REASON} characters: the path can hold credentials or card data, "
                    "and class none lets them through; say why that is safe"
                ),
            )


def may_be_critical(path: str) -> bool:
    """Whether a path's last name says, or hides behind a wildcard, that credentials or card data stand there."""
    names = [name.replace("[]", "") for name in segments(path)]
    if "*" in names[-1]:
        return True
    said = evidence(names[-1], names[-2] if len(names) > 1 and "*" not in names[-2] else "").data_class
    return said is not None and sensitivity(said) >= CRITICAL


def _ties(taken: List[Tuple[int, Override]]) -> List[Problem]:
    """Name overrides that fit the same field, are equally specific and disagree; and exact doubles."""
    problems: List[Problem] = []
    exact: Dict[Tuple[object, ...], int] = {}
    globs: Dict[Tuple[object, ...], List[Tuple[int, Override]]] = {}
    for index, one in taken:
        selector = (one.service, one.operation, one.location, one.path)
        first = exact.setdefault(selector, index)
        if first != index:
            problems.append(Problem(("overrides", index), f"says the same field as overrides[{first}]; keep one"))
        elif "*" in one.path or (one.operation and "*" in one.operation):
            globs.setdefault((one.service, one.location, _key(one)), []).append((index, one))
    if sum(map(len, globs.values())) > MAX_GLOBS:
        return [
            *problems,
            Problem(("overrides",), f"has more than {MAX_GLOBS} entries with wildcards; name the fields"),
        ]
    for group in globs.values():
        problems += _disagreeing(group)
    return problems


def _disagreeing(group: List[Tuple[int, Override]]) -> Iterable[Problem]:
    for position, (index, one) in enumerate(group):
        for earlier, other in group[:position]:
            if one.data_class != other.data_class and _overlap(one, other):
                message = (
                    f"is as specific as overrides[{earlier}] ({other.path} in {other.operation or 'every operation'}), "
                    "fits the same fields and gives another class; make one of the two more specific"
                )
                yield Problem(("overrides", index), message)
                break


def _overlap(one: Override, other: Override) -> bool:
    if one.operation is not None and other.operation is not None and not intersect(one.operation, other.operation):
        return False
    return paths_intersect(segments(one.path), segments(other.path))
