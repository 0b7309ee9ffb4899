"""Flow automation: going through a business flow again and again by script, as scalpers and card testers do.

A flow is what the mined rules of order connect (``apisec.sequences.precedence``); it has ended when its last step
succeeded with all that it requires. Three things tell a script: more flows than peers carry out, next to nothing beside
them (people look around), and a pace or a regularity that few keep. Many accounts that do nothing but the flow are one
observation.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Dict, List, Optional

from apisec.abuse.base import (
    PRINCIPAL_OPERATION,
    Context,
    Observation,
    Window,
    decades,
    observation,
)
from apisec.abuse.counting import (
    HORIZON_WORDS,
    Claim,
    CountingFamily,
    Total,
    Weighed,
    examples_of,
    features_of,
    figure,
    reasons_of,
    weigh,
)
from apisec.abuse.tally import Counted
from apisec.sequences import window as sequences
from apisec.sequences.calibration import purity
from apisec.sequences.explanation import percent
from apisec.sequences.following import Moment, Order

LEAST_FLOWS = 2  # of a principal in seven days
LEAST_DECADES = 1.5
PURE = 0.03  # chance of so little beside the flow, from which on it counts as scripted
KNOWN_FLOWS = 30  # principals with flows, before anything counts as scripted
PACE_FLOWS = 3  # in the window, before a pace is one
FLOWS, SCRIPTED = "flows", "scripted_flows"


class FlowAutomation(CountingFamily):
    name = "flow_automation"
    # The requests of a flow's last step: what is ordinary of them is known before any flow is.
    claims = (Claim("flows", "requests", "times through the flow", PRINCIPAL_OPERATION, least=4.0),)
    totals = (Total("scripted", SCRIPTED, "flows by principals that do little else", per="requests", least=6.0),)
    further = ("alone", "pace", "regular")

    def mark(self, counted: Counted, context: Context) -> None:
        ended = _ended(sequences.moments(context, counted))
        if not ended:
            return
        calibration = sequences.order_of(context, counted.key[0]).purity
        known = calibration.counted(LEAST_FLOWS) >= KNOWN_FLOWS
        for moment in ended:
            counted.mark(moment.step.operation, FLOWS, 1.0)
            if known and calibration.p_value(moment.flows, purity(moment.flows, moment.others)) <= PURE:
                counted.mark(moment.step.operation, SCRIPTED, 1.0)

    def _weighed(self, counted: Counted, context: Context, ends: Collection[str]) -> List[Weighed]:
        """Weigh how often the principal came to the end of flows."""
        service, principal = counted.key
        found: List[Weighed] = []
        for operation in sorted(ends):
            trail = counted.part.operations.get(operation)
            if trail is not None:
                one = weigh(context, self.claims[0], (service, operation, principal), trail, operation)
                found += [one] if one else []
        return found

    def learn(self, window: Window, context: Context) -> None:
        sequences.learn(context, window)

    def _principal(self, counted: Counted, context: Context) -> Optional[Observation]:
        ended = _ended(sequences.moments(context, counted)) if counted.counts.get(FLOWS) else []
        if not ended:
            return None
        order = sequences.order_of(context, counted.key[0])
        last = ended[-1]
        weighed = self._weighed(counted, context, {moment.step.operation for moment in ended})
        features = features_of(weighed, {})
        features.update(_alone(order, last))
        features.update(_machine(order, ended))
        if sum(features.values()) < LEAST_DECADES:
            return None
        lead = max(weighed, key=lambda one: one.decades, default=None)
        return observation(
            context,
            self.name,
            counted.row,
            features,
            operation=last.step.operation,
            seen=lead.seen if lead else float(last.flows),
            expected=lead.expected if lead else 0.0,
            unit=f"times through the flow {HORIZON_WORDS[lead.horizon] if lead else 'in seven days'}",
            basis=lead.basis if lead else "peers",
            first=ended[0].step.time,
            last=last.step.time,
            requests=sum(row.requests for row in counted.rows),
            evidence={"flows": last.flows, "other_steps": last.others, "steps": sorted(order.precedence.steps)[:16]},
            reasons=(*reasons_of(weighed), *_reasons(features, last)),
            examples=examples_of(counted, "any"),
        )


def _ended(moments: Sequence[Moment]) -> List[Moment]:
    return [moment for moment in moments if moment.ended]


def _alone(order: Order, last: Moment) -> Dict[str, float]:
    """How little the principal did beside its flows."""
    if last.flows < LEAST_FLOWS:
        return {}
    return {"alone": decades(order.purity.p_value(last.flows, purity(last.flows, last.others)))}


def _machine(order: Order, ended: Sequence[Moment]) -> Dict[str, float]:
    """What tells a machine: its pace or its regularity, whichever says more, for it mostly has both."""
    last = ended[-1]
    pace = _pace(order, ended)
    regular = decades(order.rhythm.p_value(last.flows, last.regular)) if last.regular else 0.0
    return {"pace": pace} if pace >= regular else {"regular": regular}


def _pace(order: Order, ended: Sequence[Moment]) -> float:
    """How quickly the last step follows the one that it requires: in the median of the window's flows."""
    found = [(moment.before.get(rule.pair), rule) for moment in ended for rule in moment.kept[:1]]
    gaps = sorted(((gap, rule) for gap, rule in found if gap is not None), key=lambda one: one[0])
    if len(gaps) < PACE_FLOWS:
        return 0.0
    gap, rule = gaps[len(gaps) // 2]
    return decades(order.precedence.quickness(rule, gap))


def _reasons(features: Dict[str, float], last: Moment) -> List[str]:
    found: List[str] = []
    if features.get("alone", 0.0) >= 1.0:
        share = percent(10.0 ** -features["alone"])
        beside = f"{figure(last.others)} other steps beside {figure(last.flows)} flows in seven days"
        found.append(f"{beside}; at most {share} of principals do as little else")
    if features.get("pace", 0.0) >= 1.0:
        found.append(f"goes through the flow faster than all but {percent(10.0 ** -features['pace'])} of principals")
    if features.get("regular", 0.0) >= 1.0:
        found.append(f"its pauses are more alike than those of all but {percent(10.0 ** -features['regular'])}")
    return found
