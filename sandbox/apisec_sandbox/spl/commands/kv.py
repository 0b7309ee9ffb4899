"""extract, under its two names: fields from the pairs of the raw text.

Source: Search Reference, "extract"; limits.conf [kv]; transforms.conf.spec MV_ADD, CLEAN_KEYS.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from apisec_sandbox.spl.commands.base import Arguments, Command, Env, Parse, boolean, union, whole
from apisec_sandbox.spl.context import EVERY, Context, Fields, Stage
from apisec_sandbox.spl.parser import Segment
from apisec_sandbox.spl.values import Row, collapse, to_text, values_of

EXTRACT_OPTIONS = ("clean_keys", "kvdelim", "limit", "maxchars", "mv_add", "pairdelim", "reload", "segment")
UNCLEAN = re.compile(r"[^A-Za-z0-9_]")
LEADING = re.compile(r"^[_0-9]+")


def pairs_pattern(pair_delimiters: str, key_delimiters: str) -> re.Pattern[str]:
    """Each character of either text is a delimiter; a value in double quotes may hold any of them."""
    between = re.escape(pair_delimiters or " \t\r\n,;|&")
    inside = re.escape(key_delimiters or "=")
    return re.compile(
        rf"(?:\A|(?<=[{between}]))\s*([^{between}{inside}\s\"][^{between}{inside}\"]{{0,255}}?)\s*[{inside}]\s*"
        rf'(?:"((?:[^"\\]|\\.)*)"|([^{between}]*))'
    )


@dataclass
class Extract(Command):
    """A field that is there stays; with ``mv_add`` it gets the value too."""

    streaming: ClassVar[bool] = False  # it may make any field
    pattern: re.Pattern[str]
    limit: int
    most: int
    add: bool
    clean: bool

    def needs(self, wanted: Fields) -> Fields:
        return EVERY if wanted is None else union(wanted, ("_raw",))

    def apply(self, stage: Stage, context: Context) -> Stage:  # noqa: ARG002
        return Stage(self._rows(stage), stage.header, stage.events)

    def _rows(self, stage: Stage) -> Iterator[Row]:
        for row in stage.rows:
            if row.get("_raw") is not None:
                self._extract(row, to_text(row["_raw"])[: self.most])
            yield row

    def _extract(self, row: Row, text: str) -> None:
        made: dict[str, None] = {}
        for match in self.pattern.finditer(text):
            name = self._name(match[1].strip())
            value = re.sub(r"\\(.)", r"\1", match[2]) if match[2] is not None else match[3].strip()
            if not name or not value or (name not in made and len(made) >= self.limit > 0):
                continue
            if row.get(name) is None:
                row[name] = value
                made[name] = None
            elif self.add and value not in values_of(row[name]):
                row[name] = collapse([*values_of(row[name]), value])

    def _name(self, key: str) -> str:
        return LEADING.sub("", UNCLEAN.sub("_", key)) if self.clean else key


def parse_extract(segment: Segment, env: Env) -> Command:  # noqa: ARG001
    args = Arguments(segment)
    options = args.take(EXTRACT_OPTIONS)
    token = args.peek()
    if token:
        raise args.fail(
            f"extractions of transforms.conf by name ('{token.value}') are what this stand-in does not run: "
            "REPORT in props.conf, or rex",
            token,
        )
    flags = {name: boolean(args, name, options.get(name, "f")) for name in ("mv_add", "reload")}
    clean = boolean(args, "clean_keys", options.get("clean_keys", "t"))
    boolean(args, "segment", options.get("segment", "t"))  # how values are marked for display
    pattern = pairs_pattern(options.get("pairdelim", ""), options.get("kvdelim", ""))
    limit = whole(args, "limit", options.get("limit", "50"))
    return Extract(pattern, limit, whole(args, "maxchars", options.get("maxchars", "10240")), flags["mv_add"], clean)


COMMANDS: dict[str, Parse] = {"extract": parse_extract, "kv": parse_extract}
OPTIONS = {"extract": EXTRACT_OPTIONS, "kv": EXTRACT_OPTIONS}
