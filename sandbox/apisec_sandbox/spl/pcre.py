"""Regular expressions as Splunk understands them: PCRE, bounded in size and in time.

Splunk compiles patterns with PCRE2 and gives up on one that backtracks too long (limits.conf, [rex] and [kv]
``match_limit``, ``depth_limit``). Here the bound is a time, and exceeding it is an error that names the pattern,
never a result that silently lacks rows. Source: Knowledge Manual, "About Splunk regular expressions".
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterator
from typing import Any

import regex as engine

from apisec_sandbox.spl.errors import SplError

Match = Any  # regex.Match and re.Match are alike for what is read of them
MAX_PATTERN = 16_384  # characters of a pattern
SECONDS = 2.0  # one match of one value; it stands for PCRE's match_limit of 100,000 steps
MAX_PLAIN = {0: 100_000, 1: 8_192, 2: 512}  # open repetitions: characters of a value that need no clock
POSIX = {"word": r"\w", "ascii": r"\x00-\x7f"}
POSIX_CLASS = re.compile(r"\[:(\^?)(\w+):\]")
POSIX_NAMES = frozenset(
    "alnum alpha ascii blank cntrl digit graph lower print punct space upper word xdigit".split()  # noqa: SIM905
)
REFUSED = re.compile(r"\\C|\(\*(?!UTF8?\)|UCP\)|SKIP\)|F(?:AIL)?\)|PRUNE\))[A-Z_]+|\(\?C\d*\)|\(\?[a-z]*U")
OPTION_VERB = re.compile(r"\A(?:\(\*(?:UTF8?|UCP)\))+")
# One token of a pattern: an escape, a class, or any other character; so a rewrite never reaches into a class.
TOKEN = re.compile(
    r"\\Q.*?(?:\\E|\Z)|\\[xo]\{[0-9A-Fa-f]+\}|\\c.|\\.|\(\?<(?![=!])|\(\?'\w+'|\(\?J\)"
    r"|\[\^?\]?(?:\[:\^?\w+:\]|\\.|[^\]\\])*\]|.",
    re.DOTALL,
)
SPELLED = {
    "(?<": "(?P<",
    "(?J)": "",  # two groups of one name: allowed anyway
    "\\Z": r"(?=\n?\Z)",
    "\\z": r"\Z",
    "\\h": r"[ \t\xa0]",
    "\\H": r"[^ \t\xa0]",
    "\\N": r"[^\n]",
    "\\e": r"\x1b",
}
ASCII_CLASSES = {"\\w": "A-Za-z0-9_", "\\d": "0-9", "\\s": r"\t-\r ", "\\W": None, "\\D": None, "\\S": None}
UNICODE = re.compile(r"\\[pPX]|[^\x00-\x7f]")
# Literals, classes, groups that are not repeated, few open repetitions: at worst quadratic or cubic.
PLAIN = re.compile(
    r"(?:\((?:\?P<\w+>|\?:)?|\)(?![*+?{])|\\[\w.\-/:=\"'()\[\]{}*+?^$|@ ]"
    r"|\[(?:\\.|[^\]\\\[])+\]|[^\\()\[\]{}]|\{\d+\})*"
)
OPEN_REPEAT = re.compile(r"(?<!\\)[*+]")


class Pattern:
    """A compiled pattern: ``search``, ``match``, ``fullmatch``, ``finditer``, ``sub``, each within its time."""

    __slots__ = ("_compiled", "_longest", "_plain", "groupindex", "groups", "pattern")

    def __init__(self, source: str, compiled: engine.Pattern[str], plain: re.Pattern[str] | None = None) -> None:
        self.pattern = source
        self._compiled = compiled
        self._plain = plain
        self._longest = MAX_PLAIN[len(OPEN_REPEAT.findall(plain.pattern))] if plain else 0
        self.groups: int = compiled.groups
        self.groupindex: dict[str, int] = dict(sorted(compiled.groupindex.items(), key=lambda item: item[1]))

    def search(self, text: str) -> Match | None:
        if self._plain is not None and len(text) <= self._longest:
            return self._plain.search(text)
        try:
            return self._compiled.search(text, timeout=SECONDS)
        except TimeoutError as error:
            raise self._slow() from error

    def match(self, text: str) -> Match | None:
        try:
            return self._compiled.match(text, timeout=SECONDS)
        except TimeoutError as error:
            raise self._slow() from error

    def fullmatch(self, text: str) -> Match | None:
        try:
            return self._compiled.fullmatch(text, timeout=SECONDS)
        except TimeoutError as error:
            raise self._slow() from error

    def finditer(self, text: str) -> Iterator[Match]:
        if self._plain is not None and len(text) <= self._longest:
            yield from self._plain.finditer(text)
            return
        try:
            yield from self._compiled.finditer(text, timeout=SECONDS)
        except TimeoutError as error:
            raise self._slow() from error

    def sub(self, template: str | Callable[[Match], str], text: str, count: int = 0) -> str:
        """``template`` is Python's, or a function of the match."""
        if self._plain is not None and len(text) <= self._longest:
            return self._plain.sub(template, text, count=count)
        try:
            return self._compiled.sub(template, text, count=count, timeout=SECONDS)
        except TimeoutError as error:
            raise self._slow() from error

    def _slow(self) -> SplError:
        return SplError(
            f"The regex '{_short(self.pattern)}' backtracks for more than {SECONDS:g} s on one value (as PCRE's "
            "match_limit). Make its quantifiers possessive or its alternatives exclusive."
        )


