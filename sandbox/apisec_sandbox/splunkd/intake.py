"""Events over the management port: receivers and uploaded files.

Source: REST API Reference, "receivers/simple", "receivers/stream", "data/inputs/oneshot".
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from apisec_sandbox.splunkd.parsing.parser import Meta, Parser
from apisec_sandbox.splunkd.web import HttpError

if TYPE_CHECKING:
    from apisec_sandbox.splunkd.server import Splunkd

MAX_FILE = 512 * 1024 * 1024  # bytes of an upload, unpacked
MAX_LINE = 1024 * 1024  # bytes of a stream without a line break that are held
BLOCK = 4 * 1024 * 1024  # bytes of a file that are parsed at a time
HOST = "apisec-sandbox"


class Intake:
    """Breaks text into events by the rules of its source type, and stores them."""

    def __init__(self, splunkd: Splunkd) -> None:
        self._splunkd = splunkd
        self._parser = Parser(splunkd.confs, splunkd.clock)

    def meta(self, given: Mapping[str, str], host: str, source: str, sourcetype: str) -> Meta:
        """What the parameters say of the data.

        Raises:
            HttpError: 400, there is no such index.
        """
        index = given.get("index") or "main"
        index = "main" if index == "default" else index
        if index not in self._splunkd.index_names():
            raise HttpError(400, f"supplied index '{index}' missing")
        return Meta(
            given.get("host") or host, given.get("source") or source, given.get("sourcetype") or sourcetype, index
        )

    def text(self, text: str, meta: Meta) -> int:
        """Store the events of a text; return how many there are."""
        self._parser.refresh()
        events = list(self._parser.raw(text, meta))
        if events:
            self._splunkd.store.append(events)
        return len(events)

    def file(self, path: Path, given: Mapping[str, str]) -> int:
        """Index a file of the server, packed or not; return its bytes.

        Raises:
            HttpError: 400, it cannot be read.
        """
        name = given.get("rename-source") or given.get("source") or str(path)
        meta = self.meta(given, HOST, name, path.name.removesuffix(".gz").rpartition(".")[0] + "-too_small")
        size = 0
        for block in _blocks(path):
            size += len(block)
            self.text(block.decode("utf-8", "replace"), meta)
        return size

    def stream(self, meta: Meta) -> Stream:
        return Stream(lambda text: self.text(text, meta))


def _blocks(path: Path) -> Iterator[bytes]:
    """The file in pieces that end with a line."""
    try:
        if not path.is_absolute() or not path.is_file():
            raise FileNotFoundError(2, "No such file or directory")
        packed = path.suffix == ".gz"
        with gzip.open(path) if packed else path.open("rb") as file:
            size, held = 0, b""
            while block := file.read(BLOCK):
                size += len(block)
                if size > MAX_FILE:
                    raise HttpError(400, f"{path} is larger than {MAX_FILE} bytes")
                whole, end, held = (held + block).rpartition(b"\n")
                if end:
                    yield whole + end
            if held:
                yield held
    except (OSError, EOFError, zlib.error) as error:
        text = getattr(error, "strerror", None) or str(error)
        raise HttpError(
            400, f"In handler 'oneshotinput': unabled to open file: path='{path}' error='{text}'"
        ) from error


class Stream:
    """The events of an open connection: lines are stored as they are complete."""

    def __init__(self, store: Callable[[str], int]) -> None:
        self._store = store
        self._held = b""

    def feed(self, chunk: bytes) -> None:
        whole, end, self._held = (self._held + chunk).rpartition(b"\n")
        if len(self._held) > MAX_LINE:
            whole, end, self._held = whole + end + self._held, b"", b""
        if whole.strip():
            self._store((whole + end).decode("utf-8", "replace"))

    def finish(self) -> None:
        if self._held.strip():
            self._store(self._held.decode("utf-8", "replace"))
        self._held = b""
