"""Digits of any script to ASCII."""

from __future__ import annotations


def ascii_digits(text: str) -> str:
    """Return only the decimal digits of ``text``, of any script, as ASCII."""
    if text.isascii():
        return "".join(filter(str.isdigit, text))
    return "".join([str(int(c)) for c in text if c.isdecimal()])
