"""What a payload detector is: literals that are asked first, weighted evidence, and how evidence adds up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Callable, Iterable, List, NamedTuple, Optional, Pattern, Tuple, Union

from apisec.validators.lazy import lazy

THRESHOLD = 0.5  # below it nothing is said

Judge = Callable[[str], Iterable[float]]


class Evidence(NamedTuple):
    """One shape of a payload and how much it says alone, 0 to 1. ``needs``: one of them stands in every match."""

    weight: float
    shape: Pattern[str]
    needs: Tuple[str, ...]


@dataclass(frozen=True)
class Attack:
    """Gives evidence of an attack in one decoded value of a request, in lower case.

    ``judge`` yields weights for what no expression can say. ``needs``: literals, one of which stands in every text that
    can score, for looking for them costs a fiftieth of an expression. Several pieces of evidence add up as independent
    ones: 1 - (1-a)(1-b).
    """

    id: str
    family: str
    evidence: Tuple[Evidence, ...]
    judge: Optional[Judge]
    needs: Tuple[str, ...]

    def score(self, text: str) -> float:
        """Return 0 to 1 for a decoded text in lower case."""
        for literal in self.needs:
            if literal in text:
                break
        else:
            return 0.0
        doubt = 1.0
        for weight, shape, needs in self.evidence:
            for literal in needs:
                if literal in text:
                    if shape.search(text):
                        doubt *= 1 - weight
                    break
        if self.judge is not None:
            for weight in self.judge(text):
                doubt *= 1 - weight
        return round(1 - doubt, 3)


Row = Tuple[Union[float, str], ...]


def attack(name: str, family: str, *rows: Row, judge: Optional[Judge] = None, judged: Tuple[str, ...] = ()) -> Attack:
    """Return a detector of rows: weight, pattern, and the literals of which one stands in every match of it.

    ``judged``: literals, one of which stands in every text that ``judge`` has to see.
    """
    found = []
    for weight, pattern, *needs in rows:
        if not needs:
            raise ValueError(f"{name}: a row has no literals, so every text would be asked: {str(pattern)[:60]}")
        found.append(Evidence(float(weight), linear(str(pattern)), tuple(map(str, needs))))
    return Attack(name, family, tuple(found), judge, _fewest([*judged, *[need for row in found for need in row.needs]]))


def _fewest(literals: Iterable[str]) -> Tuple[str, ...]:
    """Return the literals without those that another one of them stands in, the shortest first."""
    kept: List[str] = []
    for literal in sorted(set(literals), key=lambda literal: (len(literal), literal)):
        if not any(known in literal for known in kept):
            kept.append(literal)
    return tuple(kept)


def linear(pattern: str) -> Pattern[str]:
    """Return a shape, compiled when first asked. It nests no quantifiers, so that hostile text costs linear time."""
    return lazy(pattern)
