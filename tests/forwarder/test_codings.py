"""Brotli and Zstandard: undone, bounded, and refused when they are not what they say."""

from __future__ import annotations

from collections.abc import Callable

import brotli
import pytest
import zstandard

from apisec.decoders import codings
from apisec.errors import DecodeError, LimitExceeded
from apisec_forwarder.codings import CODINGS, MAX_WINDOW

TEXT = b'{"name": "Ada", "n": [1, 2, 3]}' * 400
PACK: dict[str, Callable[[bytes], bytes]] = {
    "br": lambda data: brotli.compress(data, quality=5),
    "zstd": zstandard.compress,
}


@pytest.mark.parametrize("coding", sorted(PACK))
def test_what_was_packed_is_undone(coding: str) -> None:
    assert codings.decode(PACK[coding](TEXT), coding.upper(), 1 << 20, table=CODINGS) == (TEXT, False)


@pytest.mark.parametrize("coding", sorted(PACK))
@pytest.mark.parametrize("limit", [1, 1000, 65_537])
def test_output_is_bounded(coding: str, limit: int) -> None:
    out, more = CODINGS[coding](PACK[coding](TEXT * 100), limit, False)
    assert (out, more) == ((TEXT * 100)[:limit], True)


@pytest.mark.parametrize("coding", sorted(PACK))
def test_a_bomb_is_refused_by_its_ratio(coding: str) -> None:
    bomb = PACK[coding](b"\0" * (1 << 24))
    assert len(bomb) < 2000
    with pytest.raises(LimitExceeded, match="more than 1000 times"):
        codings.decode(bomb, coding, 1 << 20, table=CODINGS)


@pytest.mark.parametrize("coding", sorted(PACK))
def test_a_cut_is_an_error_unless_the_copy_was_cut(coding: str) -> None:
    # Only what does not repeat is long enough to have a first half.
    noisy = b"".join([b"%d;" % (i * 7919 % 100_003) for i in range(60_000)])
    packed = PACK[coding](noisy)
    with pytest.raises(DecodeError, match="ends too early"):
        CODINGS[coding](packed[:-5], 1 << 20, False)
    out, more = CODINGS[coding](packed[: len(packed) * 3 // 4], 1 << 20, True)
    assert more
    assert out
    assert noisy.startswith(out)


@pytest.mark.parametrize("coding", sorted(PACK))
def test_noise_is_refused(coding: str) -> None:
    with pytest.raises(DecodeError, match=f"not {coding} data"):
        CODINGS[coding](b"\xff\xfe no such thing \x00\x01", 1000, False)


def test_zstandard_frames_in_a_row_are_read_and_counted() -> None:
    frame = zstandard.compress(b"abc")
    assert CODINGS["zstd"](frame * 3, 1000, False) == (b"abcabcabc", False)
    with pytest.raises(LimitExceeded, match="zstd frames"):
        CODINGS["zstd"](frame * 65, 1000, False)


def test_a_window_that_would_eat_the_memory_is_refused() -> None:
    parameters = zstandard.ZstdCompressionParameters(window_log=27)
    packer = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    packed = packer.compress(b"x" * 10) + packer.flush()
    assert MAX_WINDOW < 1 << 27
    with pytest.raises(DecodeError, match="not zstd data"):
        CODINGS["zstd"](packed, 1000, False)


def test_no_coding_stands_in_the_table_twice() -> None:
    with pytest.raises(ValueError, match="registered twice"):
        codings.register(CODINGS, {"br": CODINGS["br"]})
