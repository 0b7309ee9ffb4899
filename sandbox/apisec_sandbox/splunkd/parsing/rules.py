"""Which settings hold for an event: props.conf's stanzas for its source, host and source type.

Source: props.conf.spec: of one attribute the value for the source wins over the host's and that over the source type's;
between patterns ``priority`` decides, then ASCII order. ``...`` stands for any characters, ``*`` for any but slashes.
"""

from __future__ import annotations

import datetime
import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from apisec_sandbox.splunkd.confs import Stanza, is_true
from apisec_sandbox.splunkd.parsing.lines import LineRules
from apisec_sandbox.splunkd.parsing.strptime import FormatError, compile_format, zone_of
from apisec_sandbox.splunkd.parsing.timestamps import TimeRules
from apisec_sandbox.splunkd.parsing.transforms import RuleError, Step, compiled_or_error, sed, transform

LOG = logging.getLogger("apisec_sandbox.parsing")
Stanzas = Mapping[str, Stanza]
LINE_BREAKER = r"([\r\n]+)"
# Of a setting that would change what is indexed and that is not known here: refused, never ignored.
REFUSED = ("PREAMBLE_REGEX", "FIELD_DELIMITER", "HEADER_FIELD_LINE_NUMBER", "UNARCHIVE_CMD", "CHARSET")
CHARSETS = ("utf-8", "utf8", "ascii", "us-ascii", "auto")


@dataclass(frozen=True)
class Rules:
    """Everything that happens at index time to the events of one host, source and source type."""

    lines: LineRules
    times: TimeRules
    zone: datetime.tzinfo = datetime.UTC
    indexed_json: bool = False
    time_fields: tuple[str, ...] = ()
    steps: tuple[Step, ...] = field(default=())

    @property
    def plain(self) -> bool:
        """Whether an event whose borders and time are known stays as it is."""
        return not self.steps and not self.indexed_json


def resolve(props: Stanzas, transforms: Stanzas, host: str, source: str, sourcetype: str) -> Rules:
    """Compile the rules.

    Raises:
        RuleError: a setting cannot be applied; it names stanza and setting.
    """
    settings = _settings(props, host, source, sourcetype)
    where = f"props.conf for sourcetype {sourcetype}"
    return Rules(
        _lines(settings, where),
        _times(settings, where),
        _zone(settings.get("TZ", ""), where),
        _indexed_json(settings, where),
        tuple(part.strip() for part in settings.get("TIMESTAMP_FIELDS", "").split(",") if part.strip()),
        tuple(_steps(settings, transforms, where)),
    )


def _settings(props: Stanzas, host: str, source: str, sourcetype: str) -> dict[str, str]:
    found: dict[str, str] = {}
    if "default" in props:
        found.update(props["default"].settings)
    if sourcetype in props:
        found.update(props[sourcetype].own)
    for kind, value in (("host", host), ("source", source)):
        for stanza in reversed(_matching(props, kind, value)):
            found.update(stanza.own)
    for key in REFUSED:
        if found.get(key) and found[key].lower() not in CHARSETS:
            raise RuleError(f"props.conf for sourcetype {sourcetype}: {key} is not supported at index time")
    return found


def _matching(props: Stanzas, kind: str, value: str) -> list[Stanza]:
    """Stanzas ``kind::pattern`` that match, the strongest first."""
    start = kind + "::"
    found = [
        stanza
        for name, stanza in props.items()
        if name.startswith(start) and _pattern(name[len(start) :]).fullmatch(value)
    ]
    return sorted(found, key=lambda stanza: (-_priority(stanza, start), stanza.name))


def _priority(stanza: Stanza, start: str) -> int:
    """A literal stanza is worth 100, a pattern 0 unless ``priority`` says otherwise."""
    literal = not re.search(r"\.\.\.|[*?()|\[\]]", stanza.name[len(start) :])
    text = stanza.own.get("priority", "100" if literal else "0")
    return int(text) if text.lstrip("-").isdigit() else 0


