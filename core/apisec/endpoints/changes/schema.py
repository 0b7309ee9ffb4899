"""Kinds of changes, the members of their events, and one change. ``docs/reference/change.md`` is made of the tables."""

from __future__ import annotations

import datetime
import hashlib
from dataclasses import dataclass, field
from typing import Any, Dict, Mapping, Tuple

from apisec.openapi.drift import CRITICAL, HIGH, INFO, LOW, MEDIUM, SEVERITIES

__all__ = [
    "CRITICAL", "FIELDS", "HIGH", "INFO", "KINDS", "LOW", "MEDIUM", "SEVERITIES", "SOURCETYPE", "Change", "change_id",
]  # fmt: skip

SOURCETYPE = "apisec:change"
SCHEMA_VERSION = 1
MAX_LISTED = 20  # members of a list in an event; ``count`` tells how many there were


@dataclass(frozen=True)
class Kind:
    """``about`` says what a change of this kind is one of: its subject. ``text`` says what has to be seen."""

    name: str
    about: str
    text: str


KINDS: Tuple[Kind, ...] = (
    Kind("service_new", "service", "Traffic of a service that was never seen, while others are known."),
    Kind("operation_new", "operation",
         "An operation answered below 400 for the first time. What answers 404 to a scanner is none."),
    Kind("sensitive_field", "field and class",
         "A field carries data of a class that it did not carry: surely three times as often as before."),
    Kind("data_class_new", "class", "Data of a class that no field of the operation is known to carry."),
    Kind("sensitivity_raised", "operation",
         "A team's override makes the operation more sensitive than it was. What traffic shows is told by its field."),
    Kind("authentication_dropped", "operation",
         "Requests without any credential succeed (2xx), which did not before, or hardly."),
    Kind("authentication_weakened", "scheme", "Requests succeed with a credential of a weaker kind than those before."),
    Kind("authentication_added", "scheme", "Requests succeed with a credential of another kind, which is not weaker."),
    Kind("type_changed", "field and type",
         "Most values of a field are of a type that it had never, or hardly. null is no type here."),
    Kind("field_gone", "status",
         "Fields that stood in nine of ten answers of a status stand in none of at least 50, for longer than ever."),
    Kind("version_new", "version", "Requests succeed for a version (in query, media type, path) that was not there."),
    Kind("consumer_new", "agent or kind of principal",
         "A family of clients, or a kind of principal, that the service had not makes a hundredth of its requests."),
    Kind("latency_regression", "operation", "Answers take longer than usual for the hour, since the hour told."),
    Kind("failure_regression", "operation",
         "More requests fail (5xx, no answer) than is usual for the hour, since the hour that is told."),
    Kind("team_changed", "team before and after", "Operations of a service belong to another team."),
    Kind("paths_merged", "merge", "Operations turned out to be one, with a parameter in their path."),
    Kind("paths_split", "split", "One operation turned out to be several."),
    Kind("paths_undone", "merge", "A merge was undone."),
    Kind("more", "kind and hour",
         "There were more changes of a kind than are told in an hour: `count` of them were not."),
)  # fmt: skip
NAMES = frozenset(kind.name for kind in KINDS)


@dataclass(frozen=True)
class Field:
    """A member of an event: its JSON type, and whether every event has it."""

    name: str
    kind: str
    text: str
    required: bool = False


