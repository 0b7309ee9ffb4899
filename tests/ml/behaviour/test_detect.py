"""``apisec-ml detect`` from events to a report: the same whatever the processes, and from rows kept on disk."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from apisec_ml.cli import main
from tests.ml.behaviour.made import HOUR, START, event, label

HOURS = 30
ATTACK = START + 26 * HOUR
SIGNALS = [{"detector": "injection.sqli", "family": "sqli", "where": "query.q", "score": 0.95}]


def week(folder: Path, services: Sequence[str] = ("shop", "bank")) -> Path:
    """Thirty hours of eight people in two services, and one who injects in the first one."""
    rows: list[tuple[dict[str, Any], dict[str, Any]]] = []
    for service in services:
        for hour in range(HOURS):
            for person in range(8):
                time = START + hour * HOUR + person * 400
                rows.append((event(0, time, f"p{person}", service=service), label(0)))
    for step in range(60):
        one = event(0, ATTACK + step * 20, "mallory", "GET /search", signals=SIGNALS, status=500, service=services[0])
        rows.append((one, label(0, "x1", family="injection", style="loud")))
    rows.sort(key=lambda row: row[0]["time"])
    folder.mkdir(parents=True)
    with (folder / "events.jsonl").open("w") as events, (folder / "labels.jsonl").open("w") as labels:
        for number, (one, told) in enumerate(rows):
            events.write(json.dumps({**one, "id": f"e{number}"}, separators=(",", ":")) + "\n")
            labels.write(json.dumps({**told, "id": f"e{number}"}) + "\n")
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return week(tmp_path_factory.mktemp("sim") / "week")


def detected(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    assert main(["detect", *arguments, "--quiet", "--json"]) == 0
    report: dict[str, Any] = json.loads(capsys.readouterr().out)
    report.pop("speed")
    return report


def test_an_attack_is_found_and_nobody_else(folder: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    picture = tmp_path / "picture.svg"
    report = detected(capsys, str(folder), "--jobs", "1", "--picture", str(picture))
    assert report["ordinary_events"] == 2 * HOURS * 8
    assert report["attack_events"] == 60
    assert report["families"]["injection"]["found"] == 1
    assert report["families"]["injection"]["median_runs"] <= 2
    assert report["false"] == 0
    assert report["sources"] == ["week"]
    assert picture.read_text().startswith("<svg")


def test_a_kept_report_is_shown_again(folder: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    path.write_text(json.dumps(detected(capsys, str(folder), "--jobs", "1")))
    assert main(["report", str(path)]) == 0
    assert "injection            loud             1     1" in capsys.readouterr().out
    assert main(["report", str(path), "--markdown"]) == 0
    assert "| injection | 1 of 1 |" in capsys.readouterr().out
    path.write_text("{}")
    assert main(["report", str(path)]) == 2
    assert "no report" in capsys.readouterr().err


def test_processes_and_rows_on_disk_change_nothing(
    folder: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    plain = detected(capsys, str(folder), "--jobs", "1")
    kept = tmp_path / "rows"
    for _ in range(2):
        assert detected(capsys, str(folder), "--jobs", "1", "--rows", str(kept)) == plain
    # Services of one process learn from each other how much evidence is worth, so halves may be minutes apart.
    halves = detected(capsys, str(folder), "--jobs", "2", "--rows", str(kept))
    for name in ("ordinary_events", "attack_events", "false", "missed", "sources"):
        assert halves[name] == plain[name]
    assert halves["all"]["found"] == 1
    assert len(list(kept.glob("week-*.rows"))) == 3


def test_a_campaign_can_be_explained(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["detect", str(folder), "--quiet", "--jobs", "1", "--explain", "x1"]) == 0
    text = capsys.readouterr().out
    assert "injection            loud" in text
    assert '"family": "injection"' in text
    assert '"reasons"' in text
    assert main(["detect", str(folder), "--quiet", "--jobs", "1", "--explain", "nothing"]) == 0
    assert "no finding or campaign 'nothing'" in capsys.readouterr().err


def test_only_some_families_look(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report = detected(capsys, str(folder), "--jobs", "1", "--families", "flooding, scraping")
    assert (report["all"]["campaigns"], report["false"]) == (0, 0)
    report = detected(capsys, str(folder), "--jobs", "1", "--families", "injection")
    assert report["all"]["found"] == 1


def test_without_labels_each_finding_is_listed(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report = detected(capsys, "--events", str(folder / "events.jsonl"), "--jobs", "1")
    assert report["attack_events"] == 0
    assert {(one["service"], one["who"]) for one in report["false_findings"]} == {("shop", "unlabelled")}


def test_what_analysts_said_can_stand_for_labels(
    folder: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    said = {"campaign": "c", "service": "shop", "families": ["injection"], "operations": [], "author": "ada"}
    who = {"principals": ["~principal~mallory~"], "first_time": ATTACK, "last_time": ATTACK + HOUR}
    path = tmp_path / "dispositions.jsonl"
    path.write_text(json.dumps({**said, **who, "verdict": "true_positive"}) + "\n")
    arguments = ("--events", str(folder / "events.jsonl"), "--dispositions", str(path), "--jobs", "1")
    report = detected(capsys, *arguments)
    assert report["families"]["injection"]["found"] == 1
    assert report["false"] == 0


def test_events_out_of_order_are_refused(folder: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    lines = (folder / "events.jsonl").read_text().splitlines()
    path = tmp_path / "events.jsonl"
    path.write_text("\n".join(reversed(lines)) + "\n")
    assert main(["detect", "--events", str(path), "--quiet", "--jobs", "1"]) == 2
    assert "sort the file by time" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "give folders"),
        (["--events", "a", "--events", "b", "--labels", "c"], "one for one"),
        (["a", "--dispositions", "d"], "in place of labels"),
        (["nowhere"], "no such file"),
        (["a", "--families", "injektion"], "give injection"),
    ],
)
def test_sources_that_do_not_fit_are_usage_errors(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["detect", *arguments, "--quiet"]) == 2
    assert message in capsys.readouterr().err


def test_families_are_trained_compared_and_watched(
    folder: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    rows, model, card = str(tmp_path / "rows"), tmp_path / "model.json", ["card"]
    source = [str(folder), "--rows", rows, "--quiet", "--jobs", "1"]
    assert main(["train", *source, "--no-splits", "--output", str(model)]) == 0
    first = model.read_text()
    [kept] = (tmp_path / "rows" / "examples").glob("*.joblib")
    assert main(["train", *source, "--no-splits", "--output", str(model)]) == 0  # from what was kept
    assert model.read_text() == first
    kept.parent.chmod(0o777)
    assert main(["train", *source, "--output", str(model)]) == 2
    assert "nobody else can write to" in capsys.readouterr().err
    kept.parent.chmod(0o700)
    assert main([*card, str(model)]) == 0
    assert "| injection |" in capsys.readouterr().out
    assert main(["drift", *source, "--model", str(model), "--json"]) == 0
    drift = json.loads(capsys.readouterr().out)
    assert drift["families"]["scraping"]["per_1000_days"] == drift["families"]["scraping"]["per_1000_days_trained"]
    assert main(["compare", str(model), str(model), *source, "--json"]) == 0
    same = json.loads(capsys.readouterr().out)
    assert same["same_events"]
    assert same["found_only_by_first"] == same["found_only_by_second"] == []
