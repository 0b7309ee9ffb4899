"""The app's collections in the KV store: one class for all of them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any, Dict, List, Optional

from splunklib.binding import HTTPError

INVENTORY = "apisec_inventory"
ARCHIVE = "apisec_inventory_archive"
DELTAS = "apisec_inventory_deltas"
WINDOWS = "apisec_inventory_windows"
PATHS = "apisec_paths"
CHANGES = "apisec_changes"
PATTERNS = "apisec_patterns"
SPECS = "apisec_specs"
TEAMS = "apisec_teams"
CAMPAIGNS = "apisec_campaigns"
PROFILES = "apisec_profiles"
DETECTION_WINDOWS = "apisec_detection_windows"
EXCEPTIONS = "apisec_exceptions"
DISPOSITIONS = "apisec_dispositions"

Document = Dict[str, Any]

PAGE = 10_000  # below max_rows_per_query, limits.conf [kvstore], 50,000
BATCH = 500  # below max_documents_per_batch_save, limits.conf [kvstore], 1,000
QUERIES = 200  # below max_queries_per_batch, limits.conf [kvstore], 1,000
DELETED = 50  # keys that one query names: it stands in the URL, and stays below 16 KB there
CONFLICT = 409
BATCH_BYTES = 8_000_000  # below max_size_per_batch_save_mb, limits.conf [kvstore], 50


class Collection:
    """One collection, in the app's own namespace and not the user's.

    ``service`` is a connected ``splunklib.client.Service``; splunklib's HTTPError passes through.
    """

    def __init__(self, service: Any, name: str) -> None:
        self.name = name
        self._service = service
        self._path = f"/servicesNS/nobody/apisec/storage/collections/data/{name}"

    def load(self, query: Optional[Document] = None, fields: Sequence[str] = ()) -> List[Document]:
        """Every document that matches ``query`` (all without one), page by page, in the order of keys.

        ``fields`` are those to give; all without any.
        """
        found: List[Document] = []
        while True:
            arguments: Dict[str, Any] = {"limit": PAGE, "skip": len(found), "sort": "_key"}
            if query:
                arguments["query"] = json.dumps(query)
            if fields:
                arguments["fields"] = ",".join(fields)
            page = self._read(self._service.get(self._path, **arguments))
            found.extend(page)
            if len(page) < PAGE:
                return found

    def find(self, keys: Sequence[str], field: str = "_key") -> List[Document]:
        """The documents that there are whose ``field`` (the key, or one that is accelerated) is one of these."""
        found: List[Document] = []
        for start in range(0, len(keys), QUERIES):
            queries = [{"query": {field: key}} for key in keys[start : start + QUERIES]]
            answer = self._read(self._post(json.dumps(queries), "/batch_find"))
            found.extend(document for documents in answer for document in documents)
        return found

    def insert(self, document: Document) -> bool:
        """Insert a document with a key of its own; False when there is one of this key already."""
        try:
            self._post(json.dumps(document), "")
        except HTTPError as error:
            if error.status != CONFLICT:
                raise
            return False
        return True

    def get(self, key: str) -> Optional[Document]:
        """The document with this key, or None. By query: keys hold slashes, which a path would not survive."""
        found = self.load({"_key": key})
        return found[0] if found else None

    def save(self, documents: Iterable[Document]) -> int:
        """Insert or replace documents by their ``_key``; returns how many."""
        batch: List[str] = []
        size = count = 0
        for document in documents:
            text = json.dumps(document)
            if batch and (len(batch) >= BATCH or size + len(text) > BATCH_BYTES):
                self._post("[" + ",".join(batch) + "]", "/batch_save")
                batch, size = [], 0
            batch.append(text)
            size += len(text) + 1
            count += 1
        if batch:
            self._post("[" + ",".join(batch) + "]", "/batch_save")
        return count

    def delete(self, key: str) -> None:
        """Remove one document; a missing one is no error."""
        self._service.delete(self._path, query=json.dumps({"_key": key}))

    def delete_all(self, keys: Sequence[str]) -> None:
        """Remove documents, several with one call; missing ones are no error."""
        for start in range(0, len(keys), DELETED):
            wanted = [{"_key": key} for key in keys[start : start + DELETED]]
            self._service.delete(self._path, query=json.dumps({"$or": wanted}))

    def delete_where(self, query: Document) -> None:
        """Remove the documents that match; ValueError for a query that is empty, which would remove all."""
        if not query:
            raise ValueError("a query that matches everything")
        self._service.delete(self._path, query=json.dumps(query))

    def replace(self, documents: Iterable[Document]) -> int:
        """Make the collection hold exactly these: save them first, then delete what is left over."""
        kept = list(documents)
        stale = {d["_key"] for d in self.load()} - {d["_key"] for d in kept}
        self.save(kept)
        self.delete_all(sorted(stale))
        return len(kept)

    def _post(self, body: str, path: str) -> Any:
        headers = [("Content-Type", "application/json")]
        return self._service.post(self._path + path, body=body, headers=headers)

    @staticmethod
    def _read(response: Any) -> Any:
        return json.loads(response.body.read())
