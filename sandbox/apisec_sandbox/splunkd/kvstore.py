"""The KV store: collections of JSON documents in one SQLite file.

Source: "App key value store" on dev.splunk.com; REST API Reference, "KV store endpoint descriptions";
collections.conf.spec (accelerated_fields); limits.conf.spec [kvstore].

A change is one transaction in a write-ahead log: a killed process loses none that was answered. Fields that a
collection accelerates have entries of their own, one for each element of a list, as MongoDB's multikey indexes.
"""

from __future__ import annotations

import json
import secrets
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from apisec_sandbox.splunkd.kvquery import Bound, Document, Selection, bounds, compile_query, lookup
from apisec_sandbox.splunkd.web import HttpError

__all__ = ["Document", "KvStore", "Scope", "Selection", "compile_query"]

MAX_DOCUMENT = 16 * 1024 * 1024  # bytes, MongoDB's limit
MAX_DEPTH = 100  # levels, MongoDB's limit of nesting
MAX_KEY = 1024  # bytes
CHUNK = 2000  # documents fetched at a time, so that a long read does not hold writers up
RARE = 5000  # entries: a condition with fewer is taken without looking for a rarer one

Key = tuple[str, str, str]


@dataclass(frozen=True)
class Scope:
    """Where a collection lives; documents of ``nobody`` are shared."""

    app: str
    collection: str
    owner: str = "nobody"

    @property
    def key(self) -> Key:
        return self.app, self.collection, self.owner


def _create(db: sqlite3.Connection) -> None:
    """Version 1: documents by their scope and key."""
    db.execute(
        "CREATE TABLE IF NOT EXISTS documents (app TEXT, collection TEXT, owner TEXT, key TEXT, body TEXT,"
        " PRIMARY KEY (app, collection, owner, key))"
    )


def _accelerate(db: sqlite3.Connection) -> None:
    """Version 2: accelerated fields and their entries."""
    db.execute("CREATE TABLE accelerated (app TEXT, collection TEXT, fields TEXT, PRIMARY KEY (app, collection))")
    db.execute(
        "CREATE TABLE entries (app TEXT, collection TEXT, owner TEXT, field TEXT, kind INTEGER, value, key TEXT,"
        " PRIMARY KEY (app, collection, owner, field, kind, value, key)) WITHOUT ROWID"
    )
    db.execute("CREATE INDEX entries_by_key ON entries (app, collection, owner, key)")


UPGRADES = (_create, _accelerate)


