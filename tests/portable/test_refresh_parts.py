"""What a refresh remembers."""

from __future__ import annotations

from apisec_app.commands.unique import Once, Together, id_hash, pack, unpack


def test_ids_of_several_processes_are_compared() -> None:
    first, second = Once(), Once([id_hash("c")])
    assert [first.first(id_hash(one)) for one in "aab"] == [True, False, True]
    assert second.first(id_hash("b"))
    assert second.is_duplicate(id_hash("c"))
    together = Together()
    for packed in (first.take(), second.take(), first.take()):
        together.add(packed)
    assert together.duplicates() == [id_hash("b")]
    assert unpack(pack([1, 2**64 - 1])) == [1, 2**64 - 1]
