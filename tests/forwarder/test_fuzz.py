"""The fuzzers' checks, driven by hypothesis, and every input that a fuzzer has ever found."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apisec.decoders import DECODERS, Limits, decode_body
from apisec.decoders.framing import unchunk
from apisec.redaction.redactor import label
from apisec_forwarder.codings import CODINGS as TABLE
from fuzz import decoding, engines, events, seeds
from fuzz.formats import BODIES, CODINGS, chunked
from fuzz.plants import NAMED, VALUES, forms
from fuzz.run import HARNESSES
from fuzz.source import Source

FOUND = Path(__file__).parents[1] / "cases" / "fuzz"
LIMITS = Limits()
MEMBERS = [("note", f"it is {VALUES[4]} now"), ("password", NAMED[0][1])]
quick = settings(max_examples=500, deadline=None, suppress_health_check=list(HealthCheck))


@pytest.mark.parametrize("path", sorted(FOUND.glob("*/*.bin")), ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_what_a_fuzzer_found_stays_mended(path: Path) -> None:
    HARNESSES[path.parent.name](path.read_bytes())


def test_fuzzers_have_found_something() -> None:
    assert len(list(FOUND.glob("decoding/*.bin"))) >= 2


@quick
@given(st.integers(0, 255), st.integers(0, 255), st.integers(0, 255), st.binary(max_size=600))
def test_any_bytes_decode_or_are_refused(media: int, coding: int, flags: int, body: bytes) -> None:
    decoding.check(bytes([media, coding, flags]) + body)


@quick
@given(st.binary(min_size=20, max_size=400))
def test_no_planted_value_is_in_an_event(data: bytes) -> None:
    events.check(data)


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.binary(min_size=20, max_size=400))
def test_both_engines_make_the_same_event(data: bytes) -> None:
    engines.check(data)


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.sampled_from(BODIES), st.integers(0, 4000), st.integers(0, 255), st.integers(1, 40))
def test_a_broken_body_is_decoded_or_refused(body: tuple[str, object], place: int, byte: int, cut: int) -> None:
    """One byte changed and some missing: what is well-formed but for a little reaches deeper than noise."""
    media, write = body
    data = bytearray(write(MEMBERS))  # type: ignore[operator]
    data[place % len(data)] = byte
    decoding.check(bytes([decoding.MEDIA.index(media), 0, cut & 1]) + bytes(data[: len(data) - cut // 2]))


def test_the_seeds_reach_every_decoder() -> None:
    reached = set()
    for media, write in BODIES:
        reached.add(decode_body(write(MEMBERS), media, "", LIMITS, label, message_coding="gzip").decoder.name)
    assert reached == set(DECODERS)
    assert len(list(seeds._decoding())) > len(BODIES) * len(CODINGS)


@pytest.mark.parametrize("coding", range(len(CODINGS)))
@pytest.mark.parametrize("size", [None, 1, 7, 4096])
def test_every_coding_and_framing_gives_the_same_document(coding: int, size: int | None) -> None:
    name, pack = CODINGS[coding]
    for media, write in BODIES:
        if pack is bytes and name == "gzip" and set(write(MEMBERS)) - {9, 10, 13, *range(32, 127)}:
            continue  # bytes that claim to be gzip are taken as they are only when they are text
        plain = decode_body(write(MEMBERS), media, "", LIMITS, label, message_coding="gzip")
        data = pack(write(MEMBERS))
        if size is not None:
            data, cut = unchunk(chunked(data, size))
            assert not cut
        found = decode_body(data, media, name, LIMITS, label, message_coding="gzip", table=TABLE)
        assert found.leaves == plain.leaves


def test_a_leak_would_be_seen() -> None:
    """The check itself: an event with a planted value in any written form is refused."""
    for value in VALUES:
        for form in forms(value):
            with pytest.raises(AssertionError):
                events.assert_absent([value], {"request_body": f"x {form} y"})


def test_transactions_of_the_fuzzer_are_full_of_planted_values() -> None:
    made = [events.transaction(Source(seed)) for seed in seeds._events()]
    assert sum(bool(planted) for _, planted in made) > len(made) * 0.8
    assert {value for _, planted in made for value in planted} >= {*VALUES, *[value for _, value in NAMED]}
