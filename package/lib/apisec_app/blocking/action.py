"""What the action does with one row of a detection: document, replay, push, record."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Dict, Optional, Protocol, Set

from apisec.model.pattern import CANARY, MODES, SHADOW, Pattern
from apisec.patterns import spans
from apisec.patterns.document import parse
from apisec.patterns.replay import Evidence, replay

from . import template as templates
from .parameters import Parameters

Row = Mapping[str, Any]


class Admin(Protocol):
    """The forwarder's admin API; every call raises AdminError when it is refused or unreachable."""

    def get(self, identity: str) -> Optional[Dict[str, Any]]: ...

    def put(self, identity: str, document: Mapping[str, Any]) -> Dict[str, Any]: ...

    def promote(self, identity: str, mode: str, reason: str) -> Dict[str, Any]: ...


@dataclass(frozen=True)
class Context:
    """What one run of the action works with. ``admin`` is None in a dry run.

    ``events`` gives an API service's transactions oldest first; ``risky`` are principals that carry risk, with those
    of this very result, whose risk events may not be indexed yet.
    """

    parameters: Parameters
    detection: str
    actor: str
    sid: str
    forwarder: str
    now: float
    template: Mapping[str, Any]
    risky: Set[str]
    events: Callable[[str], Iterable[Mapping[str, Any]]]
    admin: Optional[Admin]
    logger: logging.Logger = field(repr=False, default=logging.getLogger("apisec_block"))


def block(context: Context, row: Row) -> Dict[str, Any]:
    """Handle one row; returns the record for the KV store. Raises PatternError, AdminError and SearchError."""
    document = _document(context, row)
    pattern = parse(document, context.now)
    evidence = _replayed(context, pattern)
    document["apisec"]["evidence"] = evidence.to_document()
    context.logger.info("replayed pattern=%s %s", pattern.id, _sentence(evidence))
    mode = context.parameters.mode
    if context.admin is not None:
        mode = _push(context, context.admin, pattern.id, document)
    return _record(context, row, pattern, evidence, document, mode)


def _document(context: Context, row: Row) -> Dict[str, Any]:
    extension = {
        "mode": SHADOW,
        "expires": spans.rfc3339(context.now + context.parameters.ttl),
        "source": {"detection": context.detection, "sid": context.sid},
        "created_by": f"splunk:{context.actor}",
    }
    return templates.document(context.template, row, extension)


def _replayed(context: Context, pattern: Pattern) -> Evidence:
    return replay(pattern, context.events(pattern.service), lambda event: is_benign(event, context.risky))


def is_benign(event: Mapping[str, Any], risky: Set[str]) -> bool:
    """Whether refusing this request would have cost an ordinary user something.

    What the API itself refused, or apisec did, is nobody's loss.
    """
    status = event.get("status")
    answered = isinstance(status, int) and 0 < status < 400
    return answered and event.get("action") != "blocked" and event.get("principal") not in risky


def _sentence(evidence: Evidence) -> str:
    return (
        f"matched={evidence.matched_events} principals={evidence.matched_principals} "
        f"benign={evidence.benign_events} benign_matched={evidence.benign_matched_events} "
        f"upper_bound={evidence.false_positive_upper_bound:.4f}"
    )


def held_mode(answer: Optional[Mapping[str, Any]]) -> Optional[str]:
    """The mode in which a forwarder holds a pattern; None for an unknown or expired one."""
    if not answer:
        return None
    mode = answer.get("mode") or answer.get("document", {}).get("apisec", {}).get("mode")
    return mode if mode in MODES else None


def _push(context: Context, admin: Admin, identity: str, document: Dict[str, Any]) -> str:
    """Put the pattern and promote it; a pattern that is already further is renewed and never set back."""
    answer = admin.get(identity)
    held = held_mode(answer) or SHADOW
    wanted = max(held, context.parameters.mode, key=MODES.index)
    document["apisec"]["mode"] = held
    if answer and held == CANARY and answer.get("canary_percent"):
        document["apisec"]["canary_percent"] = answer["canary_percent"]
    admin.put(identity, document)
    context.logger.info("put pattern=%s forwarder=%s mode=%s", identity, context.forwarder, held)
    if wanted != held:
        admin.promote(identity, wanted, f"{context.detection}, search {context.sid}")
        context.logger.info("promoted pattern=%s forwarder=%s from=%s to=%s", identity, context.forwarder, held, wanted)
    return wanted


def _record(
    context: Context, row: Row, pattern: Pattern, evidence: Evidence, document: Mapping[str, Any], mode: str
) -> Dict[str, Any]:
    return {
        "_key": f"{context.forwarder}|{pattern.id}",
        "version": 1,
        "pattern": pattern.id,
        "forwarder": context.forwarder,
        "title": pattern.title,
        "detection": context.detection,
        "service": pattern.service,
        "operation": "\n".join(templates.values(row, "operation")),
        "risk_object": "\n".join(templates.values(row, "risk_object")),
        "mode": mode,
        "expires": document["apisec"]["expires"],
        "pushed": context.now,
        "actor": context.actor,
        "sid": context.sid,
        "matched_requests": evidence.matched_events,
        "matched_principals": evidence.matched_principals,
        "benign_requests": evidence.benign_events,
        "benign_matches": evidence.benign_matched_events,
        "upper_bound": evidence.false_positive_upper_bound,
        "window_start": evidence.window_start,
        "window_end": evidence.window_end,
        "state": "dry run" if context.admin is None else "pushed",
        "document": document,
    }


def failed(context: Context, row: Row, error: Exception) -> Dict[str, Any]:
    """The record of a row that could not be handled: what was tried, and what was said."""
    identity = templates.identity(context.template, row)
    return {
        "_key": f"{context.forwarder}|{identity}",
        "version": 1,
        "pattern": identity,
        "forwarder": context.forwarder,
        "detection": context.detection,
        "service": "\n".join(templates.values(row, "service")),
        "operation": "\n".join(templates.values(row, "operation")),
        "risk_object": "\n".join(templates.values(row, "risk_object")),
        "mode": context.parameters.mode,
        "pushed": context.now,
        "actor": context.actor,
        "sid": context.sid,
        "state": "failed",
        "error": str(error),
    }
