"""Sessions in which a step of a flow was skipped: how many are found, beside three other models of order, and how fast.

    python -m benchmarks.sequences [--weeks N] [--apps N] [--seed N] [--events FILE --labels FILE] [--json]

The sandbox's simulator makes the traffic (docs/simulator.md). The first 40 % teach, attackers included as they come;
of the rest each session of a principal gets a score by each model, and the share of sessions with a skipped step that
is found where 1 of 10,000 and 1 of 100,000 ordinary sessions (or none, where there are fewer) score as high.
"""

from __future__ import annotations

import argparse
import json
import math
import subprocess
import sys
import tempfile
import time
from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from apisec.abuse.step_skipping import MOST_SURPRISE
from apisec.activity import Activity
from apisec.activity.row import Step
from apisec.sequences.following import Moment, Order, follow, statistic, teach
from apisec.sequences.walk import Walk

HISTORY_SHARE = 0.4
FAMILY = "step_skipping"
ORDER = 3
PAUSE, LONGEST = 6 * 3600.0, 24 * 3600.0  # seconds between sessions, and of one
FLOOR = 1e-6  # of a fixed-order model, for what it has never seen
RATES = (1e-4, 1e-5)

Key = tuple[str, str]  # service, principal


@dataclass
class Session:
    """Steps of one principal without a pause of six hours, a day at most. ``attack``: it holds a skipped step."""

    key: Key
    steps: list[Step] = field(default_factory=list)
    attack: bool = False


def sessions_of(events: Path, labels: Path) -> Iterator[Session]:
    """Yield sessions in the order in which they begin, of principals that are one."""
    marked: dict[Key, set[float]] = defaultdict(set)
    steps: dict[Key, list[Step]] = defaultdict(list)
    slot, gathered = -1, Activity()
    with events.open(encoding="utf-8") as lines, labels.open(encoding="utf-8") as said:
        for line, label in zip(lines, said, strict=True):
            event, known = json.loads(line), json.loads(label)
            if event["time"] // 300 != slot:
                _take(gathered, steps)
                slot, gathered = event["time"] // 300, Activity()
            gathered.add(event)
            if known["family"] == FAMILY and not known["cover"]:
                marked[event["service"], event["principal"]].add(round(event["time"], 3))
    _take(gathered, steps)
    found = [one for key, taken in steps.items() for one in _cut(key, taken, marked[key])]
    yield from sorted(found, key=lambda one: (one.steps[0].time, one.key))


def _take(gathered: Activity, steps: dict[Key, list[Step]]) -> None:
    for row in gathered.rows():
        if row.kind != "anonymous":
            steps[row.service, row.principal] += row.steps


def _cut(key: Key, steps: Sequence[Step], marked: set[float]) -> Iterator[Session]:
    session = Session(key)
    for step in steps:
        if session.steps and (
            step.time - session.steps[-1].time > PAUSE or step.time - session.steps[0].time > LONGEST
        ):
            yield session
            session = Session(key)
        session.steps.append(step)
        session.attack = session.attack or round(step.time, 3) in marked
    if session.steps:
        yield session


# --- the models ---------------------------------------------------------------------------------------------


class Bigram:
    """First order, each count one too many (Laplace); the mean surprisal."""

    name = "bigram, add one"
    order = 1

    def __init__(self) -> None:
        self.counts: dict[tuple[str, ...], Counter[str]] = defaultdict(Counter)
        self.words: set[str] = set()

    def contexts(self, session: Session) -> Iterator[tuple[tuple[str, ...], str]]:
        context = ("^",) * self.order
        for step in session.steps:
            yield (session.key[0], *context), step.operation
            context = (*context, step.operation)[-self.order :]

    def learn(self, session: Session) -> None:
        for context, step in self.contexts(session):
            self.counts[context][step] += 1
            self.words.add(step)

    def surprisal(self, context: tuple[str, ...], step: str) -> float:
        following = self.counts.get(context, Counter())
        return -math.log2((following[step] + 1) / (sum(following.values()) + len(self.words)))

    def score(self, session: Session) -> float:
        bits = [self.surprisal(*one) for one in self.contexts(session)]
        return sum(bits) / len(bits)


class FixedOrder(Bigram):
    """Third order as it was counted; the highest surprisal."""

    name = "Markov of order 3"
    order = ORDER

    def surprisal(self, context: tuple[str, ...], step: str) -> float:
        following = self.counts.get(context, Counter())
        return -math.log2(max(FLOOR, following[step] / max(1, sum(following.values()))))

    def score(self, session: Session) -> float:
        return max(self.surprisal(*one) for one in self.contexts(session))


