"""How commands read their input: the same records as the SDK's own reading, of a body that is held once."""

from __future__ import annotations

import io
import tracemalloc
from io import StringIO
from types import SimpleNamespace
from typing import Any

import pytest
from apisec_app.commands.chunks import ByLine, lines, read_chunk
from apisec_app.commands.classify import ApisecClassifyCommand
from apisec_app.commands.inventory import ApisecInventoryCommand
from apisec_app.commands.score import ApisecScoreCommand
from hypothesis import given
from hypothesis import strategies as st
from splunklib.searchcommands import Configuration, StreamingCommand, dispatch
from splunklib.searchcommands.search_command import SearchCommand

from tests.package.chunked import decode, encode

COMMANDS = (ApisecClassifyCommand, ApisecInventoryCommand, ApisecScoreCommand)
cells = st.text(st.characters(codec="utf-8"), max_size=6) | st.lists(st.sampled_from(["a$", "b\n", ";"]), min_size=2)
records = st.lists(st.dictionaries(st.sampled_from(["_raw", "_time", "ä"]), cells, min_size=1), min_size=1, max_size=5)


@Configuration()
class Echo(ByLine, StreamingCommand):  # type: ignore[misc]
    """Gives what it reads."""

    def stream(self, given: Any) -> Any:
        return given


def body_of(given: list[dict[str, Any]]) -> bytearray:
    chunk = read_chunk(io.BytesIO(encode({}, given)))
    assert chunk is not None
    return chunk[1]


@given(records)
def test_records_are_those_of_the_sdk(given: list[dict[str, Any]]) -> None:
    body = body_of(given)
    command = SearchCommand()
    ours = list(command._read_csv_records(lines(body)))
    assert ours == list(command._read_csv_records(StringIO(body.decode("utf-8", "replace"))))


@given(st.binary(max_size=40))
def test_broken_text_is_replaced_as_by_the_sdk(body: bytes) -> None:
    assert list(lines(bytearray(body))) == list(StringIO(body.decode("utf-8", "replace")))


def test_reading_holds_the_body_once() -> None:
    """Four bytes a character and a copy, as with a StringIO, would be 100 MB; one emoji must not make it so either."""
    body = bytearray(("x" * 1999 + "\n").encode() * 10_000 + "🙂\n".encode())
    tracemalloc.start()
    try:
        assert sum(map(len, lines(body))) == 20_000_002
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("command", COMMANDS)
def test_commands_over_events_read_so(command: Any) -> None:
    assert command._read_chunk is read_chunk
    assert issubclass(command, ByLine)


@pytest.mark.parametrize(
    "text", [b"chunked 2.0,1,1\n{}", b"hello\n", b"chunked 1.0,2,5\n{}abc", b"chunked 1.0,9,0\n{}"]
)
def test_a_broken_chunk_is_an_error(text: bytes) -> None:
    with pytest.raises(RuntimeError, match=r"header|ended after"):
        read_chunk(io.BytesIO(text))


def test_a_command_answers_chunk_by_chunk(tmp_path: Any) -> None:
    info = {"args": [], "raw_args": [], "dispatch_dir": str(tmp_path), "earliest_time": "0", "latest_time": "0",
            "search": "", "sid": "1", "app": "apisec", "owner": "ann", "username": "ann", "session_key": "",
            "splunkd_uri": "", "splunk_version": "10.0.0", "maxresultrows": 50_000}  # fmt: skip
    rows = [{"_raw": "é \n zwei", "several": ["a$b", "c"]}]
    text = encode({"action": "getinfo", "preview": False, "streaming_command_will_restart": False, "searchinfo": info})
    text += encode({"action": "execute", "finished": False}, rows) + encode(
        {"action": "execute", "finished": True}, rows
    )
    out = io.BytesIO()
    dispatch(Echo, ["echo.py"], io.BytesIO(text), out, "__main__")
    chunks = decode(out.getvalue())
    assert [found for _, found in chunks[1:]] == [rows, rows]
    assert chunks[-1][0]["finished"] is True


def test_a_chunk_is_gone_before_the_next_is_read() -> None:
    command = Echo()
    command._record_writer = SimpleNamespace(write_records=list)
    chunk = read_chunk(io.BytesIO(encode({}, [{"_raw": "x" * 1000}])))
    assert chunk is not None
    command._execute_chunk_v2(command.stream, chunk)
    assert len(chunk[1]) == 0
