"""Operations as rows of a table: routing, checking, authorisation and the OpenAPI document all read the same rows."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Callable, Dict, List, NamedTuple, Optional, Tuple

from apisec.errors import did_you_mean
from apisec.http.problem import Fault, Problem
from apisec.http.schema import faults, refuse_unknown

Schema = Mapping[str, Any]

JSON = "application/json"
MAX_BODY = 262_144  # bytes, unless an operation says otherwise
MAX_VALUE = 8_000  # characters of a parameter: a cursor may hold a long key
_BRACES = re.compile(r"\{([A-Za-z_]+)\}")
_INTEGER = re.compile(r"-?[0-9]{1,18}\Z")
_NUMBER = re.compile(r"-?[0-9]{1,18}(\.[0-9]{1,18})?([eE][+-]?[0-9]{1,3})?\Z")


@dataclass(frozen=True)
class Parameter:
    """One parameter of the path or the query. Its schema's type is string, integer, number or boolean."""

    name: str
    schema: Schema
    description: str = ""
    where: str = "query"
    required: bool = False
    weighed: bool = False  # a handler may refuse a value that its schema allows: 422

    def read(self, text: str) -> Any:
        """Return the typed value. Problem 400 names the parameter and what it may be."""
        value = _typed(text, str(self.schema.get("type", "string")))
        problems = [] if len(text) > MAX_VALUE else faults(value, self.schema, {}, f"{self.where}/{self.name}")
        if len(text) > MAX_VALUE:
            problems = [Fault(f"{self.where}/{self.name}", f"has more than {MAX_VALUE} characters")]
        if problems:
            raise refused(problems)
        return value


def _typed(text: str, kind: str) -> Any:
    """Return a value of that type where the text is one, else the text, which the schema refuses then."""
    if kind == "integer" and _INTEGER.match(text):
        return int(text)
    if kind == "number" and _NUMBER.match(text):
        return float(text)
    if kind == "boolean" and text in ("true", "false", "1", "0"):
        return text in ("true", "1")
    return text


def refused(problems: Sequence[Fault]) -> Problem:
    """Return the answer for parameters that are not acceptable."""
    first = problems[0]
    return Problem(
        400, "", f"{first.pointer}: {first.detail}", "Correct the parameter; openapi.json lists them.", errors=problems
    )


def path_parameter(name: str, pattern: str, description: str, length: int = 128) -> Parameter:
    """Return a parameter that stands in the path; ``length`` in characters."""
    schema = {"type": "string", "pattern": pattern, "minLength": 1, "maxLength": length}
    return Parameter(name, schema, description, "path", True)


@dataclass(frozen=True)
class Answer:
    """``body`` is JSON-like, or text of ``media_type``; None for no content. ``etag`` None: it is made of the body."""

    status: int = 200
    body: Any = None
    etag: Optional[str] = None
    headers: Mapping[str, str] = field(default_factory=dict)
    media_type: str = JSON
    audit: Mapping[str, Any] = field(default_factory=dict)  # of a change: what, before, after, reason


@dataclass(frozen=True)
class Operation:
    """One row. ``capability`` is the right that a caller needs: "" for none beside being known, None for nobody in
    particular. ``takes`` and ``gives`` name schemas. ``success`` and ``also`` are the statuses of success with what
    they mean; ``errors`` those of refusals that the handler itself decides on."""

    name: str
    method: str
    path: str
    capability: Optional[str]
    summary: str
    handler: Callable[..., Any]
    parameters: Tuple[Parameter, ...] = ()
    takes: Optional[str] = None
    gives: Optional[str] = None
    errors: Tuple[int, ...] = ()
    success: int = 200
    also: Mapping[int, str] = field(default_factory=dict)
    consumes: Tuple[str, ...] = (JSON,)
    produces: str = JSON
    has_etag: Optional[bool] = None  # None: as the API does in general (openapi.About.etags)
    body_required: bool = True
    raw: bool = False  # the handler reads the body's text itself; ``takes`` only describes it
    conditional: bool = False  # If-Match and If-None-Match hold; the handler asks Call.match
    match_required: bool = True  # of a conditional operation: without If-Match it is 428 where the thing is there
    max_bytes: int = MAX_BODY
    description: str = ""
    audited: bool = True  # of a method that changes something: false where it only looks (a check, a comparison)

    @property
    def changes(self) -> bool:
        return self.method not in ("GET", "HEAD", "OPTIONS")

    @property
    def names_in_path(self) -> List[str]:
        return _BRACES.findall(self.path)


class Found(NamedTuple):
    """Where a path leads: the operations by method, and the segments that are parameters, as text."""

    methods: Mapping[str, Operation]
    values: Mapping[str, str]


