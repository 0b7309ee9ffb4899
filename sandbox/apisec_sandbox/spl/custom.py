"""Custom search commands: real processes over the chunked protocol, version 2.

Source: commands.conf.spec (``chunked``), splunk-sdk's searchcommands (its reader is the other end). One chunk is
``chunked 1.0,<bytes of metadata>,<bytes of body>\\n`` + JSON + CSV. First ``getinfo``, then ``execute`` until
``finished``. A multivalue field ``f`` travels in ``__mv_f`` as ``$a$;$b$`` with ``$`` doubled.
"""

from __future__ import annotations

import contextlib
import csv
import io
import json
import os
import queue
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import IO, Any
from urllib.parse import quote

from apisec_sandbox.spl.commands.base import Command
from apisec_sandbox.spl.context import EVERY, Context, Fields, Stage, header_of
from apisec_sandbox.spl.errors import SplError
from apisec_sandbox.spl.values import Row, collapse, to_text

CHUNK_ROWS = 50_000  # limits.conf [search] maxresultrows
MAX_METADATA = 4 * 1024 * 1024
MAX_BODY = 512 * 1024 * 1024
GETINFO_SECONDS = 30.0  # commands.conf maxwait default is unlimited; a start that takes longer has failed
EXECUTE_SECONDS = 600.0
CLOSE_SECONDS = 3.0  # for a command to end by itself once its input is closed
MV_PREFIX = "__mv_"
# Python's csv gives up at 131,072 characters of a cell; splunkd does not, and the SDK raises it too (SPL-12117).
csv.field_size_limit(MAX_BODY)


@dataclass(frozen=True)
class CustomSpec:
    """One stanza of commands.conf and how to start it."""

    name: str
    argv: tuple[str, ...]
    env: dict[str, str]
    cwd: Path
    app: str
    splunkd_uri: str
    splunk_version: str
    log: Path
    maxwait: float = EXECUTE_SECONDS


@dataclass
class Configuration:
    """What the command answered to getinfo."""

    type: str = "streaming"
    generating: bool = False
    maxinputs: int = CHUNK_ROWS
    required_fields: list[str] = field(default_factory=list)
    streaming_preop: str = ""

    @classmethod
    def read(cls, metadata: dict[str, Any]) -> Configuration:
        maxinputs = metadata.get("maxinputs") or CHUNK_ROWS
        return cls(
            str(metadata.get("type", "streaming")),
            bool(metadata.get("generating", False)),
            min(CHUNK_ROWS, int(maxinputs)),
            [str(name) for name in metadata.get("required_fields") or ()],
            str(metadata.get("streaming_preop") or ""),
        )


