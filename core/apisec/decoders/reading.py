"""Reading self-describing binary formats: a place in bytes, containers of a known or open length, cut copies."""

from __future__ import annotations

from typing import Callable, List, Optional, Tuple

from apisec.decoders.base import Limits
from apisec.decoders.tree import Budget, Members, Node, write
from apisec.errors import DecodeError

BREAK = object()  # what ends a container of open length


class EndsEarly(Exception):  # noqa: N818 - named for what happened
    """The data ended inside a value; never leaves the binary decoders."""


class Reader:
    """A place in bytes. ``cut`` becomes true when a cut copy ended inside a container: what is whole is kept."""

    def __init__(self, data: bytes, limits: Limits, truncated: bool) -> None:
        self.data = data
        self.position = 0
        self.budget = Budget(limits)
        self.truncated = truncated
        self.cut = False

    def take(self, count: int) -> bytes:
        """Return the next bytes, all of them or none."""
        end = self.position + count
        if end > len(self.data):
            raise EndsEarly
        piece = self.data[self.position : end]
        self.position = end
        return piece

    def number(self, count: int) -> int:
        """Return the next big-endian unsigned integer of so many bytes."""
        return int.from_bytes(self.take(count), "big")

    def each(self, count: Optional[int], read: Callable[[], bool]) -> None:
        """Call ``read`` for each element; it returns False at the end of an open length (``count`` is None)."""
        done = 0
        try:
            while (count is None or done < count) and not self.cut and read():
                done += 1
        except EndsEarly:
            if not self.truncated:
                raise
            self.cut = True

    def all(self, read: Callable[[], Node], what: str) -> Tuple[List[Node], bool]:
        """Return all values in a row, and whether the end is missing. Raises DecodeError or LimitExceeded."""
        found: List[Node] = []
        while self.position < len(self.data) and not self.cut:
            try:
                found.append(read())
            except EndsEarly:  # noqa: PERF203 - it ends the loop
                if not self.truncated or not found:
                    raise DecodeError(f"{what} data ends too early") from None
                self.cut = True
        if not found:
            raise DecodeError(f"{what} data ends too early")
        return found, self.truncated


def name_of(key: Node) -> str:
    """Return a map's key as a member's name; a container as a key is not shown (its JSON would double per level)."""
    if isinstance(key, (Members, list)):
        return "[container]"
    return key if isinstance(key, str) else write(key)


def array(reader: Reader, count: Optional[int], read: Callable[[], object]) -> List[Node]:
    """Return the elements that ``read`` gives, up to ``count`` or BREAK."""
    found: List[Node] = []

    def one() -> bool:
        value = read()
        if value is BREAK:
            return False
        found.append(value)  # type: ignore[arg-type]
        return True

    reader.each(count, one)
    return found


def pairs(reader: Reader, count: Optional[int], key: Callable[[], object], value: Callable[[], Node]) -> Members:
    """Return the members whose names and values are read in turn, up to ``count`` or BREAK."""
    found: List[Tuple[str, Node]] = []

    def one() -> bool:
        name = key()
        if name is BREAK:
            return False
        found.append((name_of(name), value()))  # type: ignore[arg-type]
        return True

    reader.each(count, one)
    return Members(found)
