"""What a payload detector is: literals that are asked first, weighted evidence, and how evidence adds up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Callable, Dict, FrozenSet, Iterable, List, NamedTuple, Optional, Pattern, Set, Tuple, Union

from apisec.validators.lazy import lazy

THRESHOLD = 0.5  # below it nothing is said

Judge = Callable[[str], Iterable[float]]


class Evidence(NamedTuple):
    """One shape of a payload and how much it says alone, 0 to 1. ``needs``: one of them stands in every match."""

    weight: float
    shape: Pattern[str]
    needs: FrozenSet[str]


@dataclass(frozen=True)
class Attack:
    """Gives evidence of an attack in one decoded value of a request, in lower case.

    ``judge`` yields weights for what no expression can say, of texts that have one of ``judged``. Several pieces of
    evidence add up as independent ones: 1 - (1-a)(1-b).
    """

    id: str
    family: str
    evidence: Tuple[Evidence, ...]
    judge: Optional[Judge]
    judged: FrozenSet[str]


class Literals:
    """Finds which of many literals stand in a text: those whose rarest character stands in it are looked for."""

    _COMMON = " etaoinsrhldcumpgfwybvkxjqz0123456789.,-/:()'\""

    def __init__(self, literals: Iterable[str]) -> None:
        groups: Dict[str, List[str]] = {}
        for literal in sorted(set(literals)):
            groups.setdefault(max(literal, key=self._rarity), []).append(literal)
        self._groups = {key: tuple(group) for key, group in groups.items()}
        self._keys = frozenset(groups)

    def _rarity(self, character: str) -> int:
        at = self._COMMON.find(character)
        return at if at >= 0 else len(self._COMMON)

    def present(self, text: str) -> Set[str]:
        """Return the literals that stand in a text."""
        found: Set[str] = set()
        for key in self._keys.intersection(text):
            for literal in self._groups[key]:
                if literal in text:
                    found.add(literal)
        return found


class Index:
    """Asks many detectors about a text. Only evidence whose literals stand in it is asked: they cost a fiftieth."""

    def __init__(self, attacks: Iterable[Attack]) -> None:
        self._asked: List[Tuple[str, float, Callable[[str], Any], bool]] = []
        by_literal: Dict[str, List[int]] = {}
        for one in attacks:
            for row in one.evidence:
                ask = row.shape.match if anchored(row.shape.pattern) else row.shape.search
                self._add(by_literal, row.needs, (one.id, row.weight, ask, False))
            if one.judge is not None:
                self._add(by_literal, one.judged, (one.id, 0.0, one.judge, True))
        self._of = {literal: tuple(numbers) for literal, numbers in by_literal.items()}
        self._literals = Literals(by_literal)

    def _add(
        self,
        by_literal: Dict[str, List[int]],
        needs: FrozenSet[str],
        asked: Tuple[str, float, Callable[[str], Any], bool],
    ) -> None:
        for literal in needs:
            by_literal.setdefault(literal, []).append(len(self._asked))
        self._asked.append(asked)

    def scores(self, text: str) -> Dict[str, float]:
        """Return the scores of the detectors that see something in a text in lower case, in their order."""
        numbers: Set[int] = set()
        for literal in self._literals.present(text):
            numbers.update(self._of[literal])
        doubts: Dict[str, float] = {}
        for number in sorted(numbers):
            name, weight, ask, judging = self._asked[number]
            if judging:
                for weight in ask(text):
                    doubts[name] = doubts.get(name, 1.0) * (1 - weight)
            elif ask(text):
                doubts[name] = doubts.get(name, 1.0) * (1 - weight)
        return {name: round(1 - doubt, 3) for name, doubt in doubts.items()}


def anchored(pattern: str) -> bool:
    """Return whether each alternative of a pattern begins at the text's beginning: asking there only is quicker."""
    depth, begins, at = 0, True, 0
    while at < len(pattern):
        character = pattern[at]
        if begins and character != "^":
            return False
        begins = False
        if character == "\\":
            at += 1
        elif character == "[":
            at = pattern.index("]", at + 2)  # a bracket right behind the first one stands for itself
        elif character in "()":
            depth += 1 if character == "(" else -1
        elif character == "|" and depth == 0:
            begins = True
        at += 1
    return not begins


Row = Tuple[Union[float, str], ...]


def attack(name: str, family: str, *rows: Row, judge: Optional[Judge] = None, judged: Tuple[str, ...] = ()) -> Attack:
    """Return a detector of rows: weight, pattern, and the literals of which one stands in every match of it."""
    found = []
    for weight, pattern, *needs in rows:
        if not needs:
            raise ValueError(f"{name}: a row has no literals, so every text would be asked: {str(pattern)[:60]}")
        found.append(Evidence(float(weight), linear(str(pattern)), frozenset(map(str, needs))))
    return Attack(name, family, tuple(found), judge, frozenset(judged))


def linear(pattern: str) -> Pattern[str]:
    """Return a shape, compiled when first asked. It nests no quantifiers, so that hostile text costs linear time."""
    return lazy(pattern)
