"""Messages of one kind (an operation's requests, or its answers of one status): media types, fields and shapes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Dict, List, Optional, Tuple
from urllib.parse import parse_qsl

from apisec.baselines.values import texts
from apisec.endpoints.inventory.bodies import MAX_BODY, read_cut, read_other, scalar
from apisec.endpoints.inventory.fields import FieldKey, Fields
from apisec.endpoints.inventory.shapes import Shape
from apisec.endpoints.inventory.tally import Counts, add_all, counts_of, tally
from apisec.endpoints.templating import segments_of

MAX_MEDIA_TYPES = 8
MAX_SHAPES = 400  # of one kind of messages
MAX_NODES = 2_000  # places in bodies of one kind, with those that never held a value
MAX_ITEMS = 8  # of one array that are looked at: they are alike
MAX_DEPTH = 24  # containers
MAX_NAME = 128  # characters of a member's name that go into a path
MAX_PARAMETERS = 64  # of one query
JSON, FORM = "application/json", "application/x-www-form-urlencoded"
ROOT = "$"


class _Node:
    """A place in bodies: its path, its members and items by their place, and the shape of what stood there."""

    __slots__ = ("items", "members", "path", "shape")

    def __init__(self, path: str) -> None:
        self.path = path
        self.members: Dict[str, _Node] = {}
        self.items: Optional[_Node] = None
        self.shape: Optional[Shape] = None


class Message:
    """What is known of messages of one kind.

    ``unread``: shown bodies of which no values could be read. ``partial``: messages that the forwarder could not
    analyse whole, so that a field or class that was not seen may have been there.
    """

    __slots__ = ("_nodes", "_root", "count", "fields", "media", "partial", "shapes", "unread")

    def __init__(self) -> None:
        self.count = 0
        self.unread = 0
        self.partial = 0
        self.media: Counts = {}
        self.fields = Fields()
        self.shapes: Dict[FieldKey, Shape] = {}
        self._root = _Node("")
        self._nodes = 0

    def add(self, fields: Any, body: Any, media_type: str, bit: int) -> None:
        """Count a message: its listed fields, its shown body, its media type where it is known."""
        self.count += 1
        if fields:
            self.fields.add(fields)
        found = self._body(body, media_type, bit) if isinstance(body, str) and body else ""
        media = media_type or found
        if media:
            tally(self.media, media, 1, MAX_MEDIA_TYPES)

    def _body(self, body: str, media_type: str, bit: int) -> str:
        """Count the values of a body; returns the media type that it can be read as."""
        if body[0] not in "{[":
            return self._other(body, media_type, bit)
        try:
            value = json.loads(body) if len(body) <= MAX_BODY else None
        except (ValueError, RecursionError):
            value = read_cut(body)
        if value is None:
            self.unread += 1
            return ""
        self._visit(self._root, value, bit, 0)
        return JSON

    def _other(self, body: str, media_type: str, bit: int) -> str:
        """Count the values of a form, or of XML."""
        found = "" if media_type else FORM if _is_form(body) else ""
        values = read_other(body, media_type or found)
        if not values:
            self.unread += 1
        for path, value in values:
            shape = self._shape(("body", path))
            if shape is not None:
                shape.add(value, bit)
        return found

    def _walk(self, node: _Node, value: Any, bit: int, depth: int) -> None:
        """Count the scalars of an object or a list."""
        if type(value) is dict:
            members = node.members
            for name, inner in value.items():
                child = members.get(name) or self._member(node, name)
                if child is not None:
                    self._visit(child, inner, bit, depth)
        elif value:
            items = node.items
            if items is None:
                items = node.items = _Node(node.path + "[]")
            for inner in value[:MAX_ITEMS]:
                self._visit(items, inner, bit, depth)

    def _visit(self, node: _Node, value: Any, bit: int, depth: int) -> None:
        kind = type(value)
        if kind is dict or kind is list:
            if depth < MAX_DEPTH:
                self._walk(node, value, bit, depth + 1)
            return
        shape = node.shape
        if shape is None:
            shape = node.shape = self._shape(("body", node.path or ROOT))
            if shape is None:
                return
        shape.add(value, bit)

    def _member(self, node: _Node, name: str) -> Optional[_Node]:
        """Return a new place, or None where there is no room for one."""
        if len(self.shapes) >= MAX_SHAPES or self._nodes >= MAX_NODES:
            return None
        self._nodes += 1
        shown = name[:MAX_NAME]
        child = node.members[name] = _Node(f"{node.path}.{shown}" if node.path else shown)
        return child

    def _shape(self, key: FieldKey) -> Optional[Shape]:
        found = self.shapes.get(key)
        if found is None and len(self.shapes) < MAX_SHAPES:
            found = self.shapes[key] = Shape()
        return found

    def query(self, query: str, bit: int) -> None:
        """Count the values of a redacted query, as text of which numbers and truth values are told."""
        for name, value in _parameters(query):
            shape = self._shape(("query", name))
            if shape is not None:
                shape.add(value, bit)

    def path(self, endpoint: str, path: str, bit: int) -> None:
        """Count the values of path parameters, where template and path have as many segments."""
        parts, values = _placed(endpoint), segments_of(path)
        if len(parts) != len(values):
            return
        for name, value in zip(parts, values):
            if name:
                shape = self._shape(("path", name))
                if shape is not None:
                    shape.add(scalar(value), bit)

    def merge(self, other: Message) -> None:
        self.count += other.count
        self.unread += other.unread
        self.partial += other.partial
        add_all(self.media, other.media, MAX_MEDIA_TYPES)
        self.fields.merge(other.fields)
        for key in sorted(other.shapes):
            mine = self._shape(key)
            if mine is not None:
                mine.merge(other.shapes[key])

    def rows(self) -> List[Dict[str, Any]]:
        """Return one row for each field: ``presence`` is the share of messages that carried it."""
        return [
            {
                "path": path,
                "in": location,
                "types": sorted(stats.types),
                "presence": round(min(1.0, stats.present / max(1, self.count)), 4),
                "classes": sorted(stats.classes),
                **self._shape_row((location, path), stats.classes),
            }
            for (location, path), stats in self.fields.items()
        ]

    def _shape_row(self, key: FieldKey, classes: Mapping[str, int]) -> Dict[str, Any]:
        shape = self.shapes.get(key)
        return shape.row(sorted(classes)) if shape is not None else {}

    def to_state(self) -> List[Any]:
        shapes = [[*key, shape.to_state()] for key, shape in sorted(self.shapes.items())]
        return [self.count, self.unread, self.media, self.fields.to_state(), shapes, self.partial]

    @classmethod
    def from_state(cls, state: Any) -> Message:
        """TypeError or ValueError when the state is not one of ``to_state``."""
        message = cls()
        count, unread, media, fields, shapes, partial = state
        message.count, message.unread, message.partial = int(count), int(unread), int(partial)
        message.media = counts_of(media)
        message.fields = Fields.from_state(fields)
        for where, path, shape in shapes[:MAX_SHAPES]:
            message.shapes[str(where), str(path)] = Shape.from_state(shape)
        return message


@lru_cache(maxsize=4096)
def _placed(endpoint: str) -> List[str]:
    """Return the names of a template's parameters by their place; empty texts are words."""
    return [part[1:-1] if part.startswith("{") and part.endswith("}") else "" for part in segments_of(endpoint)]


@lru_cache(maxsize=4096)
def _parameters(query: str) -> List[Tuple[str, Any]]:
    """Return names and values of a query."""
    try:
        pairs = parse_qsl(query, keep_blank_values=True, max_num_fields=MAX_PARAMETERS)
    except ValueError:
        return []
    return [(name[:MAX_NAME], scalar(value)) for name, value in pairs]


def partial(reasons: Any) -> Tuple[int, int]:
    """Return for a request and its response whether the forwarder could not analyse all of them (1) or did (0).

    ``reasons`` is an event's ``coverage_reasons``; that a body is not *shown* whole is another matter.
    """
    asking = answering = 0
    for reason in texts(reasons):
        both = reason.startswith("transaction:")
        asking |= both or reason.startswith(("request.", "request_fields:"))
        answering |= both or reason.startswith(("response.", "response_fields:"))
    return int(asking), int(answering)


def _is_form(body: str) -> bool:
    head = body[:256]
    return "=" in head and not any(mark in head for mark in " \n<{[")


def together(messages: Mapping[str, Message]) -> Message:
    """Return one message over those of all statuses, which stay as they are."""
    total = Message()
    for name in sorted(messages):
        total.merge(messages[name])
    return total
