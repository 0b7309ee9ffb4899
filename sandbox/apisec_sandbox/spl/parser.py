"""The pipeline: comments, macros, commands and subsearches.

Macros are expanded as text before anything is parsed, as Splunk does (Knowledge Manual, "Define search macros in
Settings"); positions of errors then count in the expanded search, which the error shows.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from apisec_sandbox.spl.errors import SplError, suggestion
from apisec_sandbox.spl.expressions import Scope, parse_expression
from apisec_sandbox.spl.lexer import QUOTED, bracket_end
from apisec_sandbox.spl.values import to_text

COMMENT = re.compile(r"```.*?```", re.DOTALL)
MAX_SEARCH = 1024 * 1024  # characters, after the macros
MAX_EXPANSIONS = 100  # limits.conf [search_info] max_macro_depth
COMMAND = re.compile(r"\s*([A-Za-z_][\w]*)")
MACRO_NAME = re.compile(r"\s*([\w.\-:]+)\s*(?:\((.*)\))?\s*\Z", re.DOTALL)

MacroSource = Callable[[str, int], tuple[str, list[str], str, str] | None]


@dataclass(frozen=True)
class Segment:
    """One command of a pipeline: its name, and where its arguments stand in the whole text."""

    name: str
    text: str
    name_at: int
    start: int
    end: int

    @property
    def body(self) -> str:
        return self.text[self.start : self.end]


def prepare(text: str, macros: MacroSource) -> str:
    """Return the search without comments and with its macros expanded.

    Raises:
        SplError: an unknown macro, a wrong number of arguments, a failed validation, recursion.
    """
    return expand(strip_comments(text), macros, ())


def strip_comments(text: str) -> str:
    """Blank out comments; what remains keeps its position."""
    return COMMENT.sub(lambda match: re.sub(r"[^\n]", " ", match[0]), text)


def expand(text: str, macros: MacroSource, inside: tuple[str, ...]) -> str:
    parts: list[str] = []
    position = 0
    while True:
        start = _backtick(text, position)
        if start < 0:
            parts.append(text[position:])
            return "".join(parts)
        stop = text.find("`", start + 1)
        if stop < 0:
            raise SplError("Missing closing backtick of a macro", text, start)
        parts.append(text[position:start])
        parts.append(_call(text[start + 1 : stop], macros, inside, text, start))
        position = stop + 1


def _backtick(text: str, position: int) -> int:
    """Find the next backtick outside of double quotes."""
    while position < len(text):
        if text[position] == "`":
            return position
        if text[position] == '"':
            match = QUOTED.match(text, position)
            position = match.end() if match else len(text)
            continue
        position += 1
    return -1


def _call(inner: str, macros: MacroSource, inside: tuple[str, ...], text: str, at: int) -> str:
    match = MACRO_NAME.match(inner)
    if not match:
        raise SplError(f"Malformed macro `{inner}`", text, at)
    name = match[1]
    given = _split_arguments(match[2]) if match[2] is not None and match[2].strip() else []
    found = macros(name, len(given))
    if found is None:
        shown = f"{name}({len(given)})" if given else name
        raise SplError(
            f"The search specifies a macro '{shown}' that cannot be found. Check its name and number of arguments",
            text,
            at,
        )
    key = f"{name}/{len(given)}"
    if key in inside or len(inside) > MAX_EXPANSIONS:
        raise SplError(f"The macro '{name}' refers to itself", text, at)
    definition, names, validation, message = found
    values = _by_name(given, names, text, at)
    _validate(name, values, validation, message, text, at)
    body = re.sub(r"\$(\w+)\$", lambda m: values.get(m[1], m[0]), definition)
    expanded = expand(strip_comments(body), macros, (*inside, key))
    if len(expanded) > MAX_SEARCH:
        raise SplError(f"The macro '{name}' expands to more than {MAX_SEARCH} characters", text, at)
    return expanded


def _by_name(given: list[str], names: list[str], text: str, at: int) -> dict[str, str]:
    if len(given) != len(names):
        raise SplError(f"The macro takes {len(names)} arguments ({', '.join(names)}), given {len(given)}", text, at)
    values: dict[str, str] = {}
    for place, argument in enumerate(given):
        name, equals, value = argument.partition("=")
        if equals and name.strip() in names:
            values[name.strip()] = _unquoted(value)
        else:
            values[names[place]] = _unquoted(argument)
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


def _validate(name: str, values: dict[str, str], validation: str, message: str, text: str, at: int) -> None:
    """``validation`` is an eval expression; a boolean one must be true, any other must be null or empty text."""
    if not validation:
        return
    expression = re.sub(r"\$(\w+)\$", lambda m: values.get(m[1], m[0]), validation)
    compiled = parse_expression(expression, 0, len(expression), Scope(0.0))
    result = compiled.run(dict(values))
    if result is True or (not compiled.boolean and result in (None, "")):
        return
    raise SplError(message or f"Validation of macro '{name}' failed: {to_text(result or '')}", text, at)


def split(text: str, start: int = 0, end: int | None = None) -> list[Segment]:
    """Split a pipeline into its commands. Without a leading ``|`` the first command is ``search``.

    Raises:
        SplError: an empty command, unbalanced quotes or brackets.
    """
    stop = len(text) if end is None else end
    if stop - start > MAX_SEARCH:
        raise SplError(f"The search is longer than {MAX_SEARCH} characters")
    cuts = _cuts(text, start, stop)
    leading = text[start:stop].lstrip().startswith("|")
    bounds = list(zip([start, *(cut + 1 for cut in cuts)], [*cuts, stop], strict=True))
    if leading:
        bounds = bounds[1:]
    return [_segment(text, begin, finish, place == 0 and not leading) for place, (begin, finish) in enumerate(bounds)]


def _cuts(text: str, start: int, end: int) -> list[int]:
    cuts, position = [], start
    while position < end:
        char = text[position]
        if char == '"':
            match = QUOTED.match(text, position, end)
            if not match:
                raise SplError("Unbalanced quotes", text, position)
            position = match.end()
            continue
        if char == "[":
            position = _bracket(text, position, end)
            continue
        if char == "|":
            cuts.append(position)
        position += 1
    return cuts


def _bracket(text: str, start: int, end: int) -> int:
    return bracket_end(text, start, end)


def _segment(text: str, begin: int, end: int, implicit: bool) -> Segment:
    match = COMMAND.match(text, begin, end)
    if implicit and not (match and match[1].lower() == "search" and _stands_alone(text, match.end(), end)):
        return Segment("search", text, begin, begin, end)
    if not match:
        at = next((place for place in range(begin, end) if not text[place].isspace()), end)
        raise SplError("A command is missing between the pipes", text, at)
    return Segment(match[1].lower(), text, match.start(1), match.end(), end)


def _stands_alone(text: str, position: int, end: int) -> bool:
    """``search`` as a command, not as a field: ``search=x`` is a comparison."""
    rest = text[position:end].lstrip()
    return not rest.startswith(("=", "!=", "<", ">"))


def unknown_command(segment: Segment, known: list[str]) -> SplError:
    near = suggestion(segment.name, known)
    return SplError(f"Unknown search command '{segment.name}'.{near}", segment.text, segment.name_at)
