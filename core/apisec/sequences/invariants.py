"""Learned precedence of flows, as the documents of ``apisec_flows`` hold it, and checked against a history."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Dict, FrozenSet, List, NamedTuple, Optional, Set, Tuple

from apisec.baselines.values import number, text
from apisec.errors import DocumentError

DOCUMENT_VERSION = 1
MAX_FLOW_SECONDS = 4 * 3600.0  # a flow may last hours; a step longer ago than that is another flow's
MIN_LIFT = 2.0
SAFE_METHODS = ("GET ", "HEAD ", "OPTIONS ")

Key = Tuple[str, str]  # service, operation
Ids = FrozenSet[str]  # "order_id=1042"


class Step(NamedTuple):
    """One thing that a principal did; ``time`` in seconds since the epoch, ``status`` 0 when unknown."""

    operation: str
    time: float
    status: int = 0
    object_ids: Tuple[str, ...] = ()

    @property
    def succeeded(self) -> bool:
        return self.status < 400


@dataclass(frozen=True)
class Invariant:
    """Before ``operation``, ``requires`` happened in the same flow."""

    service: str
    operation: str
    requires: str
    support: int  # principals that did ``operation``
    confidence: float  # share of them that did ``requires`` before
    window: float  # seconds in which the required step is looked for
    lift: float  # confidence, over how often ``requires`` stands before anything else
    linked: str = ""  # name of the object id that both steps carry ("checkout_id"), when they do
    gap: float = 0.0  # seconds within which 95 % of principals take ``operation`` after ``requires``

    def to_document(self) -> Dict[str, Any]:
        return {
            "_key": f"{self.service}|{self.operation}|{self.requires}",
            "version": DOCUMENT_VERSION,
            "service": self.service,
            "operation": self.operation,
            "requires": self.requires,
            "support": self.support,
            "confidence": round(self.confidence, 4),
            "window": round(self.window, 1),
            "lift": round(self.lift, 3),
            "linked": self.linked,
            "gap": round(self.gap, 1),
        }

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Invariant:
        """Numbers may be text; raises DocumentError when a part is missing."""
        operation, requires = text(document.get("operation")), text(document.get("requires"))
        support, confidence = number(document.get("support")), number(document.get("confidence"))
        window = number(document.get("window"))
        if not operation or not requires or support is None or confidence is None or window is None:
            raise DocumentError("needs operation, requires, support, confidence and window", where="flows")
        lift = number(document.get("lift"))
        return cls(
            text(document.get("service")),
            operation,
            requires,
            int(support),
            min(max(confidence, 0.0), 1.0),
            min(max(window, 0.0), MAX_FLOW_SECONDS),
            MIN_LIFT if lift is None else lift,
            text(document.get("linked"), 128),
            min(max(number(document.get("gap")) or 0.0, 0.0), MAX_FLOW_SECONDS),
        )


@dataclass(frozen=True)
class Skipped:
    """A step was left out: what was expected beside what was taken."""

    invariant: Invariant
    taken: str  # the last step before it, empty when there was none

    @property
    def operation(self) -> str:
        return self.invariant.operation

    @property
    def expected(self) -> str:
        return self.invariant.requires

    @property
    def text(self) -> str:
        """A sentence for an analyst."""
        rule = self.invariant
        after = f"after {self.taken}" if self.taken else "as the first step seen"
        same = f" for the same {rule.linked}" if rule.linked else ""
        return (
            f"did {rule.operation} {after} without {rule.requires}{same}; "
            f"{100 * rule.confidence:.0f} % of {rule.support} principals did that step first"
        )


def linked_ids(object_ids: Sequence[str], name: str) -> Set[str]:
    prefix = f"{name}="
    return {one for one in object_ids if one.startswith(prefix)}


class FlowModel:
    """The learned invariants; ``trivial`` hold too, but say nothing: the step precedes everything, or once for all."""

    def __init__(self, invariants: Iterable[Invariant] = (), trivial: Iterable[Invariant] = ()) -> None:
        self.invariants = tuple(invariants)
        self.trivial = tuple(trivial)
        self._of: Dict[Key, List[Invariant]] = defaultdict(list)
        self._anywhere: Dict[str, List[Invariant]] = defaultdict(list)
        for invariant in self.invariants:
            self._of[invariant.service, invariant.operation].append(invariant)
            self._anywhere[invariant.operation].append(invariant)
        self.steps = frozenset(invariant.requires for invariant in self.invariants)

    def __len__(self) -> int:
        return len(self.invariants)

    def requirements(self, operation: str, service: Optional[str] = None) -> Sequence[Invariant]:
        """Return what ``operation`` requires, in ``service`` or in any."""
        if service is None:
            return self._anywhere.get(operation, ())
        return self._of.get((service, operation), ())

    def skipped(
        self,
        history: Sequence[Step],
        operation: str,
        now: float,
        *,
        service: Optional[str] = None,
        object_ids: Sequence[str] = (),
    ) -> Optional[Skipped]:
        """Return the most certain required step that ``history`` (of one principal, oldest first) lacks."""
        worst: Optional[Invariant] = None
        for invariant in self.requirements(operation, service):
            if (worst is None or invariant.confidence > worst.confidence) and not _fulfilled(
                invariant, history, now, object_ids
            ):
                worst = invariant
        if worst is None:
            return None
        taken = history[-1].operation if history else ""
        return Skipped(worst, taken)

    def to_documents(self) -> List[Dict[str, Any]]:
        """Return KV documents; trivial invariants stay out of them."""
        return [invariant.to_document() for invariant in self.invariants]

    @classmethod
    def from_documents(cls, documents: Iterable[Mapping[str, Any]]) -> FlowModel:
        """Raises DocumentError when a document lacks a part."""
        return cls(Invariant.from_document(document) for document in documents)


def _fulfilled(invariant: Invariant, history: Sequence[Step], now: float, object_ids: Sequence[str]) -> bool:
    """A linked step counts for hours, an unlinked one for the invariant's window."""
    wanted = linked_ids(object_ids, invariant.linked) if invariant.linked else set()
    window = MAX_FLOW_SECONDS if wanted else invariant.window
    for step in reversed(history):
        if step.time > now:
            continue
        if now - step.time > window:
            return False
        if step.operation == invariant.requires and step.succeeded:
            if not wanted:
                return True
            offered = linked_ids(step.object_ids, invariant.linked)
            if not offered or offered & wanted:
                return True
    return False
