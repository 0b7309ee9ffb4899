"""The life of block patterns: put, promote, roll back, delete, expire. Each change is persisted, enforced, audited."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from apisec.errors import ApisecError, PatternError, did_you_mean
from apisec.model.event import SOURCETYPE_DECISION
from apisec.model.pattern import CANARY, ENFORCE, MODES, SHADOW, Pattern
from apisec.patterns import spans
from apisec.patterns.document import parse
from apisec.patterns.replay import check_evidence
from apisec_forwarder.decisions.store import MAX_CHANGES, Record, Store

MAX_PATTERNS = 200  # in force at once; Envoy's rules are tried one after the other
KEEP_EXPIRED = 7 * 86400.0  # seconds for which an expired pattern can still be looked at
UNASSIGNED = "unassigned"  # service and team of traffic that no service claims


class NotFoundError(ApisecError):
    """No pattern of this id, or none that the caller may see."""


class ForbiddenError(ApisecError):
    """The caller's token does not reach so far."""


class PreconditionError(ApisecError):
    """If-Match or If-None-Match does not hold: someone else changed the pattern."""


class NotProvenError(ApisecError):
    """The evidence does not allow the pattern to enforce."""


class TooManyError(ApisecError):
    """The bound on patterns is reached."""


@dataclass(frozen=True)
class Caller:
    """Who asks: the token's name, and the teams whose patterns it reaches (``*``: all)."""

    name: str
    teams: frozenset[str]

    def reaches(self, team: str) -> bool:
        return "*" in self.teams or team in self.teams


@dataclass(frozen=True)
class Wish:
    """How a change is wished for: preconditions, override of the evidence, and why."""

    if_match: str | None = None
    if_none_match: bool = False  # If-None-Match: *
    override: bool = False
    reason: str = ""


def etag(record: Record) -> str:
    """Return the strong ETag of a record: it changes with every change of the document."""
    text = json.dumps(dict(record.pattern.document), sort_keys=True, separators=(",", ":"))
    return f'"{hashlib.sha256(text.encode()).hexdigest()[:32]}"'


