"""Lists in pages: sorted rows, filters, and cursors that stay right while rows come and go.

A cursor names the last row of a page by its sort value and key, so the next page begins behind that row, whatever was
added or removed in between. It holds nothing secret; a forged one only begins elsewhere in what the caller sees anyway.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Dict, List, Optional, Tuple

from apisec.http.problem import Fault, Problem
from apisec.http.table import Parameter

DEFAULT_LIMIT = 100
MAX_LIMIT = 1_000
MAX_CURSOR = 8_000  # characters: a key may hold a service and an operation, of 512 characters each, in any script
_MAX_TEXT = 120  # characters of a sort value inside a cursor
Row = Mapping[str, Any]
Rank = Tuple[int, Any]


def parameters(sortable: Sequence[str], default: str) -> Tuple[Parameter, ...]:
    """Return ``limit``, ``cursor`` and ``sort``; ``-name`` sorts downwards, ``default`` may say so too."""
    orders = [sign + name for name in sortable for sign in ("", "-")]
    cursor = {"type": "string", "minLength": 1, "maxLength": MAX_CURSOR, "pattern": "^[A-Za-z0-9_-]+$"}
    limit = {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT}
    return (
        Parameter("limit", limit, "items of a page"),
        Parameter("cursor", cursor, "`next` of the page before, with the same sort and filters", weighed=True),
        Parameter(
            "sort", {"type": "string", "enum": orders, "default": default}, "`-` before a name: the highest first"
        ),
    )


def schema(item: str) -> Dict[str, Any]:
    """Return the schema of a list of items of a named schema."""
    return {
        "type": "object",
        "properties": {
            "items": {"type": "array", "items": {"$ref": f"#/components/schemas/{item}"}},
            "next": {"type": ["string", "null"], "description": "cursor of the next page; null on the last"},
        },
        "required": ["items", "next"],
    }


def filtered(rows: Iterable[Row], query: Mapping[str, Any], names: Sequence[str]) -> List[Row]:
    """Return the rows whose fields have the values that the query names; a list has one when it holds it."""
    wanted = [(name, query[name]) for name in names if query.get(name) is not None]
    return [row for row in rows if all(_has(row.get(name), value) for name, value in wanted)]


def _has(held: Any, value: Any) -> bool:
    if isinstance(held, (list, tuple)):
        return any(_has(one, value) for one in held)
    if isinstance(value, bool) or isinstance(held, bool):
        return bool(held) == bool(value)
    return bool(held == value)


def rank(value: Any) -> Rank:
    """Return what values of any kind sort by: nothing, then numbers, then text."""
    if value is None:
        return (0, 0.0)
    if isinstance(value, (bool, int, float)):
        return (1, float(value))
    if isinstance(value, (list, tuple)):
        return (1, float(len(value)))
    return (2, str(value)[:_MAX_TEXT])


def page(
    rows: Iterable[Row],
    query: Mapping[str, Any],
    key: str = "id",
    render: Callable[[Row], Any] = dict,
    ranks: Optional[Mapping[str, Callable[[Any], int]]] = None,
) -> Dict[str, Any]:
    """Return ``{"items", "next"}``: the rows behind the query's cursor. ``key`` is a field that no two rows share.

    ``render`` makes the item of a row, for the rows of the page only. ``ranks`` say in which order values of a field
    follow each other, where that is not their own. Problem 422 for a cursor of another sort.
    """
    name, down = str(query["sort"]).lstrip("-"), str(query["sort"]).startswith("-")
    special = (ranks or {}).get(name)

    def place(row: Row) -> Rank:
        return rank(row.get(name) if special is None else special(row.get(name)))

    ordered = sorted(rows, key=lambda row: str(row[key]))
    ordered.sort(key=place, reverse=down)
    if query.get("cursor"):
        sort, last, last_key = _read(str(query["cursor"]))
        if sort != query["sort"]:
            raise _no_cursor(f"belongs to sort={sort[:40]}")
        ordered = [row for row in ordered if _behind(place(row), str(row[key]), last, last_key, down)]
    limit = int(query["limit"])
    shown = ordered[:limit]
    more = len(ordered) > limit
    last_row = shown[-1] if more else None
    following = None if last_row is None else _cursor(query["sort"], place(last_row), str(last_row[key]))
    return {"items": [render(row) for row in shown], "next": following}


def _behind(value: Rank, key: str, last: Rank, last_key: str, down: bool) -> bool:
    if value == last:
        return key > last_key
    return (value < last) if down else (value > last)


def _cursor(sort: str, value: Rank, key: str) -> str:
    text = json.dumps([sort, value[0], value[1], key], separators=(",", ":"), ensure_ascii=False)
    return base64.urlsafe_b64encode(text.encode("utf-8", "surrogatepass")).decode().rstrip("=")


def _read(cursor: str) -> Tuple[str, Rank, str]:
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode("utf-8", "surrogatepass")
        sort, kind, value, key = json.loads(text)
        if kind not in (0, 1, 2):
            raise ValueError(kind)
        return str(sort), (kind, str(value) if kind == 2 else float(value)), str(key)
    except (binascii.Error, ValueError, TypeError, OverflowError, RecursionError):
        raise _no_cursor("is none of this list") from None


def _no_cursor(why: str) -> Problem:
    remedy = "Take `next` of the page before, or begin anew without a cursor."
    return Problem(422, "", f"query/cursor: {why}", remedy, errors=[Fault("query/cursor", why)])
