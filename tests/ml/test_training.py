"""Training gives a model that core reads as scikit-learn meant it, the same on every run, and that finds attacks."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy
import pytest
from sklearn.linear_model import LogisticRegression

from apisec.errors import DocumentError, ModelError
from apisec.scoring import Model, parse_model
from apisec.scoring.features import NAMES
from apisec_ml.cli import main
from apisec_ml.data import read_dataset
from apisec_ml.evaluation import evaluate
from apisec_ml.training import Settings, fit, train
from tests.support.shop_events import START, Shop, event

PHONE = {"src": "192.0.2.9", "ja4": "t13d_other", "http_user_agent": "python-requests/2.32"}


def labelled(seed: int, tmp_path: Path) -> tuple[Path, Path]:
    """Write a small shop with one attacker of each kind in its second half."""
    shop = Shop(seed=seed, hours=6)
    rows: list[tuple[dict[str, Any], str | None, str]] = [(one, None, one["principal"]) for one in shop.events]
    late = START + 4 * 3600.0
    for n in range(60):
        ids = [f"order_id={n}"]
        one = event("walker", "GET /orders/{order_id}", late + n * 3, object_ids=ids, id=f"walk-{n}")
        rows.append((one, "enumerate", "walker"))
    for n in range(20):
        ids = [f"checkout_id={9000 + n}"]
        where = "POST /checkout/{checkout_id}/confirm"
        rows.append((event("cheat", where, late + n * 9, object_ids=ids, id=f"skip-{n}"), "skip", "cheat"))
        signals = [{"detector": "injection.sqli", "where": "query.q", "score": 0.9}]
        one = event("mallory", "GET /search", late + n * 7, signals=signals, status=500, id=f"inject-{n}")
        rows.append((one, "inject", "mallory"))
        owner = event("user-1", "GET /orders", late + n * 10, id=f"owner-{n}")
        rows.append((owner, None, "user-1"))
        rows.append((event("user-1", "GET /orders", late + n * 10 + 5, id=f"stolen-{n}", **PHONE), "replay", "thief"))
    return write(rows, tmp_path / f"events-{seed}.jsonl", tmp_path / f"labels-{seed}.jsonl")


def write(rows: Sequence[tuple[dict[str, Any], str | None, str]], events: Path, labels: Path) -> tuple[Path, Path]:
    events.write_text("".join(json.dumps(one) + "\n" for one, _, _ in rows))
    labels.write_text(
        "".join(
            json.dumps({"id": one["id"], "actor": actor, "kind": attack or "ordinary", "attack": attack}) + "\n"
            for one, attack, actor in rows
        )
    )
    return events, labels


def test_a_trained_model_finds_every_attack_on_another_seed(tmp_path: Path) -> None:
    model = train([read_dataset(*labelled(1, tmp_path))], Settings())
    report = evaluate([read_dataset(*labelled(2, tmp_path))], model)
    assert report["auc"] > 0.99
    assert {one["attack"]: one["campaigns_found"] for one in report["attacks"]} == dict.fromkeys(
        ["enumerate", "inject", "replay", "skip"], 1
    )
    assert report["ordinary_principals_alarmed"] == 0


def test_the_command_line_trains_reproducibly_and_evaluates(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    events, labels = labelled(1, tmp_path)
    written = []
    for name in ("a.json", "b.json"):
        output = tmp_path / name
        arguments = ["train", "--events", str(events), "--labels", str(labels), "--output", str(output)]
        assert main(arguments) == 0
        written.append(output.read_bytes())
    assert written[0] == written[1]
    model = parse_model(written[0].decode())
    assert model.training["datasets"] == ["events-1.jsonl"]
    capsys.readouterr()
    arguments = ["evaluate", "--events", str(events), "--labels", str(labels), "--model", str(tmp_path / "a.json")]
    assert main([*arguments, "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["model_sha256"] == model.sha256
    assert main([*arguments, "--cold", "--restart", "900"]) == 0
    assert "false alarms" in capsys.readouterr().out


def test_core_agrees_with_scikit_learn() -> None:
    random = numpy.random.default_rng(3)
    matrix = random.random((400, len(NAMES)))
    target = matrix[:, 0] + matrix[:, 4] - matrix[:, 7] > 0.6  # feature 7 would get a negative weight
    fitted = fit(matrix, target, numpy.ones(400), Settings())
    assert isinstance(fitted, LogisticRegression)
    assert fitted.coef_.min() == 0.0
    model = Model(tuple(map(float, fitted.coef_[0])), float(fitted.intercept_[0]), {})
    expected = fitted.predict_proba(matrix)[:, 1]
    assert max(abs(model.probability(list(row)) - p) for row, p in zip(matrix, expected, strict=True)) < 1e-9


def test_without_attacks_there_is_nothing_to_train(tmp_path: Path) -> None:
    rows = [(one, None, "someone") for one in Shop(hours=1).events]
    dataset = read_dataset(*write(rows, tmp_path / "e", tmp_path / "l"))
    with pytest.raises(ModelError, match="both attacks and ordinary"):
        train([dataset], Settings())


def test_an_event_without_a_label_is_named(tmp_path: Path) -> None:
    events, labels = labelled(1, tmp_path)
    labels.write_text("\n".join(labels.read_text().splitlines()[1:]))
    with pytest.raises(DocumentError, match=r"events-1\.jsonl:1: event .* has no label"):
        read_dataset(events, labels)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "not JSON"),
        ("[]", "not a JSON object"),
        ('{"id": 1, "attack": null}', "needs 'id'"),
        ('{"id": "1"}', "attack"),
    ],
)
def test_a_broken_label_file_is_named_with_its_line(
    content: str, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    events, labels = tmp_path / "e.jsonl", tmp_path / "l.jsonl"
    events.write_text("{}\n")
    labels.write_text("\n" + content)
    assert main(["evaluate", "--events", str(events), "--labels", str(labels)]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert "l.jsonl:2" in error


def test_a_missing_file_and_unequal_pairs_are_usage_errors(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    nowhere = str(tmp_path / "nowhere")
    assert main(["evaluate", "--events", nowhere, "--labels", nowhere]) == 2
    assert "no such file" in capsys.readouterr().err
    assert main(["evaluate", "--events", nowhere, "--events", nowhere, "--labels", nowhere]) == 2
    assert "one for one" in capsys.readouterr().err
