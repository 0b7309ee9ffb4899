"""A corpus to begin with: choices that reach every format and coding, and the cases of the decoders' tests."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator
from pathlib import Path

import yaml

from fuzz import decoding
from fuzz.formats import BODIES, CODINGS
from fuzz.plants import VALUES

_CASES = Path(__file__).resolve().parent.parent / "tests" / "cases"
_EVENTS = 400  # seeds of transactions


def write(folder: Path, harness: str) -> int:
    """Write the seeds of a harness into a folder, named by what is in them; return how many."""
    folder.mkdir(parents=True, exist_ok=True)
    seeds = set(_decoding() if harness == "decoding" else _events())
    seeds |= {path.read_bytes() for path in sorted((_CASES / "fuzz" / harness).glob("*.bin"))}
    for seed in seeds:
        (folder / hashlib.sha256(seed).hexdigest()[:20]).write_bytes(seed)
    return len(seeds)


def _decoding() -> Iterator[bytes]:
    members = [("note", f"it is {VALUES[0]}"), ("password", "zq7Rk!wvuT"), ("mail", VALUES[4])]
    for media, make in BODIES:
        head = decoding.MEDIA.index(media)
        for name, pack in CODINGS:
            yield bytes([head, decoding.CODING_NAMES.index(name), 4]) + pack(make(members))
        text = make(members)[:96]
        yield bytes([head, 0, 16 + 4, 12]) + text[:12] + bytes([32]) + text[12:]
    for path in sorted((_CASES / "decoders").glob("*.yml")):
        for case in yaml.safe_load(path.read_text(encoding="utf-8")):
            body = case["text"].encode() if "text" in case else bytes.fromhex(case["hex"])
            known = [
                i
                for i, media in enumerate(decoding.MEDIA)
                if media.partition(";")[0] == case["media"].partition(";")[0]
            ]
            for index in known[:1]:
                yield bytes([index, 0, 1 if case.get("cut") else 0]) + body


def _events() -> Iterator[bytes]:
    chance = random.Random(7)  # noqa: S311 - seeds, no secrets
    for index in range(_EVENTS):
        yield chance.randbytes(40 + index)
