"""docs/decoding.md: its table of limits is the code's, and every registered format is described."""

from __future__ import annotations

from pathlib import Path

from apisec.decoders import Limits, codings, multipart

TEXT = (Path(__file__).parents[3] / "docs" / "decoding.md").read_text(encoding="utf-8")
LIMITS = Limits()


def bound(what: str) -> str:
    rows = [line for line in TEXT.splitlines() if line.startswith(f"| {what}")]
    assert len(rows) == 1, what
    return rows[0].split("|")[2].strip()


def test_limits_are_those_of_the_code() -> None:
    assert bound("characters of one body") == f"{LIMITS.text:,}"
    assert bound("values of one body") == f"{LIMITS.leaves:,}"
    assert bound("objects inside one another") == str(LIMITS.depth)
    assert bound("encodings inside one another") == str(LIMITS.nested)
    assert bound("codings inside one another") == str(codings.MAX_CODINGS)
    assert bound("bytes out for one byte in, beyond 64 KiB") == f"{codings.MAX_RATIO:,}"
    assert codings.FREE_BYTES == 64 * 1024
    assert bound("gzip members, zstd frames") == str(codings.MAX_MEMBERS)
    assert bound("parts; characters") == f"{multipart.MAX_PARTS}; {multipart.MAX_HEADER:,}"
