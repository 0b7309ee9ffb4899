"""The KV store of an app in memory, behind the three methods of splunklib's Service that the app uses.

It selects as the stand-in's KV store does, and a test can cut it off at any write.
"""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

from splunklib.binding import HTTPError

from apisec_sandbox.splunkd.kvquery import Selection

DATA = "/servicesNS/nobody/apisec/storage/collections/data/"
Document = dict[str, Any]


class CutOffError(Exception):
    """The process ended here."""


class MemoryService:
    """``cut`` is how many writes still work, None for all; ``events`` are what receivers/simple got."""

    def __init__(self) -> None:
        self.collections: dict[str, dict[str, Document]] = {}
        self.events: list[Document] = []
        self.cut: int | None = None
        self.writes = 0

    def rows(self, name: str) -> list[Document]:
        return [document for _, document in sorted(self.collections.get(name, {}).items())]

    def fill(self, name: str, *documents: Document) -> None:
        for document in documents:
            self.collections.setdefault(name, {})[document["_key"]] = json.loads(json.dumps(document))

    def get(self, path: str, **arguments: Any) -> Any:
        name, _ = _place(path)
        return _answer(Selection.parse(arguments).apply(self.rows(name)))

    def post(self, path: str, body: str = "", **_: Any) -> Any:
        if path == "receivers/simple":
            self.events.append(json.loads(body))
            return _answer({})
        name, verb = _place(path)
        given = json.loads(body)
        if verb == "batch_find":
            return _answer([Selection.parse(one).apply(self.rows(name)) for one in given])
        self._write()
        documents = given if verb == "batch_save" else [given]
        held = self.collections.setdefault(name, {})
        if not verb and given["_key"] in held:
            raise _error(409)
        self.fill(name, *documents)
        return _answer([one["_key"] for one in documents])

    def delete(self, path: str, query: str) -> Any:
        self._write()
        name, _ = _place(path)
        for document in Selection.parse({"query": query}).apply(self.rows(name)):
            del self.collections[name][document["_key"]]
        return _answer({})

    def _write(self) -> None:
        self.writes += 1
        if self.cut is not None:
            if self.cut <= 0:
                raise CutOffError
            self.cut -= 1


def _place(path: str) -> tuple[str, str]:
    assert path.startswith(DATA), path
    name, _, verb = path.removeprefix(DATA).partition("/")
    return name, verb


def _answer(value: Any) -> Any:
    return SimpleNamespace(body=SimpleNamespace(read=lambda: json.dumps(value).encode()))


def _error(status: int) -> HTTPError:
    body = SimpleNamespace(read=lambda: b"")
    return HTTPError(SimpleNamespace(status=status, reason="", body=body, headers=[]), _message=f"HTTP {status}")
