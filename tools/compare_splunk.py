"""Run this repository's SPL cases on a real Splunk and on the stand-in, and print the rows that differ.

The Splunk is that of SPLUNK_URL, with SPLUNK_USERNAME and SPLUNK_PASSWORD or SPLUNK_TOKEN, SPLUNK_CA, and for cases
that read events SPLUNK_HEC_URL and SPLUNK_HEC_TOKEN. The user needs the right to search the index, and to write
lookups. The events are sent once, with a source of this run, and stay; lookup files of this run are removed.
Exit code 0: no difference; 1: differences; 2: it could not run.

Example:
    python tools/compare_splunk.py --index apisec
    python tools/compare_splunk.py --only stats --format json tests/cases/spl/documented > differences.json
"""

from __future__ import annotations

import argparse
import contextlib
import datetime
import json
import os
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import requests

from spl_cases import Case, Run, World, load

ROOT = Path(__file__).resolve().parent.parent
APP = "search"
TIMEOUT_SECONDS = 120
BUSY = (429, 503)
HIDDEN = ("_bkt", "_cd", "_si", "_serial", "_indextime", "_sourcetype", "_subsecond", "_eventtype_color", "_kv")
MACHINE = ("splunk_server", "splunk_server_group", "linecount", "punct", "timestartpos", "timeendpos")
MACHINE_PREFIX = "date_"

BOTH_REFUSE = "both refuse"  # no difference, but nothing was compared either: the case needs more than the run brings

Row = dict[str, Any]


class CompareError(Exception):
    """It cannot go on; the message names the cause and the remedy."""


@dataclass
class Side:
    """One Splunk. TLS is verified against ``ca``, or the authorities that Python trusts."""

    name: str
    url: str
    ca: str
    hec_url: str = ""
    hec_token: str = field(default="", repr=False)
    http: requests.Session = field(default_factory=requests.Session)

    def __post_init__(self) -> None:
        self.http.trust_env = False
        self.http.verify = self.ca or True

    def login(self, username: str, password: str, token: str = "") -> None:
        if token and not password:
            self.http.headers["Authorization"] = f"Bearer {token}"
            return
        form = {"username": username, "password": password}
        key = self.call("POST", "/services/auth/login", form)["sessionKey"]
        self.http.headers["Authorization"] = f"Splunk {key}"

    def call(self, method: str, path: str, form: Mapping[str, Any] | None = None) -> Any:
        """One call, waited for while Splunk is busy. Raises CompareError."""
        deadline = time.monotonic() + TIMEOUT_SECONDS
        while True:
            try:
                answer = self.http.request(
                    method, self.url + path, params={"output_mode": "json"}, data=form, timeout=TIMEOUT_SECONDS
                )
            except requests.RequestException as error:
                raise CompareError(f"{self.name} ({self.url}) does not answer: {error}") from None
            if answer.status_code not in BUSY or time.monotonic() > deadline:
                break
            time.sleep(1)
        if answer.status_code >= 400:
            raise CompareError(f"{self.name}: {answer.status_code} to {method} {path}: {answer.text[:500]}")
        return answer.json() if answer.content else {}

    def search(self, spl: str, earliest: str = "", latest: str = "", now: float = 0.0) -> list[Row]:
        """Every row. Raises CompareError when the search is refused."""
        form = {"search": spl if spl.lstrip().startswith("|") else f"search {spl.removeprefix('search ')}"}
        form |= {"exec_mode": "oneshot", "count": "0"}
        form |= {name: value for name, value in (("earliest_time", earliest), ("latest_time", latest)) if value}
        form |= {"now": f"{now:.0f}"} if now else {}
        answer = self.call("POST", f"/servicesNS/nobody/{APP}/search/jobs", form)
        for message in answer.get("messages") or ():
            if message.get("type") in ("ERROR", "FATAL"):
                raise CompareError(f"{self.name}: {message.get('text')}")
        return [shown(row) for row in answer["results"]]

    def send(self, worlds: Mapping[str, World], run: Run) -> None:
        """Index every world's events and wait until they are found."""
        for world in worlds.values():
            if not world.envelopes:
                continue
            about = {"index": run.index, "source": run.source(world.name)}
            data = "\n".join(json.dumps({**one, **about}) for one in world.envelopes).encode()
            headers = {"Authorization": f"Splunk {self.hec_token}", "X-Splunk-Request-Channel": str(uuid.uuid4())}
            answer = self.http.post(
                f"{self.hec_url}/services/collector/event", data, headers=headers, timeout=TIMEOUT_SECONDS
            )
            if answer.status_code != 200:
                raise CompareError(f"{self.name}: HEC answered {answer.status_code}: {answer.text[:300]}")
            self._wait(f'index={run.index} source="{run.source(world.name)}" | stats count', len(world.envelopes))

    def _wait(self, spl: str, count: int) -> None:
        deadline = time.monotonic() + TIMEOUT_SECONDS
        while int((self.search(spl) or [{"count": 0}])[0]["count"]) < count:
            if time.monotonic() > deadline:
                raise CompareError(f"{self.name}: {count} events were not found within {TIMEOUT_SECONDS} s: {spl}")
            time.sleep(0.5)

    def put_lookups(self, worlds: Mapping[str, World], run: Run) -> None:
        """This run's copies of the worlds' lookup files, written by searches."""
        for world in worlds.values():
            for name, text in world.lookups.items():
                data = text.strip().replace("\\", "\\\\").replace('"', '\\"')
                self.search(f'| makeresults format=csv data="{data}" | outputlookup {run.lookup(name)}')

    def drop_lookups(self, worlds: Mapping[str, World], run: Run) -> None:
        for world in worlds.values():
            for name in world.lookups:
                with contextlib.suppress(CompareError):
                    self.call("DELETE", f"/servicesNS/nobody/{APP}/data/lookup-table-files/{run.lookup(name)}")


