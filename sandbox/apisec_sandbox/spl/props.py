"""The stanzas of props.conf that apply to an event, compiled: which, in which order of strength, and what they hold.

A source beats a host, a host beats a source type; among patterns the higher ``priority``, then the name that comes
first in ASCII order. Source: props.conf.spec; Admin Manual, "Attribute precedence within a single props.conf file".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from apisec_sandbox.spl.commands.lookups import LookupMatcher, Pairs
from apisec_sandbox.spl.context import Fields, LookupTable
from apisec_sandbox.spl.errors import SplError
from apisec_sandbox.spl.expressions import Expression, Scope, parse_expression
from apisec_sandbox.spl.extractions import Extraction, Settings, flag, of_extract, of_transform
from apisec_sandbox.spl.values import Row

Confs = Callable[[str], Mapping[str, Settings]]
Place = tuple[str, str, str]  # host, source, sourcetype
TOKEN = re.compile(r'"((?:[^"\\]|\\.)*)"|([^\s,"]+)')
PATTERN_KINDS = ("sourcetype", "host", "source")  # the later one is the stronger one
SOURCETYPE_PATTERN = "(?::){0}"  # what makes a stanza of a source type a pattern (props.conf.spec)
KV_MODES = ("none", "auto", "auto_escaped", "json", "xml")
USUAL = {"KV_TRIM_SPACES": True, "JSON_TRIM_BRACES_IN_ARRAY_NAMES": False}  # any other value is not supported
PATTERN_PART = re.compile(r"\.\.\.|\*|\.|[^.*]+")


@dataclass
class AutoLookup:
    """LOOKUP-<class>: OUTPUT overwrites, OUTPUTNEW leaves a field that is there."""

    matcher: LookupMatcher
    outputs: Pairs
    only_new: bool

    def run(self, row: Row) -> None:
        found = self.matcher.find(row)
        for column, name in self.outputs:
            if self.only_new and row.get(name) is not None:
                continue
            held = self.matcher.values(found, column)
            if held is not None:
                row[name] = held


@dataclass
class Props:
    """Everything that applies to the events of one host, source and sourcetype."""

    kv_mode: str = "auto"
    auto_json: bool = True
    extractions: list[Extraction] = field(default_factory=list)
    aliases: list[tuple[str, str, bool]] = field(default_factory=list)  # (source, target, only when target is null)
    calculated: list[tuple[str, Expression]] = field(default_factory=list)
    lookups: list[AutoLookup] = field(default_factory=list)

    def wanted(self, fields: Fields) -> Fields:
        """Return which extracted fields are needed so that these fields come out."""
        if fields is None or self.lookups:
            return None
        names = set(fields)
        for _ in range(len(self.aliases) + len(self.calculated) + 1):
            before = len(names)
            names.update(source for source, target, _ in self.aliases if target in names)
            for name, expression in self.calculated:
                if name in names:
                    names.update(expression.fields)
            names.update(part.source_key for part in self.extractions if part.names is None or part.names & names)
            if len(names) == before:
                break
        return frozenset(names)

    def sources(self) -> frozenset[str]:
        """The fields that aliases, calculated fields and lookups start from."""
        names = {source for source, _, _ in self.aliases}
        names.update(name for _, expression in self.calculated for name in expression.fields)
        names.update(name for lookup in self.lookups for _, name in lookup.matcher.keys)
        return frozenset(names)

    def alias(self, row: Row) -> None:
        """All at once, from what was extracted. AS follows its source even into null, ASNEW fills gaps."""
        before = [(target, row.get(source), only_new) for source, target, only_new in self.aliases]
        for target, value, only_new in before:
            if only_new:
                if value is not None and row.get(target) is None:
                    row[target] = value
            elif value is None:
                row.pop(target, None)
            else:
                row[target] = value

    def calculate(self, row: Row) -> None:
        """All are computed from what was there before: one does not see another (docs: calculated fields)."""
        for name, value in [(name, expression.run(row)) for name, expression in self.calculated]:
            if value is None:
                row.pop(name, None)
            else:
                row[name] = "True" if value is True else "False" if value is False else value


class PropsCompiler:
    """Finds and compiles the stanzas for a place; ``problems`` says what could not be compiled."""

    def __init__(self, confs: Confs, lookup: Callable[[str], LookupTable | None], scope: Scope) -> None:
        # Read once: to ask whether a file changed costs more than to compile a place, and hosts are many.
        self._stanzas, self._transforms = confs("props"), confs("transforms")
        self._lookup = lookup
        self._scope = scope
        self._patterns = _patterns(self._stanzas)
        self.problems: list[str] = []
        self.renames = {
            name: settings["rename"].strip()
            for name, settings in self._stanzas.items()
            if "::" not in name and name != "default" and settings.get("rename", "").strip()
        }

    def problem(self, text: str) -> None:
        """Note what is wrong, once."""
        if text not in self.problems:
            self.problems.append(text)

    def compile(self, host: str, source: str, sourcetype: str) -> Props:
        stanzas = self._stanzas
        values = {"source": source, "host": host, "sourcetype": sourcetype}
        names = ["default"] if "default" in stanzas else []
        matching = [name for kind, test, name in self._patterns if kind == "sourcetype" and test(sourcetype)]
        names += matching + ([sourcetype] if sourcetype in stanzas else [])
        for wanted in ("host", "source"):
            names += [name for kind, test, name in self._patterns if kind == wanted and test(values[wanted])]
        merged: dict[str, str] = {}
        origins: dict[str, str] = {}  # where a setting comes from
        default = stanzas.get("default", {})
        for name in names:
            # A stanza's settings hold [default]'s too: those must not beat what a weaker stanza says itself.
            own = {k: v for k, v in stanzas[name].items() if name == "default" or default.get(k) != v}
            merged.update(own)
            origins.update(dict.fromkeys(own, name))
        return self._props_of(merged, origins)

    def _props_of(self, settings: Settings, origins: Mapping[str, str]) -> Props:
        mode = settings.get("KV_MODE", "auto").strip().lower()
        if mode not in KV_MODES:
            self.problem(
                f"props.conf [{origins['KV_MODE']}] KV_MODE = {mode} is not supported here: no field is extracted by "
                f"it; known: {', '.join(KV_MODES)}"
            )
            mode = "none"
        for key, usual in USUAL.items():
            if key in settings and flag(settings, key, usual) is not usual:
                self.problem(f"props.conf [{origins[key]}] {key} = {settings[key]} is not supported here: ignored")
        props = Props(kv_mode=mode, auto_json=flag(settings, "AUTO_KV_JSON", True))
        builders: list[tuple[str, Callable[[Props, str, str], None]]] = [
            ("EXTRACT-", self._extract),
            ("REPORT-", self._report),
            ("FIELDALIAS-", self._alias),
            ("EVAL-", self._calculate),
            ("LOOKUP-", self._automatic),
        ]
        for prefix, build in builders:
            for key in sorted(settings):
                if key.startswith(prefix) and settings[key].strip():
                    try:
                        build(props, key[len(prefix) :], settings[key])
                    except SplError as error:
                        self.problem(f"props.conf [{origins[key]}] {key}: {error.message}")
        return props

    @staticmethod
    def _extract(props: Props, _name: str, value: str) -> None:
        props.extractions.append(of_extract(value))

    def _report(self, props: Props, _name: str, value: str) -> None:
        transforms = self._transforms
        for name in (part.strip() for part in value.split(",")):
            props.extractions.append(of_transform(name, transforms))

    @staticmethod
    def _alias(props: Props, _name: str, value: str) -> None:
        words = _words(value)
        if not words or len(words) % 3:
            raise SplError("expected: original AS alias, as often as needed")
        for source, how, target in zip(words[::3], words[1::3], words[2::3], strict=True):
            if how.upper() not in ("AS", "ASNEW"):
                raise SplError(f"expected AS or ASNEW, found {how!r}")
            props.aliases.append((source, target, how.upper() == "ASNEW"))

    def _calculate(self, props: Props, name: str, value: str) -> None:
        props.calculated.append((name, parse_expression(value, 0, len(value), self._scope)))

    def _automatic(self, props: Props, _name: str, value: str) -> None:
        words = _words(value)
        table = self._lookup(words[0]) if words else None
        if table is None:
            raise SplError(f"no lookup {words[0] if words else ''!r}")
        upper = [word.upper() for word in words]
        cut = next((place for place, word in enumerate(upper) if word in ("OUTPUT", "OUTPUTNEW")), len(words))
        keys, outputs = _alias_pairs(words[1:cut]), _alias_pairs(words[cut + 1 :])
        if not keys:
            raise SplError("an automatic lookup needs at least one field to match")
        only_new = cut < len(words) and upper[cut] == "OUTPUTNEW"
        matcher = LookupMatcher(table, keys)
        props.lookups.append(AutoLookup(matcher, outputs or matcher.outputs(), only_new))


def _words(text: str) -> list[str]:
    return [match[1] if match[1] is not None else match[2] for match in TOKEN.finditer(text)]


def _alias_pairs(words: list[str]) -> Pairs:
    pairs: Pairs = []
    place = 0
    while place < len(words):
        if place + 2 < len(words) and words[place + 1].upper() == "AS":
            pairs.append((words[place], words[place + 2]))
            place += 3
        else:
            pairs.append((words[place], words[place]))
            place += 1
    return pairs


def _patterns(stanzas: Mapping[str, Settings]) -> list[tuple[str, Callable[[str], Any], str]]:
    """(kind, test, stanza) of the stanzas that name a place by pattern, the weakest first."""
    found: list[tuple[int, str, str, Callable[[str], Any]]] = []
    for name, settings in stanzas.items():
        kind, colons, pattern = name.partition("::")
        if name.startswith(SOURCETYPE_PATTERN):
            kind, pattern = "sourcetype", name[len(SOURCETYPE_PATTERN) :]
        elif not colons or kind not in ("source", "host"):
            continue
        literal = not any(char in pattern for char in "*.|(")
        try:
            priority = int(settings.get("priority", "100" if literal else "0"))
        except ValueError:
            priority = 0
        found.append((priority, kind, name, stanza_pattern(pattern, ignore_case=kind == "host")))
    found.sort(key=lambda item: item[2], reverse=True)
    found.sort(key=lambda item: item[0])
    return [(kind, test, name) for _, kind, name, test in found]


def stanza_pattern(pattern: str, ignore_case: bool = False) -> Callable[[str], Any]:
    """``...`` reaches over directories, ``*`` does not, a dot is a dot; groups and ``|`` are those of patterns."""
    spelled = {"...": ".*", "*": r"[^/\\]*", ".": r"\."}
    text = "".join(spelled.get(part, part.replace("\\", "\\\\")) for part in PATTERN_PART.findall(pattern))
    try:
        return re.compile(text, re.IGNORECASE if ignore_case else 0).fullmatch
    except re.error:
        return pattern.__eq__
