"""Where choices come from: a fuzzer's bytes, read front to back. Bytes that are used up answer with zeros."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")


class Source:
    """Choices out of bytes: the same bytes give the same choices, in atheris, in hypothesis and in a replay."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._position = 0

    def byte(self) -> int:
        """Return the next byte."""
        self._position += 1
        return self._data[self._position - 1] if self._position <= len(self._data) else 0

    def number(self, most: int) -> int:
        """Return a number from 0 to ``most``."""
        value, size = 0, most
        while size:
            value, size = value << 8 | self.byte(), size >> 8
        return value % (most + 1)

    def pick(self, choices: Sequence[T]) -> T:
        """Return one of the choices."""
        return choices[self.number(len(choices) - 1)]

    def chance(self, one_in: int) -> bool:
        """Return True once in so many times."""
        return self.number(one_in - 1) == one_in - 1

    def blob(self, most: int) -> bytes:
        """Return up to so many bytes."""
        size = self.number(most)
        piece = self._data[self._position : self._position + size]
        self._position += size
        return piece

    def text(self, most: int) -> str:
        """Return a text made of up to so many bytes."""
        return self.blob(most).decode("utf-8", "replace")

    def rest(self) -> bytes:
        """Return all that was not used."""
        piece = self._data[self._position :]
        self._position = len(self._data)
        return piece