class Table:
    """All operations and schemas of one API. ValueError for rows that contradict each other: a mistake of ours."""

    def __init__(self, operations: Iterable[Operation], schemas: Mapping[str, Schema]) -> None:
        self.operations = tuple(operations)
        self.schemas = dict(schemas)
        self._routes: Dict[str, Dict[str, Operation]] = {}
        self._shapes: List[Tuple[re.Pattern[str], Dict[str, Operation]]] = []
        names = set()
        for operation in self.operations:
            if operation.name in names:
                raise ValueError(f"two operations are called {operation.name}")
            names.add(operation.name)
            self._add(operation)
        # What has fewer parameters is more special: /a/b is looked for before /a/{x}.
        for path in sorted(self._routes, key=lambda path: (len(_BRACES.findall(path)), -len(path), path)):
            self._shapes.append((_shape(path), self._routes[path]))

    def _add(self, operation: Operation) -> None:
        methods = self._routes.setdefault(operation.path, {})
        if operation.method in methods:
            raise ValueError(f"{operation.name}: {operation.method} {operation.path} is taken")
        methods[operation.method] = operation
        declared = [one.name for one in operation.parameters if one.where == "path"]
        if sorted(declared) != sorted(operation.names_in_path):
            raise ValueError(f"{operation.name}: {operation.path} and its parameters differ")
        for one in operation.parameters:
            refuse_unknown(one.schema, {}, f"{operation.name}: {one.name}")
        for schema in (operation.takes, operation.gives):
            if schema is not None and schema not in self.schemas:
                raise ValueError(f"{operation.name}: no schema {schema}")
        if operation.takes is not None and not operation.raw:
            refuse_unknown(self.schemas[operation.takes], self.schemas, operation.takes)

    def find(self, path: str) -> Found:
        """Return where a path leads; a slash at its end is ignored. Problem 404 for one that is nobody's."""
        wanted = path.rstrip("/") or "/"
        for shape, methods in self._shapes:
            found = shape.match(wanted)
            if found:
                return Found(methods, found.groupdict())
        raise Problem(404, "", f"there is no address {wanted[:200]}", "GET openapi.json for the addresses there are.")

    def operation(self, found: Found, method: str) -> Operation:
        """Return the operation of a method. Problem 405 with ``Allow``."""
        operation = found.methods.get("GET" if method == "HEAD" else method)
        if operation is None:
            allow = allowed(found.methods)
            raise Problem(405, "", f"{method[:20]} is not possible here", f"Use {allow}.", headers={"Allow": allow})
        return operation

    def schema(self, name: str) -> Schema:
        return self.schemas[name]


def allowed(methods: Iterable[str]) -> str:
    """Return the value of ``Allow``."""
    known = set(methods)
    return ", ".join(sorted(known | {"OPTIONS"} | ({"HEAD"} if "GET" in known else set())))


def _shape(path: str) -> re.Pattern[str]:
    parts = _BRACES.split(path)
    text = "".join(f"(?P<{part}>[^/]+)" if index % 2 else re.escape(part) for index, part in enumerate(parts))
    return re.compile(text + r"\Z")


def path_values(operation: Operation, given: Mapping[str, str]) -> Dict[str, Any]:
    """Return the typed parameters of the path. Problem 404: what cannot be there is not there."""
    made = {}
    for one in operation.parameters:
        if one.where == "path":
            try:
                made[one.name] = one.read(given[one.name])
            except Problem as problem:
                raise Problem(
                    404, "", problem.detail, "GET the list that holds it for what there is.", errors=problem.errors
                ) from None
    return made


def query_values(operation: Operation, given: Iterable[Sequence[str]], tolerated: Iterable[str] = ()) -> Dict[str, Any]:
    """Return the typed parameters of the query, with defaults where the schema has one.

    Problem 400 for one that is unknown (unless ``tolerated``), stands twice, is missing or not acceptable.
    """
    known = {one.name: one for one in operation.parameters if one.where == "query"}
    made: Dict[str, Any] = {}
    ignored = frozenset(tolerated)
    for name, text in given:
        if name not in known:
            if name in ignored:
                continue
            hint = did_you_mean(name[:60], known)
            raise refused([Fault(f"query/{name[:60]}", f"is no parameter of {operation.name}{hint}")])
        if name in made:
            raise refused([Fault(f"query/{name}", "is given twice")])
        made[name] = known[name].read(text)
    for name, one in known.items():
        if name not in made and one.required:
            raise refused([Fault(f"query/{name}", "is missing")])
        if name not in made and "default" in one.schema:
            made[name] = one.schema["default"]
    return made
