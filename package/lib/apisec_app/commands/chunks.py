"""How a command reads its input: a chunk once, as it came, and a line of it at a time.

The SDK decodes a chunk whole and copies it into a ``StringIO``, which takes four bytes a character. splunkd sends up to
50,000 events in a chunk, so the same 140 MB were 650 MB in every process of a map phase.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO, Optional, Tuple

from splunklib.searchcommands.internals import MetadataDecoder

_HEADER = re.compile(rb"chunked\s+1\.0\s*,\s*(\d+)\s*,\s*(\d+)\s*\n")

Chunk = Tuple[Any, bytes]


def read_chunk(stream: BinaryIO) -> Optional[Chunk]:
    """Return metadata and body of the next chunk; None at the end. RuntimeError where the protocol is broken."""
    header = stream.readline()
    if not header:
        return None
    found = _HEADER.match(header)
    if found is None:
        raise RuntimeError(f"Failed to parse transport header: {header[:100]!r}")
    size, length = int(found[1]), int(found[2])
    metadata, body = stream.read(size), stream.read(length)
    if len(metadata) < size or len(body) < length:
        raise RuntimeError(f"a chunk of {size} and {length} bytes ended after {len(metadata)} and {len(body)}")
    return MetadataDecoder().decode(metadata.decode("utf-8")), body


def lines(body: bytes) -> Iterator[str]:
    """Yield the lines of a body; what is no UTF-8 is replaced, as by the SDK."""
    for line in io.BytesIO(body):  # shares the bytes, and ends lines at \n alone
        yield line.decode("utf-8", "replace")


class ByLine:
    """For a class of the SDK's commands, before it among the bases."""

    _read_chunk = staticmethod(read_chunk)

    def _execute_chunk_v2(self: Any, process: Callable[[Iterator[Any]], Iterator[Any]], chunk: Chunk) -> None:
        """As the SDK's, which puts a ``StringIO`` between."""
        _, body = chunk
        if not body and not self._allow_empty_input:
            raise ValueError("No records found to process. Set allow_empty_input=True in dispatch function")
        self._record_writer.write_records(process(self._read_csv_records(lines(body))))
