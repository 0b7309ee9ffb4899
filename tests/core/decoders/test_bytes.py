"""Content codings and charsets: what bytes become text, and what is refused."""

from __future__ import annotations

import contextlib
import gzip
import json
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apisec.decoders import Limits, charsets, codings, decode_body, framing
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


def test_members_in_a_row_are_one_text_and_their_number_is_bounded() -> None:
    packed = gzip.compress(b"[1,") + gzip.compress(b"2]")
    assert codings.decode(packed, "gzip", 1000) == (b"[1,2]", False)
    assert codings.decode(packed + b"\0\0", "gzip", 1000) == (b"[1,2]", False)
    assert codings.decode(packed + b"junk", "gzip", 1000) == (b"[1,2]", True)
    assert codings.decode(packed, "gzip", 4) == (b"[1,2", True)
    with pytest.raises(LimitExceeded, match="gzip members"):
        codings.decode(gzip.compress(b"") * 65, "gzip", 1000)


def test_what_expands_beyond_all_reason_is_refused() -> None:
    with pytest.raises(LimitExceeded, match="more than 1000 times"):
        codings.decode(gzip.compress(b" " * 100_000), "gzip", 1 << 20, table={"gzip": lambda *_: (b" " * 10**6, False)})
    repetitive = json.dumps([{"id": 1, "name": "Ada", "tags": []}] * 20_000).encode()
    assert codings.decode(gzip.compress(repetitive), "gzip", 1 << 20) == (repetitive, False)


def test_codings_that_are_wrongly_claimed_or_not_claimed() -> None:
    """Servers that do not know codings of requests read what is there."""
    assert codings.decode(b'{"card": "4111"}', "gzip", 1000) == (b'{"card": "4111"}', False)
    assert codings.decode(gzip.compress(b"{}"), "", 1000) == (b"{}", False)
    with pytest.raises(DecodeError, match="not gzip data"):
        codings.decode(b"\xff\xfe binary \x00\x01", "gzip", 1000)


@pytest.mark.parametrize(
    ("data", "body"),
    [
        (b"4\r\nWiki\r\n5\r\npedia\r\n0\r\n\r\n", b"Wikipedia"),
        (b'4;a=b;c="d"\r\nWiki\r\n0\r\nTrailer: x\r\n\r\n', b"Wiki"),
        (b"00A \r\n0123456789\r\n0\r\n\r\n", b"0123456789"),
        (b"0\r\n\r\n", b""),
    ],
)
def test_chunks_are_joined(data: bytes, body: bytes) -> None:
    assert framing.unchunk(data) == (body, False)


@pytest.mark.parametrize(
    "data",
    [
        b"hello",
        b"0x4\r\nWiki\r\n0\r\n\r\n",
        b"+4\r\nWiki\r\n0\r\n\r\n",
        b"-4\r\nWiki\r\n0\r\n\r\n",
        b"4\nWiki\n0\n\n",
        b"4\r\nWikipedia\r\n0\r\n\r\n",
        b"4\r\nWiki\r\n0\r\n\r\nGET / HTTP/1.1\r\n\r\n",
        b"999999999\r\nx",
        b"4\r\nWi",
        b"4\r\nWiki\r\n0\r\n",
        b"4;" + b"x" * 2000 + b"\r\nWiki\r\n0\r\n\r\n",
    ],
)
def test_framing_that_readers_take_differently_is_refused(data: bytes) -> None:
    with pytest.raises(DecodeError):
        framing.unchunk(data)


def test_cut_chunks_give_what_is_there() -> None:
    whole = b"4\r\nWiki\r\n5\r\npedia\r\n0\r\n\r\n"
    for end in range(1, len(whole)):
        body, missing = framing.unchunk(whole[:end], truncated=True)
        assert missing
        assert b"Wikipedia".startswith(body)


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
        ("<a>4111</a>".encode("cp037"), "cp037", "charset is not known"),
    ],
)
def test_what_is_no_text_is_refused(data: bytes, charset: str | None, message: str) -> None:
    with pytest.raises(DecodeError, match=message):
        charsets.to_text(data, charset)


@pytest.mark.parametrize(
    ("data", "charset", "text"),
    [
        (b"card 4111", "utf-16", "card 4111"),  # no UTF-16 at all
        ("é4111".encode("utf-16-le"), "utf-16", "é4111"),  # little-endian without a mark
        ("é4111".encode("latin-1"), None, "é4111"),  # not valid UTF-8
        (b"\xc0\xb41\xe0\x80\xb4", None, "414"),  # more bytes than needed: some servers read digits
        ("цена 4111".encode("cp1251"), "windows-1251", "цена 4111"),
        ("番号 4111".encode("shift_jis"), "Shift_JIS", "番号 4111"),
        (b"\x1e{}\n", None, "\x1e{}\n"),
    ],
)
def test_text_is_read_as_some_server_may(data: bytes, charset: str | None, text: str) -> None:
    assert charsets.to_text(data, charset) == text


def test_a_cut_character_is_dropped() -> None:
    assert charsets.to_text("aü".encode()[:-1], None, truncated=True) == "a"


@given(st.binary(max_size=300), st.sampled_from(["gzip", "deflate", "", "br"]), st.sampled_from([None, "utf-16", "x"]))
def test_no_bytes_are_too_strange(data: bytes, coding: str, charset: str | None) -> None:
    kind = f"application/json; charset={charset}" if charset else "application/json"
    with contextlib.suppress(ApisecError):
        decode_body(data, kind, coding, Limits())
