"""The KV store: collections of JSON documents in one SQLite file.

Source: "App key value store" on dev.splunk.com and the REST API Reference, "KV store endpoint descriptions".
"""

from __future__ import annotations

import json
import secrets
import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from apisec_sandbox.splunkd.web import HttpError

MAX_DOCUMENT = 16 * 1024 * 1024  # bytes, MongoDB's limit
MAX_ROWS = 50_000  # limits.conf [kvstore] max_rows_per_query
MAX_BATCH = 1000  # limits.conf [kvstore] max_documents_per_batch_save
MAX_QUERY_DEPTH = 20

Document = dict[str, Any]
Test = Callable[[Document], bool]


@dataclass(frozen=True)
class Scope:
    """Where a collection lives; documents of ``nobody`` are shared."""

    app: str
    collection: str
    owner: str = "nobody"


class KvStore:
    """Documents by scope and key. Every change is one transaction, synced to disk."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.RLock()
        self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=NORMAL")
        self._db.execute(
            "CREATE TABLE IF NOT EXISTS documents (app TEXT, collection TEXT, owner TEXT, key TEXT, body TEXT,"
            " PRIMARY KEY (app, collection, owner, key))"
        )

    def close(self) -> None:
        with self._lock:
            self._db.close()

    def documents(self, scope: Scope) -> Iterator[Document]:
        """Yield all documents in the order of their keys' insertion."""
        with self._lock:
            rows = self._db.execute(
                "SELECT body FROM documents WHERE app=? AND collection=? AND owner=? ORDER BY rowid", _where(scope)
            ).fetchall()
        for (body,) in rows:
            yield json.loads(body)

    def get(self, scope: Scope, key: str) -> Document | None:
        with self._lock:
            row = self._db.execute(
                "SELECT body FROM documents WHERE app=? AND collection=? AND owner=? AND key=?",
                (*_where(scope), key),
            ).fetchone()
        return json.loads(row[0]) if row else None

    def insert(self, scope: Scope, document: Document) -> str:
        """Add a document, with a new ``_key`` unless it brings one.

        Raises:
            HttpError: 409 when the key is taken, 400 when the document is too large.
        """
        prepared = _prepared(scope, document)
        with self._lock:
            try:
                self._db.execute(
                    "INSERT INTO documents VALUES (?,?,?,?,?)", (*_where(scope), prepared["_key"], _dump(prepared))
                )
            except sqlite3.IntegrityError as error:
                raise HttpError(409, "A document with the same key and user already exists.") from error
        return str(prepared["_key"])

    def replace(self, scope: Scope, key: str, document: Document) -> bool:
        """Replace the whole document; False when there is none of this key."""
        prepared = _prepared(scope, {**document, "_key": key})
        with self._lock:
            cursor = self._db.execute(
                "UPDATE documents SET body=? WHERE app=? AND collection=? AND owner=? AND key=?",
                (_dump(prepared), *_where(scope), key),
            )
            return cursor.rowcount > 0

    def save(self, scope: Scope, documents: Iterable[Document]) -> list[str]:
        """Insert or replace all, in one transaction: the batch_save endpoint and outputlookup."""
        prepared = [_prepared(scope, document) for document in documents]
        with self._lock:
            self._db.execute("BEGIN")
            try:
                self._db.executemany(
                    "INSERT INTO documents VALUES (?,?,?,?,?) ON CONFLICT DO UPDATE SET body=excluded.body",
                    [(*_where(scope), item["_key"], _dump(item)) for item in prepared],
                )
                self._db.execute("COMMIT")
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
        return [str(item["_key"]) for item in prepared]

    def delete(self, scope: Scope, keys: Iterable[str] | None) -> int:
        """Delete these keys, or all with None; return how many went."""
        with self._lock:
            if keys is None:
                where = "DELETE FROM documents WHERE app=? AND collection=? AND owner=?"
                return self._db.execute(where, _where(scope)).rowcount
            self._db.execute("BEGIN")
            gone = 0
            for key in keys:
                gone += self._db.execute(
                    "DELETE FROM documents WHERE app=? AND collection=? AND owner=? AND key=?",
                    (*_where(scope), key),
                ).rowcount
            self._db.execute("COMMIT")
            return gone

    def drop(self, app: str, collection: str) -> None:
        with self._lock:
            self._db.execute("DELETE FROM documents WHERE app=? AND collection=?", (app, collection))


def _where(scope: Scope) -> tuple[str, str, str]:
    return scope.app, scope.collection, scope.owner


def _dump(document: Document) -> str:
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
    if len(text) > MAX_DOCUMENT:
        raise HttpError(400, f"Document exceeds the limit of {MAX_DOCUMENT} bytes.")
    return text


def _prepared(scope: Scope, document: Document) -> Document:
    if not isinstance(document, dict):
        raise HttpError(400, "JSON in the request is invalid. ( JSON object expected )")
    for name in document:
        if name.startswith("$") or "\0" in name:
            raise HttpError(400, f"Field name {name!r} is not allowed in a KV store document.")
    key = document.get("_key")
    key = secrets.token_hex(12) if key is None or key == "" else str(key)
    return {**document, "_key": key, "_user": scope.owner}


# Queries


