"""Documents and their versions in the KV store: one document there for each version of each published one."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import zlib
from collections.abc import Iterable
from typing import Dict, List, NamedTuple, Optional, Tuple

from apisec.errors import DocumentError, LimitExceeded
from apisec.openapi.load import load
from apisec.openapi.model import Spec

from ..kvstore import Collection, Document
from .text import MAX_JSON, parse

VERSION = 1
KIND = "spec"
KEPT = 5  # versions of one document
FORMER = 2  # earlier versions that a comparison knows: what is gone from the newest is told from what never was
MAX_STORED = 12_000_000  # characters: below the KV store's 16 MB a document
_HEADS = (
    "_key", "kind", "service", "name", "source", "title", "spec_version", "format", "operations", "warnings", "digest",
    "sha256", "stored", "author",
)  # fmt: skip


class Published(NamedTuple):
    """The documents of one service: those in force, and earlier versions of them, newest first."""

    current: List[Spec]
    former: List[Spec]


class Specs:
    """The documents of all services. splunklib's HTTPError passes through."""

    def __init__(self, collection: Collection) -> None:
        self._collection = collection

    @property
    def collection(self) -> Collection:
        """Where the documents are, and what inputs and comparisons note of them."""
        return self._collection

    def store(
        self, service: str, text: str, *, name: str, source: str, now: float, author: str = ""
    ) -> Tuple[Document, bool]:
        """Keep a document that a service publishes; returns it and whether it was another one before.

        ``name`` tells several documents of one service apart. Raises DocumentError and LimitExceeded for a document
        that cannot be read; what was stored before stays in force then.
        """
        made = {**document_of(service, text, name=name, source=source, now=now), "author": author}
        versions = self._versions(service, name)
        if versions and versions[0]["digest"] == made["digest"]:
            return made, False
        self._collection.save([made])
        for old in [one for one in versions if one["_key"] != made["_key"]][KEPT - 1 :]:
            self._collection.delete(str(old["_key"]))
        return made, True

    def _versions(self, service: str, name: str) -> List[Document]:
        """Return the versions of one document without their text, newest first."""
        heads = self._collection.load({"kind": KIND, "service": service, "name": name}, fields=_HEADS)
        return sorted(heads, key=lambda one: float(one["stored"]), reverse=True)

    def heads(self, service: Optional[str] = None) -> List[Document]:
        """Return every version of every document without its text: by service and name, newest first."""
        query = {"kind": KIND} if service is None else {"kind": KIND, "service": service}
        found = self._collection.load(query, fields=_HEADS)
        found.sort(key=lambda one: float(one["stored"]), reverse=True)
        return sorted(found, key=lambda one: (str(one["service"]), str(one["name"])))

    def text(self, head: Document) -> str:
        """Return the text of a version, as JSON. DocumentError for one that is gone or damaged."""
        stored = self._collection.find([str(head["_key"])])
        if not stored:
            raise DocumentError("is gone: it was deleted meanwhile", where=f"apisec_specs {head['_key']}")
        return plain_of(stored[0]).decode("utf-8")

    def delete(self, head: Document) -> None:
        """Remove one version; of several the next newest is in force then."""
        self._collection.delete(str(head["_key"]))

    def services(self) -> List[str]:
        return sorted({str(one["service"]) for one in self._collection.load({"kind": KIND}, fields=_HEADS)})

    def published(self, service: str) -> Published:
        """Return what is in force. DocumentError for a stored text that somebody damaged."""
        heads = self._collection.load({"kind": KIND, "service": service}, fields=_HEADS)
        names: Dict[str, List[Document]] = {}
        for head in sorted(heads, key=lambda one: float(one["stored"]), reverse=True):
            names.setdefault(str(head["name"]), []).append(head)
        current = [versions[0] for _, versions in sorted(names.items())]
        former = [one for _, versions in sorted(names.items()) for one in versions[1 : FORMER + 1]]
        return Published(self._read(current), self._read(former))

    def _read(self, heads: Iterable[Document]) -> List[Spec]:
        keys = [str(head["_key"]) for head in heads]
        found = {str(one["_key"]): one for one in self._collection.find(keys)}
        return [spec_of(found[key]) for key in keys if key in found]


def document_of(service: str, text: str, *, name: str, source: str, now: float) -> Document:
    """Return a document as the KV store keeps it; ``now`` in seconds since the epoch."""
    where = source or name
    document = parse(text, where)
    spec = load(document, where)
    plain = json.dumps(document, sort_keys=True, separators=(",", ":")).encode()
    digest = hashlib.sha256(plain).hexdigest()
    body = base64.b64encode(zlib.compress(plain, 6)).decode()
    if len(body) > MAX_STORED or len(plain) > MAX_JSON:
        raise LimitExceeded(f"{where}: {len(plain)} bytes are more than the KV store takes; publish it in parts")
    return {
        "_key": f"spec|{service}|{name}|{digest[:16]}",
        "version": VERSION,
        "kind": KIND,
        "service": service,
        "name": name,
        "source": source,
        "title": spec.title,
        "spec_version": spec.version,
        "format": spec.format,
        "operations": len(spec.operations),
        "warnings": list(spec.warnings),
        "digest": digest,
        "sha256": hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest(),  # what bundles name it by
        "stored": now,
        "body": body,
    }


def plain_of(document: Document) -> bytes:
    """Return the JSON of a stored document. DocumentError when it is damaged."""
    where = f"apisec_specs {document.get('_key')}"
    if document.get("version") != VERSION:
        raise DocumentError(f"version {document.get('version')!r} is not known: store the document again", where=where)
    try:
        reader = zlib.decompressobj()
        plain = reader.decompress(base64.b64decode(str(document["body"])), MAX_JSON + 1)
        if len(plain) > MAX_JSON or not reader.eof:
            raise ValueError("longer than a document may be, or cut off")
    except (KeyError, ValueError, binascii.Error, zlib.error) as error:
        raise DocumentError(f"is damaged ({error}): store the document again", where=where) from error
    return plain


def spec_of(document: Document) -> Spec:
    """Return what a stored document describes. DocumentError when it is damaged."""
    where = f"apisec_specs {document.get('_key')}"
    plain = plain_of(document)
    try:
        return load(json.loads(plain), where)
    except (ValueError, RecursionError) as error:
        raise DocumentError(f"is damaged ({error}): store the document again", where=where) from error


def filtered(services: List[str], wanted: Optional[str]) -> List[str]:
    """Return the services that were asked for: all, or the one."""
    return services if wanted is None else [one for one in services if one == wanted]


def title_of(document: Document) -> str:
    """Return title and version as a sentence names them."""
    return " ".join(str(document.get(part, "")) for part in ("title", "spec_version")).strip() or str(document["name"])
