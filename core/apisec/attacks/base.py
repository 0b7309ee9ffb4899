"""What a payload detector is: literals that are asked first, weighted evidence, and how evidence adds up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Callable, Dict, FrozenSet, Iterable, List, NamedTuple, Optional, Pattern, Set, Tuple, Union

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

    ``judge`` yields weights for what no expression can say, in texts that have one of ``judged``. Several pieces of
    evidence add up as independent ones: 1 - (1-a)(1-b). ``needs`` are the literals of all of them: looking for one
    costs a fiftieth of an expression.
    """

    id: str
    family: str
    evidence: Tuple[Evidence, ...]
    judge: Optional[Judge]
    judged: FrozenSet[str]
    needs: FrozenSet[str]

    def score(self, text: str, present: Set[str]) -> float:
        """Return 0 to 1 for a decoded text in lower case; ``present`` are the literals that stand in it."""
        if self.needs.isdisjoint(present):
            return 0.0
        doubt = 1.0
        for weight, shape, needs in self.evidence:
            if not needs.isdisjoint(present) and shape.search(text):
                doubt *= 1 - weight
        if self.judge is not None and not self.judged.isdisjoint(present):
            for weight in self.judge(text):
                doubt *= 1 - weight
        return round(1 - doubt, 3)


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


Row = Tuple[Union[float, str], ...]


def attack(name: str, family: str, *rows: Row, judge: Optional[Judge] = None, judged: Tuple[str, ...] = ()) -> Attack:
    """Return a detector of rows: weight, pattern, and the literals of which one stands in every match of it."""
    found = []
    for weight, pattern, *needs in rows:
        if not needs:
            raise ValueError(f"{name}: a row has no literals, so every text would be asked: {str(pattern)[:60]}")
        found.append(Evidence(float(weight), linear(str(pattern)), frozenset(map(str, needs))))
    every = frozenset(judged).union(*[row.needs for row in found])
    return Attack(name, family, tuple(found), judge, frozenset(judged), every)


def linear(pattern: str) -> Pattern[str]:
    """Return a shape, compiled when first asked. It nests no quantifiers, so that hostile text costs linear time."""
    return lazy(pattern)