def compile_query(query: object, depth: int = 0) -> Test:
    """Turn a query document into a test. Operators: $gt $gte $lt $lte $ne $and $or $not.

    Raises:
        HttpError: 400 for an unknown operator or a query that is no object.
    """
    if not isinstance(query, dict) or depth > MAX_QUERY_DEPTH:
        raise HttpError(400, "Query must be a JSON object.")
    tests = [_clause(name, value, depth) for name, value in query.items()]
    return lambda document: all(test(document) for test in tests)


def _clause(name: str, value: object, depth: int) -> Test:
    if name in ("$and", "$or"):
        if not isinstance(value, list) or not value:
            raise HttpError(400, f"{name} expects a nonempty array.")
        tests = [compile_query(item, depth + 1) for item in value]
        combine = all if name == "$and" else any
        return lambda document: combine(test(document) for test in tests)
    if name == "$not":
        inner = compile_query(value, depth + 1)
        return lambda document: not inner(document)
    if name.startswith("$"):
        raise HttpError(400, f"Unknown operator {name}; known: $and $or $not $gt $gte $lt $lte $ne")
    path = name.split(".")
    if isinstance(value, dict) and any(key.startswith("$") for key in value):
        parts = [_comparison(operator, operand, path, depth) for operator, operand in value.items()]
        return lambda document: all(part(document) for part in parts)
    return lambda document: _equal(_lookup(document, path), value)


def _comparison(operator: str, operand: Any, path: list[str], depth: int) -> Test:
    if operator == "$ne":
        return lambda document: not _equal(_lookup(document, path), operand)
    if operator == "$not":
        inner = _clause(".".join(path), operand, depth + 1)
        return lambda document: not inner(document)
    compare = {
        "$gt": lambda a, b: a > b,
        "$gte": lambda a, b: a >= b,
        "$lt": lambda a, b: a < b,
        "$lte": lambda a, b: a <= b,
    }.get(operator)
    if compare is None:
        raise HttpError(400, f"Unknown operator {operator}; known: $gt $gte $lt $lte $ne $not")
    return lambda document: any(
        _same_kind(value, operand) and compare(value, operand) for value in _flat(_lookup(document, path))
    )


def _lookup(document: Any, path: list[str]) -> Any:
    """Follow a dotted path; a list on the way gives the values of its elements."""
    current = document
    for number, name in enumerate(path):
        if isinstance(current, list):
            found = [_lookup(item, path[number:]) for item in current]
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
    if isinstance(value, bool) != isinstance(wanted, bool) and not isinstance(value, list):
        return False
    return bool(value == wanted) or (isinstance(value, list) and wanted in value)


# Reading with query, sort, fields, skip and limit


@dataclass(frozen=True)
class Selection:
    query: Mapping[str, Any] | None = None
    sort: tuple[tuple[str, bool], ...] = ()  # (field, descending)
    fields: tuple[tuple[str, bool], ...] = ()  # (field, included)
    skip: int = 0
    limit: int = 0

    @classmethod
    def parse(cls, params: Mapping[str, Any]) -> Selection:
        """Read the parameters of a request.

        Raises:
            HttpError: 400 when one of them is malformed.
        """
        query = params.get("query") or None
        if isinstance(query, str):
            try:
                query = json.loads(query)
            except (ValueError, RecursionError) as error:
                raise HttpError(400, f"Failed to parse query: {error}") from error
        fields = _pairs(params.get("fields") or "", "1")
        included = {value != "0" for name, value in fields if name != "_key"}
        if len(included) > 1:
            raise HttpError(400, "Fields to include and to exclude cannot be mixed.")
        return cls(
            query,
            tuple((name, value == "-1") for name, value in _pairs(params.get("sort") or "", "1")),
            tuple((name, value != "0") for name, value in fields),
            _whole(params, "skip"),
            _whole(params, "limit"),
        )

    def apply(self, documents: Iterable[Document]) -> list[Document]:
        rows = list(documents)
        if self.query is not None:
            test = compile_query(self.query)
            rows = [row for row in rows if test(row)]
        for name, descending in reversed(self.sort):
            path = name.split(".")
            rows.sort(key=lambda row, path=path: _order(_lookup(row, path)), reverse=descending)  # type: ignore[misc]
        end = self.skip + min(self.limit or MAX_ROWS, MAX_ROWS)
        return [self._project(row) for row in rows[self.skip : end]]

    def _project(self, row: Document) -> Document:
        if not self.fields:
            return row
        included = {name for name, wanted in self.fields if wanted}
        excluded = {name for name, wanted in self.fields if not wanted}
        if included:
            keep = included | ({"_key"} - excluded)
            return {name: value for name, value in row.items() if name in keep}
        return {name: value for name, value in row.items() if name not in excluded}


def _pairs(text: str, default: str) -> list[tuple[str, str]]:
    pairs = []
    for part in text.split(","):
        name, _, value = part.strip().partition(":")
        if name:
            pairs.append((name, value or default))
    return pairs


def _whole(params: Mapping[str, Any], name: str) -> int:
    try:
        return max(0, int(params.get(name) or 0))
    except (ValueError, TypeError) as error:
        raise HttpError(400, f"{name} must be a whole number.") from error


def _order(value: Any) -> tuple[int, Any]:
    """MongoDB's order of types: null, numbers, texts, the rest."""
    if value is None:
        return 0, 0
    if isinstance(value, (int, float)):
        return 1, value
    return (2, value) if isinstance(value, str) else (3, json.dumps(value, sort_keys=True))