class Process:
    """A running command. stdout is read by a thread, so that every wait has an end; stderr goes to a log."""

    def __init__(self, spec: CustomSpec) -> None:
        self.spec = spec
        spec.log.parent.mkdir(parents=True, exist_ok=True)
        try:
            with spec.log.open("ab") as log:
                self._process = subprocess.Popen(  # noqa: S603 - the app's own script, started without a shell
                    spec.argv,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=log,
                    cwd=spec.cwd,
                    env=spec.env,
                    start_new_session=True,  # so that what it starts ends with it
                )
        except OSError as error:
            raise SplError(f"External search command '{spec.name}' did not start: {error}") from error
        self._chunks: queue.Queue[tuple[dict[str, Any], bytes] | Exception | None] = queue.Queue(maxsize=4)
        assert self._process.stdout is not None
        threading.Thread(target=self._pump, args=(self._process.stdout,), daemon=True).start()

    def _pump(self, stream: IO[bytes]) -> None:
        try:
            while chunk := read_chunk(stream):
                self._chunks.put(chunk)
            self._chunks.put(None)
        except (ValueError, OSError) as error:
            self._chunks.put(error)

    def send(self, metadata: dict[str, Any], body: bytes = b"") -> None:
        head = json.dumps(metadata).encode()
        assert self._process.stdin is not None
        guard = threading.Timer(self.spec.maxwait, self._kill)  # a write cannot be given a time limit
        guard.daemon = True
        guard.start()
        try:
            self._process.stdin.write(b"chunked 1.0,%d,%d\n" % (len(head), len(body)) + head + body)
            self._process.stdin.flush()
        except OSError as error:
            raise self.failure("closed its input") from error
        finally:
            guard.cancel()

    def receive(self, seconds: float, context: Context) -> tuple[dict[str, Any], bytes]:
        """Return the next chunk of the command.

        Raises:
            SplError: it ended, wrote what is no chunk, or took too long.
        """
        deadline = time.monotonic() + seconds
        while True:
            context.check()
            try:
                chunk = self._chunks.get(timeout=0.2)
            except queue.Empty:
                if time.monotonic() > deadline:
                    raise self.failure(f"did not answer within {seconds:.0f} s") from None
                continue
            if chunk is None:
                raise self.failure("exited unexpectedly" + self._exit())
            if isinstance(chunk, Exception):
                raise self.failure(f"broke the protocol: {chunk}")
            return chunk

    def _exit(self) -> str:
        try:
            code = self._process.wait(timeout=2)
        except subprocess.TimeoutExpired:
            return ""
        return f" with return code {code}"

    def failure(self, what: str) -> SplError:
        return SplError(
            f"External search command '{self.spec.name}' {what}. See {self.spec.log.name} in the log folder"
        )

    def _await_end(self, seconds: float) -> None:
        """Wait until the process has ended, and leave it to be waited for."""
        deadline = time.monotonic() + seconds
        flags = os.WEXITED | os.WNOHANG | os.WNOWAIT
        while os.waitid(os.P_PID, self._process.pid, flags) is None and time.monotonic() < deadline:
            time.sleep(0.002)

    def _kill(self) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):  # the whole group has ended
            os.killpg(self._process.pid, signal.SIGKILL)

    def close(self) -> None:
        """End the process: close its input, wait, then kill."""
        stdin = self._process.stdin
        try:
            if stdin:
                stdin.close()
        except OSError:
            pass
        if self._process.returncode is None:
            self._await_end(CLOSE_SECONDS)
            self._kill()  # it and what it left behind; its number is its own until it has been waited for
            self._process.wait(timeout=5)
        while not self._chunks.empty():
            self._chunks.get_nowait()
        if self._process.stdout:
            self._process.stdout.close()


def read_chunk(stream: IO[bytes]) -> tuple[dict[str, Any], bytes] | None:
    """Read one chunk, None at the end.

    Raises:
        ValueError: what comes is no chunk, or larger than allowed.
    """
    header = stream.readline(200)
    if not header:
        return None
    parts = header.strip().split(b",")
    if len(parts) != 3 or parts[0].strip() != b"chunked 1.0":
        raise ValueError(f"expected a chunk's header, found {header[:80]!r}")
    sizes = int(parts[1]), int(parts[2])
    if not (0 <= sizes[0] <= MAX_METADATA and 0 <= sizes[1] <= MAX_BODY):
        raise ValueError(f"a chunk of {sizes[0]} + {sizes[1]} bytes is larger than allowed")
    head, body = stream.read(sizes[0]), stream.read(sizes[1])
    if len(head) < sizes[0] or len(body) < sizes[1]:
        raise ValueError("the output ends inside a chunk")
    metadata = json.loads(head) if head else {}
    if not isinstance(metadata, dict):
        raise ValueError("metadata is no JSON object")  # noqa: TRY004 - the protocol is broken, not a call
    return metadata, body


def encode_rows(rows: list[Row], header: list[str]) -> bytes:
    """CSV with an ``__mv_`` column for every field that holds a multivalue somewhere."""
    several = {name for row in rows for name, value in row.items() if type(value) is list}
    columns = []
    for name in header:
        columns.append(name)
        if name in several:
            columns.append(MV_PREFIX + name)
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")  # so that a bare \r in a cell is quoted
    writer.writerow(columns)
    for row in rows:
        writer.writerow([_cell(row, name) for name in columns])
    return text.getvalue().encode("utf-8", "replace")


