"""Precision, recall and F1 per class of a reader of the corpus: ours by its events, peers by their spans."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from benchmarks.corpus.leaks import Shipped

LabelDocument = Mapping[str, Any]
OVERREDACTED = "(harmless text)"  # a harmless value in a text is gone, and no class says why
OF_SPECS = "spec"  # format of values made for public specs: a few words, which names of persons are made of, too
HALVED = 24  # characters from which half of a secret is one
WORD = 6  # letters from which a word tells a name
_IDENTITY = ("principal", "user")  # who acts: no finding of sensitive data


class Reader(Protocol):
    """What was said of one transaction."""

    def classes(self, label: LabelDocument) -> set[str]:
        """Return the classes said of a label's field, or of all of its place when it has no path of its own."""

    def hides(self, label: LabelDocument) -> bool:
        """True when the value itself was seen: it is gone, or lies in what was found."""

    def removes(self, label: LabelDocument) -> bool:
        """True when the value is gone from a place that is shown otherwise."""


class EventReader:
    """Reads an event of the forwarder."""

    def __init__(self, event: Mapping[str, Any], labels: Sequence[LabelDocument]) -> None:
        self.shipped = Shipped(event)
        self._shown = {(side, "body") for side in ("request", "response") if event.get(f"{side}_body")}
        self._shown |= {("request", "query")} if event.get("uri_query") else set()
        self._shown = self._shown if event.get("coverage", "complete") == "complete" else set()
        self._fields: dict[tuple[str, str], list[tuple[str, list[str]]]] = defaultdict(list)
        for side in ("request", "response"):
            for one in event.get(f"{side}_fields", ()):
                self._fields[side, one["in"]].append((_plain(one["path"]), one.get("classes", [])))
        # A harmless value that holds a planted one of the same transaction is not harmless there.
        self._planted = [str(one["value"]) for one in labels if one["class"] is not None]
        self._named = {(one["side"], one["in"], _plain(one["path"])) for one in labels if one["path"] is not None}

    def classes(self, label: LabelDocument) -> set[str]:
        found: set[str] = set()
        path = None if label["path"] is None else _plain(label["path"])
        for name, classes in self._fields[label["side"], label["in"]]:
            own = name == path or (path is not None and name.startswith((path + ".", path + "[")))
            loose = path is None and (label["side"], label["in"], name) not in self._named
            if own or loose:
                found.update(classes)
        return found

    def hides(self, label: LabelDocument) -> bool:
        return not self.shipped.holds(label["value"])

    def removes(self, label: LabelDocument) -> bool:
        if (label["side"], label["in"]) not in self._shown or label["format"] == OF_SPECS:
            return False
        return self.hides(label) and not any(value in str(label["value"]) for value in self._planted)


def _plain(path: str) -> str:
    return path.removeprefix("$").removeprefix("[]").removeprefix(".")


class SpanReader:
    """Reads what a peer found: for each text of the transaction, (start, end, class)."""

    def __init__(self, texts: Sequence[str], found: Mapping[int, Collection[tuple[int, int, str]]]) -> None:
        self._texts, self._found = texts, found

    def classes(self, label: LabelDocument) -> set[str]:
        return {data_class for _, _, data_class in self._found.get(label["text"], ())}

    def hides(self, label: LabelDocument) -> bool:
        at = self._texts[label["text"]].find(str(label["value"]))
        end = at + len(str(label["value"]))
        return any(start < end and at < stop for start, stop, _ in self._found.get(label["text"], ()))

    def removes(self, label: LabelDocument) -> bool:
        return False  # what it takes, it says a class of


def group(data_class: str) -> str:
    """Return the class that figures are given for: countries and vendors are taken together."""
    for family in ("pii.national_id", "secret.api_key", "health.medicare"):
        if data_class.startswith(family):
            return family
    return data_class


def right(said: str, label: LabelDocument) -> bool:
    """True when a class is the label's, one above or below it, or one of those that are right too."""
    for accepted in (label["class"], *label["accept"]):
        if said == accepted or said.startswith(accepted + ".") or accepted.startswith(said + "."):
            return True
    return False