def _pattern(text: str) -> re.Pattern[str]:
    pieces = {"...": ".*", "*": r"[^/\\]*", ".": r"\."}
    body = re.sub(r"\.\.\.|\*|\.", lambda match: pieces[match[0]], text)
    try:
        return re.compile(body)
    except re.error:
        return re.compile(re.escape(text))


def _flag(settings: Mapping[str, str], key: str, default: bool) -> bool:
    return is_true(settings[key]) if settings.get(key) else default


def _number(settings: Mapping[str, str], key: str, default: int, where: str) -> int:
    text = settings.get(key, "").strip()
    try:
        return int(text) if text else default
    except ValueError as error:
        raise RuleError(f"{where}: {key} = {text} is not a number") from error


def _regex(settings: Mapping[str, str], key: str, where: str, default: str = "") -> Any:
    text = settings.get(key) or default
    return compiled_or_error(text, f"{where}: {key}") if text else None


def _lines(settings: Mapping[str, str], where: str) -> LineRules:
    return LineRules(
        _regex(settings, "LINE_BREAKER", where, LINE_BREAKER),
        _number(settings, "TRUNCATE", 10_000, where),
        _flag(settings, "SHOULD_LINEMERGE", default=True),
        _flag(settings, "BREAK_ONLY_BEFORE_DATE", default=True),
        _regex(settings, "BREAK_ONLY_BEFORE", where),
        _regex(settings, "MUST_BREAK_AFTER", where),
        _regex(settings, "MUST_NOT_BREAK_AFTER", where),
        _regex(settings, "MUST_NOT_BREAK_BEFORE", where),
        _number(settings, "MAX_EVENTS", 256, where),
    )


def _times(settings: Mapping[str, str], where: str) -> TimeRules:
    mode = settings.get("DATETIME_CONFIG", "").strip()
    if mode and mode.upper() not in ("CURRENT", "NONE") and not mode.endswith("datetime.xml"):
        raise RuleError(f"{where}: DATETIME_CONFIG = {mode} is not supported; known: CURRENT, NONE")
    text = settings.get("TIME_FORMAT", "").strip()
    try:
        layout = compile_format(text) if text else None
    except FormatError as error:
        raise RuleError(f"{where}: {error}") from error
    return TimeRules(
        mode.upper() if mode.upper() in ("CURRENT", "NONE") else "auto",
        _regex(settings, "TIME_PREFIX", where),
        layout,
        _number(settings, "MAX_TIMESTAMP_LOOKAHEAD", 128, where),
        _number(settings, "MAX_DAYS_AGO", 2000, where),
        _number(settings, "MAX_DAYS_HENCE", 2, where),
    )


def _zone(name: str, where: str) -> datetime.tzinfo:
    if not name.strip():
        return datetime.UTC
    try:
        return zone_of(name.strip())
    except FormatError as error:
        raise RuleError(f"{where}: {error}") from error


def _indexed_json(settings: Mapping[str, str], where: str) -> bool:
    kind = settings.get("INDEXED_EXTRACTIONS", "").strip().lower()
    if kind not in ("", "none", "json"):
        raise RuleError(f"{where}: INDEXED_EXTRACTIONS = {kind} is not supported; known: json")
    return kind == "json"


def _steps(settings: Mapping[str, str], transforms: Stanzas, where: str) -> list[Step]:
    """SEDCMD and TRANSFORMS in ASCII order of their classes; of one class in the order it lists."""
    keys = sorted(key for key in settings if settings[key].strip())
    steps: list[Step] = [sed(settings[key], f"{where}: {key}") for key in keys if key.startswith("SEDCMD")]
    for key in (key for key in keys if key.startswith(("TRANSFORMS", "RULESET"))):
        for name in (part.strip() for part in settings[key].split(",")):
            if name:
                stanza = transforms.get(name)
                steps.append(transform(name, stanza.settings if stanza else None))
    return steps
