"""How the corpus is drawn and judged: decks, strata, intervals, what an event shows in part, what is gone from it."""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.corpus.generate import Decks
from benchmarks.corpus.leaks import Shipped
from benchmarks.corpus.report import by_names, strata
from benchmarks.corpus.score import OVERREDACTED, EventReader, Tally, count_leaks, score
from benchmarks.corpus.split import camel, folded, name_of, snake, spell

KEY = "kX9mQ2vT7cLw4RzN8bYp3HsD6fJg1AeU"


def label(path: str | None, data_class: str | None, value: object, stratum: str = "english") -> dict[str, Any]:
    base = {"side": "request", "in": "body", "path": path, "class": data_class, "value": value, "format": "f"}
    more = {"name": f"n of {path}", "stratum": stratum, "accept": [], "strict": [], "carrier": "c", "scored": True}
    return {**base, **more, "text": 0}


def judged(labels: list[dict[str, Any]], fields: dict[str, list[str]], body: str, coverage: str = "complete") -> Tally:
    listed = [{"path": path, "in": "body", "type": "string", "classes": classes} for path, classes in fields.items()]
    event = {"id": "1", "request_fields": listed, "request_body": body, "coverage": coverage}
    tally, reader = Tally(), EventReader(event, labels)
    score(tally, labels, reader)
    count_leaks(tally, labels, reader)
    return tally


@given(st.integers(1, 30), st.integers(1, 200), st.integers(0, 9))
def test_a_deck_uses_everything_equally_often(entries: int, draws: int, seed: int) -> None:
    decks = Decks(random.Random(seed))
    used = Counter(decks.draw("a", range(entries)) for _ in range(draws))
    assert max(used.values()) - min(used[entry] for entry in range(entries)) <= 1


def test_a_weighted_deck_keeps_its_shares() -> None:
    decks = Decks(random.Random(3))
    used = Counter(decks.weighted("a", {"often": 3, "rarely": 1}) for _ in range(400))
    assert used == {"often": 300, "rarely": 100}


def test_figures_are_given_by_stratum(capsys: pytest.CaptureFixture[str]) -> None:
    labels = [label("a", "pii.email", "a@b.example"), label("b", "pii.name", "Someone Else", "legacy")]
    tally = judged(labels, {"a": ["pii.email"], "b": []}, "Someone Else")
    assert tally.strata["english"] == {"found": 1, "planted": 1}
    assert tally.strata["legacy"] == {"missed": 1, "planted": 1, "leaked": 1}
    strata(tally)
    assert capsys.readouterr().out.splitlines()[1].startswith("english                   1.000   1.000  1.000")


def test_the_interval_by_names_is_wider_where_one_name_decides() -> None:
    even, uneven = Tally(), Tally()
    for number in range(100):
        kind = "missed" if number % 10 == 0 else "found"
        even.names[str(number)][kind] += 1
        uneven.names["all misses" if kind == "missed" else str(number)][kind] += 1
    narrow, wide = by_names(even), by_names(uneven)
    assert wide[1] - wide[0] > narrow[1] - narrow[0]


def test_a_harmless_value_that_is_gone_is_a_false_alarm_though_no_class_says_so() -> None:
    listed = [label("a", None, "Lamp 1460")]
    assert judged(listed, {"a": []}, '{"a": "~pii.name~0123456789abcdef~"}').false == {OVERREDACTED: 1}
    assert not judged(listed, {"a": []}, '{"a": "Lamp 1460"}').false
    assert not judged(listed, {"a": []}, "cut", "truncated").false
    assert not judged(listed, {"a": []}, "").false  # no body is shown at all
    assert not judged([label("a", None, False)], {"a": []}, '{"a": false}').false
    planted = [label("b", "pii.name", "Lamp"), *listed]  # found and gone wherever it stands
    assert not judged(planted, {"a": [], "b": ["pii.name"]}, '{"a": "~pii.name~0123456789abcdef~ 1460"}').false
    assert not judged([{**listed[0], "format": "spec"}], {"a": []}, '{"a": "other"}').false


@pytest.mark.parametrize(
    ("data_class", "value", "body", "partly"),
    [
        ("secret.token", KEY, f"token ~secret.token~0123456789abcdef~{KEY[16:]}", True),
        ("secret.token", KEY, f"token {KEY[:9]}~secret.token~0123456789abcdef~", False),
        ("pii.name", "Nadia Venkataraman", "~pii.name~0123456789abcdef~ Venkataraman", True),
        ("pii.name", "Nadia Venkataraman", "~pii.name~0123456789abcdef~", False),
        ("pii.email", "nadia@harbor.example", "@harbor.example", False),
    ],
)
def test_a_good_part_of_a_value_is_told_from_the_whole(data_class: str, value: str, body: str, partly: bool) -> None:
    tally = judged([label("a", data_class, value)], {"a": [data_class]}, body)
    assert (tally.partly.total(), tally.leaked.total()) == (int(partly), 0)


def test_a_short_value_is_seen_through_escapes_but_not_by_chance_in_a_blob() -> None:
    assert Shipped({"request_body": '{"cvv": "\\u0031\\u0032\\u0033"}'}).holds("123")
    assert not Shipped({"request_body": "IDEyMyAgIDEyMyAgIDEyMyAg"}).holds("123")


def test_a_standards_own_word_is_spelled_as_it_is() -> None:
    assert [spell(part, camel) for part in name_of("Dbtr/PstlAdr", "legacy")] == ["Dbtr", "PstlAdr"]
    assert [spell(part, snake) for part in name_of("postal address/line one", "english")] == [
        "postal_address",
        "line_one",
    ]
    assert folded([("bank card", "number"), ("=E_MAIL",)]) == {"bankcardnumber", "email"}
