"""What one event carries, by what it shows, by overrides, and by verdicts on its fields."""

from __future__ import annotations

from typing import Any, Dict, List

from apisec.classification.event import by_place, of_event
from apisec.classification.fields import verdicts
from apisec.classification.overrides import Overrides
from apisec.endpoints.inventory import Inventory

NOBODY = Overrides()


def event(*classes: str, path: str = "note", **changes: Any) -> Dict[str, Any]:
    field: Dict[str, Any] = {"path": path, "in": "body", "type": "string"}
    if classes:
        field["classes"] = list(classes)
    return {"service": "shop", "operation": "POST /a", "status": 200, "request_fields": [field], **changes}


def known(events: List[Dict[str, Any]], said: Overrides = NOBODY) -> Any:
    inventory = Inventory()
    for n, one in enumerate(events):
        inventory.add({**one, "time": n})
    ((key, stats),) = inventory.items()
    return by_place(verdicts(stats, said, *key))


def override(path: str, data_class: str) -> Overrides:
    row = {"service": "shop", "path": path, "class": data_class, "author": "ada", "reason": "we looked at it"}
    return Overrides.parse({"version": 1, "overrides": [row]}, "test")


def test_an_event_alone_says_what_detectors_found() -> None:
    found = of_event(event("pci.pan", "pii.email"), NOBODY, {})

    assert (found.level, found.classes) == ("restricted", ("pci.pan", "pii.email"))
    assert found.fields[0].text() == "request body note is pci.pan (restricted; traffic)"


def test_an_override_takes_away_and_gives() -> None:
    away = of_event(event("pci.pan"), override("note", "none"), {})
    given = of_event(event(), override("note", "pii.name"), {})

    assert (away.level, away.classes) == ("public", ())
    assert away.conflicts == ("request body note: override says none, this event shows pci.pan",)
    assert (given.level, given.classes, given.conflicts) == ("confidential", ("pii.name",), ())


def test_a_child_of_what_the_override_says_is_no_conflict() -> None:
    found = of_event(event("pii.national_id.pl"), override("note", "pii.national_id"), {})

    assert (found.classes, found.conflicts) == (("pii.national_id",), ())


def test_check_digits_that_pass_by_chance_raise_nothing() -> None:
    digits = [event(*(["pci.pan"] if n % 30 == 0 else []), path="meter") for n in range(300)]
    for one in digits:
        one["request_fields"][0]["type"] = "integer"

    assert of_event(digits[0], NOBODY, known(digits)).level == "public"


def test_a_rare_number_is_told_of_the_event_that_holds_it() -> None:
    texts = [event("pii.ssn" if n == 7 else "pii.email", path="note") for n in range(300)]
    places = known(texts)

    assert of_event(texts[7], NOBODY, places).level == "restricted"


def test_a_value_that_was_not_told_is_of_its_fields_class() -> None:
    mails = [event("pii.email", path="contact") for _ in range(60)]
    found = of_event(event(path="contact"), NOBODY, known(mails))

    assert (found.level, found.classes) == ("confidential", ("pii.email",))
    assert found.fields[0].text() == "request body contact is pii.email (confidential; field, 94% of 60)"


def test_null_carries_nothing() -> None:
    empty = event(path="contact")
    empty["request_fields"][0]["type"] = "null"

    assert of_event(empty, override("contact", "pii.name"), {}).classes == ()


def test_what_was_not_read_whole_is_not_public() -> None:
    assert of_event(event(), NOBODY, {}).level == "public"
    assert of_event(event(coverage="truncated"), NOBODY, {}).level == "internal"


def test_an_answer_is_judged_by_its_status() -> None:
    answer = {
        "service": "shop",
        "operation": "POST /a",
        "status": 404,
        "response_fields": event("pii.email")["request_fields"],
    }

    assert of_event(answer, NOBODY, {}).fields[0].message == "404"
