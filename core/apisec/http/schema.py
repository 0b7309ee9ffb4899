"""A subset of JSON Schema (draft 2020-12) that checks what clients send; each fault names its JSON pointer.

Every keyword that a schema may use is listed here; ``refuse_unknown`` finds others, so that no schema promises what
nobody checks. Patterns are the tables' own, never a client's.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, Callable, Dict, List, Optional

from apisec.errors import did_you_mean
from apisec.http.problem import Fault

Schema = Mapping[str, Any]

MAX_FAULTS = 20  # told to a client at once
_SHOWN = 60  # characters of a value that a fault repeats
REFERENCE = "#/components/schemas/"
ANNOTATIONS = frozenset(("title", "description", "default", "examples", "deprecated", "readOnly", "writeOnly"))
_TYPES: Dict[str, Callable[[Any], bool]] = {
    "null": lambda value: value is None,
    "boolean": lambda value: isinstance(value, bool),
    "integer": lambda value: _is_number(value) and float(value).is_integer(),
    "number": lambda value: _is_number(value),
    "string": lambda value: isinstance(value, str),
    "array": lambda value: isinstance(value, list),
    "object": lambda value: isinstance(value, dict),
}


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def faults(value: Any, schema: Schema, schemas: Mapping[str, Schema], pointer: str = "") -> List[Fault]:
    """Return what is wrong with a value, at most MAX_FAULTS; ``schemas`` are those that ``$ref`` names."""
    found: List[Fault] = []
    for fault in _faults(value, schema, schemas, pointer):
        found.append(fault)
        if len(found) >= MAX_FAULTS:
            break
    return found


def _faults(value: Any, schema: Schema, schemas: Mapping[str, Schema], pointer: str) -> Iterator[Fault]:
    if "$ref" in schema:
        yield from _faults(value, resolved(schema, schemas), schemas, pointer)
        return
    wanted = schema.get("type")
    if wanted is not None:
        names = [wanted] if isinstance(wanted, str) else list(wanted)
        if not any(_TYPES[name](value) for name in names):
            yield Fault(pointer, f"must be {_article(' or '.join(names))}, not {_name(value)}")
            return
    yield from _choices(value, schema, schemas, pointer)
    if isinstance(value, str):
        yield from _text(value, schema, pointer)
    elif _is_number(value):
        yield from _number(value, schema, pointer)
    elif isinstance(value, list):
        yield from _array(value, schema, schemas, pointer)
    elif isinstance(value, dict):
        yield from _object(value, schema, schemas, pointer)


def resolved(schema: Schema, schemas: Mapping[str, Schema]) -> Schema:
    """Follow ``$ref``. KeyError for a schema that nobody defined."""
    while "$ref" in schema:
        schema = schemas[str(schema["$ref"])[len(REFERENCE) :]]
    return schema


def _choices(value: Any, schema: Schema, schemas: Mapping[str, Schema], pointer: str) -> Iterator[Fault]:
    if "const" in schema and not _same(value, schema["const"]):
        yield Fault(pointer, f"must be {_shown(schema['const'])}")
    if "enum" in schema and not any(_same(value, one) for one in schema["enum"]):
        near = did_you_mean(value, [o for o in schema["enum"] if isinstance(o, str)]) if isinstance(value, str) else ""
        choices = ", ".join(_shown(one) for one in schema["enum"][:30])
        yield Fault(pointer, f"must be one of {choices}{near}")
    if "anyOf" in schema:
        tried = [list(_faults(value, one, schemas, pointer)) for one in schema["anyOf"]]
        if all(tried):
            yield min(tried, key=len)[0]


def _same(value: Any, other: Any) -> bool:
    return isinstance(value, bool) == isinstance(other, bool) and bool(value == other)


def _text(value: str, schema: Schema, pointer: str) -> Iterator[Fault]:
    if len(value) < schema.get("minLength", 0):
        yield Fault(pointer, f"must have at least {schema['minLength']} characters")
    if len(value) > schema.get("maxLength", len(value)):
        yield Fault(pointer, f"has {len(value)} characters, at most {schema['maxLength']} are allowed")
        return  # no pattern on what is too long
    pattern = schema.get("pattern")
    if pattern is not None and not compiled(pattern).search(value):
        yield Fault(pointer, f"{_shown(value)} does not match {pattern}")
    check = _FORMATS.get(str(schema.get("format")))
    if check is not None and not check(value):
        yield Fault(pointer, f"{_shown(value)} is no {schema['format']}")


def _number(value: Any, schema: Schema, pointer: str) -> Iterator[Fault]:
    if value < schema.get("minimum", value):
        yield Fault(pointer, f"must be at least {schema['minimum']}")
    if value > schema.get("maximum", value):
        yield Fault(pointer, f"must be at most {schema['maximum']}")
    if "exclusiveMinimum" in schema and value <= schema["exclusiveMinimum"]:
        yield Fault(pointer, f"must be more than {schema['exclusiveMinimum']}")


def _array(value: List[Any], schema: Schema, schemas: Mapping[str, Schema], pointer: str) -> Iterator[Fault]:
    if len(value) < schema.get("minItems", 0):
        yield Fault(pointer, f"must have at least {schema['minItems']} items")
    if len(value) > schema.get("maxItems", len(value)):
        yield Fault(pointer, f"has {len(value)} items, at most {schema['maxItems']} are allowed")
        return
    if schema.get("uniqueItems") and any(_same(a, b) for i, a in enumerate(value) for b in value[:i]):
        yield Fault(pointer, "an item stands twice")
    items = schema.get("items")
    if items is not None:
        for index, one in enumerate(value):
            yield from _faults(one, items, schemas, f"{pointer}/{index}")


def _object(value: Dict[str, Any], schema: Schema, schemas: Mapping[str, Schema], pointer: str) -> Iterator[Fault]:
    properties = schema.get("properties", {})
    for name in schema.get("required", ()):
        if name not in value:
            yield Fault(pointer, f"lacks {_shown(name)}: add it")
    if len(value) > schema.get("maxProperties", len(value)):
        yield Fault(pointer, f"has {len(value)} members, at most {schema['maxProperties']} are allowed")
        return
    if len(value) < schema.get("minProperties", 0):
        yield Fault(pointer, f"must have at least {schema['minProperties']} members")
    more = schema.get("additionalProperties", True)
    for name, one in value.items():
        at = f"{pointer}/{escaped(name)}"
        if name in properties:
            yield from _faults(one, properties[name], schemas, at)
        elif more is False:
            yield Fault(at, f"is no member that is known here{did_you_mean(name, properties)}: remove it")
        elif isinstance(more, Mapping):
            yield from _faults(one, more, schemas, at)


def escaped(name: str) -> str:
    """Return a member's name as a JSON pointer (RFC 6901) writes it, shortened."""
    return name[:_SHOWN].replace("~", "~0").replace("/", "~1")


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "…"