@dataclass
class Tally:
    """Counts of one reader over a split."""

    hits: Counter[str] = field(default_factory=Counter)
    exact: Counter[str] = field(default_factory=Counter)
    missed: Counter[str] = field(default_factory=Counter)
    false: Counter[str] = field(default_factory=Counter)
    planted: Counter[str] = field(default_factory=Counter)
    leaked: Counter[str] = field(default_factory=Counter)
    partly: Counter[str] = field(default_factory=Counter)  # not leaked as a whole, but a good part of it stands there
    carriers: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    strata: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    names: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    failures: list[tuple[str, LabelDocument, tuple[str, ...]]] = field(default_factory=list)

    def fail(self, kind: str, label: LabelDocument, said: Iterable[str]) -> None:
        self.failures.append((kind, label, tuple(sorted(said))))
        self.count(kind, label)

    def count(self, kind: str, label: LabelDocument) -> None:
        self.carriers[label["carrier"]][kind] += 1
        self.strata[label.get("stratum", "")][kind] += 1
        self.names[label["name"]][kind] += 1

    def rates(self, names: Collection[str] | None = None) -> tuple[float, float, float]:
        """Return precision, recall and F1 of some classes, or of all together."""

        def total(counts: Counter[str]) -> int:
            return counts.total() if names is None else sum(counts[name] for name in names)

        hits, missed, false = total(self.hits), total(self.missed), total(self.false)
        precision = hits / (hits + false) if hits + false else 0.0
        recall = hits / (hits + missed) if hits + missed else 0.0
        return precision, recall, 2 * precision * recall / (precision + recall) if hits else 0.0

    def leak(self) -> float:
        return self.leaked.total() / max(1, self.planted.total())


def score(tally: Tally, labels: Sequence[LabelDocument], reader: Reader, *, strict: bool = False) -> None:
    """Count one transaction. ``strict``: what a checksum alone may take for sensitive is no false alarm."""
    labels = [strictly(label) for label in labels] if strict else labels
    groups: dict[tuple[str, str, str | None], list[LabelDocument]] = defaultdict(list)
    for label in labels:
        if label["scored"]:
            groups[label["side"], label["in"], label["path"]].append(label)
    for (_, _, path), members in groups.items():
        (_score_place if path is None else _score_field)(tally, members, reader, strict)


def strictly(label: LabelDocument) -> LabelDocument:
    """See a label as strict mode has to: a number that passes a card's checks is one, whatever its field is called."""
    if label["class"] is None and label["strict"] == ["pci.pan"]:
        return {**label, "class": "pci.pan"}
    return label


def _allowed(said: str, members: Iterable[LabelDocument], strict: bool) -> bool:
    if said in _IDENTITY:
        return True
    if any(label["class"] is not None and right(said, label) for label in members):
        return True
    return strict and any("*" in label["strict"] or said in label["strict"] for label in members)


def _alarms(tally: Tally, members: Sequence[LabelDocument], said: set[str], strict: bool) -> set[str]:
    wrong = {group(one) for one in said if not _allowed(one, members, strict)}
    for one in wrong:
        tally.false[one] += 1
        tally.fail("false alarm", members[0], said)
    return wrong


def _found(tally: Tally, label: LabelDocument, said: set[str], seen: bool) -> None:
    name = group(label["class"])
    if seen and any(right(one, label) for one in said):
        tally.hits[name] += 1
        tally.exact[name] += label["class"] in said
        tally.count("found", label)
    else:
        tally.missed[name] += 1
        tally.fail("missed", label, said)


def _score_field(tally: Tally, members: Sequence[LabelDocument], reader: Reader, strict: bool) -> None:
    """One field, whose values are of one class or harmless."""
    said = reader.classes(members[0])
    wrong = _alarms(tally, members, said, strict)
    if members[0]["class"] is not None:
        _found(tally, members[0], said, True)
    elif not wrong and any(reader.removes(label) and not (strict and label["strict"]) for label in members):
        tally.false[OVERREDACTED] += 1
        tally.fail("false alarm", members[0], said)


def _score_place(tally: Tally, members: Sequence[LabelDocument], reader: Reader, strict: bool) -> None:
    """A text, or another place where fields cannot be told apart: each value for itself."""
    said = reader.classes(members[0])
    wrong = _alarms(tally, members, said, strict)
    for label in members:
        if label["class"] is not None:
            _found(tally, label, said, reader.hides(label))
        elif reader.hides(label) and not wrong and not (strict and label["strict"]):
            tally.false[OVERREDACTED] += 1
            tally.fail("false alarm", label, said)


def count_leaks(tally: Tally, labels: Sequence[LabelDocument], reader: EventReader) -> None:
    """Count the planted values of one transaction, and those that its event still holds."""
    for label in labels:
        if label["class"] is None:
            continue
        name = group(label["class"])
        tally.planted[name] += 1
        tally.count("planted", label)
        if reader.shipped.holds(label["value"]):
            tally.leaked[name] += 1
            tally.fail("leaked", label, ())
        elif _telling(label, labels) and reader.shipped.holds(_telling(label, labels)):
            tally.partly[name] += 1
            tally.fail("leaked in part", label, ())


def _telling(label: LabelDocument, labels: Sequence[LabelDocument]) -> str:
    """Return the part of a value that says as much as the whole: half a secret, the longest word of a name."""
    value, data_class = str(label["value"]), label["class"]
    if data_class.startswith("secret.") and len(value) >= HALVED:
        return value[len(value) // 2 :]
    if data_class in ("pii.name", "pii.address"):
        word = max((word for word in value.split() if word.isalpha()), key=len, default="")
        others = " ".join(str(other["value"]) for other in labels if other["value"] != label["value"])
        return word if len(word) >= WORD and word != value and word not in others else ""
    return ""