class KvStore:
    """Documents by scope and key."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.RLock()
        self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=NORMAL")
        self._upgrade()
        rows = self._db.execute("SELECT app, collection, fields FROM accelerated").fetchall()
        self._accelerated = {(app, name): tuple(json.loads(fields)) for app, name, fields in rows}

    def _upgrade(self) -> None:
        version = self._db.execute("PRAGMA user_version").fetchone()[0]
        for number, step in enumerate(UPGRADES[version:], version + 1):
            with self._transaction():
                step(self._db)
                self._db.execute(f"PRAGMA user_version = {number}")

    def _transaction(self) -> _Transaction:
        return _Transaction(self._lock, self._db)

    def close(self) -> None:
        with self._lock:
            self._db.close()

    # Reading

    def documents(self, scope: Scope) -> Iterator[Document]:
        """Yield all documents in the order of their insertion; a writer may work meanwhile."""
        last = -1
        while True:
            with self._lock:
                rows = self._db.execute(
                    "SELECT rowid, body FROM documents WHERE app=? AND collection=? AND owner=? AND rowid>?"
                    " ORDER BY rowid LIMIT ?",
                    (*scope.key, last, CHUNK),
                ).fetchall()
            for last, body in rows:  # noqa: B007 - the last one is where the next chunk starts
                yield json.loads(body)
            if len(rows) < CHUNK:
                return

    def find(self, scope: Scope, selection: Selection, shared: bool = False) -> list[Document]:
        """Return what the selection chooses; with ``shared`` also from among the documents of nobody."""
        scopes = [scope]
        if shared and scope.owner != "nobody":
            scopes.append(Scope(scope.app, scope.collection))
        return selection.apply(document for place in scopes for document in self.candidates(place, selection))

    def candidates(self, scope: Scope, selection: Selection) -> Iterator[Document]:
        """Yield a superset of what the query matches: by key, by an accelerated field, or else everything."""
        found = bounds(selection.query or {})
        keys = [bound.value for bound in found if bound.field == "_key" and bound.operator == "="]
        if keys:
            document = self.get(scope, str(keys[0]))
            return iter([document] if document else [])
        fields = self._accelerated.get((scope.app, scope.collection), ())
        usable = [bound for bound in found if bound.field in fields]
        return self._by_entries(scope, usable) if usable else self.documents(scope)

    def _by_entries(self, scope: Scope, usable: Sequence[Bound]) -> Iterator[Document]:
        best = min(usable, key=lambda bound: self._weight(scope, bound)) if len(usable) > 1 else usable[0]
        clause, values = _clause(scope, best)
        with self._lock:
            rows = self._db.execute(
                "SELECT body FROM documents WHERE app=? AND collection=? AND owner=? AND key IN"  # noqa: S608
                f" (SELECT key FROM entries WHERE {clause}) ORDER BY rowid",
                (*scope.key, *values),
            ).fetchall()
        for (body,) in rows:
            yield json.loads(body)

    def _weight(self, scope: Scope, bound: Bound) -> int:
        clause, values = _clause(scope, bound)
        with self._lock:
            text = f"SELECT count(*) FROM (SELECT 1 FROM entries WHERE {clause} LIMIT {RARE})"  # noqa: S608
            return int(self._db.execute(text, values).fetchone()[0])

    def get(self, scope: Scope, key: str) -> Document | None:
        with self._lock:
            row = self._db.execute(
                "SELECT body FROM documents WHERE app=? AND collection=? AND owner=? AND key=?", (*scope.key, key)
            ).fetchone()
        return json.loads(row[0]) if row else None

    # Writing

    def insert(self, scope: Scope, document: Document) -> str:
        """Add a document, with a new ``_key`` unless it brings one.

        Raises:
            HttpError: 409 when the key is taken, 400 when the document is too large.
        """
        prepared = _prepared(scope, document)
        try:
            with self._transaction():
                self._db.execute(
                    "INSERT INTO documents VALUES (?,?,?,?,?)", (*scope.key, prepared["_key"], _dump(prepared))
                )
                self._note(scope, [prepared])
        except sqlite3.IntegrityError as error:
            raise HttpError(409, "A document with the same key and user already exists.") from error
        return str(prepared["_key"])

    def replace(self, scope: Scope, key: str, document: Document) -> bool:
        """Replace the whole document; False when there is none of this key."""
        prepared = _prepared(scope, {**document, "_key": key})
        with self._transaction():
            cursor = self._db.execute(
                "UPDATE documents SET body=? WHERE app=? AND collection=? AND owner=? AND key=?",
                (_dump(prepared), *scope.key, key),
            )
            if cursor.rowcount > 0:
                self._note(scope, [prepared])
            return cursor.rowcount > 0

    def save(self, scope: Scope, documents: Iterable[Document]) -> list[str]:
        """Insert or replace all, in one transaction: the batch_save endpoint and outputlookup."""
        prepared = [_prepared(scope, document) for document in documents]
        with self._transaction():
            self._db.executemany(
                "INSERT INTO documents VALUES (?,?,?,?,?) ON CONFLICT DO UPDATE SET body=excluded.body",
                [(*scope.key, item["_key"], _dump(item)) for item in prepared],
            )
            self._note(scope, prepared)
        return [str(item["_key"]) for item in prepared]

    def delete(self, scope: Scope, keys: Iterable[str] | None) -> int:
        """Delete these keys, or all with None; return how many went."""
        where = "app=? AND collection=? AND owner=?"
        with self._transaction():
            if keys is None:
                self._db.execute(f"DELETE FROM entries WHERE {where}", scope.key)  # noqa: S608
                return self._db.execute(f"DELETE FROM documents WHERE {where}", scope.key).rowcount  # noqa: S608
            rows = [(*scope.key, key) for key in keys]
            self._db.executemany(f"DELETE FROM entries WHERE {where} AND key=?", rows)  # noqa: S608
            return self._db.executemany(f"DELETE FROM documents WHERE {where} AND key=?", rows).rowcount  # noqa: S608

    def drop(self, app: str, collection: str) -> None:
        """Forget the collection with the documents of all users."""
        with self._transaction():
            for table in ("documents", "entries", "accelerated"):
                self._db.execute(f"DELETE FROM {table} WHERE app=? AND collection=?", (app, collection))  # noqa: S608
            self._accelerated.pop((app, collection), None)

    # Accelerated fields

    def accelerate(self, app: str, collection: str, fields: Sequence[str]) -> None:
        """Make these the accelerated fields of the collection; what is there is indexed when they changed."""
        wanted = tuple(sorted(set(fields)))
        if self._accelerated.get((app, collection), ()) == wanted:
            return
        with self._transaction():
            self._db.execute("DELETE FROM entries WHERE app=? AND collection=?", (app, collection))
            self._db.execute("REPLACE INTO accelerated VALUES (?,?,?)", (app, collection, json.dumps(wanted)))
            self._accelerated[(app, collection)] = wanted
            rows = self._db.execute("SELECT owner, body FROM documents WHERE app=? AND collection=?", (app, collection))
            for owner, body in rows.fetchall():
                self._add_entries(Scope(app, collection, owner), json.loads(body), wanted)

    def _note(self, scope: Scope, documents: Sequence[Document]) -> None:
        """Bring the entries of changed documents up to date, within the caller's transaction."""
        fields = self._accelerated.get((scope.app, scope.collection))
        if not fields:
            return
        self._db.executemany(
            "DELETE FROM entries WHERE app=? AND collection=? AND owner=? AND key=?",
            [(*scope.key, document["_key"]) for document in documents],
        )
        for document in documents:
            self._add_entries(scope, document, fields)

    def _add_entries(self, scope: Scope, document: Document, fields: Sequence[str]) -> None:
        rows = [
            (*scope.key, name, kind, item, document["_key"])
            for name in fields
            for item in _items(lookup(document, name.split(".")))
            if (kind := _kind(item)) is not None
        ]
        self._db.executemany("INSERT OR IGNORE INTO entries VALUES (?,?,?,?,?,?,?)", rows)