class Registry:
    """All patterns. ``changed(records, now)`` puts them into force; ``audit(event, team)`` ships one record."""

    def __init__(
        self,
        store: Store,
        teams: Mapping[str, str],
        changed: Callable[[list[Record], float], None],
        audit: Callable[[dict[str, Any], str, float], None],
        false_positive_limit: float = 0.01,
        limits: Mapping[str, float] | None = None,
    ) -> None:
        """``limits`` are the stricter limits of single services."""
        self._store = store
        self._teams = {UNASSIGNED: UNASSIGNED, **teams}
        self._changed = changed
        self._audit = audit
        self._limit = false_positive_limit
        self._limits = dict(limits or {})
        self._records: dict[str, Record] = {}

    def load(self, now: float) -> None:
        self._records = {record.pattern.id: record for record in self._store.load()}
        self.expire(now)
        self._changed(self.all(), now)

    def find(self, identity: str) -> Pattern | None:
        """Return a pattern, whoever asks."""
        record = self._records.get(identity)
        return record.pattern if record is not None else None

    def all(self) -> list[Record]:
        return list(self._records.values())

    def team(self, pattern: Pattern) -> str:
        return self._teams.get(pattern.service, UNASSIGNED)

    def list(self, caller: Caller) -> list[Record]:
        return [record for record in self.all() if caller.reaches(self.team(record.pattern))]

    def get(self, identity: str, caller: Caller) -> Record:
        record = self._records.get(identity.lower())
        if record is None or not caller.reaches(self.team(record.pattern)):
            raise NotFoundError(f"no pattern {identity!r}; GET /v1/patterns lists what there is")
        return record

    def put(self, identity: str, document: Any, caller: Caller, wish: Wish, now: float) -> tuple[Record, bool]:
        """Create or replace; return the record and whether it is new. The same document again changes nothing."""
        pattern = parse(document, now)
        if pattern.id != identity.lower():
            raise PatternError(f"is not the id of the address, {identity!r}", where="id")
        self._reach(pattern, caller)
        former = self._records.get(pattern.id)
        if former is not None:
            self._reach(former.pattern, caller)
        self._precondition(former, wish)
        if former is not None and former.pattern.document == pattern.document:
            return former, False
        if former is None and sum(r.pattern.expires > now for r in self.all()) >= MAX_PATTERNS:
            raise TooManyError(f"{MAX_PATTERNS} patterns are in force; delete or let expire one first")
        if pattern.mode == ENFORCE:
            self._proven(pattern, wish, now)
        before = former.pattern.mode_at(now) if former is not None else None
        record = Record(pattern, now, caller.name, former.changes if former else ())
        return self._settle(record, "put", before, caller.name, wish, now), former is None

    def promote(
        self, identity: str, to: object, caller: Caller, wish: Wish, now: float, percent: object = None
    ) -> Record:
        """Raise (or, to canary, set) the mode of a pattern."""
        record = self.get(identity, caller)
        self._precondition(record, wish)
        if to not in (CANARY, ENFORCE):
            raise PatternError(f"{to!r} is not one of {CANARY}, {ENFORCE}", where="to")
        if not wish.reason:
            raise PatternError("say why; the audit keeps it", where="reason")
        changes: dict[str, Any] = {"mode": to}
        if percent is not None:
            changes["canary_percent"] = percent
        return self._with_mode(record, changes, "promote", caller, wish, now)

    def rollback(self, identity: str, caller: Caller, wish: Wish, now: float) -> Record:
        """Back to the mode before the last change of mode; to shadow when there was none."""
        record = self.get(identity, caller)
        self._precondition(record, wish)
        mode = record.pattern.mode
        earlier = [c["mode_before"] for c in record.changes if c["mode_after"] == mode and c["mode_before"] != mode]
        lower = [m for m in reversed(earlier) if m in MODES and MODES.index(m) < MODES.index(mode)]
        return self._with_mode(record, {"mode": lower[0] if lower else SHADOW}, "rollback", caller, wish, now)

    def delete(self, identity: str, caller: Caller, wish: Wish, now: float) -> None:
        record = self.get(identity, caller)
        self._precondition(record, wish)
        del self._records[record.pattern.id]
        self._store.delete(record.pattern.id)
        self._changed(self.all(), now)
        self._audit_change(record, "delete", record.pattern.mode_at(now), None, caller.name, wish, now)

    def expire(self, now: float) -> None:
        """Note what has expired since the last time, and forget what expired long ago."""
        news = [r for r in self.all() if r.pattern.expires <= now and not r.expired_noted]
        for record in news:
            noted = dataclasses.replace(record, expired_noted=True)
            self._settle(noted, "expire", record.pattern.mode, "apisec", Wish(reason="its time has come"), now)
        for record in [r for r in self.all() if r.pattern.expires + KEEP_EXPIRED <= now]:
            del self._records[record.pattern.id]
            self._store.delete(record.pattern.id)

    def next_expiry(self, now: float) -> float | None:
        """Return the seconds from ``now`` until the next pattern expires."""
        ahead = [r.pattern.expires - now for r in self.all() if not r.expired_noted]
        return max(0.0, min(ahead)) if ahead else None

    def _with_mode(
        self, record: Record, changes: Mapping[str, Any], action: str, caller: Caller, wish: Wish, now: float
    ) -> Record:
        document = dict(record.pattern.document)
        document["apisec"] = {**document["apisec"], **changes}
        pattern = parse(document, now)  # an expired pattern cannot be promoted: it says so
        if pattern.document == record.pattern.document:
            return record
        if pattern.mode == ENFORCE:
            self._proven(pattern, wish, now)
        before = record.pattern.mode_at(now)
        return self._settle(dataclasses.replace(record, pattern=pattern), action, before, caller.name, wish, now)

    def _reach(self, pattern: Pattern, caller: Caller) -> None:
        if pattern.service not in self._teams:
            hint = did_you_mean(pattern.service, self._teams)
            raise PatternError(f"the forwarder has no service {pattern.service!r}{hint}", where="logsource.service")
        if not caller.reaches(self.team(pattern)):
            raise ForbiddenError(f"the token does not reach the team of service {pattern.service!r}")

    def _precondition(self, former: Record | None, wish: Wish) -> None:
        if wish.if_none_match and former is not None:
            raise PreconditionError("the pattern exists already; GET it and send its ETag in If-Match")
        if wish.if_match is not None and wish.if_match != "*" and (former is None or etag(former) != wish.if_match):
            raise PreconditionError("the pattern was changed meanwhile; GET it and send its new ETag in If-Match")
        if wish.if_match == "*" and former is None:
            raise PreconditionError("there is no such pattern to change")

    def _proven(self, pattern: Pattern, wish: Wish, now: float) -> None:
        if wish.override:
            if not wish.reason:
                raise PatternError("an override needs a reason; the audit keeps it", where="reason")
            return
        try:
            check_evidence(pattern, now, min(self._limit, self._limits.get(pattern.service, self._limit)))
        except PatternError as error:
            raise NotProvenError(f"{error}; or override with a reason") from None

    def _settle(self, record: Record, action: str, before: str | None, actor: str, wish: Wish, now: float) -> Record:
        after = record.pattern.mode_at(now)
        change = {
            "time": spans.rfc3339(now),
            "actor": actor,
            "action": action,
            "mode_before": before,
            "mode_after": after,
            "reason": wish.reason or str(record.pattern.document["apisec"].get("reason", "")),
            "override": wish.override,
        }
        record = dataclasses.replace(record, changes=(*record.changes, change)[-MAX_CHANGES:])
        self._store.save(record)
        self._records[record.pattern.id] = record
        self._changed(self.all(), now)
        self._audit_change(record, action, before, after, actor, wish, now)
        return record

    def _audit_change(
        self, record: Record, action: str, before: str | None, after: str | None, actor: str, wish: Wish, now: float
    ) -> None:
        pattern, team = record.pattern, self.team(record.pattern)
        event = {
            "schema": 1,
            "time": round(now, 6),
            "actor": actor,
            "change": action,
            "pattern": pattern.id,
            "title": pattern.title,
            "service": pattern.service,
            "team": team,
            "mode_before": before,
            "mode_after": after,
            "expires": spans.rfc3339(pattern.expires),
            "digest": pattern.digest,
            "reason": wish.reason or str(pattern.document["apisec"].get("reason", "")),
            "override": wish.override,
        }
        self._audit(event, team, now)


def audit_envelope(event: Mapping[str, Any], gateway: str, env: str, index: str, now: float) -> bytes:
    """Return the HEC envelope of one audit record."""
    document = {
        "time": round(now, 3),
        "host": gateway,
        "source": "apisec-forwarder",
        "sourcetype": SOURCETYPE_DECISION,
        "index": index,
        "event": {**event, "gateway": gateway, "env": env},
    }
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode()
