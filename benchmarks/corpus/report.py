"""Tables of what was found, missed, said wrongly and leaked."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from typing import Any

from benchmarks.corpus.score import Tally

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


def classes(tally: Tally) -> None:
    """Print precision, recall and F1 per class."""
    print(f"{'class':22}{'precision':>10}{'recall':>8}{'F1':>7}{'exact':>7}{'planted':>9}{'leaked':>8}")
    for name in sorted(set(tally.hits) | set(tally.missed) | set(tally.false)):
        precision, recall, f1 = tally.rates([name])
        exact = tally.exact[name] / tally.hits[name] if tally.hits[name] else 0.0
        counts = f"{tally.planted[name]:9}{tally.leaked[name]:8}"
        print(f"{name:22}{precision:10.3f}{recall:8.3f}{f1:7.3f}{exact:7.2f}{counts}")
    precision, recall, f1 = tally.rates()
    counts = f"{tally.planted.total():9}{tally.leaked.total():8}"
    print(f"{'micro':22}{precision:10.3f}{recall:8.3f}{f1:7.3f}{'':7}{counts}")


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
    for kind in ("missed", "false alarm", "leaked"):
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
