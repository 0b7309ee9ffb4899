"""Field extractions at search time: by pattern, by delimiters, and what Splunk finds by itself.

Source: props.conf.spec (EXTRACT, REPORT, KV_MODE, AUTO_KV_JSON); transforms.conf.spec (REGEX, FORMAT, DELIMS, FIELDS,
MV_ADD, CLEAN_KEYS, KEEP_EMPTY_VALS, SOURCE_KEY); limits.conf.spec [kv].
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from apisec_sandbox.spl.errors import SplError
from apisec_sandbox.spl.functions import regex
from apisec_sandbox.spl.values import Row, collapse, to_text, values_of

Settings = Mapping[str, str]
Pair = tuple[str, str]
# A key, an equals sign, and a value in quotes or up to white space or a delimiter.
PAIR = re.compile(r'(?<![\w.\-@])([A-Za-z_@][\w.\-:@]*)=(?:"((?:[^"\\]++|\\.)*+)"|([^\s,;&|"]++))')
MAX_KV_CHARS = 10_240  # limits.conf [kv] maxchars
MAX_KV_FIELDS = 100  # limits.conf [kv] limit
FORMAT_PART = re.compile(r'([^\s:"]+(?::[^\s:"]+)*)::("(?:[^"\\]|\\.)*"|\S+)')
GROUP = re.compile(r"\$(\d+)")
STRICT_UNCLEAN = re.compile(r"\W", re.ASCII)
MODULE = re.compile(r"\[\[(\w[\w\-]*)(?::(\w+))?\]\]")
MODULE_NAME = re.compile(r"\(\?<>")
CLOSERS = {")": "(", "]": "[", "}": "{"}


def clean_key(name: str) -> str:
    """CLEAN_KEYS: what is no letter, digit or underscore becomes one; leading underscores and digits go."""
    return STRICT_UNCLEAN.sub("_", name).lstrip("_0123456789")


@dataclass
class Extraction:
    """One EXTRACT or one transform of a REPORT: the pairs that it finds in its source field."""

    pairs: Callable[[str], Iterator[Pair]]
    source_key: str = "_raw"
    multiple: bool = False  # MV_ADD: values are added to those that are there
    keep_empty: bool = False
    names: frozenset[str] | None = None  # the fields it can make, None when the text decides

    def run(self, row: Row) -> None:
        """Add fields; without MV_ADD a field that is there stays (transforms.conf.spec, MV_ADD)."""
        for value in values_of(row.get(self.source_key)):
            found: dict[str, list[str]] = {}
            for name, text in self.pairs(to_text(value)):
                if name and (text or self.keep_empty):
                    found.setdefault(name, []).append(text)
            for name, texts in found.items():
                if self.multiple:
                    row[name] = collapse([*values_of(row.get(name)), *texts])
                else:
                    row.setdefault(name, texts[0])


IN_FIELD = re.compile(r"(.*\S)\s+in\s+([A-Za-z_]\w*)\s*\Z", re.DOTALL)


def of_extract(value: str) -> Extraction:
    """``EXTRACT-<class> = <regex> [in <field>]``: the named groups of the first match."""
    match = IN_FIELD.match(value)
    source = match[2] if match else "_raw"
    pattern = regex((match[1] if match else value).strip())
    if not pattern.groupindex:
        raise SplError("the regex has no named group")
    names = tuple(pattern.groupindex)

    def pairs(text: str) -> Iterator[Pair]:
        found = pattern.search(text)
        return iter(()) if found is None else ((name, held) for name in names if (held := found[name]) is not None)

    return Extraction(pairs, source, keep_empty=True, names=frozenset(names))


def of_transform(name: str, transforms: Mapping[str, Settings]) -> Extraction:
    """A stanza of transforms.conf.

    Raises:
        SplError: it is missing, or has neither REGEX nor DELIMS.
    """
    settings = transforms.get(name)
    if settings is None:
        raise SplError(f"transforms.conf has no stanza [{name}]")
    clean = clean_key if flag(settings, "CLEAN_KEYS", True) else str
    names: frozenset[str] | None = None
    if "DELIMS" in settings:
        pairs = _delimited(settings, name, clean)
    elif "REGEX" in settings:
        pairs, names = _by_regex(
            _modular(settings["REGEX"], transforms, 0), settings.get("FORMAT", ""), clean, flag(settings, "MV_ADD")
        )
    else:
        raise SplError(f"transforms.conf [{name}] has neither REGEX nor DELIMS")
    return Extraction(
        pairs,
        settings.get("SOURCE_KEY", "_raw").strip() or "_raw",
        flag(settings, "MV_ADD"),
        flag(settings, "KEEP_EMPTY_VALS"),
        names,
    )


def flag(settings: Settings, name: str, default: bool = False) -> bool:
    value = settings.get(name, "").strip().lower()
    return default if not value else value in ("1", "true", "t", "yes", "y")


def _modular(pattern: str, transforms: Mapping[str, Settings], depth: int) -> str:
    """``[[name:field]]`` stands for the REGEX of another stanza, its group ``(?<>…)`` named after the field."""
    if depth > 20:
        raise SplError("modular regular expressions refer to one another without end")

    def one(match: re.Match[str]) -> str:
        settings = transforms.get(match[1])
        if settings is None or "REGEX" not in settings:
            raise SplError(f"the modular regular expression [[{match[1]}]] does not exist")
        inner = _modular(settings["REGEX"], transforms, depth + 1)
        prefix = match[2] or ""
        named = MODULE_NAME.sub(lambda _m: f"(?<{prefix}>", inner)
        return f"(?:{named})"

    return MODULE.sub(one, pattern)


def _by_regex(
    text: str, layout: str, clean: Callable[[str], str], many: bool
) -> tuple[Callable[[str], Iterator[Pair]], frozenset[str] | None]:
    pattern = regex(text)
    parts = [(name, value.strip('"')) for name, value in FORMAT_PART.findall(layout)]
    if "_KEY_1" in pattern.groupindex:
        return lambda raw: _keyed(pattern, raw, clean), None
    if not parts:
        if not pattern.groupindex:
            raise SplError("the REGEX has neither a named group nor a FORMAT")
        names = tuple(pattern.groupindex)
        return lambda raw: _named(_matches(pattern, raw, many), names), frozenset(names)
    if any("$" in name for name, _ in parts):
        return lambda raw: _formatted(pattern.finditer(raw), parts, clean), None
    names = tuple(name for name, _ in parts)
    return lambda raw: _formatted(_matches(pattern, raw, many), parts, str), frozenset(names)


def _matches(pattern: Any, raw: str, many: bool) -> Iterator[Any]:
    """Names that the text does not make up are taken from the first match, without MV_ADD."""
    if many:
        return iter(pattern.finditer(raw))
    match = pattern.search(raw)
    return iter(()) if match is None else iter((match,))


def _named(matches: Iterator[Any], names: tuple[str, ...]) -> Iterator[Pair]:
    for match in matches:
        for name in names:
            if match[name] is not None:
                yield name, match[name]


def _keyed(pattern: Any, raw: str, clean: Callable[[str], str]) -> Iterator[Pair]:
    """``(?<_KEY_1>…)`` and ``(?<_VAL_1>…)`` are the name and the value of a field."""
    keys = [name for name in pattern.groupindex if name.startswith("_KEY_")]
    for match in pattern.finditer(raw):
        for key in keys:
            name, value = match[key], match[key.replace("_KEY_", "_VAL_", 1)]
            if name is not None and value is not None:
                yield clean(name), value


def _formatted(matches: Iterator[Any], parts: list[Pair], clean: Callable[[str], str]) -> Iterator[Pair]:
    for match in matches:
        for name, value in parts:
            yield clean(_filled(name, match)), _filled(value, match)


def _filled(template: str, match: Any) -> str:
    most = match.re.groups
    return GROUP.sub(lambda m: (match[int(m[1])] or "") if int(m[1]) <= most else "", template)


QUOTED_PART = re.compile(r'"((?:[^"\\]|\\.)*)"')


def _quoted_parts(text: str) -> list[str]:
    return [_unescaped(part) for part in QUOTED_PART.findall(text)]


def _unescaped(text: str) -> str:
    escapes = {"t": "\t", "n": "\n", "r": "\r"}
    return re.sub(r"\\(.)", lambda match: escapes.get(match[1], match[1]), text)


def _delimited(settings: Settings, name: str, clean: Callable[[str], str]) -> Callable[[str], Iterator[Pair]]:
    """One set of characters splits values that FIELDS names; two split pairs, and names from values."""
    sets = _quoted_parts(settings["DELIMS"])
    if len(sets) == 1:
        names = [part.strip().strip('"') for part in settings.get("FIELDS", "").split(",") if part.strip()]
        if not names:
            raise SplError(f"transforms.conf [{name}]: DELIMS with one set needs FIELDS")
        return lambda raw: _columns(raw, sets[0], names)
    if len(sets) != 2 or not sets[0] or not sets[1]:
        raise SplError(f"transforms.conf [{name}]: DELIMS takes one or two sets of characters in quotes")
    ends, equals = (re.escape(part) for part in sets)
    pattern = re.compile(rf'\s*([^{ends}{equals}]+?)\s*[{equals}]\s*(?:"((?:[^"\\]++|\\.)*+)"|([^{ends}]*+))')

    def pairs(raw: str) -> Iterator[Pair]:
        for match in pattern.finditer(raw):
            yield clean(match[1].strip()), _unescaped(match[2]) if match[2] is not None else match[3].strip()

    return pairs


def _columns(raw: str, delimiters: str, names: list[str]) -> Iterator[Pair]:
    """Values in quotes may hold delimiters; a run of delimiters is one but for commas and the like in quotes."""
    value = rf'(?:"((?:[^"\\]++|\\.)*+)"|([^{re.escape(delimiters)}]*+))'
    position = 0
    for name, match in zip(names, re.finditer(value + rf"(?:[{re.escape(delimiters)}]|\Z)", raw), strict=False):
        if position > len(raw):
            return
        position = match.end()
        yield name, match[1] if match[1] is not None else match[2].strip()


def auto_pairs(raw: str) -> dict[str, str]:
    """KV_MODE=auto: the first value of every key (limits.conf [kv] bounds the text and the number of fields)."""
    found: dict[str, str] = {}
    for match in PAIR.finditer(raw, 0, MAX_KV_CHARS):
        if match[1] in found:
            continue
        text = _balanced(match[3]) if match[3] is not None else re.sub(r"\\(.)", r"\1", match[2])
        if text:
            found[match[1]] = text
            if len(found) >= MAX_KV_FIELDS:
                break
    return found


def _balanced(text: str) -> str:
    """A bracket that closes what was opened before the key is not part of the value."""
    while text and text[-1] in CLOSERS and text.count(text[-1]) > text.count(CLOSERS[text[-1]]):
        text = text[:-1]
    return text
