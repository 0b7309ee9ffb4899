"""What a batch over HTTP holds: JSON lines, a JSON array, or one object; each record goes its own way."""

from __future__ import annotations

import codecs
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import orjson

from apisec.errors import DocumentError
from apisec.model.transaction import Transaction
from apisec_forwarder.receivers import apisix, jsonl, kong
from apisec_forwarder.receivers.documents import parsed, raw

Reader = Callable[[Mapping[str, Any], bytes, int], Transaction]

# The formats that a batch may have, by their name in the configuration and in the path.
FORMATS: Mapping[str, Reader] = {
    "transactions": jsonl.transaction,
    "kong": kong.transaction,
    "apisix": apisix.transaction,
}
MAX_RECORDS = 100_000  # of one batch


def read(batch: bytes, reader: Reader) -> Iterator[Transaction | DocumentError]:
    """Yield the transaction of each record in order, or its error (``record[3]: …``); nothing stops the others."""
    seen: Counter[bytes] = Counter()
    for position, record in enumerate(split(batch)):
        if isinstance(record, DocumentError):
            yield record
            continue
        try:
            text = record if isinstance(record, bytes) else _text(record)
            document = parsed(record) if isinstance(record, bytes) else _object(record)
            seen[text] += 1  # two equal records are two requests; the same batch again gives the same ids again
            yield reader(document, text, seen[text] - 1)
        except DocumentError as error:
            yield DocumentError(str(error), where=f"record[{position}]")
        except (ValueError, TypeError, RecursionError) as error:  # a shape that no reader thought of
            yield DocumentError(f"is not of this format ({type(error).__name__})", where=f"record[{position}]")


def _text(element: Any) -> bytes:
    try:
        return orjson.dumps(element)
    except TypeError:  # numbers beyond 64 bits, bytes that are no UTF-8
        return raw(json.dumps(element, ensure_ascii=False, separators=(",", ":")))


def _object(element: Any) -> Mapping[str, Any]:
    if not isinstance(element, dict):
        raise DocumentError("not a JSON object; each record is one transaction")
    return element


def split(batch: bytes) -> Iterator[Any]:
    """Yield each record of a batch, at most MAX_RECORDS: elements of an array as values, or lines as bytes."""
    batch = batch.strip().removeprefix(codecs.BOM_UTF8)
    if batch.startswith(b"["):
        yield from _elements(batch)
        return
    if b"\n" in batch and _whole(batch):
        yield batch  # one object over several lines
        return
    for position, line in enumerate(batch.split(b"\n")):
        if position == MAX_RECORDS:
            yield DocumentError(f"more than {MAX_RECORDS} records; send smaller batches")
            return
        if line.strip():
            yield line


def _whole(batch: bytes) -> bool:
    """Whether the batch is one JSON value; its first line alone tells most others."""
    first = batch.split(b"\n", 1)[0].strip()
    if first.startswith(b"{") and first.endswith(b"}"):
        return False
    try:
        json.loads(batch.decode("utf-8", "surrogateescape"))
    except (ValueError, RecursionError):
        return False
    return True


def _elements(batch: bytes) -> Iterator[Any]:
    try:
        listed = orjson.loads(batch)
    except ValueError:
        try:  # bytes that are no UTF-8, or numbers beyond 64 bits
            listed = json.loads(batch.decode("utf-8", "surrogateescape"))
        except (ValueError, RecursionError):
            yield DocumentError("the batch is neither a JSON array nor JSON lines")
            return
    if len(listed) > MAX_RECORDS:
        yield DocumentError(f"more than {MAX_RECORDS} records; send smaller batches")
        return
    yield from listed
