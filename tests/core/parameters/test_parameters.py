"""Models of parameters: what many show is known, what one shows is not, and merging does no harm twice."""

from __future__ import annotations

import copy
import json
from typing import Any, Callable, List, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apisec.attacks.signals import Signal
from apisec.errors import DocumentError
from apisec.parameters import Book, Model, Observed
from apisec.parameters.book import MAX_MODELS, MAX_PLACES, discounted
from apisec.parameters.document import dump, load
from apisec.parameters.model import CHARSET, ENUM, LENGTH, NGRAMS, TYPE
from apisec.parameters.traits import KIND_NAMES, classes_of, kind_of, length_of

DAY = 86_400.0
SQLI = "injection.sqli"


def seen(principal: str, where: str, *values: str, day: float = 0.0, answered: bool = True) -> Observed:
    return Observed(principal, day * DAY, answered, [(where, value) for value in values])


def teach(
    book: Book, where: str, make: Callable[[int], str], principals: int = 30, each: int = 12, signals: Any = None
) -> None:
    for number in range(principals * each):
        one = seen(f"p{number % principals}", where, make(number), day=number % 3)
        found = signals(number) if signals else []
        book.learn("s", "op", one, book.judge("s", "op", one, found))


def said(book: Book, where: str, value: str, *signals: Signal) -> List[Signal]:
    return book.judge("s", "op", seen("x", where, value, day=9), signals).signals


USUAL = {
    ENUM: (lambda n: ("asc", "desc", "price")[n % 3], "rating", "desc"),
    TYPE: (lambda n: str(n % 40), "1 or 2", "77777"),
    CHARSET: (lambda n: f"ord {n:05d}", "ord 1;2", "ord 99999"),
    LENGTH: (lambda n: f"ord {n:05d}", "ord " + "7" * 90, "ord 1"),
    NGRAMS: (lambda n: f"(ord/{n:05d}/paid)", "(xqz/wvk/jkw/)", "(ord/90000/paid)"),
}


@pytest.mark.parametrize("detector", sorted(USUAL))
def test_what_departs_is_said_and_what_is_usual_is_not(detector: str) -> None:
    make, strange, usual = USUAL[detector]
    book = Book(every=1)
    teach(book, "query.q", make)
    found = said(book, "query.q", strange)
    assert detector in {signal.detector for signal in found}
    for signal in found:
        assert signal.family == "anomaly"
        assert strange not in signal.seen + signal.expected
    assert said(book, "query.q", usual) == []
    assert said(book, "query.other", strange) == []


def test_pairs_that_nobody_sent_count_beside_a_payload_in_a_value_of_plain_characters() -> None:
    book, payload = Book(every=1), Signal("injection.java", "query.q", 0.55)
    teach(book, "query.q", lambda n: f"ord.{n:05d}.paid")
    assert said(book, "query.q", "java.lang.thread") == []  # a new word alone is none
    (found,) = said(book, "query.q", "java.lang.thread", payload)
    assert found.score == pytest.approx(1 - 0.45 * 0.5)
    assert "pairs" in found.expected
    assert said(book, "query.q", "ord.00099.paid", payload) == [payload]


