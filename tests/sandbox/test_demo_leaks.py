"""The search for planted values finds them in every form; otherwise the demo's 'no leak' would mean nothing."""

from __future__ import annotations

import base64
import gzip
import json
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apisec_sandbox.demo import leaks

VALUE = "4111 1111/1111+1111"


@pytest.mark.parametrize(
    "carried",
    [
        VALUE,
        quote(VALUE, safe=""),
        quote(VALUE, safe="").lower(),
        quote(quote(VALUE, safe=""), safe=""),
        VALUE.replace(" ", "+"),
        json.dumps({"a": VALUE}),
        json.dumps(json.dumps({"a": VALUE})).replace("/", "\\/"),
        "".join(f"\\u{ord(char):04x}" for char in VALUE),
        "".join(f"%{byte:02X}" for byte in VALUE.encode()),
    ],
)
def test_a_planted_value_is_found(tmp_path: Path, carried: str) -> None:
    file = tmp_path / "spool.log"
    file.write_text(f"before {carried} after")
    assert leaks.Needles([(VALUE, "pci.pan")]).search(file)


@given(
    before=st.binary(max_size=9),
    value=st.text("0123456789abcdef -", min_size=9, max_size=40),
    after=st.binary(max_size=9),
)
def test_base64_is_found_at_every_alignment(before: bytes, value: str, after: bytes) -> None:
    needles = leaks.Needles([(value, "pci.pan")])
    encoded = base64.b64encode(before + value.encode() + after)
    assert any(needles._hits(b"x" + encoded + b"y"))


def test_gzip_is_looked_into_and_chunk_borders_hide_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leaks, "CHUNK", 7)
    file = tmp_path / "segment.gz"
    file.write_bytes(gzip.compress(b"x" * 1000 + b"correct horse battery" + b"y" * 1000))
    (leak,) = [
        each
        for each in leaks.Needles([("correct horse battery", "secret.password")]).search(file)
        if each.form == "plain"
    ]
    assert leak.offset == 1000


def test_what_was_not_planted_is_not_found(tmp_path: Path) -> None:
    (tmp_path / "events").write_text("~pci.pan~0123456789abcdef~ " * 1000)
    size, found = leaks.search_tree(leaks.Needles([(VALUE, "pci.pan")]), [tmp_path])
    assert size > 1000
    assert found == []
