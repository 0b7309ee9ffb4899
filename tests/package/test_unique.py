"""Each transaction counts once, on however many indexers its copies lie."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest
from apisec_app.commands.unique import MAX_DUPLICATES, Together, id_hash, pack, unpack

from tests.package import chunked
from tests.support.app import pythons

PYTHON = pythons()["3.11"]
Record = dict[str, Any]


def raw(events: list[Record]) -> list[Record]:
    return [{"_time": str(event["time"]), "_raw": json.dumps(event)} for event in events]


def transactions(count: int) -> list[Record]:
    about = {"service": "shop", "operation": "GET /a", "principal": "p", "status": 200, "response_time": 5.0}
    return [{**about, "id": f"id-{n}", "time": 1_700_000_000.0 + n} for n in range(count)]


def states(rows: list[Record]) -> int:
    """The number of events in rows of ``output=state``."""
    return sum(json.loads(row["apisec_state"])["operations"][0][2]["n"][0] for row in rows if row.get("apisec_state"))


class Search:
    """Map processes on some indexers, and reduce on the head."""

    def __init__(self, unpacked: Path, indexers: list[list[Record]]) -> None:
        self.script = unpacked / "bin/apisecinventory.py"
        self.indexers = indexers

    def run(self, *options: str) -> list[Record]:
        arguments = ["output=state", "unique=true", *options]
        mapped: list[Record] = []
        for events in self.indexers:
            half = len(events) // 2
            chunks = [raw(events[:half]), raw(events[half:])]
            mapped += chunked.run(PYTHON, self.script, chunks, ["phase=map", *arguments])[1]
        return chunked.run(PYTHON, self.script, [mapped[::2], mapped[1::2]], arguments)[1]


def test_copies_on_several_indexers_count_once(unpacked: Path) -> None:
    events = transactions(60)
    shuffled = random.Random(1).sample([*events, *events[:7]], 67)  # some lie twice on one indexer
    search = Search(unpacked, [shuffled[:30], shuffled[30:], events[50:55], events[50:55]])
    rows = search.run()
    [twice] = [row["apisec_duplicates"] for row in rows if row.get("apisec_duplicates")]
    assert states(rows) > 60
    again = search.run(f"duplicates={twice}")
    assert states(again) == 60
    assert not any(row.get("apisec_duplicates") for row in again)


def test_copies_on_one_indexer_need_no_second_run(unpacked: Path) -> None:
    events = transactions(20)
    rows = Search(unpacked, [[*events, *events], transactions(0)]).run()
    assert states(rows) == 20
    assert not any(row.get("apisec_duplicates") for row in rows)


def test_events_without_an_id_all_count(unpacked: Path) -> None:
    events = [{name: value for name, value in event.items() if name != "id"} for event in transactions(6)]
    assert states(Search(unpacked, [events, events]).run()) == 12


def test_too_many_copies_are_left_to_the_search_language() -> None:
    together = Together()
    many = pack(range(MAX_DUPLICATES + 1))
    together.add(many)
    together.add(many)
    assert len(together.duplicates()) == MAX_DUPLICATES + 1


@pytest.mark.parametrize("text", ["@@", "abc", "AAAA", "é"])
def test_packed_ids_that_are_none_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="packed ids"):
        unpack(text)


def test_packing_gives_back_what_was_packed() -> None:
    hashes = [id_hash(f"id-{n}") for n in range(100)]
    assert unpack(pack(hashes)) == hashes
    assert '"' not in pack(hashes)


def test_a_wrong_option_says_what_is_wrong(unpacked: Path) -> None:
    for bad in ("output=everything", "duplicates=@@", "unique=perhaps"):
        with pytest.raises(AssertionError, match=r"Illegal value"):
            chunked.run(PYTHON, unpacked / "bin/apisecinventory.py", [[]], [bad])
