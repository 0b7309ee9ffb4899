"""How closely the data of operations have to be held: as the inventory noted it, and as teams' overrides say since."""

from __future__ import annotations

import contextlib
import datetime
from collections.abc import Iterable, Sequence
from typing import Any, Dict, List, Optional

from apisec.classification.fields import summary, verdicts
from apisec.classification.globs import fits
from apisec.classification.levels import LEVELS
from apisec.classification.overrides import ANY_SERVICE, Overrides
from apisec.errors import DocumentError

from ..kvstore import INVENTORY, Collection, Document
from ..overrides import OVERRIDES, OverrideStore
from .rows import stats_of
from .table import Call

TOGETHER = 20  # documents that are read at once
LEVEL: Dict[str, Any] = {"type": "string", "enum": list(LEVELS)}


def overrides_of(call: Call, services: Optional[Sequence[str]] = None) -> Overrides:
    """Return the overrides that count today, of some services or of all; what cannot be read is left out."""
    today = datetime.datetime.fromtimestamp(call.now, datetime.timezone.utc).date()
    return OverrideStore(Collection(call.system, OVERRIDES)).readable(services, today)[0]


class Said:
    """Which operations somebody said something of."""

    def __init__(self, overrides: Overrides) -> None:
        self._of: Dict[str, List[str]] = {}
        for one in overrides.entries:
            self._of.setdefault(one.service, []).append("*" if one.operation is None else one.operation)
        self._exact = {service: {one for one in globs if "*" not in one} for service, globs in self._of.items()}
        self._globs = {service: {one for one in globs if "*" in one} for service, globs in self._of.items()}

    def of(self, service: str, operation: str) -> bool:
        for name in (service, ANY_SERVICE):
            if operation in self._exact.get(name, ()) or any(fits(one, operation) for one in self._globs.get(name, ())):
                return True
        return False


def with_levels(call: Call, found: Iterable[Document]) -> List[Document]:
    """Return rows with ``level``. The documents of those that overrides are about are read and judged anew."""
    rows = list(found)
    overrides = overrides_of(call, sorted({str(row.get("service") or "") for row in rows}))
    said = Said(overrides)
    unsure = [
        row for row in rows if row.get("level") not in LEVELS or said.of(str(row["service"]), str(row["operation"]))
    ]
    levels = _judged(call, sorted(str(row["_key"]) for row in unsure), overrides)
    return [{**row, "level": levels.get(str(row["_key"])) or _noted(row)} for row in rows]


def _noted(row: Document) -> str:
    return str(row["level"]) if row.get("level") in LEVELS else LEVELS[-1]  # unknown is not public


def _judged(call: Call, keys: Sequence[str], overrides: Overrides) -> Dict[str, str]:
    """Return levels by key, of some documents at a time, for they are large; a damaged one has what was noted."""
    inventory = Collection(call.system, INVENTORY)
    found: Dict[str, str] = {}
    for start in range(0, len(keys), TOGETHER):
        for document in inventory.find(keys[start : start + TOGETHER]):
            with contextlib.suppress(DocumentError):
                found[str(document["_key"])] = level_of(document, overrides)
    return found


def level_of(document: Document, overrides: Overrides) -> str:
    """Return the level of a whole document."""
    service, operation = str(document["service"]), str(document["operation"])
    stats = stats_of(document)
    return summary(verdicts(stats, overrides, service, operation), stats).level
