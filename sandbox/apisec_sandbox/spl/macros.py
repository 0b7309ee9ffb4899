"""Comments and macros: replaced in the text before anything is parsed.

Source: Search Manual, "Add comments to searches"; Knowledge Manager Manual, "Define search macros in Settings" and
"Use search macros in searches"; macros.conf.spec (args, definition, iseval, validation, errormsg).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from apisec_sandbox.spl.errors import SplError
from apisec_sandbox.spl.expressions import Scope, parse_expression
from apisec_sandbox.spl.lexer import QUOTED
from apisec_sandbox.spl.positions import Piece, Source
from apisec_sandbox.spl.values import to_text

MAX_SEARCH = 1024 * 1024  # characters, after the macros
MAX_DEPTH = 100  # limits.conf [search_info] max_macro_depth
SCAN = re.compile(r'[^"`]++|"(?:[^"\\]++|\\.)*+"|(?P<comment>```.*?```)|(?P<tick>`)|(?P<open>")', re.DOTALL)
NAME = re.compile(r"\s*([\w.\-:]+)\s*(?:\((.*)\))?\s*\Z", re.DOTALL)
PARAMETER = re.compile(r"\$(\w+)\$")

# Definition, names of arguments, validation, its message; and whether the definition is an eval expression.
Definition = tuple[Any, ...]
MacroSource = Callable[[str, int], Definition | None]


@dataclass(frozen=True)
class _Call:
    """Where a macro is called, for its errors."""

    name: str
    text: str
    at: int

    def fail(self, message: str) -> SplError:
        return SplError(message, self.text, self.at)


def from_conf(stanzas: Mapping[str, Mapping[str, str]]) -> MacroSource:
    """Macros of macros.conf."""

    def find(name: str, arity: int) -> Definition | None:
        settings = stanzas.get(f"{name}({arity})" if arity else name)
        if settings is None:
            return None
        names = [part.strip() for part in settings.get("args", "").split(",") if part.strip()]
        is_eval = settings.get("iseval", "0").strip().lower() in ("1", "true", "t", "yes")
        return (
            settings.get("definition", ""),
            names,
            settings.get("validation", ""),
            settings.get("errormsg", ""),
            is_eval,
        )

    return find


def prepare(text: str, macros: MacroSource) -> Source:
    """Return the search without comments and with its macros expanded; it remembers where each part stood.

    Raises:
        SplError: an unknown macro, a wrong number of arguments, a failed validation, recursion.
    """
    if len(text) > MAX_SEARCH:
        raise SplError(f"The search is longer than {MAX_SEARCH} characters")
    return _expanded(text, macros, ())


def _expanded(text: str, macros: MacroSource, inside: tuple[str, ...]) -> Source:
    parts: list[str] = []
    pieces: list[Piece] = []
    length = 0
    for part, origin, macro in _parts(text, macros, inside):
        pieces.append(Piece(length, origin, macro))
        parts.append(part)
        length += len(part)
        if length > MAX_SEARCH:
            raise SplError(f"With its macros expanded the search is longer than {MAX_SEARCH} characters", text, origin)
    return Source.made("".join(parts), text, pieces)


def _parts(text: str, macros: MacroSource, inside: tuple[str, ...]) -> Iterator[tuple[str, int, str]]:
    """Yield what the text is made of: as it stands, comments as blanks, the texts of macros."""
    position = 0
    while position < len(text):
        match = SCAN.match(text, position)
        assert match is not None  # every character fits one of the alternatives
        if match["tick"] is None:
            kept = re.sub(r"[^\n]", " ", match[0]) if match["comment"] else match[0]
            if match["open"]:  # quotes that do not close: the parser says so
                kept = text[position:]
            yield kept, position, ""
            position += len(kept)
            continue
        if text.startswith("```", position):
            raise SplError("Missing closing ``` of a comment", text, position)
        stop = text.find("`", position + 1)
        if stop < 0:
            raise SplError("Missing closing backtick of a macro", text, position)
        inner = text[position + 1 : stop]
        if "(" in inner and not inner.rstrip().endswith(")"):
            raise SplError(
                f"A macro call cannot stand in the arguments of another: `{inner.strip()} ends at the next backtick. "
                "Put the inner macro into a definition.",
                text,
                stop,
            )
        name, body = _called(text[position + 1 : stop], macros, inside, text, position)
        yield body, position, name
        position = stop + 1


def _called(inner: str, macros: MacroSource, inside: tuple[str, ...], text: str, at: int) -> tuple[str, str]:
    match = NAME.match(inner)
    call = _Call(match[1] if match else inner, text, at)
    if not match:
        raise call.fail(f"Malformed macro `{inner}`")
    given = _split_arguments(match[2]) if match[2] is not None and match[2].strip() else []
    found = macros(call.name, len(given))
    if found is None:
        raise call.fail(_unknown(call.name, len(given), macros))
    key = f"{call.name}({len(given)})"
    if key in inside:
        raise call.fail(f"The macro '{call.name}' refers to itself")
    if len(inside) >= MAX_DEPTH:
        raise call.fail(f"Macros are nested more than {MAX_DEPTH} deep")
    definition, names, validation, message = found[:4]
    values = _by_name(given, names, call)
    _validate(values, validation, message, call)
    body = _substituted(definition, values)
    if len(found) > 4 and found[4]:
        body = _evaluated(body, call)
    try:
        return call.name, str(_expanded(body, macros, (*inside, key)))
    except SplError as error:  # the fault of a macro inside: it shows where the outer one was called
        raise call.fail(error.message) from error


def _unknown(name: str, given: int, macros: MacroSource) -> str:
    shown = f"{name}({given})" if given else name
    others = [number for number in range(10) if number != given and macros(name, number) is not None]
    hint = f" It is defined with {' or '.join(map(str, others))} arguments." if others else ""
    return (
        f"The search specifies a macro '{shown}' that cannot be found. Reasons include: the macro name is misspelled, "
        'you do not have "read" permission for the macro, or the macro has not been shared with this application.'
        + hint
    )


def _substituted(text: str, values: Mapping[str, str]) -> str:
    return PARAMETER.sub(lambda match: values.get(match[1], match[0]), text)


def _evaluated(text: str, call: _Call) -> str:
    """``iseval``: the definition is an eval expression whose text is what the macro stands for."""
    try:
        result = parse_expression(text, 0, len(text), Scope(0.0)).run({})
    except SplError as error:
        raise call.fail(
            f"The definition of the eval-based macro '{call.name}' is malformed: {error.message}"
        ) from error
    if not isinstance(result, str):
        raise call.fail(
            f"The definition of macro '{call.name}' is expected to be an eval expression that returns a string."
        )
    return result


def _by_name(given: list[str], names: list[str], call: _Call) -> dict[str, str]:
    if len(given) != len(names):
        raise call.fail(
            f"The macro '{call.name}' takes {len(names)} arguments ({', '.join(names)}), given {len(given)}"
        )
    values: dict[str, str] = {}
    for place, argument in enumerate(given):
        name, equals, value = argument.partition("=")
        if equals and name.strip() in names:
            values[name.strip()] = _unquoted(value)
        else:
            values[names[place]] = _unquoted(argument)
    missing = [name for name in names if name not in values]
    if missing:
        raise call.fail(f"The macro '{call.name}' is not given its argument {', '.join(missing)}")
    return values


def _unquoted(argument: str) -> str:
    text = argument.strip()
    match = QUOTED.fullmatch(text)
    return match[1].replace('\\"', '"') if match else text


def _split_arguments(text: str) -> list[str]:
    """Split at commas outside of quotes and parentheses."""
    parts, depth, start, position = [], 0, 0, 0
    while position < len(text):
        char = text[position]
        if char == '"':
            match = QUOTED.match(text, position)
            position = match.end() if match else len(text)
            continue
        depth += (char == "(") - (char == ")")
        if char == "," and depth == 0:
            parts.append(text[start:position])
            start = position + 1
        position += 1
    return [*parts, text[start:]]


def _validate(values: dict[str, str], validation: str, message: str, call: _Call) -> None:
    """``validation`` is an eval expression; a boolean one must be true, any other must be null."""
    if not validation:
        return
    text = _substituted(validation, values)
    try:
        compiled = parse_expression(text, 0, len(text), Scope(0.0))
        result = compiled.run(dict(values))
    except SplError as error:
        raise call.fail(f"The validation of macro '{call.name}' is malformed: {error.message}") from error
    if result is True or (not compiled.boolean and result in (None, "")):
        return
    told = "" if result in (None, False) else f": {to_text(result)}"
    raise call.fail(message or f"Validation of macro '{call.name}' failed{told}")
