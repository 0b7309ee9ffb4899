"""Schemas of fields and bodies, made of what an inventory learned of them."""

from __future__ import annotations

from typing import Any, Dict, List, Optional

from apisec.endpoints.inventory.fields import FieldStats
from apisec.endpoints.inventory.messages import ROOT, Message
from apisec.endpoints.inventory.shapes import Shape
from apisec.endpoints.inventory.tally import names

MIN_SAMPLES = 50  # messages before a field that was in all of them is called required

Schema = Dict[str, Any]


def always(present: int, count: int) -> bool:
    """Return whether a field stood in every one of enough messages."""
    return count >= MIN_SAMPLES and present >= count


class _Place:
    """A place in a body: what is known of it, its members and its items."""

    __slots__ = ("field", "items", "members", "shape")

    def __init__(self) -> None:
        self.field: Optional[FieldStats] = None
        self.shape: Optional[Shape] = None
        self.members: Dict[str, _Place] = {}
        self.items: Optional[_Place] = None


def body_schema(message: Message) -> Optional[Schema]:
    """Return the schema of bodies, put together from the paths of their fields; None when there are none."""
    root = _Place()
    bodies = 0
    for (location, path), field in message.fields.items():
        if location == "body":
            place = _place(root, "" if path == ROOT else path)
            place.field, place.shape = field, message.shapes.get((location, path))
            bodies = max(bodies, field.present)
    if not bodies:
        return None
    return _place_schema(root, bodies)


def _place(root: _Place, path: str) -> _Place:
    place = root
    for part in path.split(".") if path else ():
        name = part.rstrip("[]") if part.endswith("[]") else part
        if name:
            place = place.members.setdefault(name, _Place())
        for _ in range((len(part) - len(name)) // 2):
            if place.items is None:
                place.items = _Place()
            place = place.items
    return place


def _place_schema(place: _Place, messages: int) -> Schema:
    schema = schema_of(place.field, place.shape)
    if place.items is not None:
        return _joined(schema, {"type": "array", "items": _place_schema(place.items, 0)})
    if place.members:
        made: Schema = {
            "type": "object",
            "properties": {name: _place_schema(inner, messages) for name, inner in sorted(place.members.items())},
        }
        required = [
            name
            for name, inner in sorted(place.members.items())
            if inner.field is not None and always(inner.field.present, messages)
        ]
        if required:
            made["required"] = required
        return _joined(schema, made)
    return schema


def _joined(scalar: Schema, container: Schema) -> Schema:
    """A place that held scalars (null, an empty text) at times and a container at others."""
    if not scalar:
        return container
    if scalar.get("type") == "null":
        return {**container, "type": [container["type"], "null"]}
    return {"anyOf": [scalar, container]}


_TYPES = {"string": "string", "binary": "string", "number": "number", "integer": "integer", "boolean": "boolean"}
_TEXT_FORMATS = frozenset(("integer", "decimal"))  # of ours: numbers written as text


def schema_of(field: Optional[FieldStats], shape: Optional[Shape]) -> Schema:
    """Return the schema of one field; empty when nothing is known."""
    types = sorted({_TYPES[name] for name in (field.types if field else ()) if name in _TYPES})
    from_query = shape is not None and shape.count > 0
    if from_query and shape is not None and types == ["string"] and not (shape.texts or shape.tokens):
        # of a query everything is text; the values say what it stands for
        types = [name for name, n in (("boolean", shape.booleans), ("integer", shape.integers)) if n]
        types = ["number"] if shape.numbers else types or ["string"]
    if "number" in types and "integer" in types:
        types.remove("integer")
    nullable = (shape is not None and shape.nulls > 0) or (field is not None and "null" in field.types)
    schema: Schema = {}
    listed = [*types, *(["null"] if nullable else [])]
    if listed:
        schema["type"] = listed[0] if len(listed) == 1 else listed
    classes = names(field.classes) if field else []
    if shape is not None and len(types) == 1:
        schema.update(_constraints(shape, types[0], classes, nullable))
    if classes:
        schema["x-apisec-classes"] = classes
    return schema


def _constraints(shape: Shape, kind: str, classes: List[str], nullable: bool) -> Schema:
    found: Schema = {}
    format_ = shape.format(classes)
    if format_ and format_ not in _TEXT_FORMATS and (kind == "string") == (format_ not in ("int32", "int64", "double")):
        found["format"] = format_
    values = shape.enumeration() if kind == "string" else []
    if values and shape.complete():
        found["enum"] = [*values, None] if nullable else values
    elif values:
        found["x-apisec-values"] = values
    if kind in ("integer", "number") and shape.high >= shape.low:
        found["x-apisec-range"] = [shape.low, shape.high]
    if kind == "string" and shape.longest >= 0 and not values and not shape.tokens:
        found["x-apisec-length"] = [shape.shortest, shape.longest]
    return found
