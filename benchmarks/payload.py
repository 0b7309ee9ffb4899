"""How many attacks the signals see, how often harmless requests have one, and what it takes, beside ModSecurity.

*told* are requests with a signal that counts as whole (``WEAK`` in ``apisec.abuse.payload`` and more), *seen* those
with any: a weak one counts a fifth, so that alone it is no finding. Both are given for attacks and for harmless ones.

    python -m benchmarks.payload --crs FOLDER [--split examination|development|third|fourth] [--level 1] [--json]
    python -m benchmarks.payload --split development --failures 20
    python -m benchmarks.payload --habits [--crs FOLDER] [--split third]

Attacks are the regression tests of the OWASP Core Rule Set: ``FOLDER`` is ``tests/regression/tests`` of its source (in
Debian: ``apt-get source modsecurity-crs``, or the file ``modsecurity-crs_*.orig.tar.gz`` of a mirror). Without it, only
harmless requests are measured. Two further sets may be given by ``--payloads FILE``: a payload a line, sent as a
query's value. Harmless requests are made (``payloads/harmless``), grown (of a grammar, by seeds), and found: what
people wrote about the packages that are installed here, and lines of the files themselves. ``--texts FOLDER`` adds
paragraphs of texts that you have: the descriptions of other packages, say (npm's and PyPI's registries have them).

ModSecurity 3 and the rules of Debian (``apt-get install libmodsecurity3 modsecurity-crs``) see the same requests in the
same process; without them their columns are missing. Processor time of one pass, each request once: of the signals
alone, of the forwarder's whole work (it decodes, classifies and redacts as well), and of the rules.
"""

from __future__ import annotations

import argparse
import importlib
import json
import statistics
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from apisec.abuse.payload import WEAK
from apisec.attacks import marks
from apisec.attacks import signals as signals_of_core
from apisec.redaction.keys import KeyRing, Tokenizer
from apisec.statistics import wilson
from apisec_forwarder import keys
from apisec_forwarder.pipeline import Engine, PipelineSettings, Service, engine
from benchmarks.payloads import crs, grammar, habits, harmless, installed, tools
from benchmarks.payloads.modsecurity import RULES, ModSecurity, Unavailable
from benchmarks.payloads.sent import HOST, Sent, complete

_CALL = "signals"  # what the core's engine calls for the signals of one transaction
COUNT = 3_000  # harmless requests of a kind
WARM = 300
_POLICY = ("911", "913", "920", "949", "980")  # rules about methods, scanners and headers, and the sums of scores

Judge = Callable[[Sent], bool]


def ours(kind: str = "native") -> Engine:
    """Return the engine as a forwarder runs it."""
    settings = PipelineSettings("edge", "DEV", (Service("shop", "commerce", (HOST, "localhost")),))
    return engine(settings, Tokenizer(KeyRing.parse(keys.generate())), kind)


class Alone:
    """How long the signals alone take, of a request that is decoded already: the core's engine with a clock in it."""

    def __init__(self) -> None:
        self.microseconds: dict[str, list[float]] = defaultdict(list)
        self._engine = ours("pure")
        self._taken = 0.0
        module = importlib.import_module("apisec_forwarder.pipeline.writing")
        self._signals = getattr(module, _CALL)
        setattr(module, _CALL, self._timed)

    def _timed(self, *given: Any) -> Any:
        began = time.process_time()
        try:
            return self._signals(*given)
        finally:
            self._taken = time.process_time() - began

    def ask(self, where: str, sent: Sent) -> None:
        """Time one request whose values were never asked; those of the usual headers were."""
        signals_of_core._remembered.cache_clear()
        marks.worded.cache_clear()
        self._engine.process(Sent("", "", "GET", "/", complete((), b"")).transaction())
        self._engine.process(sent.transaction())
        self.microseconds[where].append(self._taken * 1e6)


