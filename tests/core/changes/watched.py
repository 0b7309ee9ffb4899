"""One operation under watch, fed window by window as the refresh does."""

from __future__ import annotations

import json
from typing import Any, Dict, List, Optional

from apisec.classification.overrides import Overrides
from apisec.endpoints.changes.schema import Change
from apisec.endpoints.changes.watch import Context, Watch
from apisec.endpoints.inventory import Inventory, OperationStats
from tests.core.inventory.events import START, event, principal

WINDOW = 300.0
OPERATION = "GET /orders/{order_id}"


class Watched:
    """What is known after some windows; ``told`` are the changes of all, in their order."""

    def __init__(self, overrides: Optional[Overrides] = None) -> None:
        self.watch = Watch()
        self.inventory = Inventory()
        self.overrides = overrides or Overrides()
        self.end = START
        self.told: List[Change] = []
        self.seen = 0

    def window(self, count: int, users: int = 20, tell: bool = True, **changes: Any) -> List[Change]:
        """Let ``count`` events of a window be seen; their principals take turns."""
        part = Inventory()
        for number in range(count):
            self.seen += 1
            about = {"time": self.end + number, "principal": principal(self.seen % users)}
            part.add(event(**{**about, **changed(changes, number)}))
        self.end += WINDOW
        return self.see(part, tell)

    def see(self, part: Inventory, tell: bool = True) -> List[Change]:
        stats = next(part.operations())
        context = Context("shop", OPERATION, self.end, tell, self.overrides, "red")
        known = next(iter(self.inventory.operations()), OperationStats())
        told = self.watch.observe(known, stats, context)
        self.inventory.merge(Inventory.from_state(part.to_state()))
        told = self.watch.conclude(next(self.inventory.operations()), stats, context, told)
        self.watch = Watch.from_state(json.loads(json.dumps(self.watch.to_state())))
        self.told += told
        return told


def changed(changes: Dict[str, Any], number: int) -> Dict[str, Any]:
    """Return the members of an event; ``name+`` adds to a list, ``name~`` to that of every other event."""
    found: Dict[str, Any] = {}
    base = event()
    for name, value in changes.items():
        if name.endswith("+"):
            found[name[:-1]] = [*base[name[:-1]], *value]
        elif name.endswith("~"):
            found[name[:-1]] = [*base[name[:-1]], *(value if number % 2 else ())]
        else:
            found[name] = value
    return found
