"""``apisec-sandbox search``: forms of data, forms of output, errors, and that large files are streamed."""

from __future__ import annotations

import csv
import gzip
import io
import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from apisec_sandbox.cli import main
from apisec_sandbox.commands.search_data import Defaults, JsonLines, member
from apisec_sandbox.commands.search_output import fitted

WHEN = 1_700_000_040
EXPORT = (
    '_time,_raw,host,source,sourcetype,index\n2023-11-14T22:14:00.000+00:00,"{""user"":""a"",""n"":1}",h1,s1,st1,web\n'
)
FORMS: dict[str, str] = {
    "envelopes.jsonl": json.dumps(
        {
            "time": WHEN,
            "host": "h1",
            "source": "s1",
            "sourcetype": "st1",
            "index": "web",
            "event": {"user": "a", "n": 1},
        }
    ),
    "exported.csv": EXPORT,
    "exported.jsonl": json.dumps(
        {
            "preview": False,
            "offset": 0,
            "result": {
                "_raw": '{"user":"a","n":1}',
                "_time": "2023-11-14T22:14:00.000+00:00",
                "host": "h1",
                "source": "s1",
                "sourcetype": "st1",
                "index": "web",
            },
        }
    )
    + '\n{"preview": false, "lastrow": true}\n',
}


def run(capsys: pytest.CaptureFixture[str], *argv: str) -> tuple[int, str, str]:
    code = main(["search", *argv])
    shown = capsys.readouterr()
    return code, shown.out, shown.err


def rows(capsys: pytest.CaptureFixture[str], spl: str, *argv: str) -> list[dict[str, Any]]:
    code, out, err = run(capsys, spl, *argv, "--output", "json")
    assert code == 0, err
    found: list[dict[str, Any]] = json.loads(out)
    return found


