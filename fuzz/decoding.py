"""Any bytes, under any content type and coding: leaves lie inside the text, apart, and can all be replaced."""

from __future__ import annotations

import time

from apisec.decoders import Document, Limits, claims, decode_body, embedded, operation_hint
from apisec.decoders.framing import unchunk
from apisec.errors import ApisecError
from apisec.redaction.redactor import label
from apisec_forwarder.codings import CODINGS as TABLE
from fuzz.formats import BODIES, CODINGS
from fuzz.source import Source

LIMITS = Limits()
MAX_MESSAGE = 200  # characters
REPLACEMENT = "~pci.pan~0123456789abcdef~"
MEDIA = (*dict.fromkeys([media for media, _ in BODIES]), "application/pdf", "text/csv; charset=shift_jis", 'a;b="c')
CODING_NAMES = (*dict.fromkeys([coding for coding, _ in CODINGS]), "snappy", "gzip,gzip,gzip")


def check(data: bytes) -> float:
    """Decode, check and replace; return the CPU seconds that decoding took."""
    source = Source(data)
    media, coding = source.pick(MEDIA), source.pick(CODING_NAMES)
    flags = source.byte()
    body = _grown(source) if flags & 16 else source.rest()
    began = time.process_time()
    try:
        if flags & 2:
            body, _ = unchunk(body, truncated=bool(flags & 1))
        document = decode_body(
            body,
            media,
            coding,
            LIMITS,
            label,
            truncated=bool(flags & 1),
            message_coding=("", "gzip", "zstd", "identity")[flags >> 2 & 3],
            table=TABLE,
        )
    except ApisecError as error:
        if len(str(error)) > MAX_MESSAGE:
            raise ValueError("a message that may repeat the body") from error
        return time.process_time() - began
    taken = time.process_time() - began
    check_document(document)
    for leaf in document.leaves[:20]:
        inner = embedded(leaf.value, leaf.name, LIMITS, label)
        if inner is not None:
            check_document(inner)
        claims(leaf.value, LIMITS, label)
    return taken


def _grown(source: Source) -> bytes:
    """Return a body with its middle repeated to the largest size: what takes quadratic time shows itself."""
    head, middle = source.blob(64), source.blob(32)
    tail = source.rest()[:64]
    room = LIMITS.text - len(head) - len(tail)
    return head + middle * (room // max(len(middle), 1)) + tail


def check_document(document: Document) -> None:
    """Hold a document to what the redactor trusts in."""
    places = sorted([(leaf.start, leaf.end) for leaf in document.leaves])
    assert all(0 <= start <= end <= document.end <= len(document.text) for start, end in places), "a leaf outside"
    assert all(places[i - 1][1] <= places[i][0] for i in range(1, len(places))), "leaves that overlap"
    document.render(dict.fromkeys(range(len(document.leaves)), REPLACEMENT))
    operation_hint(document)