class Side:
    """One of the two that are compared: what it says, and how long it took."""

    def __init__(self, name: str, says: Judge) -> None:
        self.name = name
        self.says = says
        self.said: dict[str, list[bool]] = defaultdict(list)
        self.microseconds: dict[str, list[float]] = defaultdict(list)
        self.alone: dict[str, list[float]] = {}  # of the signals alone, where that can be told

    def ask(self, where: str, sent: Sent) -> bool:
        """Judge one request and count it under ``where`` and under its kind."""
        began = time.process_time()
        said = self.says(sent)
        taken = (time.process_time() - began) * 1e6
        self.said[where].append(said)
        self.said[f"{where}: {sent.kind}"].append(said)
        self.microseconds[where].append(taken)
        return said


def attack_rules(rules: ModSecurity) -> Judge:
    """Return whether a rule about attacks logged something: without those about methods, scanners and headers."""

    def says(sent: Sent) -> bool:
        rules.refuses(sent)
        return any(not rule.startswith(_POLICY) for rule in rules.logged)

    return says


class Seen:
    """The strongest signal of the request that was asked last, so that two sides may share one judgement."""

    def __init__(self, kind: str = "native") -> None:
        self._engine = ours(kind)
        self._strongest = 0.0

    def told(self, sent: Sent) -> bool:
        """Judge a request; return whether it has a signal that counts as whole."""
        event = self._engine.process(sent.transaction())
        self._strongest = max([float(one["score"]) for one in event.get("signals", ())], default=0.0)
        return self._strongest >= WEAK

    def seen(self, _: Sent) -> bool:
        """Return whether the request that ``told`` was asked about has any signal."""
        return self._strongest > 0


def installed_rules(level: int) -> ModSecurity | None:
    """Return the rules, or None where they are not installed."""
    try:
        return ModSecurity(level)
    except Unavailable as error:
        print(f"without ModSecurity: {error}")
        return None


def sides(level: int) -> list[Side]:
    """Return who is asked: the forwarder, and the rules where they are installed."""
    one = Seen()
    found = [Side("told", one.told), Side("seen", one.seen)]
    rules = installed_rules(level)
    if rules is None:
        return found
    found.append(Side(f"CRS PL{level}", rules.refuses))
    found.append(Side("CRS, attack rules", attack_rules(rules)))
    return found


def tests(args: argparse.Namespace) -> Iterable[tuple[str, Sent]]:
    """Yield the requests of the rule set's tests."""
    ranks = crs.levels(RULES) if RULES.is_dir() else {}
    for sent, rule in crs.attacks(args.crs, args.split):
        yield "attacks", sent
        if ranks.get(rule, 1) <= args.level:
            yield f"attacks of PL{args.level}", sent
    for sent, _ in crs.harmless(args.crs, args.split):
        yield "harmless by CRS", sent


def requests(args: argparse.Namespace) -> Iterable[tuple[str, Sent]]:
    """Yield all requests with what they are counted as."""
    if args.crs:
        yield from tests(args)
    if args.split != "development":
        for sent in tools.requests(args.count):
            yield "attacks of tools", sent
    yield from given(args.payloads or ())
    for sent in harmless.made(args.split, args.count):
        yield "harmless, made", sent
    seen = "development" if args.split == "development" else "examination"
    for sent in grammar.requests(seen, args.count):
        yield "harmless, grown", sent
    if args.texts:
        for sent in harmless.published(args.texts, args.count):
            yield "harmless, published", sent
    for sent in harmless.found(args.count):
        yield "harmless, found", sent
    for sent in installed.requests(seen, args.count):
        yield "harmless, files", sent


def given(paths: Iterable[Path]) -> Iterable[tuple[str, Sent]]:
    """Yield the payloads of files, a line each."""
    for path in paths:
        lines = [line.strip("\r\n") for line in path.read_text(encoding="utf-8", errors="replace").splitlines()]
        for number, line in enumerate(dict.fromkeys(line for line in lines if line.strip())):
            target = f"/api/v1/items?q={quote(line, safe='')}"
            yield f"file {path.name}", Sent("payload", f"{path.name}-{number}", "GET", target, complete((), b""))


