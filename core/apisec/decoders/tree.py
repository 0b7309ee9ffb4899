"""Trees that binary formats decode to, and their JSON: the text in which such a body is shown.

A binary body cannot be spliced. It is written down as JSON, and the JSON decoder finds the leaves in that.
"""

from __future__ import annotations

import json
import math
import re
from typing import List, NamedTuple, Tuple, Union

from apisec.decoders.base import Limits
from apisec.errors import LimitExceeded


class Binary(NamedTuple):
    """Bytes that are no text: only their number is ever shown."""

    size: int


class Members(NamedTuple):
    """An object's members, in order; duplicates stay."""

    pairs: List[Tuple[str, "Node"]]  # noqa: UP037 - NamedTuple evaluates it on 3.9


Node = Union[None, bool, int, float, str, Binary, Members, List["Node"]]

MAX_INTEGER = 1 << 256  # larger ones have more digits than anything that is looked for
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ufffe\uffff]")


class Budget:
    """Counts values and depth over one body; hostile ones meet the limits."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._left = limits.leaves

    def value(self, depth: int = 0) -> None:
        """Count one value, ``depth`` containers deep."""
        self._left -= 1
        if self._left < 0:
            raise LimitExceeded(f"more than {self.limits.leaves} values")
        if depth > self.limits.depth:
            raise LimitExceeded(f"nesting deeper than {self.limits.depth} levels")


def text_of(data: bytes) -> Union[str, Binary]:
    """Return bytes as text when they are printable UTF-8, else as Binary."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return Binary(len(data))
    return Binary(len(data)) if _CONTROLS.search(text) else text


def write(node: Node) -> str:
    """Return the JSON of a tree; depth was bounded when it was made."""
    if isinstance(node, str):
        return json.dumps(node, ensure_ascii=False)
    if isinstance(node, Binary):
        return f'"[binary, {node.size} bytes]"'
    if isinstance(node, Members):
        return "{" + ", ".join([f"{json.dumps(name, ensure_ascii=False)}: {write(v)}" for name, v in node.pairs]) + "}"
    if isinstance(node, list):
        return "[" + ", ".join([write(inner) for inner in node]) + "]"
    if isinstance(node, float):
        return json.dumps(node) if math.isfinite(node) else '"not finite"'
    if isinstance(node, int) and not isinstance(node, bool) and abs(node) > MAX_INTEGER:
        return f'"[integer, {node.bit_length()} bits]"'
    return json.dumps(node)
