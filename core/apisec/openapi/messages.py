"""An operation's messages against what is documented of them: parameters, bodies, statuses, media types, types."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Dict, Iterator, List, NamedTuple, Optional, Set, Tuple

from apisec.endpoints.inventory import OperationStats
from apisec.endpoints.inventory.fields import FieldStats
from apisec.endpoints.inventory.messages import JSON, Message
from apisec.endpoints.inventory.shapes import Shape
from apisec.endpoints.inventory.tally import OTHER, names
from apisec.openapi.drift import INFO, LOW, MEDIUM, graded_by_data, is_sensitive
from apisec.openapi.expected import Found, Piece, Schemas, types
from apisec.openapi.model import Content, Parameter, SpecOperation


@dataclass(frozen=True)
class Limits:
    """What is noise. Shares are of the messages of one kind."""

    min_times: int = 3
    min_share: float = 0.001
    min_sensitive: int = 2  # messages with sensitive data in a field that is not documented
    min_messages: int = 200  # before something is called never seen
    max_lacking: float = 0.02  # share of messages that may lack what is required
    max_fields: int = 50  # differences of one kind that are told of one message

    def counts(self, times: int, messages: int) -> bool:
        return times >= self.min_times and times >= self.min_share * messages


@dataclass
class Difference:
    """A drift of one operation, without what is the same for all of them. ``about`` tells equal ones apart."""

    kind: str
    severity: str
    reason: str
    location: str = ""
    field: str = ""
    status: str = ""
    expected: str = ""
    seen: str = ""
    about: str = ""
    count: int = 0
    messages: int = 0
    classes: Sequence[str] = ()


class _Side(NamedTuple):
    """A message, what is documented of it, and its status ("" for the request)."""

    message: Message
    content: Content
    status: str

    @property
    def where(self) -> str:
        return f"answers of {self.status}" if self.status else "requests"

    @property
    def direction(self) -> str:
        return "response" if self.status else "request"


class MessageComparison:
    """One operation. ``run`` yields the differences."""

    def __init__(
        self, schemas: Schemas, operation: SpecOperation, stats: OperationStats, limits: Optional[Limits] = None
    ) -> None:
        self._schemas = schemas
        self._operation = operation
        self._stats = stats
        self._limits = limits or Limits()

    def run(self) -> Iterator[Difference]:
        yield from self._parameters()
        request = _Side(self._stats.request, self._operation.request, "")
        yield from self._body(request)
        yield from self._statuses()
        for status, message in sorted(self._stats.responses.items()):
            content = self._operation.response(status)
            if status != OTHER and content is not None:
                side = _Side(message, content, status)
                yield from self._media(side)
                yield from self._body(side)

    # Parameters

    def _parameters(self) -> Iterator[Difference]:
        message, limits = self._stats.request, self._limits
        known = {_key(one.location, one.name): one for one in self._operation.parameters}
        seen: Set[Tuple[str, str]] = set()
        told = 0
        for (location, path), stats in message.fields.items():
            if location == "body" or not path:
                continue
            key = _key(location, path)
            seen.add(key)
            parameter = known.get(key) or _of_object(known, location, path)
            if parameter is not None:
                seen.add(_key(location, parameter.name))
                yield from self._parameter_type(parameter, path, message.shapes.get((location, path)), stats)
            elif told < limits.max_fields:
                for found in self._undocumented_parameter(location, path, stats, message):
                    told += 1
                    yield found
        yield from self._lacking_parameters(known, seen, message)

    def _undocumented_parameter(
        self, location: str, path: str, stats: FieldStats, message: Message
    ) -> Iterator[Difference]:
        classes = [name for name in names(stats.classes) if location == "query" or not name.startswith("secret.")]
        if location == "path" or ".claims." in path:
            return
        if is_sensitive(classes) and stats.present >= self._limits.min_sensitive:
            kind, severity = "undocumented_sensitive_field", graded_by_data(classes, MEDIUM)
        elif location == "query" and self._limits.counts(stats.present, message.count):
            kind, severity = "undocumented_parameter", LOW
        else:
            return  # headers and cookies belong to clients and gateways as much as to the API
        text = f"The {location} parameter {path} is in {stats.present} of {message.count} requests and not documented"
        text += f"; it carries {', '.join(classes)}." if classes else "."
        yield Difference(
            kind, severity, text, location, path, seen=", ".join(names(stats.types)),
            count=stats.present, messages=message.count, classes=classes,
        )  # fmt: skip

    def _parameter_type(
        self, parameter: Parameter, path: str, shape: Optional[Shape], stats: FieldStats
    ) -> Iterator[Difference]:
        pieces = self._schemas.pieces(parameter.schema) if parameter.schema is not None else []
        allowed: Set[str] = set()
        for piece in pieces:
            kinds = types(piece)
            if kinds is None or kinds & {"string", "array", "object"}:
                return  # all that a URL carries is text
            allowed |= kinds
        if not allowed or shape is None or stats.classes:
            return
        wrong = shape.texts + shape.tokens
        wrong += shape.numbers + (shape.integers if allowed == {"boolean"} else 0) if "number" not in allowed else 0
        wrong += shape.booleans if "boolean" not in allowed else 0
        if self._limits.counts(wrong, shape.count):
            said = "/".join(sorted(allowed))
            text = f"{wrong} of {shape.count} values of {parameter.location} parameter {path} are no {said}."
            yield Difference(
                "wrong_type", LOW, text, parameter.location, path, expected=said, seen="string", count=wrong,
                messages=shape.count,
            )  # fmt: skip

    def _lacking_parameters(
        self, known: Mapping[Tuple[str, str], Parameter], seen: Set[Tuple[str, str]], message: Message
    ) -> Iterator[Difference]:
        if message.count < self._limits.min_messages or message.fields.dropped:
            return
        for key, parameter in sorted(known.items()):
            # Which headers and cookies an event lists is the forwarder's choice, and credentials are no parameters.
            if parameter.location != "query":
                continue
            if key not in seen:
                text = f"None of {message.count} requests has the documented {parameter.location} parameter."
                yield Difference(
                    "unseen_parameter", INFO, text, parameter.location, parameter.name, messages=message.count
                )
            elif parameter.required:
                stats = message.fields.stats.get((parameter.location, parameter.name))
                if stats is not None:
                    text = f"the required {parameter.location} parameter"
                    yield from self._lacking(text, "query", parameter.name, "", stats.present, message.count)

    def _lacking(
        self, what: str, location: str, path: str, status: str, present: int, messages: int
    ) -> Iterator[Difference]:
        lacking = messages - present
        if lacking > self._limits.max_lacking * messages and lacking >= self._limits.min_times:
            text = f"{lacking} of {messages} messages lack {what} {path}."
            yield Difference(
                "missing_required", LOW, text, location, path, status, expected="required", count=lacking,
                messages=messages,
            )  # fmt: skip

    # Statuses and media types

    def _statuses(self) -> Iterator[Difference]:
        stats, limits = self._stats, self._limits
        documented = self._operation.responses
        if not documented:
            return
        for status, times in sorted(stats.statuses.items()):
            if status in ("0", OTHER) or self._operation.response(status) is not None:
                continue
            if limits.counts(times, stats.count) and 100 <= int(status) <= 599:
                severity = LOW if status[0] in "235" else INFO
                text = f"{times} of {stats.count} answers have the status {status}, which is not documented."
                yield Difference(
                    "undocumented_status", severity, text, status=status, expected=", ".join(sorted(documented)),
                    seen=status, count=times, messages=stats.count,
                )  # fmt: skip
        if stats.count < limits.min_messages or OTHER in stats.statuses:
            return
        for status in sorted(documented):
            if status[0] in "1234" and not any(one == status or f"{one[:1]}XX" == status for one in stats.statuses):
                text = f"None of {stats.count} answers has the documented status {status}."
                yield Difference("unseen_status", INFO, text, status=status, messages=stats.count)

    def _media(self, side: _Side) -> Iterator[Difference]:
        content, media = side.content, side.message.media
        if content.media is None:
            return
        for name, times in sorted(media.items()):
            if name == OTHER or content.matching(name) or not self._limits.counts(times, side.message.count):
                continue
            if not content.media and not side.message.fields.stats:
                continue  # an answer without a body may name a media type and mean nothing by it
            active = name in ("text/html", "image/svg+xml", "application/xhtml+xml") and side.status[0] in "2"
            text = f"{times} of {side.message.count} {side.where} are {name}, which is not documented"
            text += "; a browser runs what it finds in it." if active else "."
            yield Difference(
                "undocumented_content_type", MEDIUM if active else LOW, text, status=side.status, about=name,
                expected=", ".join(sorted(content.media)), seen=name, count=times, messages=side.message.count,
            )  # fmt: skip
        if sum(media.values()) < self._limits.min_messages or OTHER in media:
            return
        for name in sorted(content.media):
            if "*" not in name and not any(Content({name: None}).matching(one) for one in media):
                text = f"None of {side.message.count} {side.where} is of the documented type {name}."
                yield Difference(
                    "unseen_content_type", INFO, text, status=side.status, about=name, expected=name,
                    messages=side.message.count,
                )  # fmt: skip

    # Bodies

    def _body(self, side: _Side) -> Iterator[Difference]:
        media = side.content.media
        if media is None:
            return
        bodies = 0
        seen: Dict[str, FieldStats] = {}
        for (location, path), stats in side.message.fields.items():
            if location == "body":
                seen[path] = stats
                bodies = max(bodies, stats.present)
        told = 0
        for path, stats in seen.items():
            for found in self._field(side, path, stats):
                told += 1
                if told <= self._limits.max_fields or found.kind == "undocumented_sensitive_field":
                    yield found
        if bodies:
            yield from self._lacking_fields(side, seen, bodies)

    def _found(self, content: Content, path: str) -> Found:
        """Return what the schemas of all media types say of a path."""
        pieces: List[Piece] = []
        anything = False
        for schema in content.schemas:
            found = self._schemas.find(schema, path)
            pieces += found.pieces
            anything = anything or found.open
        return Found(tuple(pieces), anything)

    def _field(self, side: _Side, path: str, stats: FieldStats) -> Iterator[Difference]:
        found = self._found(side.content, path)
        classes = names(stats.classes)
        if found.pieces:
            yield from self._type(side, path, stats, found)
            return
        sensitive = is_sensitive(classes) and stats.present >= self._limits.min_sensitive
        if found.open and not sensitive:
            return
        if not sensitive and not self._limits.counts(stats.present, side.message.count):
            return
        kind = "undocumented_sensitive_field" if sensitive else "undocumented_field"
        text = f"{path} is in {stats.present} of {side.message.count} {side.where} and not documented"
        text += f"; it carries {', '.join(classes)}" if classes else ""
        text += " (the document allows anything there)." if found.open else "."
        severity = graded_by_data(classes, LOW)
        yield Difference(
            kind, severity, text, "body", path, side.status, seen=", ".join(names(stats.types)), count=stats.present,
            messages=side.message.count, classes=classes,
        )  # fmt: skip

    def _type(self, side: _Side, path: str, stats: FieldStats, found: Found) -> Iterator[Difference]:
        allowed: Set[str] = set()
        for piece in found.pieces:
            kinds = types(piece)
            if kinds is None:
                return
            allowed |= kinds
        if found.open or not _is_json(side):
            return
        wrong = {kind: n for kind, n in stats.types.items() if kind != OTHER and not _allows(allowed, kind)}
        times = sum(wrong.values())
        if not self._limits.counts(times, stats.present):
            return
        said, kinds_seen = "/".join(sorted(allowed)), "/".join(sorted(wrong))
        text = f"{path} is {kinds_seen} in {times} of {stats.present} {side.where}; the document says {said}."
        severity = INFO if set(wrong) == {"null"} else LOW
        yield Difference(
            "wrong_type", severity, text, "body", path, side.status, said, kinds_seen, count=times,
            messages=stats.present, classes=names(stats.classes),
        )  # fmt: skip

    def _lacking_fields(self, side: _Side, seen: Mapping[str, FieldStats], bodies: int) -> Iterator[Difference]:
        if bodies < self._limits.min_messages or side.message.fields.dropped or len(side.content.schemas) != 1:
            return
        told = 0
        for leaf in self._schemas.leaves(side.content.schemas[0]):
            if told >= self._limits.max_fields:
                return
            if (leaf.write_only if side.status else leaf.read_only) or leaf.path == "":
                continue
            stats = seen.get(leaf.path)
            # A place that holds another thing than the document says was told as a wrong type.
            if stats is None and not any(_nested(leaf.path, path) for path in seen):
                told += 1
                text = f"None of {bodies} {side.where} with a body has the documented field."
                yield Difference("unseen_field", INFO, text, "body", leaf.path, side.status, messages=bodies)
            elif stats is not None and leaf.required:
                yield from self._lacking("the required field", "body", leaf.path, side.status, stats.present, bodies)


def _key(location: str, name: str) -> Tuple[str, str]:
    return location, name.lower() if location == "header" else name


def _of_object(known: Mapping[Tuple[str, str], Parameter], location: str, path: str) -> Optional[Parameter]:
    """Return the parameter whose member or item a path is: ``filter[name]``, ``filter.name``, ``ids[]``."""
    for mark in ("[", "."):
        found = known.get(_key(location, path.partition(mark)[0])) if mark in path else None
        if found is not None:
            return found
    return known.get(_key(location, f"{path}[]"))


def _allows(allowed: AbstractSet[str], kind: str) -> bool:
    if kind == "integer":
        return bool(allowed & {"integer", "number"})
    return ("string" if kind == "binary" else kind) in allowed


def _is_json(side: _Side) -> bool:
    """Return whether types can be told apart: in forms and XML everything is text."""
    listed = names(side.message.media) or list(side.content.media or ())
    return all(name.partition(";")[0].strip().lower().endswith(("json", "*/*")) for name in listed) or listed == [JSON]


def _nested(one: str, other: str) -> bool:
    """Return whether one of two paths stands inside of the other."""
    return one.startswith((f"{other}.", f"{other}[]")) or other.startswith((f"{one}.", f"{one}[]"))
