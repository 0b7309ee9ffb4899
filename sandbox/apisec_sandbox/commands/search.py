"""``apisec-sandbox search``: one search over files of events, without a server."""

from __future__ import annotations

import argparse
import gc
import io
import logging
import re
import shutil
import sys
import tempfile
import time
from pathlib import Path

from apisec_sandbox.commands.search_data import Defaults
from apisec_sandbox.commands.search_forms import Opener, moment
from apisec_sandbox.commands.search_output import STREAMS, WRITERS
from apisec_sandbox.errors import SandboxError
from apisec_sandbox.spl import engine
from apisec_sandbox.spl.commands import EITHER, GENERATING, REGISTRY
from apisec_sandbox.spl.commands.base import Command
from apisec_sandbox.spl.commands.sources import SearchSource
from apisec_sandbox.splunkd.apps import install
from apisec_sandbox.splunkd.home import Home
from apisec_sandbox.splunkd.indexes import check_index_name
from apisec_sandbox.splunkd.jobs import Job, Request
from apisec_sandbox.splunkd.server import Options, Splunkd

HELP = "Run one search over files of events and print the result; no server is needed."
EPILOG = """\
example:
  apisec-sandbox search 'index=main status>=500 | stats count by uri_path' --data events.jsonl
  apisec-sandbox search 'failed OR denied | top src' --data auth.log --sourcetype linux_secure --output csv
  apisec-sandbox search '`apisec_index` | apisecscore' --data hec.jsonl.gz --app dist/apisec-0.1.0.tar.gz --output json
  apisec-sandbox search '* | lookup assets ip AS src' --data events.jsonl --lookup assets=assets.csv --earliest -1d@d
  zcat events.jsonl.gz | apisec-sandbox search '* | timechart count by status' --data -
  apisec-sandbox search '`my_detection`' --app my_app.tar.gz --lint

DATA holds JSON lines: HEC envelopes ({"event": …, "time": …, "fields": …}), events of their own (their time from
time, _time or timestamp), or what search/jobs/export gives. Also CSV with a line of names (.csv), a JSON array,
and, with --sourcetype, raw text; any of them compressed with gzip.
The exit code is 0 for a result, also an empty one, and 2 for a search, a file or an option that is wrong.
"""
FIRST_WORD = re.compile(r"\s*([A-Za-z]\w*)\s+[^\s=<>!|]")
TICK = 0.2  # seconds between two looks at the job and two lines of progress


def configure(parser: argparse.ArgumentParser) -> None:
    parser.epilog = EPILOG
    parser.add_argument("spl", metavar="SPL", help="the search; without a leading | it starts with the search command")
    data = parser.add_argument_group("events")
    data.add_argument(
        "--data", action="append", default=[], metavar="FILE", help="events; - reads stdin; may be repeated"
    )
    data.add_argument("--index", default="main", help="index of events that name none (default: %(default)s)")
    data.add_argument("--sourcetype", help="source type of events that name none (default: _json); allows raw text")
    data.add_argument("--source", default="", help="source of events that name none (default: the name of the file)")
    data.add_argument("--host", default="localhost", help="host of events that name none (default: %(default)s)")
    time_range = parser.add_argument_group("time")
    time_range.add_argument("--earliest", default="", metavar="TIME", help="as -1h@h or an epoch; open when not given")
    time_range.add_argument("--latest", default="", metavar="TIME")
    time_range.add_argument("--now", metavar="TIME", help="the time that -1h and now() count from; epoch or ISO 8601")
    knowledge = parser.add_argument_group("knowledge")
    knowledge.add_argument(
        "--app", type=Path, action="append", default=[], metavar="FILE", help="app to install first; may be repeated"
    )
    knowledge.add_argument(
        "--lookup", action="append", default=[], metavar="NAME=FILE", help="CSV file as a lookup; may be repeated"
    )
    knowledge.add_argument("--python", type=Path, default=Path(sys.executable), help="interpreter for custom commands")
    output = parser.add_argument_group("output")
    output.add_argument(
        "--output",
        "--format",
        choices=(*WRITERS, *STREAMS),
        default="table",
        help="table; json: an array; jsonl: one object a line; csv; raw: the events' text (default: %(default)s)",
    )
    output.add_argument("--explain", action="store_true", help="print what the search would do, and do not run it")
    output.add_argument("--lint", action="store_true", help="only check that the search parses")


def run(args: argparse.Namespace) -> int:
    logging.basicConfig(level=logging.ERROR, stream=sys.stderr)
    if isinstance(sys.stdout, io.TextIOWrapper):  # an event may hold what no encoding has: half a surrogate pair
        sys.stdout.reconfigure(encoding="utf-8", errors="replace")
    before = gc.get_threshold()
    gc.freeze()  # a scan makes millions of objects and no cycles: looking for them often costs a quarter of its time
    gc.set_threshold(200_000, 20, 100)
    try:
        return _run(args)
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()


def _run(args: argparse.Namespace) -> int:
    with tempfile.TemporaryDirectory(prefix="apisec-sandbox-") as scratch:
        home = Home(Path(scratch) / "home")
        apps = [install(path, home).name for path in args.app]
        splunkd = Splunkd(home, Options(python=args.python, schedule=False, with_tls=False))
        try:
            return _search(args, splunkd, apps, Path(scratch))
        finally:
            splunkd.close()


