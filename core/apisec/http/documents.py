"""JSON that clients send, read strictly, and JSON that they get, written canonically."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, Dict, List, Set, Tuple

from apisec.http.problem import Problem

MAX_DEPTH = 32
_MAX_DIGITS = 30  # of a whole number: Python's conversion is quadratic, and no member here needs more


def read(text: str) -> Any:
    """Return the document. Problem 400 for what is not JSON, has a member twice, or is nested too deep."""
    try:
        value = json.loads(text, object_pairs_hook=_object, parse_constant=_constant, parse_int=_integer)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise Problem(400, "", f"the body is not JSON: {error.msg} at {where}", "Send one JSON document.") from None
    except RecursionError:
        raise _too_deep() from None
    _check(value)
    return value


def _object(pairs: List[Tuple[str, Any]]) -> Dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        twice = _twice(name for name, _ in pairs)
        raise Problem(400, "", f"the member {twice[:60]!r} stands twice in one object", "Keep one of them.")
    return made


def _twice(names: Iterable[str]) -> str:
    """Return the first name that was there before: in one walk, for a body may have hundreds of thousands."""
    known: Set[str] = set()
    for name in names:
        if name in known:
            return name
        known.add(name)
    return ""


def _constant(name: str) -> Any:
    raise Problem(400, "", f"{name} is not JSON", "Send a number, or null.")


def _integer(digits: str) -> int:
    if len(digits) > _MAX_DIGITS:
        raise Problem(400, "", f"a number of {len(digits)} digits", f"Send at most {_MAX_DIGITS} digits.")
    return int(digits)


def _too_deep() -> Problem:
    return Problem(400, "", f"the body is nested deeper than {MAX_DEPTH}", "Send a flatter document.")


def _check(value: Any) -> None:
    """Refuse depth, infinities and halves of surrogate pairs, which no encoder writes again."""
    level = [value]
    for _ in range(MAX_DEPTH):
        below: List[Any] = []
        for one in level:
            if isinstance(one, dict):
                below += one
                below += one.values()
            elif isinstance(one, list):
                below += one
            elif isinstance(one, str):
                _encodable(one)
            elif isinstance(one, float) and one in (float("inf"), float("-inf")):
                raise Problem(400, "", "a number is too large", "Send a number below 1e308.")
        if not below:
            return
        level = below
    raise _too_deep()


def _encodable(text: str) -> None:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise Problem(400, "", "a text holds half of a surrogate pair", "Send valid Unicode.") from None


def canonical(value: Any) -> str:
    """Return a JSON-like value as text: the same value gives the same bytes."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)