FIELDS: Tuple[Field, ...] = (
    Field("schema", "integer", "Version of this schema.", True),
    Field("id", "string", "Stable: the same change has the same id, however often it is found.", True),
    Field("time", "number", "End of the window of index time that showed it, seconds since the epoch.", True),
    Field("change", "string", "Kind of change, as below.", True),
    Field("severity", "string", "critical, high, medium, low or info.", True),
    Field("service", "string", "Service.", True),
    Field("team", "string", "Team that owns the operation, or the service.", True),
    Field("operation", "string", "Method and template; empty where a whole service changed.", True),
    Field("endpoint", "string", "Template of the path."),
    Field("http_method", "string", "Method."),
    Field("before", "string", "What was, in words that can be searched: `bearer`, `none of 4210`, `integer`.", True),
    Field("after", "string", "What is.", True),
    Field("reason", "string", "The change in a sentence, with its evidence.", True),
    Field("count", "integer", "Messages, requests or things that show it.", True),
    Field("messages", "integer", "Messages among which they were counted since `since`."),
    Field("count_before", "integer", "The same of the time before."),
    Field("messages_before", "integer", "Messages before."),
    Field("since", "number", "Since when: the first window that showed it, or the hour of the change.", True),
    Field("until", "number", "Up to when was counted.", True),
    Field("times", "integer", "How often this was told, with this event.", True),
    Field("message", "string", "request, response (below 400), error (400 and more), or a status."),
    Field("location", "string", "body, query, path, header or cookie."),
    Field("field", "string", "Path of the field; of several the first."),
    Field("fields", "array", "All of them, 20 at most."),
    Field("data_class", "string", "Class of data that is new."),
    Field("data_classes", "array", "Classes of a new operation, or of the fields that are told of."),
    Field("level_before", "string", "Sensitivity of the operation: public, internal, confidential, restricted."),
    Field("level", "string", "Level now."),
    Field("auth", "string", "Kind of credential."),
    Field("administrative", "boolean", "A new operation's path names a way in for operators: /admin, /actuator."),
    Field("statuses", "array", "Statuses of a new operation."),
    Field("version", "string", "Version of the API that is new, or that was first seen when the regression began."),
    Field("figure", "string", "Of a regression: p50, p95 or share."),
    Field("value_before", "number", "Of a regression: milliseconds, or a share."),
    Field("value", "number", "The same now."),
    Field("ratio", "number", "`value` by `value_before`."),
    Field("strength", "number", "Of a regression: how many standard errors it lies above what is usual."),
    Field("consumer", "string", "Family of clients, or kind of principal."),
    Field("principals", "integer", "Different principals in the window that showed it."),
    Field("team_before", "string", "Team before."),
    Field("operations", "array", "Operations that are concerned, 20 at most."),
    Field("why", "array", "Why paths were merged or split."),
    Field("author", "string", "Who merged or split them, where it was a person."),
    Field("first_seen", "number", "Of a new operation or service: its first request."),
)  # fmt: skip
FIELD_NAMES = frozenset(one.name for one in FIELDS)


def change_id(*parts: str) -> str:
    """Return an id of what a change is about, and of nothing that another run may count differently."""
    return hashlib.blake2b("\x1f".join(parts).encode("utf-8", "replace"), digest_size=12).hexdigest()


def clock(time: float) -> str:
    """Return a time in words: ``2026-11-21 14:00 UTC``."""
    return datetime.datetime.fromtimestamp(time, datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC")


@dataclass(frozen=True)
class Change:
    """One change. ``subject`` tells changes of one kind of an operation apart; ``times`` is told how often, from 1."""

    kind: str
    severity: str
    subject: str
    before: str
    after: str
    reason: str
    since: float
    until: float
    count: int = 0
    times: int = 1
    service: str = ""
    operation: str = ""
    team: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)

    @property
    def id(self) -> str:
        return change_id(self.service, self.operation, self.kind, self.subject, str(self.times))

    def row(self) -> Dict[str, Any]:
        """Return the event; its time is ``until``."""
        method, _, endpoint = self.operation.partition(" ")
        about = {"http_method": method, "endpoint": endpoint} if endpoint else {}
        return {
            **about,
            **{name: value for name, value in self.details.items() if value not in (None, "", [])},
            "schema": SCHEMA_VERSION,
            "id": self.id,
            "time": self.until,
            "change": self.kind,
            "severity": self.severity,
            "service": self.service,
            "team": self.team,
            "operation": self.operation,
            "before": self.before,
            "after": self.after,
            "reason": self.reason,
            "count": self.count,
            "since": self.since,
            "until": self.until,
            "times": self.times,
        }


def reference() -> str:
    """Return ``docs/reference/change.md``."""
    kinds = "\n".join(f"| `{kind.name}` | {kind.about} | {kind.text} |" for kind in KINDS)
    rows = "\n".join(f"| `{f.name}` | {f.kind} | {'yes' if f.required else ''} | {f.text} |" for f in FIELDS)
    return f"""# The event of a change: `{SOURCETYPE}`

Generated from `core/apisec/endpoints/changes/schema.py` by `python tools/reference.py`; schema version
{SCHEMA_VERSION}. One JSON object for each change; [changes.md](../changes.md) says when one is told, and when not.
*always*: present in every event.

## Kinds

*One for each* says what is told once: a second sensitive field is a second event.

| `change` | one for each | what has to be seen |
|---|---|---|
{kinds}

## Members

| member | type | always | meaning |
|---|---|---|---|
{rows}
"""
