"""Makes detectors of the tables of numbers (``validators.numbers.Number``): printed forms and bare ones."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Iterable, Tuple

from apisec.detectors.base import Detector, linear, words
from apisec.validators.numbers import Number

# Not inside a word, a longer number, a fraction, a UUID or a longer code with dashes; %20 is no beginning.
LEFT = r"(?<![^\W_])(?<!%)(?<!\d[.,/-])(?<![0-9A-Fa-f]{4}-)"
RIGHT = r"(?![^\W_])(?![.,/-]\d)(?!-[0-9A-Fa-f]{4})"

_GROUPED = {"digits": "grouped"}


def of_numbers(
    rows: Iterable[Number], common: Tuple[str, ...] = (), hints: Tuple[str, ...] = ()
) -> Tuple[Detector, ...]:
    """Return the detectors of numbers, those that say most by themselves first.

    ``common`` are telling words besides each row's own, ``hints`` names' classes besides its own.
    """
    found = []
    for row in sorted(rows, key=lambda row: row.odds):
        if row.written:
            form, gate = "|".join(row.written), row.written_gate or _GROUPED.get(row.gate, row.gate)
            found.append(_detector(row, f"{row.id}.written", form, row.written_as, gate, common, hints))
        if row.bare_as:
            bare = _detector(row, row.id, row.form, row.bare_as, row.gate, common, hints)
            found.append(replace(bare, checked=row.alone))
    return tuple(found)


def _detector(
    row: Number, name: str, form: str, confidence: str, gate: str, common: Tuple[str, ...], hints: Tuple[str, ...]
) -> Detector:
    if gate == "code" and confidence != "context":
        gate = "capitals"
    # Capitals are part of what proves a number alone, and of what tells it from a word.
    flags = re.IGNORECASE if confidence == "context" and r"\d" in form else 0
    return Detector(
        name,
        row.data_class,
        linear(f"{LEFT}(?:{form}){RIGHT}", flags),
        row.accept,
        confidence=confidence,
        near=words(*row.words, *common),
        checked=row.checked,
        gate=gate,
        hints=hints,
    )