def _cell(row: Row, column: str) -> str:
    if column.startswith(MV_PREFIX):
        value = row.get(column[len(MV_PREFIX) :])
        return encode_multivalue(value) if type(value) is list else ""
    value = row.get(column)
    return "" if value is None else to_text(value)


def encode_multivalue(values: list[Any]) -> str:
    return ";".join("$" + to_text(value).replace("$", "$$") + "$" for value in values)


def decode_multivalue(text: str) -> list[str]:
    """Read ``$a$;$b$`` with doubled ``$`` inside."""
    values: list[str] = []
    position = 0
    while position < len(text) and text[position] == "$":
        position += 1
        parts: list[str] = []
        while True:
            stop = text.find("$", position)
            if stop < 0:
                return values
            parts.append(text[position:stop])
            if text[stop + 1 : stop + 2] != "$":
                break
            parts.append("$")
            position = stop + 2
        values.append("".join(parts))
        position = stop + 2  # behind $;
    return values


def decode_rows(body: bytes) -> tuple[list[Row], list[str]]:
    """Return rows and columns of a chunk's CSV; an empty cell is null."""
    if not body:
        return [], []
    reader = csv.reader(io.StringIO(body.decode("utf-8", "replace"), newline=""))
    columns = next(reader, [])
    rows: list[Row] = []
    for record in reader:
        row: Row = {}
        for name, cell in zip(columns, record, strict=False):
            if cell and not name.startswith(MV_PREFIX):
                row[name] = cell
        for name, cell in zip(columns, record, strict=False):
            if cell and name.startswith(MV_PREFIX):
                row[name[len(MV_PREFIX) :]] = collapse(decode_multivalue(cell))
        rows.append(row)
    return rows, [name for name in columns if not name.startswith(MV_PREFIX)]


