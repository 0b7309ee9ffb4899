"""A published OpenAPI document as apisec compares with it. Schemas stay as they are written: see expected.py."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Dict, Mapping, Optional, Tuple
from urllib.parse import unquote

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")

Node = Mapping[str, Any]


@dataclass(frozen=True)
class Parameter:
    """``location`` is path, query, header or cookie."""

    name: str
    location: str
    required: bool
    schema: Any


@dataclass(frozen=True)
class Content:
    """A body: its schema by media type. ``media`` is None where the document does not say what there may be."""

    media: Optional[Mapping[str, Any]]
    required: bool = False

    @property
    def schemas(self) -> Tuple[Any, ...]:
        return tuple((self.media or {}).values())

    def matching(self, media_type: str) -> bool:
        """Return whether a media type (no parameters) is documented; ranges and ``+json`` hold."""
        return self.media is None or any(_fits(known, media_type) for known in self.media)


def _fits(known: str, seen: str) -> bool:
    pattern, value = known.partition(";")[0].strip().lower(), seen.partition(";")[0].strip().lower()
    if pattern in ("*/*", "*", value):
        return True
    kind, _, subtype = pattern.partition("/")
    seen_kind, _, seen_subtype = value.partition("/")
    if subtype == "*":
        return kind == seen_kind
    # application/json stands for every vendor's type that is JSON, and the other way round
    return (subtype == "json" and seen_subtype.endswith("+json")) or (
        seen_subtype == "json" and subtype.endswith("+json")
    )


@dataclass(frozen=True)
class SpecOperation:
    """``security``: alternatives, each the kinds of credentials it takes together; None where nothing is said."""

    method: str  # in capitals
    path: str  # a template, without a server's base path
    bases: Tuple[str, ...]
    pointer: str
    parameters: Tuple[Parameter, ...] = ()
    request: Content = Content(None)
    responses: Mapping[str, Content] = field(default_factory=dict)
    security: Optional[Tuple[Tuple[str, ...], ...]] = None
    deprecated: bool = False
    sunset: str = ""

    @property
    def name(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def demands_credentials(self) -> bool:
        return bool(self.security) and all(self.security or ())

    def response(self, status: str) -> Optional[Content]:
        """Return what is documented of a status: itself, its range, or the default."""
        for name in (status, f"{status[:1]}XX", "DEFAULT"):
            if name in self.responses:
                return self.responses[name]
        return None


@dataclass(frozen=True)
class Spec:
    """``format`` is 2.0, 3.0 or 3.1. ``warnings`` say what could not be read, and where (JSON pointer)."""

    title: str
    version: str
    format: str
    operations: Tuple[SpecOperation, ...]
    document: Node
    warnings: Tuple[str, ...] = ()


def resolve(document: Node, reference: str) -> Any:
    """Return what a local reference (``#/components/…``) names; None when there is nothing."""
    if reference == "#":
        return document
    if not reference.startswith("#/"):
        return None
    place: Any = document
    for part in reference[2:].split("/"):
        name = part.replace("~1", "/").replace("~0", "~")
        if "%" in name and not (isinstance(place, Mapping) and name in place):
            name = unquote(name)
        if isinstance(place, Mapping) and name in place:
            place = place[name]
        elif isinstance(place, list) and name.isdecimal() and int(name) < len(place):
            place = place[int(name)]
        else:
            return None
    return place


MAX_CHAIN = 32  # references that name references


def followed(document: Node, node: Any) -> Any:
    """Return a node, or what its reference finally names; None for a loop, a missing target or another document."""
    for _ in range(MAX_CHAIN):
        reference = node.get("$ref") if isinstance(node, Mapping) else None
        if not isinstance(reference, str):
            return node
        node = resolve(document, reference)
    return None


def pointer(*parts: str) -> str:
    """Return a JSON pointer (RFC 6901) as a fragment."""
    return "#/" + "/".join(part.replace("~", "~0").replace("/", "~1") for part in parts)


def members(node: Any) -> Dict[str, Any]:
    """Return the members of an object whose names are text; none of anything else."""
    return {name: value for name, value in node.items() if isinstance(name, str)} if isinstance(node, Mapping) else {}