def run(args: argparse.Namespace) -> dict[str, Any]:
    """Ask all sides about all requests."""
    asked, alone = sides(args.level), Alone()
    for sent in harmless.made("development", WARM):
        for side in asked:
            side.says(sent)
        alone.ask("warm", sent)
    left = args.failures
    for where, sent in requests(args):
        said = [side.ask(where, sent) for side in asked]
        alone.ask(where, sent)
        wrong = said[0] if where.startswith("harmless") else not said[1]
        if left and wrong and not where.startswith("attacks of"):
            left -= 1
            print(f"{where}: {sent.kind} {sent.title}: {sent.target[:120]} {sent.body[:160]!r}")
    asked[0].alone = alone.microseconds
    return {
        side.name: {
            where: {
                "requests": len(said),
                "said": sum(said),
                "share": round(sum(said) / len(said), 4),
                "interval": [round(bound, 4) for bound in wilson(sum(said), len(said))],
                **_times("us", side.microseconds.get(where, [])),
                **_times("alone_us", side.alone.get(where, [])),
            }
            for where, said in side.said.items()
        }
        for side in asked
    }


def _times(name: str, microseconds: Sequence[float]) -> dict[str, float]:
    if not microseconds:
        return {}
    ranked = sorted(microseconds)
    return {
        f"{name}_mean": round(statistics.mean(ranked), 1),
        f"{name}_median": round(statistics.median(ranked), 1),
        f"{name}_p99": round(ranked[int(len(ranked) * 0.99)], 1),
    }


def table(found: dict[str, Any]) -> str:
    """Return the figures as Markdown."""
    names = list(found)
    clocks = [
        ("signals", names[0], "alone_us_mean"),
        *[(f"{name}, all", name, "us_mean") for name in (names[0], *names[2:3])],
    ]
    lines = [
        "| requests | " + " | ".join(names) + " | " + " | ".join(f"{text}, µs" for text, _, _ in clocks) + " |",
        "|---|" + "---|" * (len(names) + len(clocks)),
    ]
    for where, row in found[names[0]].items():
        shares = [f"{100 * found[name][where]['share']:.2f} %" for name in names]
        times = [str(found[name][where].get(key, "")) for _, name, key in clocks]
        lines.append(f"| {where} ({row['requests']}) | {' | '.join(shares)} | {' | '.join(times)} |")
    return "\n".join(lines)


def habit_table(found: dict[str, dict[str, float]]) -> str:
    """Return what habits change as Markdown."""
    columns = list(next(iter(found.values())))
    text = {kind: row for kind, row in found.items() if not kind.startswith("(")}
    plain = {kind: row for kind, row in found.items() if kind.startswith("(")}
    means = [
        (name, {column: sum(row[column] for row in rows.values()) / len(rows) for column in columns})
        for name, rows in (("mean of texts", text), ("mean of ordinary ones", plain), ("mean", found))
        if rows
    ]
    lines = ["| parameter | " + " | ".join(columns) + " |", "|---|" + "---|" * len(columns)]
    for kind, row in [*found.items(), *means]:
        lines.append(f"| {kind} | " + " | ".join([f"{100 * row[name]:.1f} %" for name in columns]) + " |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--crs", type=Path, help="folder of the rule set's regression tests")
    parser.add_argument("--split", choices=("examination", "development", "third", "fourth"), default="examination")
    parser.add_argument("--habits", action="store_true", help="in parameters whose models have learned what is usual")
    parser.add_argument("--count", type=int, default=COUNT, help=f"harmless requests of a kind (default {COUNT})")
    parser.add_argument("--level", type=int, choices=(1, 2, 3, 4), default=1, help="paranoia level (default 1)")
    parser.add_argument("--payloads", type=Path, nargs="*", help="files with a payload a line")
    parser.add_argument("--texts", type=Path, help="folder of *.txt whose paragraphs are harmless requests, too")
    parser.add_argument("--failures", type=int, default=0, help="print so many that the signals are wrong about")
    parser.add_argument("--json", action="store_true", help="print all figures as JSON")
    args = parser.parse_args()
    if args.habits:
        rules = installed_rules(args.level)
        refuses = rules.refuses if rules else None
        print(habit_table(habits.measure(ours(), args.split, args.crs, refuses)))
        return
    found = run(args)
    print(json.dumps(found, indent=1) if args.json else table(found))


if __name__ == "__main__":
    main()