@pytest.fixture
def data(tmp_path: Path) -> Path:
    path = tmp_path / "events.jsonl"
    path.write_text("".join(json.dumps({"time": WHEN + n, "user": "abc"[n % 3], "n": n}) + "\n" for n in range(6)))
    return path


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("name", FORMS)
def test_forms_of_data_give_the_same_event(
    name: str, packed: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / (name + (".gz" if packed else ""))
    content = FORMS[name].encode()
    path.write_bytes(gzip.compress(content) if packed else content)
    spl = "search index=web | table _time host source sourcetype index user n"
    expected = {"_time": str(WHEN), "host": "h1", "source": "s1", "sourcetype": "st1", "index": "web"}
    assert rows(capsys, spl, "--data", str(path)) == [{**expected, "user": "a", "n": "1"}]


def test_arrays_and_tables_are_events(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.json").write_text('[\n {"user": "a", "time": 5},\n {"user": "b", "time": 6}\n]')
    (tmp_path / "b.json").write_text('{"results": [{"user": "c", "time": 7}]}')
    (tmp_path / "c.csv").write_text("user,time\nd,8\n")
    files = [word for name in ("a.json", "b.json", "c.csv") for word in ("--data", str(tmp_path / name))]
    assert [row["user"] for row in rows(capsys, "* | table user", *files)] == ["d", "c", "b", "a"]


def test_raw_text_needs_a_source_type_and_has_its_times(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "auth.log"
    path.write_text("2023-11-14 22:14:01 sshd: Failed password\n2023-11-14 22:14:05 sshd: Accepted password\n")
    code, _, err = run(capsys, "*", "--data", str(path))
    assert (code, "--sourcetype" in err) == (2, True)
    found = rows(
        capsys, "failed | table _time sourcetype host", "--data", str(path), "--sourcetype", "auth", "--host", "w"
    )
    assert found == [{"_time": "1700000041", "sourcetype": "auth", "host": "w"}]


def test_stdin_is_data(data: Path) -> None:
    argv = [sys.executable, "-m", "apisec_sandbox", "search", "* | stats sum(n) AS s", "--data", "-", "--output", "csv"]
    found = subprocess.run(argv, input=data.read_bytes(), capture_output=True, check=True)
    assert found.stdout == b"s\n15\n"


def test_output_forms(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spl = "n<2 | table user n"
    _, out, _ = run(capsys, spl, "--data", str(data))
    assert [line.split() for line in out.splitlines()] == [["user", "n"], ["----", "-"], ["b", "1"], ["a", "0"]]
    _, out, _ = run(capsys, spl, "--data", str(data), "--output", "jsonl")
    assert [json.loads(line) for line in out.splitlines()] == [{"user": "b", "n": "1"}, {"user": "a", "n": "0"}]
    _, out, _ = run(capsys, spl, "--data", str(data), "--output", "csv")
    assert list(csv.reader(io.StringIO(out))) == [["user", "n"], ["b", "1"], ["a", "0"]]
    _, out, _ = run(capsys, "n<2", "--data", str(data), "--output", "raw")
    assert out.splitlines() == data.read_text().splitlines()[1::-1]
    code, _, err = run(capsys, spl, "--data", str(data), "--output", "raw")
    assert (code, "_raw" in err) == (2, True)
    _, out, _ = run(capsys, "none=here | table user", "--data", str(data), "--output", "json")
    assert json.loads(out) == []


def test_a_table_fits_a_terminal() -> None:
    assert fitted([10, 20], 80) == [10, 20]
    assert fitted([10, 200, 5], 80) == [10, 61, 5]
    assert sum(fitted([300, 200, 5], 80)) == 76
    assert fitted([9, 9, 9], 10) == [8, 8, 8]


def test_lookup_time_and_several_files(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "t.csv").write_text("user,team\na,red\n")
    other = tmp_path / "more.jsonl"
    other.write_text(json.dumps({"time": WHEN + 100, "user": "a"}))
    argv = ["--data", str(data), "--data", str(other), "--lookup", f"teams={tmp_path / 't.csv'}"]
    spl = "* | lookup teams user | stats count by team"
    assert rows(capsys, spl, *argv) == [{"team": "red", "count": "3"}]
    ranged = ["--now", "2023-11-14T22:14:10Z", "--earliest", "-10s@s", "--latest", "now"]
    assert rows(capsys, spl, *argv, *ranged) == [{"team": "red", "count": "2"}]
    assert run(capsys, spl, "--lookup", "teams")[0] == 2


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["* | stats coun by user"], "  * | stats coun by user\n            ^"),
        (["* | tabel user"], "Did you mean 'table'?"),
        (["*", "--data", "/nowhere/x.jsonl"], "/nowhere/x.jsonl: No such file"),
        (["*", "--now", "noon"], "--now 'noon'"),
    ],
)
def test_errors_have_code_2_and_point(argv: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, *argv)
    assert (code, out) == (2, "")
    assert message in err


@pytest.mark.parametrize("spl", ["*", "* | stats count"])
def test_a_bad_line_is_named_in_any_order_of_reading(
    spl: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "bad.jsonl"
    path.write_text('{"a": 1}\n\n["no", "event"]\n')
    code, _, err = run(capsys, spl, "--data", str(path))
    assert (code, "line 3: a JSON object is needed" in err) == (2, True)


def test_a_command_at_the_head_takes_all_events(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, "stats count by user", "--data", str(data), "--output", "csv")
    assert (code, out) == (0, "user,count\na,2\nb,2\nc,2\n")
    assert "read as: search * | stats count by user" in err
    _, out, err = run(capsys, "search stats count | stats count", "--data", str(data), "--output", "csv")
    assert (out, err) == ("count\n0\n", "")


def test_explain_and_lint_run_nothing(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "user=a | eval m=n*2 | stats max(m) by user", "--data", str(data), "--explain")
    assert code == 0
    lines = out.splitlines()
    assert lines[0] == "user=a | eval m=n*2 | stats max(m) by user"
    assert lines[3].split() == ["2", "eval", "streaming", "reads", "n,", "user"]
    assert "in any order" in lines[2]
    assert run(capsys, "* | stats count", "--lint")[:2] == (0, "The search parses.\n")
    assert run(capsys, "* | stats count by", "--lint")[0] == 2


def test_a_reader_that_goes_ends_the_search_quietly(tmp_path: Path) -> None:
    path = tmp_path / "many.jsonl"
    path.write_text("".join(json.dumps({"time": WHEN + n, "pad": "x" * 200}) + "\n" for n in range(20_000)))
    argv = [sys.executable, "-m", "apisec_sandbox", "search", "*", "--data", str(path), "--output", "jsonl"]
    process = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stderr is not None
    assert process.stdout.readline().startswith(b"{")
    process.stdout.close()
    assert process.wait(timeout=30) == 1
    assert process.stderr.read() == b""
    process.stderr.close()


def test_an_interrupt_ends_the_search_quietly(tmp_path: Path) -> None:
    path = tmp_path / "many.jsonl"
    path.write_text(json.dumps({"time": WHEN}) + "\n")
    spl = "| makeresults count=500000000 | eval a=1 | stats count by a"  # minutes
    argv = [sys.executable, "-m", "apisec_sandbox", "search", spl, "--data", str(path)]
    folder = {**os.environ, "TMPDIR": str(tmp_path)}
    process = subprocess.Popen(
        argv,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=folder,
        # a suite started in the background ignores the signal, and its children inherit that
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    deadline = time.monotonic() + 60
    while not list(tmp_path.glob("apisec-sandbox-*/home/var/run/splunk/dispatch/*")):
        assert time.monotonic() < deadline
        assert process.poll() is None
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (130, b"")
    assert not list(tmp_path.glob("apisec-sandbox-*"))


# Scanning


def lines_of(tmp_path: Path, events: list[dict[str, Any]]) -> JsonLines:
    path = tmp_path / "lines.jsonl"
    path.write_text("".join(json.dumps(event) + "\n" for event in events))
    return JsonLines(path, "lines", Defaults(source="lines", now=0.0))


def test_any_order_of_lines_comes_newest_first(tmp_path: Path) -> None:
    chance = random.Random(3)
    events = [{"time": chance.randrange(40), "n": n} for n in range(300)]
    source = lines_of(tmp_path, events)
    everything = (float("-inf"), float("inf"))
    found = [json.loads(event.raw)["n"] for event in source.scan({"main"}, *everything)]
    assert found == [event["n"] for event in sorted(events, key=lambda event: (-event["time"], -event["n"]))]
    batched = [json.loads(event.raw)["n"] for batch in source.batches({"main"}, *everything) for event in batch]
    assert batched == list(range(300))
    inside = {event["n"] for event in events if 10 <= event["time"] < 20}
    assert {json.loads(event.raw)["n"] for event in source.scan({"main"}, 10, 20)} == inside
    assert {json.loads(e.raw)["n"] for batch in source.batches({"main"}, 10, 20) for e in batch} == inside
    assert list(source.scan({"other"}, *everything)) == []


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ('{"event": {"a": 1.50, "b": [1e3]}, "time": 1}', '{"a": 1.50, "b": [1e3]}'),
        ('{"fields": {"event": {"a": 1}}, "event" : {"a": 2.0} }', '{"a": 2.0}'),
        ('{"time":1,"event":{"a":1,"b":"x\\"y"}}', '{"a":1,"b":"x\\"y"}'),
        ('{"event": 1.0}', "1.0"),
    ],
)
def test_the_text_of_an_envelopes_event_stays_as_it_was(line: str, text: str) -> None:
    assert member(line.encode(), "event", json.loads(line)["event"]) == text


MEASURE = """
import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""


def peak_memory(argv: list[str]) -> int:
    """Bytes. Asked of a small process between: a child's maximum counts what its parent held when it was started."""
    done = subprocess.run([sys.executable, "-c", MEASURE, *argv], check=True, capture_output=True, text=True)
    return int(done.stdout) * 1024


@pytest.mark.slow
def test_a_large_file_is_not_held_in_memory(tmp_path: Path) -> None:
    path = tmp_path / "large.jsonl"
    line = json.dumps({"time": WHEN, "user": "a", "pad": "x" * 10_000})
    with path.open("w") as file:
        for _ in range(300):
            file.write((line + "\n") * 100)
    for spl in ("* | stats count by user", "* | head 5 | table user"):
        argv = [sys.executable, "-m", "apisec_sandbox", "search", spl, "--data", str(path)]
        assert peak_memory(argv) < 200e6 < path.stat().st_size


@pytest.mark.parametrize("output", ["table", "json", "jsonl", "csv"])
def test_half_a_surrogate_pair_is_shown_as_what_can_be_written(tmp_path: Path, output: str) -> None:
    spaced, other = (rf'{{"time": 1700000000, "event": {{"a": "{a}\ud800", "n": 1e{n}}}}}' for a, n in ("x5", "y6"))
    path = tmp_path / "odd.jsonl"
    path.write_text(f"{spaced}\n{other.replace(' ', '')}\n")
    argv = [sys.executable, "-m", "apisec_sandbox", "search", "* | table a n", "--data", str(path), "--output", output]
    done = subprocess.run(argv, capture_output=True, text=True, env={**os.environ, "PYTHONIOENCODING": "ascii"})
    assert done.returncode == 0, done.stderr
    for text in ("1e5", "1e6", "x", "y"):  # numbers as they were written
        assert text in done.stdout
