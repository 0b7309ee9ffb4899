"""``search``, ``sort_key`` and ``f`` of a listing.

Source: REST API User Manual, "Pagination and filtering parameters": a search without a field looks for a part of
any value, ``field=value`` looks into one field, ``*`` stands for any text, terms are joined by AND unless OR
stands between them. ``sort_mode`` is auto, alpha (whatever the case), alpha_case or num.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any

from apisec_sandbox.splunkd.atom import Entry
from apisec_sandbox.splunkd.web import HttpError

Test = Callable[[Entry], bool]
SORT_MODES = ("auto", "alpha", "alpha_case", "num")
MAX_TERMS = 200
ACL = "eai:acl."


def held(entry: Entry, name: str) -> Any:
    """The value of a field as listings are filtered and sorted by it, None when the entry has none."""
    if name in ("name", "title"):
        return entry.name
    if name.startswith(ACL):
        return entry.acl().get(name[len(ACL) :])
    outer = {"author": entry.owner, "updated": entry.updated, "published": entry.published, "id": entry.id_path}
    return outer.get(name, entry.content.get(name))


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "1" if value else "0"
    return "" if value is None else str(value)


def _texts(value: Any) -> list[str]:
    if isinstance(value, Mapping):
        return [text for item in value.values() for text in _texts(item)]
    if isinstance(value, (list, tuple)):
        return [text for item in value for text in _texts(item)]
    return [_text(value)]


def compile_search(text: str) -> Test:
    """The test of one ``search``.

    Raises:
        HttpError: it does not parse.
    """
    tokens = _tokens(text)
    if len(tokens) > MAX_TERMS:
        raise HttpError(400, f"search has more than {MAX_TERMS} terms")
    test, rest = _any(tokens, 0, 0)
    if rest != len(tokens):
        raise HttpError(400, f"Unbalanced parentheses in search {text[:100]!r}")
    return test


def _tokens(text: str) -> list[str]:
    """Words, quoted words and ``field=value`` each as one token, parentheses of their own."""
    return re.findall(r'[()]|(?:[^\s()"]|"(?:[^"\\]|\\.)*"|")+', text)


def _any(tokens: list[str], at: int, depth: int) -> tuple[Test, int]:
    tests, at = _all(tokens, at, depth)
    choices = [tests]
    while at < len(tokens) and tokens[at] == "OR":
        more, at = _all(tokens, at + 1, depth)
        choices.append(more)
    return (lambda entry: any(test(entry) for test in choices)), at


def _all(tokens: list[str], at: int, depth: int) -> tuple[Test, int]:
    tests: list[Test] = []
    while at < len(tokens) and tokens[at] not in ("OR", ")"):
        if tokens[at] == "AND":
            at += 1
            continue
        test, at = _one(tokens, at, depth)
        tests.append(test)
    return (lambda entry: all(test(entry) for test in tests)), at


def _one(tokens: list[str], at: int, depth: int) -> tuple[Test, int]:
    if depth > 50:
        raise HttpError(400, "search is nested too deeply")
    if tokens[at] == "NOT" and at + 1 < len(tokens):
        test, at = _one(tokens, at + 1, depth + 1)
        return (lambda entry: not test(entry)), at
    if tokens[at] == "(":
        test, at = _any(tokens, at + 1, depth + 1)
        if at >= len(tokens):
            raise HttpError(400, "Unbalanced parentheses in search")
        return test, at + 1
    return _term(tokens[at]), at + 1


def _term(token: str) -> Test:
    match = re.match(r'([^"=!]+)(!?=)(.*)\Z', token, re.DOTALL)
    if match:
        name, negated, pattern = match[1], match[2] == "!=", _bare(match[3])
        return lambda entry: _field_matches(entry, name, pattern) is not negated
    pattern = f"*{_bare(token)}*"
    return lambda entry: _like(entry.name, pattern) or any(_like(text, pattern) for text in _texts(entry.content))


def _bare(text: str) -> str:
    if len(text) > 1 and text[0] == text[-1] == '"':
        text = re.sub(r"\\(.)", r"\1", text[1:-1])
    return text.lower()


def _field_matches(entry: Entry, name: str, pattern: str) -> bool:
    return any(_like(text, pattern) for text in _texts(held(entry, name)))


def _like(text: str, pattern: str) -> bool:
    """Only ``*`` is a wildcard; brackets and question marks are themselves."""
    return fnmatchcase(text.lower(), re.sub(r"([\[?])", r"[\1]", pattern))


def ordered(entries: Sequence[Entry], key: str, mode: str, descending: bool) -> list[Entry]:
    """The entries by a field; ``auto`` is numeric where every value is a number.

    Raises:
        HttpError: the mode is unknown.
    """
    if mode not in SORT_MODES:
        raise HttpError(400, f"Invalid sort_mode {mode!r}; known: {', '.join(SORT_MODES)}")
    texts = {id(entry): _text(held(entry, key)) for entry in entries}
    if mode == "num" or (mode == "auto" and all(_number(text) is not None for text in texts.values())):
        return sorted(entries, key=lambda entry: _number(texts[id(entry)]) or 0.0, reverse=descending)
    if mode == "alpha_case":
        return sorted(entries, key=lambda entry: texts[id(entry)], reverse=descending)
    return sorted(entries, key=lambda entry: (texts[id(entry)].lower(), texts[id(entry)]), reverse=descending)


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def narrowed(content: Mapping[str, Any], patterns: Sequence[str]) -> dict[str, Any]:
    """Only the fields that ``f`` names."""
    return {name: value for name, value in content.items() if any(fnmatchcase(name, p) for p in patterns)}