class CustomCommand(Command):
    """One use of a custom command in a pipeline."""

    def __init__(self, spec: CustomSpec, args: list[str], raw: str, first: bool) -> None:
        self.spec = spec
        self.args = args
        self.raw = raw
        self.first = first

    def needs(self, wanted: Fields) -> Fields:  # noqa: ARG002 - only the process knows what it reads
        return EVERY

    def apply(self, stage: Stage, context: Context) -> Stage:
        process = Process(self.spec)
        try:
            configuration = self._getinfo(process, context)
        except BaseException:
            process.close()
            raise
        if configuration.generating:
            if not self.first:
                process.close()
                raise SplError(
                    f"Error in '{self.spec.name}' command: This command must be the first command of a search."
                )
            header: list[str] = []
            return Stage(self._generate(process, context, header), header)
        if self.first:
            process.close()
            raise SplError(f"Error in '{self.spec.name}' command: it needs rows, and stands first in the search.")
        if configuration.streaming_preop:
            stage = self._map_phase(stage, configuration.streaming_preop, context)
        streaming = configuration.type in ("streaming", "stateful")
        header = list(stage.header) if stage.header is not None else []
        fixed = stage.header is not None or not streaming
        rows = self._stream(process, stage, configuration, context, header)
        return Stage(rows, header if fixed else None, stage.events and streaming)

    def _map_phase(self, stage: Stage, preop: str, context: Context) -> Stage:
        """The map of a reporting command: the same script again, as a streaming command in front."""
        name, _, raw = preop.strip().partition(" ")
        if name != self.spec.name:
            raise SplError(f"streaming_preop of '{self.spec.name}' runs '{name}': only its own map phase is supported")
        from apisec_sandbox.spl.engine import custom_arguments
        from apisec_sandbox.spl.parser import Segment

        args = custom_arguments(Segment(name, raw, 0, 0, len(raw)))
        return CustomCommand(self.spec, args, raw.strip(), False).apply(stage, context)

    def _getinfo(self, process: Process, context: Context) -> Configuration:
        process.send({"action": "getinfo", "preview": False, "searchinfo": self._searchinfo(context)})
        metadata, _ = process.receive(GETINFO_SECONDS, context)
        failed = self._messages(metadata, context)
        if failed or metadata.get("error"):
            raise SplError(f"Error in '{self.spec.name}' command: {failed or metadata.get('error')}")
        return Configuration.read(metadata)

    def _searchinfo(self, context: Context) -> dict[str, Any]:
        return {
            "args": self.args,
            "raw_args": self.args,
            "dispatch_dir": context.dispatch_dir,
            "sid": context.sid,
            "app": context.app,
            "owner": context.owner,
            "username": context.owner,
            "session_key": context.session_key,
            "splunkd_uri": self.spec.splunkd_uri,
            "splunk_version": self.spec.splunk_version,
            "search": quote(context.search, safe=""),
            "command": self.spec.name,
            "maxresultrows": CHUNK_ROWS,
            "earliest_time": _bound(context.earliest),
            "latest_time": _bound(context.latest),
        }

    def _messages(self, metadata: dict[str, Any], context: Context) -> str:
        """Pass the command's messages on to the job; return the first error."""
        failed = ""
        for item in (metadata.get("inspector") or {}).get("messages") or ():
            kind, text = str(item[0]).upper(), str(item[1])
            if kind in ("ERROR", "FATAL"):
                failed = failed or text
            context.say({"WARNING": "WARN"}.get(kind, kind), f"[{self.spec.name}] {text}")
        return failed

    def _generate(self, process: Process, context: Context, header: list[str]) -> Iterator[Row]:
        try:
            finished = False
            while not finished:
                process.send({"action": "execute", "finished": True})
                metadata, body = process.receive(self.spec.maxwait, context)
                self._raise_on_error(metadata, context)
                yield from self._received(body, header)
                finished = bool(metadata.get("finished"))
        finally:
            process.close()

    def _stream(
        self, process: Process, stage: Stage, configuration: Configuration, context: Context, header: list[str]
    ) -> Iterator[Row]:
        try:
            rows = iter(stage.rows)
            known: list[str] = list(stage.header or ())
            reporting = configuration.type not in ("streaming", "stateful")
            if reporting:
                header.clear()
            following = list(islice(rows, configuration.maxinputs))
            while True:
                chunk = following
                following = list(islice(rows, configuration.maxinputs))
                known = header_of(Stage((), known), chunk)
                last = not following
                process.send({"action": "execute", "preview": False, "finished": last}, encode_rows(chunk, known))
                metadata, body = process.receive(self.spec.maxwait, context)
                self._raise_on_error(metadata, context)
                yield from self._received(body, header)
                if last:
                    yield from self._rest(process, metadata, context, header)
                    return
                if metadata.get("finished"):
                    return
        finally:
            process.close()

    def _rest(self, process: Process, metadata: dict[str, Any], context: Context, header: list[str]) -> Iterator[Row]:
        """Go on reading until the command says that it is finished."""
        while not metadata.get("finished"):
            process.send({"action": "execute", "preview": False, "finished": True})
            metadata, body = process.receive(self.spec.maxwait, context)
            self._raise_on_error(metadata, context)
            yield from self._received(body, header)

    def _raise_on_error(self, metadata: dict[str, Any], context: Context) -> None:
        failed = self._messages(metadata, context)
        if failed:
            raise SplError(f"Error in '{self.spec.name}' command: {failed}")

    @staticmethod
    def _received(body: bytes, header: list[str]) -> Iterator[Row]:
        rows, columns = decode_rows(body)
        header += [name for name in columns if name not in header]
        yield from rows


def _bound(epoch: float) -> str:
    """0 stands for an open end, as splunkd writes it."""
    return f"{epoch:.3f}" if abs(epoch) != float("inf") else "0"
