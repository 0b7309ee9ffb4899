"""Assignments inside of texts: the pattern that chooses which names are asked knows what the grammar knows."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Iterator

import pytest
import yaml

from apisec.classification.names import evidence
from apisec.redaction.keys import KeyRing, Tokenizer
from apisec.redaction.redactor import Redactor
from apisec.redaction.texts import TELLING

SECRET = base64.b64encode(b"k" * 32).decode()
KEY = {"id": "0000000a", "algorithm": "blake2b", "secret": SECRET, "created": "2026-01-01T00:00:00Z"}
TOKENIZER = Tokenizer(KeyRing.parse({"version": 1, "active": "0000000a", "keys": [KEY]}))
CASES = Path(__file__).parents[2] / "cases" / "names"


def names() -> Iterator[str]:
    for file in ("vocabularies.yml", "industries.yml"):
        for data_class, languages in yaml.safe_load((CASES / file).read_text(encoding="utf-8")).items():
            for listed in languages.values() if data_class not in ("none", "reference") else ():
                for phrase in listed.split(";"):
                    if phrase.strip() and phrase.isascii():
                        yield "_".join(phrase.split())


def test_what_the_grammar_understands_is_asked() -> None:
    understood = [name for name in names() if evidence(name).data_class is not None]
    silent = [name for name in understood if not TELLING.search(name)]
    assert len(understood) > 3000
    assert len(silent) / len(understood) < 0.05, silent


@pytest.mark.parametrize("name", ["q", "page", "order_id", "build", "took", "blue", "foo", "limit", "host", "status"])
def test_names_of_ordinary_logs_are_not(name: str) -> None:
    assert TELLING.search(name) is None


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("retry of login: haslo=Tajne#8123kot failed", "Tajne#8123kot"),
        ("kredi karti hatasi, oturum_anahtari=9f8a7c6b5e4d3c2b1a09", "9f8a7c6b5e4d3c2b1a09"),
        ("import skipped rijbewijsnummer=5127384960 twice", "5127384960"),
        ("row 7: vervalmaand=11; kaart unknown, codigo_seguridad=417 given", "417"),
        ("upsert szemelyi_szam=18507201239 done", "18507201239"),
    ],
)
def test_an_assignment_in_any_language(text: str, secret: str) -> None:
    redacted = Redactor(TOKENIZER).text(text)
    assert redacted is not None
    assert secret not in redacted
