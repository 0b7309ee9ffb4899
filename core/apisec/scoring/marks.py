"""What the engine's anomalies say of single transactions: the campaign that one belongs to, and how much it shows.

Behaviour is judged once, on activity rows, by the engine (``core/apisec/abuse``). A transaction has the score of the
campaign that it is part of: its principal is a member, its time is the campaign's, and its operation is one that the
campaign is about. What else a member did meanwhile has half of it. A request that carries signs of an attack, and is of
no campaign, says a little by itself: one payload is no attack.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Dict, List, NamedTuple, Set, Tuple

from apisec.abuse.event import severity_of
from apisec.baselines.values import mappings, number, text, texts

COMPONENTS = ("object", "access", "sequence", "payload", "identity", "volume")
COMPONENT_OF: Mapping[str, str] = {
    "object_enumeration": "object",
    "excess_data": "object",
    "scraping": "object",
    "function_abuse": "access",
    "reconnaissance": "access",
    "step_skipping": "sequence",
    "flow_automation": "sequence",
    "injection": "payload",
    "ssrf": "payload",
    "mass_assignment": "payload",
    "spec_violation": "payload",
    "credential_stuffing": "identity",
    "token_guessing": "identity",
    "account_enumeration": "identity",
    "token_theft": "identity",
    "flooding": "volume",
}
# Families whose evidence stands in single requests: without it a request is only beside them.
SIGNALLED = frozenset({"injection", "ssrf"})
BESIDE = 0.5  # of the score, for what a member does beside the campaign
LONE = 60.0  # the most that signals of a request without a campaign come to
NO_ATTACK = frozenset({"answer", "anomaly"})  # families of signals that are no attack by themselves
MAX_CAMPAIGNS = 20_000
MAX_REASONS = 4  # sentences of one campaign and family
SLACK = 1.0  # seconds: times of anomalies are rounded

Key = Tuple[str, str]  # service, principal


@dataclass
class Mark:
    """One family of one campaign, over all of its anomalies. Times are seconds since the epoch."""

    campaign: str
    family: str
    score: float = 0.0
    first: float = math.inf
    last: float = -math.inf
    operations: Set[str] = field(default_factory=set)  # empty: the whole service
    everywhere: bool = False
    reasons: Tuple[str, ...] = ()
    shown: Dict[str, Any] = field(default_factory=dict)

    @property
    def component(self) -> str:
        return COMPONENT_OF.get(self.family, "volume")

    def take(self, anomaly: Mapping[str, Any]) -> None:
        """Count one anomaly; the strongest one gives the words."""
        self.first = min(self.first, number(anomaly.get("first_time")) or math.inf)
        self.last = max(self.last, number(anomaly.get("last_time")) or -math.inf)
        operation = text(anomaly.get("operation"))
        self.everywhere = self.everywhere or not operation
        for one in (operation, *texts(anomaly.get("operations"))):
            # An operation of GraphQL is named behind a hash; its transactions have the path alone.
            self.operations.update((one, one.partition("#")[0]) if one else ())
        score = number(anomaly.get("score")) or 0.0
        if score >= self.score:
            self.score = score
            self.reasons = tuple(texts(anomaly.get("reasons"), MAX_REASONS))
            self.shown = {
                name: anomaly[name]
                for name in ("seen", "expected", "unit", "basis", "member_count", "entity")
                if name in anomaly
            }

    def evidence(self) -> Dict[str, Any]:
        return {"campaign": self.campaign, "family": self.family, "score": self.score, **self.shown}


class Judgement(NamedTuple):
    """``score`` and components are 0–100; ``marks`` the campaigns that say so, the strongest first."""

    score: float
    components: Mapping[str, float]
    marks: Tuple[Mark, ...] = ()
    signals: Tuple[str, ...] = ()

    @property
    def severity(self) -> str:
        return severity_of(self.score)

    @property
    def reasons(self) -> List[str]:
        lines = [line for mark in self.marks for line in mark.reasons]
        if self.signals:
            lines.append(f"the request carries signs of {', '.join(self.signals)}")
        return lines


ORDINARY = Judgement(0.0, dict.fromkeys(COMPONENTS, 0.0))


class Signs(NamedTuple):
    """Signs of attacks in one request: how sure they are together (0–1), and of what."""

    strength: float
    families: Tuple[str, ...]


NOTHING = Signs(0.0, ())


def signs_of(signals: Any) -> Signs:
    """Weigh an event's ``signals``; those of its answer, and of unusual values, are no attack."""
    miss = 1.0
    families: Dict[str, None] = {}
    for one in mappings(signals, 50):
        family = text(one.get("family"), 64) or text(one.get("detector"), 64)
        if family not in NO_ATTACK and not text(one.get("where"), 128).startswith("response"):
            miss *= 1.0 - min(max(number(one.get("score")) or 0.0, 0.0), 1.0)
            families[family] = None
    return Signs(1.0 - miss, tuple(families)) if families else NOTHING


