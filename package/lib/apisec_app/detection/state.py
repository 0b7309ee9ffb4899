"""The engine's documents in the KV store: all of a window's, or none of them.

The KV store has no transactions; it refuses to insert a key twice. So nothing is overwritten: each document that a
window changes is written beside the one before it, as a version that names the window's end and the run that made it.
One insert, the window's *commit* with the run's name, makes the versions of this run count: whoever comes second is
refused. Versions before those are deleted afterwards. A run that died, or was held up, leaves versions that nobody
reads and the next commit clears away.

    {"_key": "p:4be1…|1767571200|9f3a…", "of": "p:4be1…", "kind": "profiles", "end": 1767571200, "run": "9f3a…",
     "last": 5891904, "gone": 0, "state": "<the document as JSON>"}
    {"_key": "commit|1767571200", "kind": "commit", "end": 1767571200, "run": "9f3a…", "at": 1767571212.5}
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Dict, List

from ..kvstore import Collection, Document

VERSION = 1
COMMIT = "commit"
KEPT = 7200.0  # seconds that commits stay: a run that is held up for longer finds its versions superseded


class State:
    """The committed documents; ``run`` names this process among all that may run at once."""

    def __init__(self, collection: Collection, run: str) -> None:
        self._collection = collection
        self._run = run
        self._commits: Dict[int, str] = {}
        self._versions_of: Dict[str, List[str]] = {}  # keys of versions, by document, as they were read and written

    def refresh(self) -> None:
        """Read which windows are committed."""
        self._commits = {int(one["end"]): str(one["run"]) for one in self._collection.load({"kind": COMMIT})}

    @property
    def through(self) -> int:
        """End of the last window that is committed, as far as it was read; 0 where there is none."""
        return max(self._commits, default=0)

    def committed(self, end: float) -> bool:
        """Ask the KV store whether a window is committed, by whatever run."""
        return self._collection.get(_commit_key(end)) is not None

    def load(self, kind: str) -> List[Document]:
        """Return all documents of a kind."""
        return self._newest(self._collection.load({"kind": kind}))

    def find(self, keys: Sequence[str]) -> List[Document]:
        """Return the documents of these keys that there are."""
        return self._newest(self._collection.find(keys, "of"))

    def _newest(self, versions: Iterable[Document]) -> List[Document]:
        newest: Dict[str, Document] = {}
        for one in versions:
            end, of = int(one["end"]), str(one["of"])
            if end > self.through or self._commits.get(end, one["run"]) != one["run"]:
                continue
            self._note(of, str(one["_key"]))
            if of not in newest or end > int(newest[of]["end"]):
                newest[of] = one
        return [json.loads(newest[of]["state"]) for of in sorted(newest) if not newest[of]["gone"]]

    def _note(self, of: str, key: str) -> None:
        known = self._versions_of.setdefault(of, [])
        if key not in known:
            known.append(key)

    def write(self, end: float, documents: Mapping[str, Iterable[Document]], gone: Mapping[str, Iterable[str]]) -> int:
        """Write a window's versions, by kind of document; nobody reads them before ``commit``. Returns how many."""
        return self._collection.save(self._versions(int(end), documents, gone))

    def _versions(
        self, end: int, documents: Mapping[str, Iterable[Document]], gone: Mapping[str, Iterable[str]]
    ) -> Iterator[Document]:
        for kind, listed in documents.items():
            for document in listed:
                made = self._version(end, kind, str(document["_key"]))
                made.update((name, document[name]) for name in ("scope", "last") if name in document)
                yield {**made, "gone": 0, "state": json.dumps(document, separators=(",", ":"))}
        for kind, keys in gone.items():
            for key in keys:
                yield {**self._version(end, kind, key), "gone": 1, "state": "{}"}

    def _version(self, end: int, kind: str, of: str) -> Document:
        key = f"{of}|{end}|{self._run}"
        self._note(of, key)
        return {"_key": key, "version": VERSION, "of": of, "kind": kind, "end": end, "run": self._run}

    def commit(self, end: float, now: float) -> bool:
        """Make this run's versions of a window count; False when another run's do."""
        document = {"_key": _commit_key(end), "version": VERSION, "kind": COMMIT, "end": int(end), "run": self._run}
        if not self._collection.insert({**document, "of": COMMIT, "at": now}):
            return False
        self._commits[int(end)] = self._run
        return True

    def settle(self, end: float, now: float) -> None:
        """Clear away what a run left that died after it had committed."""
        held = self._collection.load({"end": int(end), "run": self._commits[int(end)]}, fields=("_key", "of"))
        written = sorted({str(one["of"]) for one in held} - {COMMIT})
        for one in self._collection.find(written, "of"):
            self._note(str(one["of"]), str(one["_key"]))
        self.clear(end, now)

    def clear(self, end: float, now: float) -> None:
        """After a commit: delete the versions before it, those of runs that lost, and commits of long ago."""
        run = self._commits[int(end)]
        suffix = f"|{int(end)}|{run}"
        replaced = [keys for of, keys in self._versions_of.items() if of + suffix in keys]
        self._collection.delete_all([key for keys in replaced for key in keys if not key.endswith(suffix)])
        self._collection.delete_where({"end": int(end), "gone": 1})
        self._collection.delete_where({"end": int(end), "run": {"$ne": run}})
        self._collection.delete_where({"kind": COMMIT, "at": {"$lt": now - KEPT}, "end": {"$lt": self.through}})
        self._versions_of.clear()

    def forget(self, kind: str, scope: str, before: int) -> None:
        """Delete documents of a scope that were last seen before a slot."""
        self._collection.delete_where({"kind": kind, "scope": scope, "last": {"$lt": before}})


def _commit_key(end: float) -> str:
    return f"{COMMIT}|{int(end)}"