class Sequences:
    """``apisec.sequences``: rules with a bound, and surprisal by Kneser-Ney; ``rules`` False: the latter alone."""

    def __init__(self, rules: bool = True) -> None:
        self.rules = rules
        self.name = "apisec.sequences" if rules else "Kneser-Ney alone"
        self.orders: dict[str, Order] = defaultdict(Order.new)
        self.walks: dict[Key, Walk] = defaultdict(Walk)

    def _moments(self, session: Session, learn: bool) -> list[Moment]:
        order, walk, made = self.orders[session.key[0]], self.walks[session.key], []
        order.precedence.mine(int(session.steps[0].time // 300))
        for step in session.steps:
            made.append(follow(order, walk, step, int(step.time // 300)))
            if learn:
                teach(order, walk, str(session.key), made[-1])
        return made

    def learn(self, session: Session) -> None:
        self._moments(session, learn=True)

    def score(self, session: Session) -> float:
        moments = self._moments(session, learn=False)
        order, walk = self.orders[session.key[0]], self.walks[session.key]
        evidence = min(MOST_SURPRISE, -math.log10(order.surprise.p_value(walk.length, statistic(walk))))
        broken = [-math.log10(one.rule.rate) * one.covered for moment in moments for one in moment.broken]
        return evidence + 10.0 * max(broken, default=0.0) if self.rules else evidence

    def state(self) -> int:
        """Return the characters of the services' states as JSON."""
        parts = [part for one in self.orders.values() for part in (one.transitions, one.precedence, one.surprise)]
        return sum(len(json.dumps(part.to_state(), separators=(",", ":"))) for part in parts)


# --- figures ------------------------------------------------------------------------------------------------


def figures(ordinary: list[float], attacks: list[float]) -> dict[str, float]:
    """Area under the curve, and the share of attacks above what so few ordinary sessions reach."""
    ordinary = sorted(ordinary)
    wins = sum(bisect_left(ordinary, one) + bisect_right(ordinary, one) for one in attacks) / 2
    found = {"auc": wins / (len(ordinary) * len(attacks))}
    for rate in RATES:
        threshold = ordinary[-1 - int(rate * len(ordinary))]
        found[f"recall at {rate:g}"] = sum(one > threshold for one in attacks) / len(attacks)
    return found


def measure(make: Callable[[], Any], history: list[Session], later: list[Session]) -> dict[str, Any]:
    model = make()
    begun = time.process_time()
    for session in history:
        model.learn(session)
    model.score(later[0])  # what is made of the counts before the first question is training
    learned = time.process_time()
    scores = [(model.score(session), session.attack) for session in later[1:]]
    ended = time.process_time()
    row: dict[str, Any] = {"model": model.name}
    row |= figures([score for score, attack in scores if not attack], [score for score, attack in scores if attack])
    row["steps/s learned"] = round(sum(len(one.steps) for one in history) / (learned - begun))
    row["steps/s scored"] = round(sum(len(one.steps) for one in later) / (ended - learned))
    if isinstance(model, Sequences):
        row["state (characters)"] = model.state()
    return row


def simulated(folder: Path, options: argparse.Namespace) -> tuple[Path, Path]:
    """Let the simulator write ordinary traffic with this family's campaigns."""
    tool = Path(sys.executable).with_name("apisec-sandbox")
    command = [str(tool), "campaigns", "--output", str(folder), "--seed", str(options.seed)]
    command += ["--weeks", str(options.weeks), "--apps", str(options.apps), "--families", FAMILY]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return folder / "events.jsonl", folder / "labels.jsonl"


def run(events: Path, labels: Path) -> list[dict[str, Any]]:
    sessions = list(sessions_of(events, labels))
    first, last = sessions[0].steps[0].time, sessions[-1].steps[0].time
    until = first + HISTORY_SHARE * (last - first)
    history = [one for one in sessions if one.steps[0].time < until]
    later = [one for one in sessions if one.steps[0].time >= until]
    attacks = sum(one.attack for one in later)
    print(
        f"{len(history)} sessions teach; {len(later) - attacks} ordinary ones and {attacks} with skipped steps judged"
    )
    models: list[Callable[[], Any]] = [Bigram, FixedOrder, lambda: Sequences(rules=False), Sequences]
    return [measure(make, history, later) for make in models]


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weeks", type=float, default=1.0)
    parser.add_argument("--apps", type=int, default=4)
    parser.add_argument("--seed", type=int, default=31)
    parser.add_argument("--events", type=Path)
    parser.add_argument("--labels", type=Path)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        given = (options.events, options.labels) if options.events else simulated(Path(folder), options)
        rows = run(*given)
    if options.json:
        print(json.dumps(rows, indent=1))
        return 0
    for row in rows:
        print("  ".join(f"{name} {value:.4g}" if isinstance(value, float) else f"{value}" if name == "model" else
                        f"{name} {value:,}" for name, value in row.items()))  # fmt: skip
    return 0


if __name__ == "__main__":
    sys.exit(main())