def shown(row: Row) -> Row:
    """A row without what tells of the machine; times as seconds."""
    kept = {
        name: value
        for name, value in row.items()
        if name not in HIDDEN and name not in MACHINE and not name.startswith(MACHINE_PREFIX)
    }
    if isinstance(kept.get("_time"), str):
        with contextlib.suppress(ValueError):
            kept["_time"] = f"{datetime.datetime.fromisoformat(kept['_time']).timestamp():.3f}"
    return kept


@dataclass(frozen=True)
class Difference:
    """``kind``: rows, order, or who refuses; the answers of both sides. A refusal that the case expects is none."""

    case: str
    kind: str
    search: str
    splunk: Any
    standin: Any


def compare(case: Case, real: Side, own: Side) -> Difference | None:
    """Run one case on both."""
    answers = [_answer(side, case) for side in (real, own)]
    splunk, standin = answers
    refused = [isinstance(answer, str) for answer in answers]
    if splunk == standin or (all(refused) and case.refused):
        return None
    if all(refused):
        kind = BOTH_REFUSE
    elif any(refused):
        kind = f"only {real.name if refused[0] else own.name} refuses"
    else:
        kind = "order" if sorted(map(str, splunk)) == sorted(map(str, standin)) else "rows"
    return Difference(case.name, kind, case.search, splunk, standin)


def _answer(side: Side, case: Case) -> list[Row] | str:
    try:
        return side.search(case.search, case.earliest, case.latest, case.now)
    except CompareError as error:
        return str(error)


def real_side(environment: Mapping[str, str]) -> Side:
    """The Splunk of SPLUNK_URL. Raises CompareError that names what is missing."""
    url = environment.get("SPLUNK_URL", "").rstrip("/")
    if not url.startswith("https://"):
        raise CompareError("set SPLUNK_URL=https://host:8089 and what belongs to it; docs/splunk-owner.md lists it")
    hec = environment.get("SPLUNK_HEC_URL", "").rstrip("/"), environment.get("SPLUNK_HEC_TOKEN", "")
    side = Side("Splunk", url, environment.get("SPLUNK_CA", ""), *hec)
    names = ("SPLUNK_USERNAME", "SPLUNK_PASSWORD", "SPLUNK_TOKEN")
    side.login(*(environment.get(name, "") for name in names))
    return side


@contextlib.contextmanager
def standin_side(index: str) -> Iterator[Side]:
    """A fresh stand-in, as a process, with the index."""
    with tempfile.TemporaryDirectory(prefix="apisec-compare-") as name:
        home, token = Path(name) / "home", str(uuid.uuid4())
        ready = Path(name) / "ready.json"
        command = [sys.executable, "-m", "apisec_sandbox", "serve", "--home", str(home), "--ready-file", str(ready)]
        command += ["--hec-token", f"compare={token}", "--no-schedule"]
        with (Path(name) / "log").open("wb") as log:
            process = subprocess.Popen(command, stdout=log, stderr=log)  # noqa: S603 - our own command
        try:
            about = _started(process, ready, Path(name) / "log")
            side = Side("the stand-in", about["mgmt"], about["ca"], about["hec"], token)
            side.login(about["admin_user"], Path(about["admin_password_file"]).read_text().strip())
            if index != "main":
                side.call("POST", "/services/data/indexes", {"name": index})
            yield side
        finally:
            process.terminate()
            process.wait(20)


