"""Tables of what was found, missed, said wrongly and leaked."""

from __future__ import annotations

import math
import random
from collections import Counter, defaultdict
from collections.abc import Mapping
from typing import Any

from benchmarks.corpus.score import Tally

Z = 1.959964  # of the normal distribution, for 95 %
TARGETS = {"pci.pan": 0.99, "pii.ssn": 0.99, "fin.iban": 0.99, "pii.email": 0.99}  # F1
MAX_LEAK = 0.001  # share of planted values


def coverage(events: Mapping[str, Mapping[str, Any]]) -> None:
    """Print how many events say that they do not show everything, and the commonest reasons: nothing leaks of those."""
    counts = Counter(event["coverage"] for event in events.values())
    reasons = Counter(
        reason.partition(":")[2] for event in events.values() for reason in event.get("coverage_reasons", ())
    )
    print("coverage: " + ", ".join(f"{name} {number}" for name, number in counts.most_common()))
    for reason, number in reasons.most_common(3):
        print(f"    {number:5} {reason.strip()}")


def wilson(hits: float, trials: float) -> tuple[float, float]:
    """Return the interval that holds a share at 95 % (Wilson, 1927). The corpus imports nothing of the product."""
    if not trials:
        return 0.0, 1.0
    share, square = hits / trials, Z * Z / trials
    middle = (share + square / 2) / (1 + square)
    half = Z * math.sqrt(share * (1 - share) / trials + square / (4 * trials)) / (1 + square)
    return max(0.0, middle - half), min(1.0, middle + half)


def _rates(hits: int, missed: int, false: int) -> tuple[float, float, float]:
    """Return precision, recall and F1."""
    precision = hits / (hits + false) if hits + false else 0.0
    recall = hits / (hits + missed) if hits + missed else 0.0
    return precision, recall, 2 * hits / (2 * hits + missed + false) if hits else 0.0


def _row(hits: int, missed: int, false: int, leaked: int, planted: int) -> str:
    """Precision and recall; F1, a share of hits + (missed + false) / 2, and leaks with their intervals."""
    precision, recall, f1 = _rates(hits, missed, false)
    low, high = wilson(f1 * (hits + (missed + false) / 2), hits + (missed + false) / 2)
    _, most = wilson(leaked, planted)
    return f"{precision:9.3f}{recall:8.3f}{f1:7.3f} [{low:.3f}, {high:.3f}]{planted:9}{leaked:8} (<= {most:6.2%})"


def classes(tally: Tally) -> None:
    """Print precision, recall and F1 per class, with intervals of 95 %."""
    print(f"{'class':22}{'precision':>9}{'recall':>8}{'F1':>7} {'of 95 %':15}{'planted':>9}{'leaked':>8}{'exact':>20}")
    for name in sorted(set(tally.hits) | set(tally.missed) | set(tally.false)):
        hits = tally.hits[name]
        row = _row(hits, tally.missed[name], tally.false[name], tally.leaked[name], tally.planted[name])
        print(f"{name:22}{row}{tally.exact[name] / hits if hits else 0.0:8.2f}")
    print(f"{'micro':22}{_row(*(counts.total() for counts in _counts(tally)))}")
    each = [tally.rates([name])[2] for name in tally.planted]
    print(f"macro F1, the mean of {len(each)} classes: {sum(each) / max(1, len(each)):.3f}")
    low, high = by_names(tally)
    print(f"micro F1 with other names of the same kind (resampled by name): [{low:.3f}, {high:.3f}]")
    if tally.partly:
        listed = ", ".join(f"{name} {number}" for name, number in tally.partly.most_common())
        print(f"not leaked as a whole, but in part: {tally.partly.total()} ({listed})")


def _counts(tally: Tally) -> tuple[Counter[str], ...]:
    return tally.hits, tally.missed, tally.false, tally.leaked, tally.planted


def by_names(tally: Tally, times: int = 400) -> tuple[float, float]:
    """Return the interval of micro F1 when names are drawn again: what stands under one is found or missed together."""
    rng, names, drawn = random.Random(1), list(tally.names.values()), []
    rows = [(counts["found"], counts["missed"], counts["false alarm"]) for counts in names]
    for _ in range(times if rows else 0):
        again = rng.choices(rows, k=len(rows))
        drawn.append(_rates(*(sum(column) for column in zip(*again, strict=True)))[2])
    drawn.sort()
    return (drawn[int(times * 0.025)], drawn[int(times * 0.975)]) if drawn else (0.0, 1.0)


def strata(tally: Tally) -> None:
    """Print micro figures by stratum: what kind of name a value stands under. Alarms count where the name stands."""
    if set(tally.strata) == {""}:
        return
    print(f"{'stratum':22}{'precision':>9}{'recall':>8}{'F1':>7} {'of 95 %':15}{'planted':>9}{'leaked':>8}")
    for name, counts in sorted(tally.strata.items()):
        kinds = ("found", "missed", "false alarm", "leaked", "planted")
        print(f"{name:22}{_row(*(counts[kind] for kind in kinds))}")


def targets(tally: Tally) -> None:
    """Print what was asked for beside what is."""
    for name, wanted in TARGETS.items():
        if tally.planted[name]:
            print(_verdict(f"F1 of {name}", tally.rates([name])[2], wanted, tally.rates([name])[2] >= wanted))
    print(_verdict("leaked", tally.leak(), MAX_LEAK, tally.leak() <= MAX_LEAK))


def _verdict(what: str, figure: float, wanted: float, met: bool) -> str:
    return f"{what:22}{figure:10.4f}  target {wanted:<6} {'met' if met else 'MISSED'}"


def carriers(tally: Tally) -> None:
    print(f"{'carrier':22}{'found':>7}{'missed':>8}{'alarms':>8}{'leaked':>8}")
    for name, counts in sorted(tally.carriers.items()):
        print(f"{name:22}{counts['found']:7}{counts['missed']:8}{counts['false alarm']:8}{counts['leaked']:8}")


def failures(tally: Tally, limit: int) -> None:
    """Print the commonest failures of each kind, by what was planted under which name."""
    for kind in ("missed", "false alarm", "leaked", "leaked in part"):
        kinds: Counter[tuple[str, str, str]] = Counter()
        where: dict[tuple[str, str, str], set[str]] = defaultdict(set)
        for _, label, said in (failure for failure in tally.failures if failure[0] == kind):
            key = (label["format"].partition("|")[0], label["name"], ",".join(said) or "nothing")
            kinds[key] += 1
            where[key].add(label["carrier"])
        for key, number in kinds.most_common(limit):
            shown = " ".join(sorted(where[key])[:4])
            print(f"{number:5} {kind:12} {key[0]:36} as {key[1]!r}, said: {key[2]} ({shown})")


def beside(ours: Tally, theirs: Tally, peer: str, names: list[str]) -> None:
    """Print F1 of the classes that a peer has, ours beside its own, and the ratio of what lacks to 1."""
    print(f"{'class':22}{'apisec':>8}{peer:>16}{'its 1-F1/ours':>16}")
    for name in names:
        _beside(name, ours.rates([name])[2], theirs.rates([name])[2])
    _beside(f"micro of these {len(names)}", ours.rates(names)[2], theirs.rates(names)[2])


def _beside(name: str, ours: float, theirs: float) -> None:
    ratio = f"{(1 - theirs) / (1 - ours):.1f}x" if ours < 1 else "-"
    print(f"{name:22}{ours:8.3f}{theirs:16.3f}{ratio:>16}")