class Marks:
    """The campaigns of a time, by whom they accuse."""

    def __init__(self, anomalies: Iterable[Mapping[str, Any]] = ()) -> None:
        self._marks: Dict[Tuple[str, str], Mark] = {}
        self._of: Dict[Key, List[Mark]] = defaultdict(list)
        self.dropped = 0  # anomalies of campaigns beyond MAX_CAMPAIGNS
        for anomaly in anomalies:
            self.add(anomaly)

    def __len__(self) -> int:
        return len(self._marks)

    def add(self, anomaly: Mapping[str, Any]) -> None:
        """Take an event of sourcetype ``apisec:anomaly``. What an exception covers marks nothing."""
        service, family = text(anomaly.get("service")), text(anomaly.get("family"), 64)
        campaign = text(anomaly.get("campaign"), 64)
        if not service or not family or not campaign or anomaly.get("excepted"):
            return
        mark = self._marks.get((campaign, family))
        if mark is None:
            if len(self._marks) >= MAX_CAMPAIGNS:
                self.dropped += 1
                return
            mark = self._marks[campaign, family] = Mark(campaign, family)
        mark.take(anomaly)
        principal = text(anomaly.get("principal"))
        for who in dict.fromkeys((principal, *texts(anomaly.get("members")))):
            held = self._of[service, who] if who else None
            if held is not None and not any(one is mark for one in held):
                held.append(mark)

    def accused(self, service: str, principal: str) -> bool:
        """Return whether anything is known of a principal; nothing is of nearly everybody."""
        return (service, principal) in self._of

    def judge(self, service: str, principal: str, operation: str, time: float, signs: Signs = NOTHING) -> Judgement:
        """Return what is known of one transaction; ``time`` in seconds since the epoch."""
        found: List[Tuple[float, Mark]] = []
        for mark in self._of.get((service, principal), ()):
            if mark.first - SLACK <= time <= mark.last + SLACK:
                about = mark.everywhere or operation in mark.operations
                whole_of_it = about and (mark.family not in SIGNALLED or signs.strength > 0.0)
                found.append((mark.score if whole_of_it else BESIDE * mark.score, mark))
        lone = LONE * signs.strength
        if not found and not lone:
            return ORDINARY
        found.sort(key=lambda pair: (-pair[0], pair[1].campaign, pair[1].family))
        components = dict.fromkeys(COMPONENTS, 0.0)
        components["payload"] = lone
        for score, mark in found:
            components[mark.component] = max(components[mark.component], score)
        return Judgement(max(components.values()), components, tuple(mark for _, mark in found), signs.families)


class Summary:
    """What is known of one principal of one service, over the transactions that were judged."""

    def __init__(self) -> None:
        self.events = 0
        self.marked = 0
        self.score = 0.0
        self.first = math.inf
        self.last = -math.inf
        self.operations: Set[str] = set()
        self.components = dict.fromkeys(COMPONENTS, 0.0)
        self.reasons: Dict[str, None] = {}
        self.families: Dict[str, None] = {}
        self.campaigns: Dict[str, None] = {}

    def add(self, operation: str, time: float, judged: Judgement) -> None:
        self.events += 1
        self.first, self.last = min(self.first, time), max(self.last, time)
        if judged is ORDINARY:
            return
        self.marked += 1
        self.score = max(self.score, judged.score)
        self.operations.add(operation)
        for name, value in judged.components.items():
            self.components[name] = max(self.components[name], value)
        for mark in judged.marks:
            self.families[mark.family] = None
            self.campaigns[mark.campaign] = None
        self.reasons.update(dict.fromkeys(judged.reasons[: MAX_REASONS * 4]))