def _short(pattern: str) -> str:
    return pattern if len(pattern) <= 200 else pattern[:200] + "…"


def _class(text: str) -> str:
    """A character class: POSIX names are Python's for ASCII too; ``[`` inside is itself, as in PCRE."""

    def one(match: re.Match[str]) -> str:
        negative, name = match.groups()
        if name not in POSIX_NAMES:
            raise SplError(f"unknown POSIX class name '{name}'")
        if name in POSIX and not negative:
            return POSIX[name]
        return f"[:{negative}{name}:]"

    return POSIX_CLASS.sub(one, text)


def _escape(token: str) -> str:
    r"""``\x{41}``, ``\o{101}`` and ``\cA`` as the character itself."""
    code = ord(token[2].upper()) ^ 64 if token[1] == "c" else int(token[3:-1], 16 if token[1] == "x" else 8)
    if code > 0x10FFFF:
        raise SplError(f"character code in {token} is too large")
    return engine.escape(chr(code))


def _piece(token: str, wide: bool) -> str:
    if token in SPELLED:
        return SPELLED[token]
    if token.startswith("(?'"):
        return f"(?P<{token[3:-1]}>"
    if token.startswith("\\Q"):
        return engine.escape(token[2:].removesuffix("\\E"))
    if token[:2] in ("\\x", "\\o", "\\c") and len(token) > 2:
        return _escape(token)
    if token[0] == "[" and len(token) > 1:
        return _class(token)
    if wide and token in ASCII_CLASSES:
        inside = ASCII_CLASSES[token] or f"^{ASCII_CLASSES[token.lower()]}"
        return f"[{inside}]"
    return token


def _translated(pattern: str, wide: bool) -> str:
    """PCRE's spelling in that of the engine; ``wide``: the engine's own classes are those of Unicode."""
    found = REFUSED.search(pattern)
    if found:
        raise SplError(f"{found[0]} is not supported (position {found.start() + 1})")
    return "".join(_piece(match[0], wide) for match in TOKEN.finditer(OPTION_VERB.sub("", pattern)))


def _plain(text: str) -> re.Pattern[str] | None:
    """The faster engine of the standard library, for patterns that cannot run away."""
    choices = text.count("?") + text.count("|")
    if choices > 8 or len(OPEN_REPEAT.findall(text)) > max(MAX_PLAIN) or PLAIN.fullmatch(text) is None:
        return None
    try:
        return re.compile(text, re.ASCII)
    except (re.error, FutureWarning):
        return None


@functools.lru_cache(maxsize=2048)
def compile_pattern(pattern: str) -> Pattern:
    """Compile a pattern of a search, cached.

    Raises:
        SplError: it does not compile; the message names the pattern and the place.
    """
    if len(pattern) > MAX_PATTERN:
        raise SplError(f"The regular expression is longer than {MAX_PATTERN} characters")
    wide = UNICODE.search(pattern) is not None
    try:
        # PCRE in UTF mode without UCP: \w and \d are ASCII, properties and case are those of Unicode.
        text = _translated(pattern, wide)
        compiled = engine.compile(text, engine.VERSION0 | (engine.UNICODE if wide else engine.ASCII))
    except engine.error as error:
        raise SplError(f"The regex '{_short(pattern)}' is invalid: {error}") from error
    except SplError as error:
        raise SplError(f"The regex '{_short(pattern)}' is invalid: {error.message}") from error
    except (RecursionError, OverflowError, MemoryError) as error:
        raise SplError(f"The regex '{_short(pattern)}' is too large") from error
    return Pattern(pattern, compiled, None if wide else _plain(text))