@pytest.mark.parametrize("principals", [1, 5])
def test_few_principals_settle_nothing(principals: int) -> None:
    book = Book(every=1)
    teach(book, "query.q", lambda n: ("asc", "desc")[n % 2], principals, 400 // principals)
    assert said(book, "query.q", "other") == []


def test_one_day_settles_nothing() -> None:
    book = Book(every=1)
    for number in range(300):
        one = seen(f"p{number % 30}", "query.q", "asc")
        book.learn("s", "op", one, book.judge("s", "op", one, []))
    assert said(book, "query.q", "other") == []


def test_one_principal_teaches_a_settled_parameter_nothing_new() -> None:
    book = Book(every=1)
    teach(book, "query.q", lambda n: ("asc", "desc")[n % 2])
    teach(book, "query.q", lambda n: "drop it; now", principals=1, each=500)
    assert {signal.detector for signal in said(book, "query.q", "drop it; now")} >= {CHARSET}


def test_what_several_principals_begin_to_send_becomes_usual() -> None:
    book = Book(every=1)
    teach(book, "query.q", lambda n: ("asc", "desc")[n % 2], each=300)  # more than is counted
    for day in (9, 10, 11):
        assert said(book, "query.q", "best") != []  # two days may be a campaign
        for number in range(12):
            one = seen(f"p{number}", "query.q", "best", day=day)
            book.learn("s", "op", one, book.judge("s", "op", one, []))
    assert said(book, "query.q", "best") == []


@pytest.mark.parametrize("answered", [True, False])
def test_payloads_and_refused_requests_teach_nothing(answered: bool) -> None:
    book = Book(every=1)
    found = [Signal(SQLI, "query.q", 0.9)] if answered else []
    for number in range(600):
        one = seen(f"p{number % 30}", "query.q", f"' or {number}=1", day=number % 3, answered=answered)
        book.learn("s", "op", one, book.judge("s", "op", one, found))
    assert not any(model.groups for model in book.models("s", "op").values())


def code(number: int) -> str:
    return f"please look: `select a from t{number % 9}`; <b>{{x}}</b> (it's {number} %)"


def some(number: int) -> Sequence[Signal]:
    return [Signal(SQLI, "body.note", 0.9)] if number % 8 == 0 else []


def test_a_signal_where_many_principals_send_such_text_loses_weight() -> None:
    book = Book(every=1)
    teach(book, "body.note", code, each=40, signals=some)
    mine = Signal(SQLI, "body.note", 0.9)
    assert said(book, "body.note", code(1), mine) == []
    assert said(book, "body.note", code(1), mine._replace(where="body.else")) == [mine._replace(where="body.else")]
    other = Signal("injection.jndi", "body.note", 0.97)
    assert said(book, "body.note", code(1), other) == [other]  # nobody sends such here


def test_a_signal_keeps_its_weight_where_one_principal_sends_such_text() -> None:
    book = Book(every=1)
    teach(book, "body.note", code, each=40, signals=lambda n: some(0) if n % 30 == 7 else [])
    mine = Signal(SQLI, "body.note", 0.9)
    assert said(book, "body.note", code(1), mine) == [mine]


def test_a_campaign_of_many_principals_teaches_nothing_on_its_days() -> None:
    book = Book(every=1)
    teach(book, "body.note", code, each=40)
    for number in range(300):
        one = seen(f"a{number}", "body.note", code(number), day=20 + number % 2)
        book.learn("s", "op", one, book.judge("s", "op", one, some(0)))
    mine = Signal(SQLI, "body.note", 0.9)
    assert said(book, "body.note", code(1), mine) == [mine]


def test_a_signal_keeps_its_weight_where_no_text_belongs() -> None:
    book = Book(every=1)
    teach(
        book, "query.id", lambda n: f"ord_{n:05d}", each=40, signals=lambda n: [Signal(SQLI, "query.id", 0.9)] * (n % 2)
    )
    mine = Signal(SQLI, "query.id", 0.9)
    assert said(book, "query.id", "ord_00001", mine) == [mine]


def test_an_answer_far_beyond_the_usual_is_said_beside_a_payload_only() -> None:
    book = Book(every=1)
    for number in range(400):
        one = seen(f"p{number % 30}", "query.q", str(number), day=number % 3)._replace(sizes={"response.time": 40})
        book.learn("s", "op", one, book.judge("s", "op", one, []))
    slow = seen("x", "query.q", "1")._replace(sizes={"response.time": 5_000})
    assert book.judge("s", "op", slow, []).signals == []
    found = book.judge("s", "op", slow, [Signal(SQLI, "query.q", 0.9)]).signals
    assert [(s.detector, s.family) for s in found] == [(SQLI, "sqli"), ("answer.delay", "answer")]
    assert found[1].seen == "5000 milliseconds"


def test_weight_falls_by_the_rate_of_harmless_ones() -> None:
    mine = Signal(SQLI, "q", 0.95)
    assert discounted(mine, 0.0) is mine
    scores = [getattr(discounted(mine, rate), "score", 0.0) for rate in (0.003, 0.01, 0.03, 0.1)]
    assert scores == sorted(scores, reverse=True)
    assert scores[0] == 0.95
    assert scores[-1] == 0.0


VALUES = st.lists(st.tuples(st.integers(0, 63), st.integers(0, 40), st.text(max_size=12)), max_size=30)


def model_of(values: Any) -> Model:
    model = Model()
    for group, day, value in values:
        model.note(group, day, frozenset(["sqli"] if "'" in value else []))
        model.teach(group, day, value, b"k", False)
    return model


def state(model: Model) -> Any:
    book = Book()
    book._table(("s", "o"), 0).models["w"] = model
    document = dump(book)["operations"][0]["parameters"]["w"]
    document["values"] = sorted((document["values"] or {}).items())
    document["carried"] = sorted(document["carried"].items())
    document["carried_on"] = sorted(document["carried_on"].items())
    return document


def merged(*models: Model) -> Any:
    first = copy.deepcopy(models[0])
    for other in models[1:]:
        first.merge(other)
    return state(first)


@settings(max_examples=60, deadline=None)
@given(VALUES, VALUES, VALUES)
def test_merging_is_idempotent_commutative_and_associative(a: Any, b: Any, c: Any) -> None:
    one, two, three = model_of(a), model_of(b), model_of(c)
    assert merged(one, one) == state(one)
    assert merged(one, two) == merged(two, one) == merged(one, two, one, two)
    left, right = copy.deepcopy(one), copy.deepcopy(two)
    left.merge(two)
    right.merge(three)
    assert merged(left, three) == merged(one, right)


def test_a_document_gives_the_models_back_and_holds_no_value() -> None:
    book = Book(b"key", every=1)
    teach(book, "query.q", lambda n: ("ascending", "descending")[n % 2])
    text = json.dumps(dump(book))
    again = Book(b"key")
    load(json.loads(text), again)
    assert json.dumps(dump(again)) == text
    assert "ascending" not in text
    other = Book(b"another key")
    load(json.loads(text), other)
    assert other.models("s", "op")["query.q"].values == {}


def damaged() -> List[Any]:
    book = Book(every=1)
    teach(book, "query.q", lambda n: "x")
    whole = dump(book)
    found: List[Any] = [None, [], {"version": 2}, {**whole, "operations": {}}, {**whole, "operations": [7]}]
    model = whole["operations"][0]["parameters"]["query.q"]
    for name in model:
        for wrong in (7, "zz", ["x"], {"x": "y"}, "f" * 40):
            one = copy.deepcopy(whole)
            one["operations"][0]["parameters"]["query.q"][name] = wrong
            found.append(one)
    return found


@pytest.mark.parametrize("document", damaged())
def test_a_damaged_document_is_refused_as_a_whole(document: Any) -> None:
    book = Book()
    with pytest.raises(DocumentError):
        load(document, book)
    assert not book.tables


def test_the_number_of_models_is_bounded() -> None:
    book = Book(every=1)
    for number in range(3 * MAX_MODELS // MAX_PLACES):
        for principal in ("a", "b"):
            values = [(f"query.{name}", "1") for name in range(MAX_PLACES + 10)]
            one = Observed(principal, number * DAY, True, values)
            book.learn("s", f"op{number}", one, book.judge("s", f"op{number}", one, []))
    assert book.count == sum(len(table.models) for table in book.tables.values()) <= MAX_MODELS
    assert max(len(table.models) for table in book.tables.values()) == MAX_PLACES
    assert ("s", f"op{number}") in book.tables


@given(st.text())
def test_traits_of_any_text(text: str) -> None:
    assert kind_of(text) in KIND_NAMES
    assert bool(classes_of(text)) == bool(text)
    assert (1 << length_of(len(text))) > len(text)