def _name(value: Any) -> str:
    for name in ("null", "boolean", "integer", "number", "string", "array"):
        if _TYPES[name](value):
            return name if name == "null" else _article(name)
    return "an object"


def _article(name: str) -> str:
    return name if name.startswith("null") else f"an {name}" if name[0] in "aio" else f"a {name}"


@lru_cache(maxsize=512)
def compiled(pattern: str) -> re.Pattern[str]:
    """Return a pattern of a schema. ``$`` is the end of the text, as in ECMA-262, and not a line break before it."""
    whole = pattern[:-1] + r"\Z" if pattern.endswith("$") and not pattern.endswith("\\$") else pattern
    return re.compile(whole, re.ASCII)


def _is_date(value: str) -> bool:
    try:
        return len(value) == 10 and bool(datetime.date.fromisoformat(value))
    except ValueError:
        return False


_RFC3339 = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt]([01]\d|2[0-3]):[0-5]\d:([0-5]\d|60)(\.\d{1,20})?([Zz]|[+-]([01]\d|2[0-3]):[0-5]\d)\Z",
    re.ASCII,
)


def _is_moment(value: str) -> bool:
    found = _RFC3339.match(value)
    return bool(found and _is_date(found[1]))


_FORMATS: Dict[str, Callable[[str], bool]] = {"date": _is_date, "date-time": _is_moment}

# fmt: off
_KEYWORDS = ANNOTATIONS | {
    "$ref", "type", "enum", "const", "anyOf", "minLength", "maxLength", "pattern", "format", "minimum", "maximum",
    "exclusiveMinimum", "items", "minItems", "maxItems", "uniqueItems", "properties", "required",
    "additionalProperties", "maxProperties", "minProperties",
}
# fmt: on


def refuse_unknown(schema: Schema, schemas: Mapping[str, Schema], where: str) -> None:
    """Raise ValueError for a keyword, type or reference that is not checked, or a pattern that does not compile."""
    for keyword in schema:
        if keyword not in _KEYWORDS:
            raise ValueError(f"{where}: the keyword {keyword!r} is not checked here")
    reference = schema.get("$ref")
    if reference is not None and str(reference)[len(REFERENCE) :] not in schemas:
        raise ValueError(f"{where}: {reference} leads nowhere")
    wanted: Optional[Any] = schema.get("type")
    for name in [wanted] if isinstance(wanted, str) else wanted or ():
        if name not in _TYPES:
            raise ValueError(f"{where}: no type {name!r}")
    if "pattern" in schema:
        compiled(str(schema["pattern"]))
    for name, one in _parts(schema):
        refuse_unknown(one, schemas, f"{where}/{name}")


def _parts(schema: Schema) -> Iterator[Any]:
    yield from schema.get("properties", {}).items()
    for name in ("items", "additionalProperties"):
        if isinstance(schema.get(name), Mapping):
            yield name, schema[name]
    for index, one in enumerate(schema.get("anyOf", ())):
        yield f"anyOf/{index}", one