def _search(args: argparse.Namespace, splunkd: Splunkd, apps: list[str], scratch: Path) -> int:
    splunkd.ensure_admin()
    _add_lookups(args.lookup, splunkd)
    # All indexes are searched by default: the files are all there is.
    splunkd.confs.write("authorize", "role_admin", {"srchIndexesDefault": "*"}, "system")
    now = moment(args.now, time.time())
    _open_data(args, splunkd, scratch, now)
    app = apps[-1] if apps else "search"
    text = with_events(args.spl)
    request = Request(text, app, "admin", args.earliest, args.latest, now, max_seconds=float("inf"))
    job = splunkd.jobs.prepare(request)
    if args.lint:
        print("The search parses.")
        return 0
    if args.explain:
        explain(job)
        return 0
    if apps:  # custom commands may call back: give them a management port
        splunkd.start()
    return _stream(args, splunkd, job) if args.output in STREAMS else _table(args, splunkd, request)


def with_events(spl: str) -> str:
    """A search that starts with a command for rows, without a leading ``|``, is meant for all events; say so."""
    match = FIRST_WORD.match(spl)
    if not match or match[1].lower() not in REGISTRY or match[1].lower() in (*GENERATING, *EITHER):
        return spl
    print(f"INFO: read as: search * | {spl.strip()}  (to look for the word, write: search {match[1]})", file=sys.stderr)
    return f"search * | {spl.strip()}"


def _add_lookups(pairs: list[str], splunkd: Splunkd) -> None:
    for pair in pairs:
        name, equals, file = pair.partition("=")
        if not equals or not name or not file:
            raise SandboxError(f"--lookup {pair!r}: NAME=FILE is needed, such as assets=assets.csv")
        target = splunkd.home.apps / "search" / "lookups" / (Path(name).name.removesuffix(".csv") + ".csv")
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            shutil.copyfile(file, target)
        except OSError as error:
            raise SandboxError(f"--lookup {file}: {error.strerror}") from error
        splunkd.confs.write("transforms", name.removesuffix(".csv"), {"filename": target.name}, "search")


def _open_data(args: argparse.Namespace, splunkd: Splunkd, scratch: Path, now: float) -> None:
    check_index_name(args.index)
    defaults = Defaults(args.index, args.sourcetype or "_json", args.host, args.source, now)
    progress = Progress() if sys.stderr.isatty() else None
    opener = Opener(scratch, splunkd.confs, args.sourcetype is not None, progress)
    sources = [opener.open(name, defaults) for name in args.data]
    names = {args.index}.union(*(source.index_names() for source in sources)) - set(splunkd.index_names())
    for name in sorted(names):
        splunkd.confs.write("indexes", name, {"disabled": "0"}, "system")
    splunkd.store.sources.extend(sources)


class Progress:
    """Says on stderr how far a long scan is, from its second second on."""

    def __init__(self) -> None:
        self._begun = self._last = time.monotonic()

    def __call__(self, done: int, total: int) -> None:
        now = time.monotonic()
        if now - self._begun > 1 and now - self._last > TICK:
            self._last = now
            end = "\r" if done < total else "\r\033[K"
            print(f"{100 * done // max(1, total):3d} % of {total / 1e6:.0f} MB", end=end, file=sys.stderr, flush=True)

    @staticmethod
    def clear() -> None:
        if sys.stderr.isatty():
            print("\r\033[K", end="", file=sys.stderr, flush=True)


def _table(args: argparse.Namespace, splunkd: Splunkd, request: Request) -> int:
    job = splunkd.jobs.create(request)
    try:
        while not job.finished.wait(TICK):
            pass
    except KeyboardInterrupt:
        job.cancel.set()
        job.finished.wait(10)
        raise
    Progress.clear()
    _say(job)
    if job.state != "DONE":
        print(job.error or job.state, file=sys.stderr)
        return 2
    WRITERS[args.output](job.outcome, sys.stdout)
    return 0


def _stream(args: argparse.Namespace, splunkd: Splunkd, job: Job) -> int:
    stage, rows = splunkd.jobs.stream(job)
    try:
        STREAMS[args.output](rows, stage.header, sys.stdout)
    finally:
        close = getattr(rows, "close", None)
        if close:
            close()
    Progress.clear()
    _say(job)
    if job.error:
        print(job.error, file=sys.stderr)
        return 2
    return 0


def _say(job: Job) -> None:
    for kind, text in job.context.messages:
        print(f"{kind}: {text}", file=sys.stderr)


def explain(job: Job) -> None:
    """Print the commands of the search, and what each reads of the rows before it."""
    compiler = engine.Compiler(job.context.services, job.context, dry=True)
    commands = compiler.compile(job.request.search)
    print(compiler.expanded.strip())
    for number, (name, command) in enumerate(zip(compiler.names[-len(commands) :], commands, strict=True), 1):
        print(f"{number:3d}  {name:14} {_kind(command):14} reads {_fields(command)}")
        if isinstance(command, SearchSource):
            expression = command.expression
            indexes = ", ".join(expression.indexes or ()) or "those searched by default"
            order = "newest first" if command.hints.ordered else "in any order"
            print(f"{'':20}indexes: {indexes}; events are read {order}")


def _kind(command: Command) -> str:
    return "generating" if command.generating else "streaming" if command.streaming else "all rows"


def _fields(command: Command) -> str:
    return "all fields" if command.wanted is None else ", ".join(sorted(command.wanted)) or "no field"
