"""Sentences for an analyst at night: what was seen, against what was expected. Tokens only, never raw values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Dict, List, Optional

RECENT_SECONDS = 600.0

_VERBS = {"GET": "read", "HEAD": "read", "DELETE": "deleted", "PUT": "changed", "PATCH": "changed"}
_BASES = {
    "baseline": "99 % of principals {verb} at most {expected} an hour",
    "habit": "its own habit is at most {expected} an hour",
    "peers": "90 % of its peers in this data {verb} at most {expected} an hour",
    "default": "no baseline yet, {expected} an hour are assumed ordinary",
}


@dataclass(frozen=True)
class ObjectEvidence:
    operation: str
    name: str  # of the id: order_id
    distinct: int  # different ids in the hour
    recent: int  # of these, within RECENT_SECONDS
    expected: float
    basis: str
    missed: int
    walked: int
    foreign: int
    unissued: int

    def to_dict(self) -> Dict[str, Any]:
        return {
            "operation": self.operation,
            "name": self.name,
            "distinct": self.distinct,
            "recent": self.recent,
            "expected": round(self.expected, 1),
            "basis": self.basis,
            "missed": self.missed,
            "walked": self.walked,
            "foreign": self.foreign,
            "unissued": self.unissued,
        }


def _plain(value: float) -> str:
    return f"{value:.0f}" if value >= 10 or value == int(value) else f"{value:.1f}"


def _basis(evidence: Mapping[str, Any], verb: str) -> str:
    return _BASES[evidence["basis"]].format(verb=verb, expected=_plain(evidence["expected"]))


def _object(evidence: Mapping[str, Any]) -> List[str]:
    verb = _VERBS.get(evidence["operation"].partition(" ")[0], "used")
    if evidence["recent"] * 2 > evidence["distinct"]:
        count, span = evidence["recent"], "10 min"
    else:
        count, span = evidence["distinct"], "an hour"
    lines = [f"{verb} {count} different {evidence['name']} in {span}; {_basis(evidence, verb)}"]
    if evidence["missed"] > 2:
        lines.append(f"{evidence['missed']} of its requests for them in the hour were refused or found nothing")
    if evidence["walked"] * 2 > evidence["distinct"]:
        lines.append(f"{evidence['walked']} of the {evidence['name']} follow one upon the other")
    if evidence["foreign"] * 2 > evidence["distinct"]:
        lines.append(f"{evidence['foreign']} of the {evidence['name']} had been used by another principal before")
    if evidence["unissued"] * 2 > evidence["distinct"]:
        lines.append(f"{evidence['unissued']} of the {evidence['name']} stood in no response to it before")
    return lines


def _sequence(evidence: Mapping[str, Any]) -> List[str]:
    lines = [str(evidence["text"])]
    if evidence["refused"]:
        lines[0] += "; the API refused it"
    if evidence["times"] > 1:
        lines.append(f"left out a required step {evidence['times']} times within the hour")
    return lines


def _payload(evidence: Mapping[str, Any]) -> List[str]:
    what, where = ", ".join(evidence["detectors"]), ", ".join(evidence["where"])
    lines = [f"{evidence['operation']} carries {what} in {where} (certainty {evidence['strength']:.2f})"]
    if evidence["failed"]:
        lines.append(f"the API answered it with an error, status {evidence['status']}")
    elif evidence["unusual_size"]:
        lines.append("the size of the answer is unusual for this operation")
    if evidence["before"]:
        earlier = "1 request" if evidence["before"] == 1 else f"{evidence['before']} requests"
        lines.append(f"{earlier} of this principal carried such signals shortly before")
    return lines


def _identity(evidence: Mapping[str, Any]) -> List[str]:
    line = f"the same credential came from {evidence['seen']}; before it was {evidence['expected']}"
    if evidence["turns"]:
        line += f", and the two took turns {evidence['turns']} times within the hour"
    return [line]


def _volume(evidence: Mapping[str, Any]) -> List[str]:
    lines = []
    if evidence["requests"] > evidence["expected"]:
        lines.append(f"sent {evidence['requests']} {evidence['operation']} in an hour; {_basis(evidence, 'send')}")
    if evidence["failures"] * 3 > evidence["total"]:
        lines.append(f"{evidence['failures']} of its {evidence['total']} requests in the hour failed")
    return lines


_WRITERS = {
    "object": _object,
    "sequence": _sequence,
    "payload": _payload,
    "identity": _identity,
    "volume": _volume,
}


def of(component: str, evidence: Optional[Mapping[str, Any]]) -> List[str]:
    """Return the sentences of one component; none without evidence."""
    return _WRITERS[component](evidence) if evidence else []
