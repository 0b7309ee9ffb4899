"""The console commands, installing, configuration files, cron, throttles, KV queries."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
import tarfile
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from apisec_sandbox.cli import main
from apisec_sandbox.errors import AppError, SandboxError
from apisec_sandbox.splunkd import confs, cron
from apisec_sandbox.splunkd.apps import install
from apisec_sandbox.splunkd.confs import Confs
from apisec_sandbox.splunkd.home import BUILT_IN_APPS, Home
from apisec_sandbox.splunkd.kvstore import compile_query
from apisec_sandbox.splunkd.periods import seconds_of
from apisec_sandbox.splunkd.server import Options, Splunkd
from apisec_sandbox.splunkd.web import HttpError

LINES = [
    {"time": 1700000000, "event": {"user": "a", "n": 1}, "sourcetype": "s1", "index": "web", "fields": {"level": "x"}},
    {"_time": "2023-11-14T22:14:00Z", "user": "b", "n": 2},
]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    path = tmp_path / "events.jsonl"
    path.write_text("\n".join(json.dumps(line) for line in LINES) + "\n")
    return path


def test_search_prints_a_table_json_and_csv(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spl = "n>0 | sort n | table _time user index level sourcetype"
    assert main(["search", spl, "--data", str(data)]) == 0
    table = capsys.readouterr().out.splitlines()
    assert table[0].split() == ["_time", "user", "index", "level", "sourcetype"]
    assert table[2].split() == ["2023-11-14", "22:13:20.000", "a", "web", "x", "s1"]
    assert main(["search", spl, "--data", str(data), "--format", "jsonl"]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert rows[1] == {"_time": "1700000040", "user": "b", "index": "main", "sourcetype": "_json"}
    assert main(["search", "* | stats count by user", "--data", str(data), "--format", "csv"]) == 0
    assert list(csv.DictReader(io.StringIO(capsys.readouterr().out))) == [
        {"user": "a", "count": "1"},
        {"user": "b", "count": "1"},
    ]


def test_search_honours_the_time_range(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    argv = [
        "search",
        "* | table user",
        "--data",
        str(data),
        "--format",
        "csv",
        "--now",
        "1700000060",
        "--earliest",
        "-30s",
    ]
    assert main(argv) == 0
    assert capsys.readouterr().out.splitlines() == ["user", "b"]


def test_search_says_what_is_wrong_with_code_2(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["search", "* | tabel user", "--data", str(data)]) == 2
    assert "Did you mean 'table'?" in capsys.readouterr().err
    assert main(["search", "*", "--data", str(tmp_path / "none.jsonl")]) == 2
    assert "none.jsonl" in capsys.readouterr().err
    data.write_text('{"a": 1}\nnonsense\n')
    assert main(["search", "*", "--data", str(data)]) == 2
    assert "line 2" in capsys.readouterr().err
    assert main(["search", "*", "--app", str(data)]) == 2
    assert "not an app archive" in capsys.readouterr().err


def test_search_runs_an_apps_commands(data: Path, testapp: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spl = "* | tagrows label=x count_kv=t | sort n | table user label known"
    assert main(["search", spl, "--data", str(data), "--app", str(testapp), "--format", "jsonl"]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert rows == [{"user": "a", "label": "x", "known": "0"}, {"user": "b", "label": "x", "known": "0"}]


@pytest.mark.parametrize("argv", [["--help"], ["serve", "--help"], ["install", "--help"], ["search", "--help"]])
def test_help_teaches_with_an_example(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(argv)
    assert caught.value.code == 0
    assert "example:" in capsys.readouterr().out


def test_serve_starts_quickly_and_stops_on_a_signal(tmp_path: Path) -> None:
    ready = tmp_path / "ready.json"
    argv = [
        sys.executable,
        "-m",
        "apisec_sandbox",
        "serve",
        "--home",
        str(tmp_path / "home"),
        "--ready-file",
        str(ready),
    ]
    started = time.monotonic()
    process = subprocess.Popen(argv, stdout=subprocess.DEVNULL)
    while not ready.exists():
        assert time.monotonic() < started + 20
        assert process.poll() is None
        time.sleep(0.01)
    about = json.loads(ready.read_text())
    assert about["mgmt"].startswith("https://127.0.0.1:")
    assert Path(about["ca"]).exists()
    process.terminate()
    assert process.wait(timeout=15) == 0
    assert not ready.exists()


def test_one_process_per_home(tmp_path: Path) -> None:
    first = Splunkd(Home(tmp_path), Options(schedule=False))
    try:
        with pytest.raises(SandboxError, match="is in use"):
            Splunkd(Home(tmp_path), Options(schedule=False))
    finally:
        first.close()


# Installing


def archive(tmp_path: Path, files: dict[str, str], link: str = "") -> Path:
    path = tmp_path / "app.tar.gz"
    with tarfile.open(path, "w:gz") as tar:
        for name, text in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(text.encode())
            tar.addfile(member, io.BytesIO(text.encode()))
        if link:
            member = tarfile.TarInfo("x/link")
            member.type, member.linkname = tarfile.SYMTYPE, link
            tar.addfile(member)
    return path


@pytest.mark.parametrize(
    ("files", "link", "message"),
    [
        ({"x/readme": "hello"}, "", "default/app.conf is missing"),
        ({"x/default/app.conf": "[ui]\n", "y/default/app.conf": ""}, "", "one top folder"),
        ({"x/default/app.conf": "[ui]\n", "../evil": ""}, "", "not an app archive|one top folder"),
        ({"x/default/app.conf": "[ui]\n"}, "/etc/passwd", "link"),
        ({"x/default/app.conf": "[ui]\nno equals here\n"}, "", "line 2"),
    ],
)
def test_what_is_no_app_is_refused(tmp_path: Path, files: dict[str, str], link: str, message: str) -> None:
    home = Home(tmp_path / "home")
    with pytest.raises(AppError, match=message):
        install(archive(tmp_path, files, link), home)
    assert sorted(path.name for path in home.apps.iterdir()) == sorted(BUILT_IN_APPS)
    assert not (tmp_path / "evil").exists()


def test_installing_again_keeps_local_and_lookups(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    files = {
        "x/default/app.conf": "[launcher]\nversion=1\n",
        "x/default/gone.conf": "[a]\n",
        "x/lookups/l.csv": "a\n1\n",
    }
    assert install(archive(tmp_path, files), home).version == "1"
    (home.apps / "x" / "local").mkdir()
    (home.apps / "x" / "local" / "app.conf").write_text("[ui]\nlabel = mine\n")
    (home.apps / "x" / "lookups" / "written.csv").write_text("b\n2\n")
    assert install(archive(tmp_path, {"x/default/app.conf": "[launcher]\nversion=2\n"}), home).version == "2"
    app = home.apps / "x"
    assert (app / "local" / "app.conf").read_text() == "[ui]\nlabel = mine\n"
    assert (app / "lookups" / "written.csv").exists()
    assert not (app / "default" / "gone.conf").exists()


# Configuration


def test_conf_syntax() -> None:
    text = "\ufeffa = 0\n# no\n[one]\nkey = b = c \nlong = first \\\n  second\n[two [x]]\n[one]\nkey2 =\n"
    assert confs.parse(text) == {
        "default": {"a": "0"},
        "one": {"key": "b = c", "long": "first \n  second", "key2": ""},
        "two [x]": {},
    }
    assert confs.parse(confs.render(confs.parse(text))) == confs.parse(text)


def test_layers(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.prepare()
    for app, kind, text in (
        ("aaa", "default", "[default]\nall = yes\n[s]\nk = aaa-default\nonly = a\n"),
        ("zzz", "default", "[s]\nk = zzz-default\nz = 1\n"),
        ("zzz", "local", "[s]\nk = zzz-local\n"),
    ):
        path = home.apps / app / kind / "x.conf"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    held = Confs(home)
    merged = held.stanzas("x")["s"]
    assert merged.settings == {"all": "yes", "k": "zzz-local", "only": "a", "z": "1"}
    assert held.stanzas("x", "aaa")["s"].settings["k"] == "aaa-default"
    held.write("x", "s", {"k": "system"}, "system")
    assert held.stanzas("x")["s"].settings["k"] == "system"
    assert held.delete("x", "s", "zzz")
    assert not held.delete("x", "s", "zzz")


# Cron and periods


@pytest.mark.parametrize(
    ("text", "after", "expected"),
    [
        ("*/5 * * * *", "2023-11-14T22:13:20", "2023-11-14T22:15:00"),
        ("0 3 * * *", "2023-11-14T22:13:20", "2023-11-15T03:00:00"),
        ("30 9-17/4 * * 1-5", "2023-11-17T18:00:00", "2023-11-20T09:30:00"),
        ("0 0 29 2 *", "2023-11-14T00:00:00", "2024-02-29T00:00:00"),
        ("0 0 13 * 5", "2023-11-14T00:00:00", "2023-11-17T00:00:00"),
        ("15,45 * * * 7", "2023-11-14T00:00:00", "2023-11-19T00:15:00"),
    ],
)
def test_cron(text: str, after: str, expected: str) -> None:
    start = datetime.fromisoformat(after).replace(tzinfo=UTC).timestamp()
    found = cron.parse(text).next(start)
    assert datetime.fromtimestamp(found, UTC).isoformat()[:19] == expected


@pytest.mark.parametrize("text", ["* * * *", "61 * * * *", "* * * * mon", "5-1 * * * *", "*/0 * * * *"])
def test_bad_cron_is_refused(text: str) -> None:
    with pytest.raises(SandboxError, match="cron_schedule"):
        cron.parse(text)


def test_periods() -> None:
    assert [seconds_of(text) for text in ("60", "60s", "5m", "2h", "1d")] == [60, 60, 300, 7200, 86400]
    with pytest.raises(SandboxError):
        seconds_of("soon")


# KV queries


@pytest.mark.parametrize(
    ("query", "matches"),
    [
        ({}, True),
        ({"a": 1}, True),
        ({"a": "1"}, False),
        ({"a": {"$gt": 0, "$lte": 1}}, True),
        ({"a": {"$gt": "0"}}, False),
        ({"b.c": "x"}, True),
        ({"l": "p"}, True),
        ({"l": {"$ne": "p"}}, False),
        ({"missing": {"$ne": 1}}, True),
        ({"missing": None}, True),
        ({"$or": [{"a": 2}, {"b.c": "x"}]}, True),
        ({"$and": [{"a": 1}, {"b.c": "y"}]}, False),
        ({"$not": {"a": 1}}, False),
        ({"a": {"$not": {"$gt": 5}}}, True),
        ({"t": True}, True),
        ({"a": True}, False),
    ],
)
def test_kv_queries(query: dict[str, object], matches: bool) -> None:
    assert compile_query(query)({"a": 1, "b": {"c": "x"}, "l": ["p", "q"], "t": True}) is matches


@pytest.mark.parametrize("query", [[], "x", {"$where": "1"}, {"a": {"$regex": "x"}}, {"$or": []}, {"$and": {"a": 1}}])
def test_kv_queries_outside_the_subset_are_refused(query: object) -> None:
    with pytest.raises(HttpError):
        compile_query(query)
