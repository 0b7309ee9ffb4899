"""Queries of the KV store: conditions, sorting, projection, paging.

Source: REST API Reference, "KV store endpoint descriptions" (query, fields, sort, limit, skip): the operators are
$gt, $gte, $lt, $lte, $ne, $and, $or and $not. Whatever else MongoDB knows is refused by name.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from apisec_sandbox.splunkd.web import HttpError

MAX_ROWS = 50_000  # limits.conf [kvstore] max_rows_per_query
MAX_RESULT = 50 * 1024 * 1024  # bytes, limits.conf [kvstore] max_size_per_result_mb
MAX_QUERY_DEPTH = 20
MAX_QUERY_CLAUSES = 10_000

Document = dict[str, Any]
Test = Callable[[Document], bool]
COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "$gt": lambda a, b: a > b,
    "$gte": lambda a, b: a >= b,
    "$lt": lambda a, b: a < b,
    "$lte": lambda a, b: a <= b,
}
SQL = {"$gt": ">", "$gte": ">=", "$lt": "<", "$lte": "<="}
KNOWN = "$and $or $not $gt $gte $lt $lte $ne"


def compile_query(query: object) -> Test:
    """Turn a query document into a test.

    Raises:
        HttpError: 400 for an unknown operator, a query that is no object, or one that is too deep or too long.
    """
    return _Compiler().query(query, 0)


@dataclass
class _Compiler:
    clauses: int = 0

    def query(self, query: object, depth: int) -> Test:
        if not isinstance(query, dict):
            raise HttpError(400, "Query must be a JSON object.")
        if depth > MAX_QUERY_DEPTH:
            raise HttpError(400, f"Query is nested deeper than {MAX_QUERY_DEPTH} levels.")
        tests = [self._clause(name, value, depth) for name, value in query.items()]
        if len(tests) == 1:
            return tests[0]
        return lambda document: all(test(document) for test in tests)

    def _clause(self, name: str, value: object, depth: int) -> Test:
        self.clauses += 1
        if self.clauses > MAX_QUERY_CLAUSES:
            raise HttpError(400, f"Query has more than {MAX_QUERY_CLAUSES} conditions.")
        if name in ("$and", "$or"):
            if not isinstance(value, list) or not value:
                raise HttpError(400, f"{name} expects a nonempty array.")
            tests = [self.query(item, depth + 1) for item in value]
            combine = all if name == "$and" else any
            return lambda document: combine(test(document) for test in tests)
        if name == "$not":
            inner = self.query(value, depth + 1)
            return lambda document: not inner(document)
        if name.startswith("$"):
            raise HttpError(400, f"Unknown operator {name}; known: {KNOWN}")
        return self._field(name.split("."), value, depth)

    def _field(self, path: list[str], value: object, depth: int) -> Test:
        if isinstance(value, dict) and any(key.startswith("$") for key in value):
            parts = [self._comparison(operator, operand, path, depth) for operator, operand in value.items()]
            return lambda document: all(part(document) for part in parts)
        return lambda document: _equal(lookup(document, path), value)

    def _comparison(self, operator: str, operand: Any, path: list[str], depth: int) -> Test:
        if operator == "$ne":
            return lambda document: not _equal(lookup(document, path), operand)
        if operator == "$not":
            if depth > MAX_QUERY_DEPTH:
                raise HttpError(400, f"Query is nested deeper than {MAX_QUERY_DEPTH} levels.")
            inner = self._field(path, operand, depth + 1)
            return lambda document: not inner(document)
        compare = COMPARE.get(operator)
        if compare is None:
            raise HttpError(400, f"Unknown operator {operator}; known: {KNOWN}")
        return lambda document: any(
            _same_kind(value, operand) and compare(value, operand) for value in _flat(lookup(document, path))
        )


def lookup(document: Any, path: list[str]) -> Any:
    """Follow a dotted path; a list on the way gives the values of its elements."""
    current = document
    for number, name in enumerate(path):
        if isinstance(current, list):
            found = [lookup(item, path[number:]) for item in current]
            return [item for item in found if item is not None]
        if not isinstance(current, Mapping) or name not in current:
            return None
        current = current[name]
    return current


def _flat(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _same_kind(a: object, b: object) -> bool:
    """MongoDB compares within a type: numbers with numbers, texts with texts."""
    numbers = isinstance(a, (int, float)) and isinstance(b, (int, float))
    return (numbers and isinstance(a, bool) == isinstance(b, bool)) or (isinstance(a, str) and isinstance(b, str))


def _equal(value: Any, wanted: Any) -> bool:
    if isinstance(value, list) and not isinstance(wanted, list):
        return any(_equal(item, wanted) for item in value if not isinstance(item, list))
    return isinstance(value, bool) == isinstance(wanted, bool) and bool(value == wanted)


# What an index can answer


@dataclass(frozen=True)
class Bound:
    """A condition on one field that every match fulfils; operator ``=``, ``<``, ``<=``, ``>`` or ``>=``."""

    field: str
    operator: str
    value: str | int | float | bool


def bounds(query: Mapping[str, Any], depth: int = 0) -> list[Bound]:
    """Conditions that hold for all matches: those outside $or and $not. Texts, numbers and booleans only."""
    found: list[Bound] = []
    for name, value in query.items():
        if name == "$and" and isinstance(value, list) and depth <= MAX_QUERY_DEPTH:
            for item in value:
                found += bounds(item, depth + 1) if isinstance(item, dict) else []
        elif not name.startswith("$"):
            found += _bounds_of(name, value)
    return found


def _bounds_of(name: str, value: Any) -> Iterator[Bound]:
    if _indexable(value):
        yield Bound(name, "=", value)
    elif isinstance(value, dict):
        for operator, operand in value.items():
            if operator in SQL and _indexable(operand) and not isinstance(operand, bool):
                yield Bound(name, SQL[operator], operand)


def _indexable(value: Any) -> bool:
    return isinstance(value, (str, float)) or (isinstance(value, int) and -(2**63) <= value < 2**63)


# Reading with query, sort, fields, skip and limit


@dataclass(frozen=True)
class Selection:
    query: Mapping[str, Any] | None = None
    sort: tuple[tuple[str, bool], ...] = ()  # (field, descending)
    fields: tuple[tuple[str, bool], ...] = ()  # (field, included)
    skip: int = 0
    limit: int = 0
    shared: bool = False
    test: Test = field(default=lambda _: True, compare=False)

    @classmethod
    def parse(cls, params: Mapping[str, Any]) -> Selection:
        """Read the parameters of a request, or one query of a batch_find.

        Raises:
            HttpError: 400 when one of them is malformed.
        """
        query = _query(params.get("query") or None)
        fields = _pairs(params.get("fields") or "", "1")
        included = {value != "0" for name, value in fields if name not in ("_key", "_id")}
        if len(included) > 1:
            raise HttpError(400, "Fields to include and to exclude cannot be mixed.")
        return cls(
            query,
            tuple((name, value == "-1") for name, value in _sort_pairs(params.get("sort") or "")),
            tuple(("_key" if name == "_id" else name, value != "0") for name, value in fields),
            _whole(params, "skip"),
            _whole(params, "limit"),
            str(params.get("shared", "")).lower() in ("1", "true"),
            compile_query(query) if query is not None else (lambda _: True),
        )

    def apply(self, documents: Iterable[Document]) -> list[Document]:
        """Filter, sort, cut and project. Without a sort nothing is read beyond the last row that is wanted."""
        matches: Iterable[Document] = (document for document in documents if self.test(document))
        if self.sort:
            rows = list(matches)
            for name, descending in reversed(self.sort):
                path = name.split(".")
                rows.sort(key=lambda row, path=path: _order(lookup(row, path)), reverse=descending)  # type: ignore[misc]
            matches = rows
        end = self.skip + min(self.limit or MAX_ROWS, MAX_ROWS)
        return [self._project(row) for row in islice(matches, self.skip, end)]

    def _project(self, row: Document) -> Document:
        if not self.fields:
            return row
        included = {name for name, wanted in self.fields if wanted}
        excluded = {name for name, wanted in self.fields if not wanted}
        if included:
            keep = included | ({"_key"} - excluded)
            flat = {name: value for name, value in row.items() if name in keep}
            return flat | _nested(row, [name for name in included if "." in name])
        return {name: value for name, value in row.items() if name not in excluded}


def _nested(row: Document, names: Iterable[str]) -> Document:
    """The parts of objects that dotted names choose."""
    made: Document = {}
    for name in names:
        path = name.split(".")
        value = lookup(row, path)
        place = made
        if value is None:
            continue
        for part in path[:-1]:
            place = place.setdefault(part, {})
        place[path[-1]] = value
    return made


def _query(query: Any) -> Mapping[str, Any] | None:
    if isinstance(query, str):
        try:
            query = json.loads(query)
        except (ValueError, RecursionError) as error:
            raise HttpError(400, f"Failed to parse query: {error}") from error
    if query is not None and not isinstance(query, dict):
        raise HttpError(400, "Query must be a JSON object.")
    return query


def encode(rows: list[Document]) -> bytes:
    """JSON of the rows, as many as fit into MAX_RESULT (limits.conf.spec, max_size_per_result_mb)."""
    parts, size = [], 2
    for row in rows:
        part = json.dumps(row, ensure_ascii=False).encode("utf-8", "surrogatepass")
        size += len(part) + 1
        if size > MAX_RESULT:
            break
        parts.append(part)
    return b"[" + b",".join(parts) + b"]"


def _pairs(text: str, default: str) -> list[tuple[str, str]]:
    pairs = []
    for part in str(text).split(","):
        name, _, value = part.strip().partition(":")
        if name:
            pairs.append((name, value or default))
    return pairs


def _sort_pairs(text: str) -> list[tuple[str, str]]:
    pairs = _pairs(text, "1")
    for name, value in pairs:
        if value not in ("1", "-1"):
            raise HttpError(400, f"sort of {name!r} must be 1 (ascending) or -1 (descending), not {value!r}.")
    return pairs


def _whole(params: Mapping[str, Any], name: str) -> int:
    try:
        value = int(params.get(name) or 0)
    except (ValueError, TypeError) as error:
        raise HttpError(400, f"{name} must be a whole number.") from error
    if value < 0:
        raise HttpError(400, f"{name} must not be negative.")
    return value


def _order(value: Any) -> tuple[int, Any]:
    """MongoDB's order of types: null, numbers, texts, objects, lists, booleans."""
    if value is None:
        return 0, 0
    if isinstance(value, bool):
        return 5, value
    if isinstance(value, (int, float)):
        return 1, value
    if isinstance(value, str):
        return 2, value
    return (3 if isinstance(value, dict) else 4), json.dumps(value, sort_keys=True)
