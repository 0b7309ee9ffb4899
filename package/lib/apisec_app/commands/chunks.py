"""How a command reads its input: a chunk once, as it came, and a line of it at a time.

The SDK decodes a chunk whole and copies it into a ``StringIO``, which takes four bytes a character. splunkd sends up to
50,000 events in a chunk, so the same 140 MB were 650 MB in every process of a map phase.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from io import BufferedIOBase
from typing import Any, Optional, Tuple

from splunklib.searchcommands.internals import MetadataDecoder

_HEADER = re.compile(rb"chunked\s+1\.0\s*,\s*(\d+)\s*,\s*(\d+)\s*\n")

Chunk = Tuple[Any, bytearray]


def read_chunk(stream: BufferedIOBase) -> Optional[Chunk]:
    """Return metadata and body of the next chunk; None at the end. RuntimeError where the protocol is broken."""
    header = stream.readline()
    if not header:
        return None
    found = _HEADER.match(header)
    if found is None:
        raise RuntimeError(f"Failed to parse transport header: {header[:100]!r}")
    size, length = int(found[1]), int(found[2])
    metadata, body = stream.read(size), bytearray(length)
    found_length = stream.readinto(body) if length else 0
    if len(metadata) < size or found_length < length:
        raise RuntimeError(f"a chunk of {size} and {length} bytes ended after {len(metadata)} and {found_length}")
    return MetadataDecoder().decode(metadata.decode("utf-8")), body


def lines(body: bytearray) -> Iterator[str]:
    r"""Yield the lines of a body, which end at ``\n`` alone; what is no UTF-8 is replaced, as by the SDK."""
    start = 0
    while start < len(body):
        end = body.find(b"\n", start) + 1 or len(body)
        yield body[start:end].decode("utf-8", "replace")
        start = end


class ByLine:
    """For a class of the SDK's commands, before it among the bases."""

    _read_chunk = staticmethod(read_chunk)

    def _execute_chunk_v2(self: Any, process: Callable[[Iterator[Any]], Iterator[Any]], chunk: Chunk) -> None:
        """As the SDK's, which puts a ``StringIO`` between."""
        _, body = chunk
        if not body and not self._allow_empty_input:
            raise ValueError("No records found to process. Set allow_empty_input=True in dispatch function")
        self._record_writer.write_records(process(self._read_csv_records(lines(body))))
        body.clear()  # the SDK's loop holds the chunk while it reads the next
