"""Hashes keep what detection needs of values: equality, neighbours, and how many there were."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Dict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apisec.activity.hashing import distinct, keep, smallest, value_hash32, walked


@pytest.mark.parametrize("prefix", ["", "ORD-", "u_", "a1b2-"])
def test_neighbours_are_seen_in_a_set_of_hashes(prefix: str) -> None:
    # Blocks of 256 are separate: of 512 numbers two begin a block, and these have no neighbour below.
    hashes = {value_hash32(f"{prefix}{number}") for number in range(1024, 1536)}
    assert walked(hashes) == 510
    assert walked({value_hash32(f"{prefix}{number}") for number in range(1024, 1536, 2)}) == 254, "every second one"
    assert walked({value_hash32(f"{prefix}{number}") for number in range(1024, 4096, 3)}) == 0


def test_padded_numbers_are_neighbours_too() -> None:
    assert walked({value_hash32(f"SIT-{number:07}") for number in range(1, 200)}) == 198
    assert len({value_hash32(text) for text in ("42", "042", "0042", "ORD-42", "42-", "4 2")}) == 6


def test_random_ids_are_no_neighbours() -> None:
    chance = random.Random(1)
    ids = [f"{chance.getrandbits(64):016x}" for _ in range(4096)]
    numbers = [str(chance.randrange(10**12)) for _ in range(4096)]
    assert walked({value_hash32(one) for one in ids}) == 0
    assert walked({value_hash32(one) for one in numbers}) == 0


@given(st.text(max_size=40))
def test_case_and_space_around_do_not_count(value: str) -> None:
    assert value_hash32(value) == value_hash32(f" {value}\t")
    assert 0 <= value_hash32(value) < 1 << 32
    ascii_only = value.encode("ascii", "ignore").decode()
    assert value_hash32(ascii_only.upper()) == value_hash32(ascii_only.lower())


def test_the_hash_is_part_of_the_documents_format() -> None:
    """Rows and profiles hold hashes: another hash would make every id one that was never issued."""
    known = {
        "42": 4112119898,
        "ORD-1001": 3148457623,
        "c9d8017820ff1e6f7a9b4677": 2026814658,
        "~pii.email~2eddbdd084a47104~": 2782060730,
    }
    assert {value: value_hash32(value) for value in known} == known


@pytest.mark.parametrize("kind", ["walk", "random", "snowflake"])
def test_how_many_there_were_is_known_to_a_tenth(kind: str) -> None:
    chance = random.Random(7)
    made: Dict[str, Callable[[int], str]] = {
        "walk": lambda n: str(100_000 + n),
        "random": lambda _: str(chance.randrange(10**15)),
        "snowflake": lambda n: str((1_700_000_000_000 + 37 * n) << 22),  # numbers whose low bits are all 0
    }
    hashes = {value_hash32(made[kind](n)) for n in range(20_000)}
    assert len(hashes) > 19_990, "hardly any share a hash"
    assert distinct(smallest(hashes, 1024), True) == pytest.approx(20_000, rel=0.1)
    assert distinct(smallest(hashes, 1024), False) == 1024


@given(st.lists(st.text(max_size=5), unique=True), st.randoms())
def test_what_is_kept_does_not_depend_on_order(names: list[str], chance: random.Random) -> None:
    shuffled = names[:]
    chance.shuffle(shuffled)
    assert keep(names, 3) == keep(shuffled, 3)
