"""Commands that tell about the indexes and about time: eventcount, metadata, gentimes, addinfo.

Source: Search Reference, the page of each.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import ClassVar

from apisec_sandbox.spl.commands.base import Arguments, Command, Env, Parse, added, boolean, checked, choice, whole
from apisec_sandbox.spl.commands.sources import SERVER, choose_indexes
from apisec_sandbox.spl.context import Context, Fields, Stage
from apisec_sandbox.spl.parser import Segment
from apisec_sandbox.spl.times import moment, resolve
from apisec_sandbox.spl.values import Row, to_text

EVENTCOUNT_OPTIONS = ("index", "summarize", "report_size", "list_vix")
METADATA_OPTIONS = ("type", "index", "splunk_server", "splunk_server_group", "datatype")
KINDS = {"hosts": "host", "sources": "source", "sourcetypes": "sourcetype"}
GENTIMES_OPTIONS = ("start", "end", "increment")
MAX_TIMES = 100_000  # rows that gentimes makes at most


def _repeated(args: Arguments, name: str, known: tuple[str, ...]) -> tuple[list[str], dict[str, str]]:
    """Take options of which one may stand several times."""
    several: list[str] = []
    rest: dict[str, str] = {}
    while pair := args.option(known):
        if pair[0] == name:
            several.append(pair[1])
        else:
            rest[pair[0]] = pair[1]
    args.refuse_option(known)
    args.close()
    return several, rest


@dataclass
class EventCount(Command):
    """Counts all events of the indexes, whatever the time range (docs: eventcount)."""

    generating: ClassVar[bool] = True
    patterns: list[str] | None
    summarize: bool
    report_size: bool

    def apply(self, stage: Stage, context: Context) -> Stage:  # noqa: ARG002
        rows: list[Row] = []
        for name in choose_indexes(self.patterns, context):
            count = size = 0
            for event in checked(context.services.indexed([name], -math.inf, math.inf), context):
                count += 1
                size += len(to_text(event["_raw"]).encode()) if self.report_size else 0
            row: Row = {"count": count, "index": name, "server": SERVER}
            rows.append({**row, "size_bytes": size} if self.report_size else row)
        if self.summarize:
            total: Row = {"count": sum(row["count"] for row in rows)}
            if self.report_size:
                total["size_bytes"] = sum(row["size_bytes"] for row in rows)
            return Stage([total], list(total))
        return Stage(rows, ["count", "index", "server", *(["size_bytes"] if self.report_size else [])])


def parse_eventcount(segment: Segment, env: Env) -> Command:  # noqa: ARG001
    args = Arguments(segment)
    patterns, options = _repeated(args, "index", EVENTCOUNT_OPTIONS)
    boolean(args, "list_vix", options.get("list_vix", "t"))  # there are no virtual indexes
    report = boolean(args, "report_size", options.get("report_size", "f"))
    return EventCount(patterns or None, boolean(args, "summarize", options.get("summarize", "t")), report)


@dataclass
class Metadata(Command):
    generating: ClassVar[bool] = True
    kind: str
    patterns: list[str] | None

    def apply(self, stage: Stage, context: Context) -> Stage:  # noqa: ARG002
        field = KINDS[self.kind]
        found: dict[str, Row] = {}
        names = choose_indexes(self.patterns, context)
        for event in checked(context.services.indexed(names, context.earliest, context.latest), context):
            name, when = to_text(event[field]), event["_time"]
            row = found.get(name)
            if row is None:
                row = found[name] = {
                    "firstTime": when,
                    field: name,
                    "lastTime": when,
                    "recentTime": event.get("_indextime", when),
                    "totalCount": 0,
                    "type": self.kind,
                }
            row["firstTime"] = min(row["firstTime"], when)
            row["lastTime"] = max(row["lastTime"], when)
            row["recentTime"] = max(row["recentTime"], event.get("_indextime", when))
            row["totalCount"] += 1
        header = sorted(["firstTime", field, "lastTime", "recentTime", "totalCount", "type"])
        return Stage([found[name] for name in sorted(found)], header)


def parse_metadata(segment: Segment, env: Env) -> Command:  # noqa: ARG001
    args = Arguments(segment)
    patterns, options = _repeated(args, "index", METADATA_OPTIONS)
    if "type" not in options:
        raise args.fail("type=hosts, type=sources or type=sourcetypes is needed")
    if choice(args, "datatype", options.get("datatype", "event"), ("event", "metric", "all")) == "metric":
        raise args.fail("datatype=metric is an option that this stand-in does not run")
    return Metadata(choice(args, "type", options["type"], tuple(KINDS)), patterns or None)


@dataclass
class GenTimes(Command):
    """One row a step: where it starts, and a second before the next one."""

    generating: ClassVar[bool] = True
    start: float
    end: float
    step: float

    def apply(self, stage: Stage, context: Context) -> Stage:  # noqa: ARG002
        return Stage(self._rows(context), ["endhuman", "endtime", "starthuman", "starttime"])

    def _rows(self, context: Context) -> Iterator[Row]:
        number, start = 0, self.start
        while start < self.end:
            if number >= MAX_TIMES:
                context.say("WARN", f"[gentimes]: stopped after {MAX_TIMES} results.")
                return
            last = start + self.step - 1
            yield {"endhuman": _human(last), "endtime": int(last), "starthuman": _human(start), "starttime": int(start)}
            number, start = number + 1, start + self.step


def _human(epoch: float) -> str:
    return moment(epoch).strftime("%a %b %e %H:%M:%S %Y")


def _day(args: Arguments, text: str, now: float) -> float:
    """``MM/DD/YYYY``, with ``:HH:MM:SS`` or without, or a number of days from today."""
    if re.fullmatch(r"[+-]?\d{1,5}", text):
        return resolve("@d", now) + int(text) * 86400
    for layout in ("%m/%d/%Y", "%m/%d/%y", "%m/%d/%Y:%H:%M:%S", "%m/%d/%y:%H:%M:%S"):
        try:
            return datetime.strptime(text, layout).replace(tzinfo=UTC).timestamp()
        except ValueError:
            continue
    raise args.fail(f"invalid time {text!r}: expected MM/DD/YYYY[:HH:MM:SS] or a number of days")


def parse_gentimes(segment: Segment, env: Env) -> Command:
    args = Arguments(segment)
    options = args.take(GENTIMES_OPTIONS)
    args.close()
    if "start" not in options:
        raise args.fail("start=<time> is needed")
    match = re.fullmatch(r"(\d+)([smhd]?)", options.get("increment", "1d"))
    if not match or int(match[1]) == 0:
        raise args.fail(f"invalid increment {options['increment']!r}: expected for instance 1d, 4h, 30m or 10s")
    step = whole(args, "increment", match[1], 1) * {"s": 1, "m": 60, "h": 3600, "d": 86400, "": 1}[match[2]]
    now = env.context.now
    end = _day(args, options["end"], now) if "end" in options else resolve("+d@d", now)
    return GenTimes(_day(args, options["start"], now), end, step)


@dataclass
class AddInfo(Command):
    """The search's own time range and identifier, on each row."""

    streaming: ClassVar[bool] = True

    def needs(self, wanted: Fields) -> Fields:
        return wanted

    def apply(self, stage: Stage, context: Context) -> Stage:
        info: Row = {
            "info_max_time": _bound(context.latest, "+Infinity"),
            "info_min_time": _bound(context.earliest, "0.000"),
            "info_search_time": f"{context.now:.3f}",
            "info_sid": context.sid,
        }
        return Stage(({**row, **info} for row in stage.rows), added(stage.header, *info), stage.events)


def _bound(epoch: float, open_end: str) -> str:
    return f"{epoch:.3f}" if math.isfinite(epoch) else open_end


def parse_addinfo(segment: Segment, env: Env) -> Command:  # noqa: ARG001
    Arguments(segment).close()
    return AddInfo()


COMMANDS: dict[str, Parse] = {
    "eventcount": parse_eventcount,
    "metadata": parse_metadata,
    "gentimes": parse_gentimes,
    "addinfo": parse_addinfo,
}
OPTIONS = {"eventcount": EVENTCOUNT_OPTIONS, "metadata": METADATA_OPTIONS, "gentimes": GENTIMES_OPTIONS}