class _Transaction:
    """All or nothing, one writer at a time."""

    def __init__(self, lock: threading.RLock, db: sqlite3.Connection) -> None:
        self._lock = lock
        self._db = db

    def __enter__(self) -> None:
        self._lock.acquire()
        try:
            self._db.execute("BEGIN IMMEDIATE")
        except BaseException:
            self._lock.release()
            raise

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            self._db.execute("COMMIT" if kind is None else "ROLLBACK")
        finally:
            self._lock.release()


def _items(value: object) -> list[object]:
    return value if isinstance(value, list) else [value]


def _kind(value: object) -> int | None:
    """Values compare within their kind: booleans, numbers, texts; others have no entry."""
    if isinstance(value, bool):
        return 2
    if isinstance(value, (int, float)):
        # SQLite keeps 64 bits; a larger number takes part as the nearest one that it can keep.
        return 0 if isinstance(value, float) or -(2**63) <= value < 2**63 else None
    return 1 if isinstance(value, str) and _encodable(value) else None


def _encodable(text: str) -> bool:
    """Whether SQLite takes the text: halves of surrogate pairs, which JSON can hold, it does not."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _clause(scope: Scope, bound: Bound) -> tuple[str, tuple[object, ...]]:
    assert bound.operator in ("=", "<", "<=", ">", ">=")  # it becomes a part of the statement
    text = f"app=? AND collection=? AND owner=? AND field=? AND kind=? AND value {bound.operator} ?"
    return text, (*scope.key, bound.field, _kind(bound.value), bound.value)


def _dump(document: Document) -> str:
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
    if not _encodable(text):
        text = json.dumps(document, separators=(",", ":"))
    if len(text.encode()) > MAX_DOCUMENT:
        raise HttpError(400, f"Document exceeds the limit of {MAX_DOCUMENT} bytes.")
    return text


def _prepared(scope: Scope, document: Document) -> Document:
    if not isinstance(document, dict):
        raise HttpError(400, "JSON in the request is invalid. ( JSON object expected )")
    for name in document:
        if name.startswith("$") or "\0" in name:
            raise HttpError(400, f"Field name {name!r} is not allowed in a KV store document.")
    if _depth(document) > MAX_DEPTH:
        raise HttpError(400, f"The document is nested deeper than {MAX_DEPTH} levels.")
    key = document.get("_key")
    key = secrets.token_hex(12) if key is None or key == "" else str(key)
    if not _encodable(key) or len(key.encode()) > MAX_KEY:
        raise HttpError(400, f"_key must be text of at most {MAX_KEY} bytes.")
    return {**document, "_key": key, "_user": scope.owner}


def _depth(value: object) -> int:
    depth, level = 0, [value]
    while level:
        depth += 1
        level = [
            child
            for item in level
            if isinstance(item, (dict, list))
            for child in (item.values() if isinstance(item, dict) else item)
        ]
    return depth
