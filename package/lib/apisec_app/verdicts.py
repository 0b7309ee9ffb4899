"""What the inventory and the overrides of teams say of fields, read from the KV store as a search needs it."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any, Callable, Dict, Iterable, List, NamedTuple, Optional, Set, Tuple

from splunklib.binding import HTTPError

from apisec.classification.event import by_place
from apisec.classification.fields import OperationClass, Verdict, summary, verdicts
from apisec.classification.overrides import Overrides
from apisec.endpoints.inventory import Inventory, document_key
from apisec.errors import DocumentError

from . import access
from .kvstore import INVENTORY, Document
from .overrides import OVERRIDES, OverrideStore

MAX_OPERATIONS = 2_000  # that are held at once
# AttributeError: no session was passed to the search (its service is None).
UNREADABLE = (HTTPError, OSError, AttributeError, ValueError, DocumentError)

Operation = Tuple[str, str]  # service, operation
Find = Callable[[List[str]], List[Document]]


class Judged(NamedTuple):
    """An operation's verdicts by place, and what it handles; None where the inventory does not know it."""

    verdicts: Mapping[Tuple[str, str, str], Verdict]
    handled: Optional[OperationClass]


_UNKNOWN = Judged({}, None)


def today() -> datetime.date:
    return datetime.datetime.now(datetime.timezone.utc).date()


def overrides_of(service: Any) -> Tuple[Overrides, List[str]]:
    """Return today's overrides that whoever a search runs as may see, and a line for each that cannot be read."""
    try:
        return OverrideStore(access.reader(service, OVERRIDES)).readable(today=today())
    except UNREADABLE as error:
        return Overrides(), [f"without overrides: {error}"]


class Known:
    """Overrides, and the verdicts on operations that were asked for. ``problems`` are lines for the user."""

    def __init__(self, overrides: Overrides, find: Find, problems: Iterable[str] = ()) -> None:
        self.overrides = overrides
        self.problems = list(problems)
        self._find = find
        self._judged: Dict[Operation, Judged] = {}

    @classmethod
    def nothing(cls) -> Known:
        """Return no overrides and an empty inventory."""
        return cls(Overrides(), lambda _: [])

    @classmethod
    def of(cls, service: Any) -> Known:
        """Return what whoever a search runs as may see; what cannot be read is missing, and a problem."""
        overrides, problems = overrides_of(service)
        try:
            return cls(overrides, access.reader(service, INVENTORY).find, problems)
        except UNREADABLE as error:
            return cls(overrides, lambda _: [], [*problems, f"without the inventory: {error}"])

    def ask(self, operations: Set[Operation]) -> None:
        """Read what the inventory knows of these operations, all at once."""
        missing = sorted(one for one in operations if one not in self._judged)[:MAX_OPERATIONS]
        if not missing:
            return
        if len(self._judged) + len(missing) > MAX_OPERATIONS:
            self._judged.clear()
        self._judged.update((one, _UNKNOWN) for one in missing)
        try:
            documents = self._find([document_key(*one) for one in missing])
            found = Inventory.from_documents(documents)
        except UNREADABLE as error:
            self.problems.append(f"without the inventory: {error}")
            return
        for key, stats in found.items():
            made = verdicts(stats, self.overrides, *key)
            self._judged[key] = Judged(by_place(made), summary(made, stats))

    def operation(self, service: str, operation: str) -> Judged:
        """Return what is known of an operation that was asked for."""
        return self._judged.get((service, operation), _UNKNOWN)
