"""Custom search commands at their borders: chunks, ends, broken protocols, and what a command leaves behind."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import time
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apisec_sandbox.spl import custom
from apisec_sandbox.spl.context import Context, Services, Stage
from apisec_sandbox.spl.custom import CustomCommand, CustomSpec
from apisec_sandbox.spl.errors import SplError
from apisec_sandbox.spl.values import Row

FRAME = """
    import json, sys, os, time, subprocess
    def read():
        head = sys.stdin.buffer.readline().decode().strip().split(",")
        if len(head) < 3: sys.exit(0)
        return json.loads(sys.stdin.buffer.read(int(head[1]))), sys.stdin.buffer.read(int(head[2]))
    def write(metadata, body=b""):
        text = json.dumps(metadata).encode()
        sys.stdout.buffer.write(b"chunked 1.0,%d,%d\\n" % (len(text), len(body)) + text + body)
        sys.stdout.buffer.flush()
    read()
"""
ECHO = """
    write({"type": "streaming", "maxinputs": MAXINPUTS})
    while True:
        metadata, body = read()
        write({"finished": metadata["finished"]}, body)
"""


def spec(folder: Path, script: str, maxwait: float = 20.0) -> CustomSpec:
    path = folder / "command.py"
    path.write_text(textwrap.dedent(FRAME) + textwrap.dedent(script))
    argv = (sys.executable, "-u", str(path))
    return CustomSpec("mine", argv, dict(os.environ), folder, "app", "https://x", "10", folder / "log", maxwait)


def run(made: CustomSpec, rows: list[Row], first: bool = False) -> tuple[list[Row], Context]:
    context = Context(cast(Services, SimpleNamespace()), 0.0)
    stage = CustomCommand(made, [], "", first).apply(Stage([dict(row) for row in rows]), context)
    return list(stage.rows), context


texts = st.text(st.characters(codec="utf-8", exclude_characters="\r\x00"), min_size=1, max_size=5)
rows = st.lists(st.dictionaries(st.sampled_from("abc"), texts | st.lists(texts, min_size=2, max_size=3)), max_size=7)


@pytest.mark.parametrize("size", [1, 2, 50_000])
@given(rows)
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_rows_do_not_depend_on_borders_of_chunks(size: int, tmp_path: Path, found: list[Row]) -> None:
    echoed, _ = run(spec(tmp_path, ECHO.replace("MAXINPUTS", str(size))), found)
    assert echoed == found


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("sys.exit(3)", "exited unexpectedly with return code 3"),
        ('print("hello"); time.sleep(9)', "broke the protocol: expected a chunk's header, found b'hello"),
        ('print("chunked 1.0,5,999999999999")', "is larger than allowed"),
        ('print("chunked 1.0,x,0")', "broke the protocol"),
        ('sys.stdout.write("chunked 1.0,100,0\\n{}"); sys.exit()', "the output ends inside a chunk"),
        ('sys.stdout.write("chunked 1.0,2,0\\n[]")', "metadata is no JSON object"),
        ('write({"error": "no such option"})', "Error in 'mine' command: no such option"),
        ('write({"inspector": {"messages": [["ERROR", "bad value"]]}})', "Error in 'mine' command: bad value"),
    ],
)
def test_a_broken_command_is_named(script: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(SplError) as caught:
        run(spec(tmp_path, script), [{"a": "1"}])
    assert message in str(caught.value)


def test_a_command_that_hangs_is_stopped_in_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(custom, "CLOSE_SECONDS", 0.1)
    script = 'write({"type": "streaming"}); read(); time.sleep(600)'
    begun = time.monotonic()
    with pytest.raises(SplError, match="did not answer within 1 s"):
        run(spec(tmp_path, script, maxwait=1.0), [{"a": "1"}])
    assert time.monotonic() - begun < 15


def test_what_a_command_started_ends_with_it(tmp_path: Path) -> None:
    script = """
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], stdout=subprocess.DEVNULL)
        write({"type": "streaming"})
        metadata, body = read()
        write({"finished": True}, b"pid\\n%d\\n" % child.pid)
    """
    found, _ = run(spec(tmp_path, script), [{"a": "1"}])
    gone = Path(f"/proc/{found[0]['pid']}/stat")
    deadline = time.monotonic() + 10
    while gone.exists() and gone.read_text().split(") ")[-1][:1] != "Z":
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_messages_reach_the_job_and_a_generator_must_stand_first(tmp_path: Path) -> None:
    script = """
        write({"type": "streaming", "generating": True})
        read()
        write({"finished": False, "inspector": {"messages": [["WARN", "half"]]}}, b"n\\n1\\n")
        read()
        write({"finished": True}, b"n,m\\n2,x\\n")
    """
    found, context = run(spec(tmp_path, script), [], first=True)
    assert found == [{"n": "1"}, {"n": "2", "m": "x"}]
    assert context.messages == [("WARN", "[mine] half")]
    with pytest.raises(SplError, match="must be the first command"):
        run(spec(tmp_path, script), [{"a": "1"}])


def test_a_reporting_command_sees_all_rows_before_it_answers(tmp_path: Path) -> None:
    script = """
        write({"type": "reporting", "maxinputs": 2})
        seen = 0
        while True:
            metadata, body = read()
            seen += max(0, body.count(b"\\n") - 1)
            if metadata["finished"]:
                write({"finished": True}, b"rows\\n%d\\n" % seen)
            else:
                write({"finished": False})
    """
    assert run(spec(tmp_path, script), [{"a": str(n)} for n in range(5)])[0] == [{"rows": "5"}]


def test_a_cell_may_be_longer_than_pythons_csv_takes(tmp_path: Path) -> None:
    """In a process of its own: the limit is a process's, and others may have raised it in this one."""
    script = (
        "from apisec_sandbox.spl.custom import decode_rows; row = decode_rows(b'a\\n' + b'x' * 200_000 + b'\\n')[0][0];"
        "print(len(row['a']))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "200000\n"