def _started(process: subprocess.Popen[bytes], ready: Path, log: Path) -> Any:
    deadline = time.monotonic() + 30
    while not ready.exists():
        if process.poll() is not None or time.monotonic() > deadline:
            raise CompareError(f"the stand-in did not start:\n{log.read_text()[-1000:]}")
        time.sleep(0.05)
    return json.loads(ready.read_text())


def report(found: list[Difference], compared: int, cases: list[Case], layout: str) -> str:
    """All that was found, as JSON or as text for people."""
    left_out = [case for case in cases if case.reason]
    left_out += [Case(one.case, one.search, reason=BOTH_REFUSE) for one in found if one.kind == BOTH_REFUSE]
    found = [one for one in found if one.kind != BOTH_REFUSE]
    compared -= sum(case.reason == BOTH_REFUSE for case in left_out)
    if layout == "json":
        out = [{"case": case.name, "reason": case.reason} for case in left_out]
        document = {"compared": compared, "differences": [asdict(one) for one in found], "left_out": out}
        return json.dumps(document, indent=1, ensure_ascii=False)
    lines = []
    for one in found:
        lines += [f"== {one.case} [{one.kind}]", f"   {one.search}", *_sides(one), ""]
    reasons: dict[str, int] = {}
    for case in left_out:
        reasons[case.reason] = reasons.get(case.reason, 0) + 1
    lines.append(f"{compared} cases compared, {len(found)} differ, {len(left_out)} left out")
    lines += [f"   left out: {count:4}  {reason}" for reason, count in sorted(reasons.items())]
    return "\n".join(lines)


def _sides(one: Difference) -> Iterator[str]:
    """The rows that differ; a refusal as it was said."""
    for name, answer, other in (("Splunk", one.splunk, one.standin), ("stand-in", one.standin, one.splunk)):
        if isinstance(answer, str):
            yield f"   {name:9} {answer}"
            continue
        for number, row in enumerate(answer):
            if isinstance(other, str) or number >= len(other) or other[number] != row:
                yield f"   {name:9} row {number + 1}: {json.dumps(row, ensure_ascii=False)}"


def run(arguments: argparse.Namespace) -> int:
    here = Run(arguments.index, uuid.uuid4().hex[:8])
    cases, worlds = load(arguments.cases, here)
    cases = [case for case in cases if arguments.only.lower() in case.name.lower()]
    chosen = [case for case in cases if not case.reason and not (arguments.no_data and case.world)]
    if not chosen:
        raise CompareError(
            f"no case to compare in {', '.join(map(str, arguments.cases))} with --only {arguments.only!r}"
        )
    used = {name: worlds[name] for name in {case.world for case in chosen if case.world and not case.refused}}
    real = real_side(os.environ)
    if used and not (real.hec_url and real.hec_token):
        raise CompareError("cases read events: set SPLUNK_HEC_URL and SPLUNK_HEC_TOKEN, or give --no-data")
    with standin_side(arguments.index) as own:
        try:
            for side in (real, own):
                side.put_lookups(used, here)
                side.send(used, here)
            found = [one for one in (compare(case, real, own) for case in chosen) if one]
        finally:
            real.drop_lookups(used, here)
    print(report(found, len(chosen), cases, arguments.format))
    return 1 if any(one.kind != BOTH_REFUSE for one in found) else 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    default = [ROOT / "tests/cases/spl"]
    parser.add_argument(
        "cases", nargs="*", type=Path, default=default, help="files or folders (default: tests/cases/spl)"
    )
    parser.add_argument("--index", default="main", help="index for the events (default: %(default)s)")
    parser.add_argument("--only", default="", metavar="TEXT", help="cases whose name holds TEXT")
    parser.add_argument("--no-data", action="store_true", help="leave out cases that read events or lookups")
    parser.add_argument("--format", choices=("table", "json"), default="table", help="(default: %(default)s)")
    try:
        return run(parser.parse_args())
    except CompareError as error:
        print(f"compare_splunk: error: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
