"""What search time adds by itself, on demand: extract (under its two names) and tags.

Source: Search Reference, "extract", "tags"; limits.conf [kv]; transforms.conf.spec MV_ADD, CLEAN_KEYS.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from apisec_sandbox.spl.commands.base import Arguments, Command, Env, Parse, added, boolean, union, whole
from apisec_sandbox.spl.context import EVERY, Context, Fields, Stage
from apisec_sandbox.spl.errors import SplError
from apisec_sandbox.spl.extractions import Extraction, of_transform
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


@dataclass
class ExtractByName(Command):
    """The extractions of these stanzas of transforms.conf, as REPORT would run them."""

    extractions: list[Extraction]

    def needs(self, wanted: Fields) -> Fields:
        return EVERY if wanted is None else union(wanted, (one.source_key for one in self.extractions))

    def apply(self, stage: Stage, context: Context) -> Stage:  # noqa: ARG002
        return Stage(self._rows(stage), stage.header, stage.events)

    def _rows(self, stage: Stage) -> Iterator[Row]:
        for row in stage.rows:
            for one in self.extractions:
                one.run(row)
            yield row


def parse_extract(segment: Segment, env: Env) -> Command:
    args = Arguments(segment)
    options = args.take(EXTRACT_OPTIONS)
    named: list[Extraction] = []
    while token := args.peek():
        options |= args.take(EXTRACT_OPTIONS)
        if args.done():
            break
        token = args.next()
        try:
            named.append(of_transform(token.value, env.services.transforms()))
        except SplError as error:
            raise args.fail(error.message, token) from error
    flags = {name: boolean(args, name, options.get(name, "f")) for name in ("mv_add", "reload")}
    clean = boolean(args, "clean_keys", options.get("clean_keys", "t"))
    boolean(args, "segment", options.get("segment", "t"))  # how values are marked for display
    pattern = pairs_pattern(options.get("pairdelim", ""), options.get("kvdelim", ""))
    limit = whole(args, "limit", options.get("limit", "50"))
    if named:
        return ExtractByName(named)
    return Extract(pattern, limit, whole(args, "maxchars", options.get("maxchars", "10240")), flags["mv_add"], clean)


TAGS_OPTIONS = ("outputfield", "inclname", "inclvalue", "allowed_tags")


@dataclass
class Tags(Command):
    """``tag::field`` with the tags of the field's values; with ``outputfield`` the tags of all fields in one."""

    fields: list[str]  # none: every field
    output: str | None
    allowed: frozenset[str] | None

    def apply(self, stage: Stage, context: Context) -> Stage:
        by_field: dict[str, dict[str, list[str]]] = {}
        for (name, value), labels in context.services.tags().items():
            kept = [label for label in labels if self.allowed is None or label in self.allowed]
            if kept and (not self.fields or name in self.fields):
                by_field.setdefault(name, {})[value] = kept
        names = [self.output] if self.output else [f"tag::{name}" for name in by_field]
        return Stage(self._rows(stage, by_field), added(stage.header, *names), stage.events)

    def _rows(self, stage: Stage, by_field: dict[str, dict[str, list[str]]]) -> Iterator[Row]:
        for row in stage.rows:
            every: set[str] = set()
            for name, values in by_field.items():
                found = {label for value in values_of(row.get(name)) for label in values.get(to_text(value), ())}
                every |= found
                if found and not self.output:
                    row[f"tag::{name}"] = collapse(sorted(found))
            if every and self.output:
                row[self.output] = collapse(sorted(every))
            yield row


def parse_tags(segment: Segment, env: Env) -> Command:  # noqa: ARG001
    args = Arguments(segment)
    options = args.take(TAGS_OPTIONS)
    fields = args.field_list()
    options |= args.take(TAGS_OPTIONS)
    args.close()
    for name in ("inclname", "inclvalue"):
        if boolean(args, name, options.get(name, "f")):
            raise args.fail(f"{name}=true is an option that this stand-in does not run")
    allowed = (
        frozenset(part.strip() for part in options["allowed_tags"].split(",")) if "allowed_tags" in options else None
    )
    return Tags(fields, options.get("outputfield"), allowed)


COMMANDS: dict[str, Parse] = {"extract": parse_extract, "kv": parse_extract, "tags": parse_tags}
OPTIONS = {"extract": EXTRACT_OPTIONS, "kv": EXTRACT_OPTIONS, "tags": TAGS_OPTIONS}
