"""Labels find their events, whatever the order; what is wrong is named with its line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from apisec.errors import DocumentError
from apisec_ml.behaviour.events import Part, parts_of, read_events
from apisec_ml.behaviour.labels import Dispositions, Labels, Unlabelled
from tests.ml.behaviour.made import START, event, label


def lines(path: Path, rows: list[Any]) -> Path:
    path.write_text("".join(json.dumps(row, separators=(",", ":")) + "\n" for row in rows))
    return path


@pytest.mark.parametrize("order", [(0, 1, 2, 3), (3, 2, 1, 0), (1, 0, 3, 2)])
def test_each_event_gets_its_label(order: tuple[int, ...], tmp_path: Path) -> None:
    labels = Labels(lines(tmp_path / "l", [label(number, f"c{number}") for number in range(4)]))
    assert [labels.of(f"e{number}", None)["campaign"] for number in order] == [f"c{number}" for number in order]


def test_an_event_without_a_label_is_an_error_and_without_a_file_it_is_ordinary(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match="'e9' has no label"):
        Labels(lines(tmp_path / "l", [label(1)])).of("e9", None)
    assert Unlabelled().of("e9", None)["campaign"] is None


@pytest.mark.parametrize(
    ("line", "message"),
    [("{", "not JSON"), ("[]", "not a JSON object"), ('{"campaign": null}', "needs 'id'"), ('{"id": "e"}', "campaign")],
)
def test_a_broken_label_is_named_with_its_line(line: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "l"
    path.write_text(json.dumps(label(1)) + "\n\n" + line + "\n")
    with pytest.raises(DocumentError, match=rf"l:3.*{message}"):
        Labels(path).of("e2", None)


def said(**more: Any) -> dict[str, Any]:
    told = {"campaign": "c-1", "service": "shop", "families": ["scraping", "flooding"], "operations": []}
    who = ["~principal~thief~"]
    return {**told, "principals": who, "first_time": 100, "last_time": 200, "verdict": "true_positive", **more}


def test_what_analysts_said_makes_campaigns(tmp_path: Path) -> None:
    path = lines(tmp_path / "d", [said(), said(campaign="c-2", principals=["~principal~x~"], verdict="benign")])
    labels = Dispositions(path)
    assert labels.of("e", event(1, 150, "thief"))["campaign"] == "c-1"
    assert labels.of("e", event(1, 150, "thief"))["family"] == "scraping"
    for ordinary in (event(1, 250, "thief"), event(1, 150, "x"), {**event(1, 150, "thief"), "service": "bank"}):
        assert labels.of("e", ordinary)["campaign"] is None


@pytest.mark.parametrize(
    ("wrong", "message"),
    [({"verdict": "maybe"}, "neither benign"), ({"first_time": "x"}, "no label"), ({"principals": None}, "no label")],
)
def test_a_broken_disposition_is_named(wrong: dict[str, Any], message: str, tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match=rf"d:1.*{message}"):
        Dispositions(lines(tmp_path / "d", [said(**wrong)]))


def test_parts_share_the_services_and_lose_no_event(tmp_path: Path) -> None:
    services = ("shop", "bank", "clinic", "bank", "bank", "late")
    rows = [{**event(number, START + number, "p"), "service": name} for number, name in enumerate(services)]
    path = lines(tmp_path / "e", rows)
    parts, known = parts_of(path, 2)
    assert [part.services for part in parts] == [frozenset({b"bank"}), frozenset({b"shop", b"clinic", b"late"})]
    seen = [[one for _, one in read_events(path, part, known) if one is not None] for part in parts]
    assert sorted(one["id"] for part in seen for one in part) == [f"e{number}" for number in range(6)]
    assert all(len(list(read_events(path, part, known))) == 6 for part in parts)  # each id, so that labels keep step


def test_a_service_that_the_sample_did_not_show_belongs_to_the_first_part(tmp_path: Path) -> None:
    rows = [{**event(1, START, "p"), "service": name} for name in ("shop", "new")]
    path = lines(tmp_path / "e", rows)
    known = frozenset({b"shop"})
    first, second = Part(0, frozenset(), True), Part(1, known, False)
    assert [one["service"] for _, one in read_events(path, first, known) if one] == ["new"]
    assert [one["service"] for _, one in read_events(path, second, known) if one] == ["shop"]


@pytest.mark.parametrize(
    ("line", "message"), [("{", "not JSON"), ("[]", "no event"), ('{"id": "1"}', "needs id, service")]
)
def test_what_is_no_event_is_named_with_its_line(line: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "e"
    path.write_text("\n" + line)
    with pytest.raises(DocumentError, match=rf"e:2.*{message}"):
        list(read_events(path, Part(), frozenset()))
