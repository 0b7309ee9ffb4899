"""Training of the classifier of names: reproducible, read by core as scikit-learn meant it, judged on the unseen."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from apisec.classification.names.features import features
from apisec.classification.names.model import MAX_BYTES, default_model, digest, parse_model, unverified
from apisec.errors import DocumentError, ModelError
from apisec_ml.cli import main
from apisec_ml.names import vocabulary
from apisec_ml.names.evaluation import HELD_CONVENTIONS, HELD_LANGUAGES, evaluate, figures
from apisec_ml.names.templates import CONVENTIONS, Recipe, examples, slip, spell
from apisec_ml.names.training import Settings, check, fit, matrix, thresholds, train

ROOT = Path(__file__).parents[2]
HELD_OUT = yaml.safe_load((ROOT / "tests/cases/names/heldout.yml").read_text(encoding="utf-8"))
SMALL: dict[str, Any] = {
    "positive": {
        "pii.email": {"en": "email; mail address; contact mail", "nordic": "epost"},
        "pii.phone": {"en": "phone; mobile number; telephone; cell phone", "pl": "telefon"},
        "secret.password": {"en": "password; pass phrase; user passwd", "tr": "parola"},
    },
    "owners": "user customer billing",
    "wrappers": "value text",
    "parents": "user data",
    "nouns": "order item product invoice team server color ticket",
    "attributes": "id status created_at total name",
    "plain": "passenger compass keyboard mailing_list",
    "heads": "type status template id",
    "heads_before": "is has",
}
SETTINGS = Settings(recipe=Recipe(spellings=8, ordinary=300, turned=4, folds=3), keep=800)


@pytest.fixture(scope="module")
def words() -> vocabulary.Vocabulary:
    return vocabulary.parse(SMALL)


@pytest.fixture(scope="module")
def artefact(words: vocabulary.Vocabulary) -> dict[str, Any]:
    return train(words, SETTINGS)


def test_training_gives_the_same_again_and_core_reads_it(
    words: vocabulary.Vocabulary, artefact: dict[str, Any]
) -> None:
    text = json.dumps(artefact)
    assert json.dumps(train(words, SETTINGS)) == text
    model = check(text)
    assert model.classes == ("pii.email", "pii.phone", "secret.password")
    assert artefact["training"]["examples"] == len(examples(words, SETTINGS.recipe))
    assert model.says("customerEmial") in ("pii.email", None)
    assert model.says("billing_phone") == "pii.phone"
    assert model.says("userPassword") == "secret.password"
    assert model.says("passenger") is None
    assert model.says("") is None


def test_core_scores_as_the_trainer_does(words: vocabulary.Vocabulary, artefact: dict[str, Any]) -> None:
    made = examples(words, SETTINGS.recipe)
    rows = matrix(made)
    fitted = fit(made, rows, words.classes, SETTINGS)
    expected = fitted.scores(rows) - np.array(artefact["thresholds"])
    model = check(json.dumps(artefact))
    for at in range(0, len(made), 7):
        assert model.margins(made[at].name, made[at].parent) == pytest.approx(expected[at].tolist(), abs=1e-4)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"sha256": "0"}, "does not fit"),
        ({"version": 2}, "this apisec reads"),
        ({"extra": 1}, "unknown keys: extra"),
        ({"classes": ["pii.email", "pii.phone", "no.class"]}, "classes"),
        ({"scales": [1.0]}, "scales"),
        ({"thresholds": [0.0, 0.0, float("inf")]}, "finite"),
        ({"postings": "!"}, "not base64"),
        ({"postings": "eJwDAAAAAAE="}, "has not the length"),
        ({"golden": []}, "at least one golden"),
        ({"golden": [{"name": "email", "parent": "", "class": "pii.email", "margin": 99.0}]}, r"golden\[0\]"),
    ],
)
def test_a_changed_artefact_is_refused(artefact: dict[str, Any], change: dict[str, Any], message: str) -> None:
    changed = {**artefact, **change}
    if "sha256" not in change and "thresholds" not in change:
        changed["sha256"] = digest(changed)
    if "thresholds" in change:
        with pytest.raises(ModelError, match=message):
            unverified(changed)
        return
    with pytest.raises(ModelError, match=message):
        parse_model(json.dumps(changed))


def test_what_is_no_artefact_is_refused() -> None:
    for text in ("", "[]", "[" * 5000, "x" * (MAX_BYTES + 1)):
        with pytest.raises(ModelError):
            parse_model(text)
    with pytest.raises(ModelError, match="keep fewer weights"):
        check("x" * (MAX_BYTES + 1))


def test_thresholds_hold_the_precision_they_promise(words: vocabulary.Vocabulary) -> None:
    made = examples(words, SETTINGS.recipe)
    rng = np.random.default_rng(1)
    scores = rng.normal(0, 1, (len(made), 3))
    for at, one in enumerate(made):
        if one.data_class:
            scores[at, words.classes.index(one.data_class)] += 4
    limits = thresholds(made, scores, words.classes, 0.9)
    found = figures("here", made, scores - limits, words.classes)
    assert found.precision >= 0.85
    assert found.recall > 0.5
    assert (limits >= 0).all()


def test_the_evaluation_holds_out_stems_languages_and_conventions(words: vocabulary.Vocabulary) -> None:
    report = evaluate(words, SETTINGS)
    assert [one.name.split()[0] for one in report] == ["stems", "languages", "conventions"]
    stems, languages, conventions = report
    assert conventions.recall > stems.recall  # a known word in another spelling is easier than an unknown word
    made = examples(words, SETTINGS.recipe)
    judged = [one.right + one.missed + one.ordinary for one in report]
    assert judged[1] == sum(one.language in HELD_LANGUAGES for one in made)
    assert judged[2] == sum(one.convention in HELD_CONVENTIONS for one in made)
    assert 0 < judged[0] < len(made)
    assert languages.precision <= 1


def test_a_stem_stands_on_one_side_of_a_split() -> None:
    folds: dict[str, set[int]] = {}
    for phrase in vocabulary.load().phrases:
        folds.setdefault(phrase.stem, set()).add(vocabulary.group(phrase.stem, 3))
    assert all(len(found) == 1 for found in folds.values())


def test_the_vocabulary_names_known_classes() -> None:
    with pytest.raises(DocumentError, match=r"not a class: pii\.emial"):
        vocabulary.parse({**SMALL, "positive": {"pii.emial": {"en": "email"}}})
    assert set(default_model().classes) == set(vocabulary.load().classes)


def test_held_out_names_are_in_no_training_data() -> None:
    words = vocabulary.load()
    trained = {"".join(phrase.words) for phrase in words.phrases} | {name.replace("_", "") for name in words.plain}
    listed = [row[-1] for rows in HELD_OUT.values() for row in rows]
    bare = {name: "".join(c for c in name.lower() if c.isalnum()) for name in listed}
    assert [name for name, letters in bare.items() if letters in trained] == []


def test_spellings() -> None:
    assert [spell(["card", "no"], convention) for convention in CONVENTIONS] == [
        *("cardNo", "card_no", "card-no", "CardNo", "card.no", "cardno", "CARD_NO", "card no", "CARDNO", "Card_No"),
    ]
    import random

    rng = random.Random(3)
    slips = {slip("address", rng) for _ in range(200)}
    assert "adress" in slips
    assert len(slips) > 10
    assert slip("tel", rng) == "tel"


def test_features_are_bounded() -> None:
    assert features("") == features("---") == []
    assert len(features("a" * 10_000, "b" * 10_000)) < 200
    assert len(features("wordOf" * 500)) < 800


def test_the_command_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(vocabulary, "load", lambda: vocabulary.parse(SMALL))
    output = tmp_path / "model.json"
    assert main(["names", "train", "--output", str(output), "--share", "0.01"]) == 0
    assert parse_model(output.read_text("utf-8")).classes[0] == "pii.email"
    capsys.readouterr()
    assert main(["names", "evaluate", "--json", "--share", "0.01"]) == 0
    assert len(json.loads(capsys.readouterr().out)) == 3
    assert main(["names", "evaluate", "--share", "0.01"]) == 0
    assert "alarms on ordinary names" in capsys.readouterr().out
    with pytest.raises(SystemExit):
        main(["names", "train", "--output", str(output), "--share", "2"])
