"""Content codings and charsets: what bytes become text, and what is refused."""

from __future__ import annotations

import contextlib
import gzip
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apisec.decoders import Limits, charsets, codings, decode_body
from apisec.errors import ApisecError, DecodeError, LimitExceeded

TEXT = '{"name": "Ünal", "n": 1}'


def raw_deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(data) + packer.flush()


@pytest.mark.parametrize(
    ("coding", "pack"),
    [
        ("gzip", gzip.compress),
        ("X-GZIP", gzip.compress),
        ("deflate", zlib.compress),
        ("deflate", raw_deflate),
        ("identity", bytes),
        ("gzip, deflate", lambda data: zlib.compress(gzip.compress(data))),
    ],
)
def test_codings_are_undone(coding: str, pack: object) -> None:
    packed = pack(TEXT.encode())  # type: ignore[operator]
    assert codings.decode(packed, coding, 1000) == (TEXT.encode(), False)


@pytest.mark.parametrize("coding", ["br", "zstd", "compress", "aws-chunked"])
def test_other_codings_are_refused_by_name(coding: str) -> None:
    with pytest.raises(DecodeError, match="is not supported") as caught:
        codings.decode(b"x", coding, 1000)
    assert ("unknown name" in str(caught.value)) == (coding == "aws-chunked")  # what a client wrote is not repeated


def test_a_bomb_costs_no_more_than_the_limit() -> None:
    bomb = gzip.compress(b"\0" * 50_000_000)
    data, more = codings.decode(bomb, "gzip", 1000)
    assert (len(data), more) == (1000, True)
    with pytest.raises(LimitExceeded, match="more than 2 content codings"):
        codings.decode(bomb, "gzip, gzip, gzip", 1000)


def test_cut_gzip_gives_what_is_there() -> None:
    packed = gzip.compress(b"[" + b"1," * 1000 + b"1]")
    with pytest.raises(DecodeError, match="ends too early"):
        codings.decode(packed[:-9], "gzip", 10_000)
    data, more = codings.decode(packed[:-9], "gzip", 10_000, truncated=True)
    assert more
    assert data.startswith(b"[1,1,")


@pytest.mark.parametrize(
    "charset", ["utf-8", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "iso-8859-1", "UTF8", "windows-1252"]
)
def test_charsets_by_name(charset: str) -> None:
    assert (
        decode_body(TEXT.encode(charset), f"application/json; charset={charset}", None, Limits()).leaves[0].value
        == "Ünal"
    )


@pytest.mark.parametrize("codec", ["utf-8-sig", "utf-16", "utf-32", "utf-16-le", "utf-16-be"])
def test_charsets_by_their_bytes(codec: str) -> None:
    assert charsets.to_text(TEXT.encode(codec), None) == TEXT


@pytest.mark.parametrize(
    ("data", "charset", "message"),
    [
        (b"\x89PNG\r\n\x1a\n" + bytes(range(32)) * 4, None, "binary data"),
        (b"+AGEAYg-", "utf-7", "charset is not known"),
        (b"\x81", "utf-16", "not valid utf-16"),
    ],
)
def test_what_is_no_text_is_refused(data: bytes, charset: str | None, message: str) -> None:
    with pytest.raises(DecodeError, match=message):
        charsets.to_text(data, charset)


def test_a_cut_character_is_dropped() -> None:
    assert charsets.to_text("aü".encode()[:-1], None, truncated=True) == "a"


@given(st.binary(max_size=300), st.sampled_from(["gzip", "deflate", "", "br"]), st.sampled_from([None, "utf-16", "x"]))
def test_no_bytes_are_too_strange(data: bytes, coding: str, charset: str | None) -> None:
    kind = f"application/json; charset={charset}" if charset else "application/json"
    with contextlib.suppress(ApisecError):
        decode_body(data, kind, coding, Limits())
