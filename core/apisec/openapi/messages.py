"""An operation's messages against what is documented of them: parameters, bodies, statuses, media types, types."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Optional, Set, Tuple

from apisec.endpoints.inventory import OperationStats
from apisec.endpoints.inventory.fields import FieldStats
from apisec.endpoints.inventory.messages import JSON, Message
from apisec.endpoints.inventory.shapes import Shape
from apisec.endpoints.inventory.tally import OTHER, names
from apisec.openapi.bodies import BodyComparison
from apisec.openapi.difference import Difference, Limits, Side
from apisec.openapi.drift import INFO, LOW, MEDIUM, graded_by_data, is_sensitive
from apisec.openapi.expected import Schemas, types
from apisec.openapi.model import Content, Parameter, SpecOperation

# Media types that browsers send to other sites without a preflight (Fetch, "CORS-safelisted request-header").
_SIMPLE = frozenset(("text/plain", "application/x-www-form-urlencoded", "multipart/form-data"))


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
        yield from self._side(Side(self._stats.request, self._operation.request, ""))
        yield from self._statuses()
        for status, message in sorted(self._stats.responses.items()):
            content = self._operation.response(status)
            if status != OTHER and content is not None:
                yield from self._side(Side(message, content, status))

    def _side(self, side: Side) -> Iterator[Difference]:
        yield from self._media(side)
        yield from BodyComparison(self._schemas, side, self._limits, several=self._several).run()

    @property
    def _several(self) -> bool:
        """Whether bodies say what is asked for (GraphQL, JSON-RPC, SOAP): fields then differ from one to the next."""
        asked = sum(one.count for one in self._stats.asked.stats.values())
        return asked > 0 and 2 * asked >= self._stats.count

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
                    yield from self._limits.lacking(text, "query", parameter.name, "", stats.present, message.count)

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

    def _media(self, side: Side) -> Iterator[Difference]:
        content, media = side.content, side.message.media
        if content.media is None:
            return
        for name, times in sorted(media.items()):
            if name == OTHER or content.matching(name):
                continue
            # What was refused for its media type is told by the status.
            times -= 0 if side.status else min(times, self._stats.statuses.get("415", 0))
            if not self._limits.counts(times, side.message.count) or not self._means(side):
                continue
            severity, risk = _risk(side, name, JSON in {*content.media} or not content.media)
            text = f"{times} of {side.message.count} {side.where} are {name}, which is not documented{risk}."
            yield Difference(
                "undocumented_content_type", severity, text, status=side.status, about=name,
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

    @staticmethod
    def _means(side: Side) -> bool:
        """Return whether a media type says something: a message without a body may name one and mean nothing by it.

        A body that no document speaks of is told field by field where it is a request's.
        """
        if side.content.media:
            return True
        return bool(side.status) and bool(side.message.fields.stats)


def _key(location: str, name: str) -> Tuple[str, str]:
    return location, name.lower() if location == "header" else name


def _of_object(known: Mapping[Tuple[str, str], Parameter], location: str, path: str) -> Optional[Parameter]:
    """Return the parameter whose member or item a path is: ``filter[name]``, ``filter.name``, ``ids[]``."""
    for mark in ("[", "."):
        found = known.get(_key(location, path.partition(mark)[0])) if mark in path else None
        if found is not None:
            return found
    return known.get(_key(location, f"{path}[]"))


def _risk(side: Side, name: str, is_json: bool) -> Tuple[str, str]:
    """Return how grave a media type is that no document names, and why."""
    if side.status:
        active = name in ("text/html", "image/svg+xml", "application/xhtml+xml") and side.status[0] == "2"
        return (MEDIUM, "; a browser runs what it finds in it") if active else (LOW, "")
    if is_json and name in _SIMPLE:
        return LOW, "; any page can have a browser send it, and no preflight asks first"
    return LOW, "; parsers of XML read files and addresses that a body names" if name.endswith("xml") else ""
