"""What a payload detector is: literals that are asked first, weighted evidence, and how evidence adds up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Callable, Dict, FrozenSet, Iterable, List, NamedTuple, Optional, Pattern, Sequence, Set, Tuple, Union

from apisec.validators.lazy import lazy

THRESHOLD = 0.5  # below it nothing is said
MAX_MASKS = 4_096  # sets of evidence that are remembered

Ask = Callable[[str], Iterable[float]]  # what yields weights of evidence in a text
Asked = Tuple[
    str, Ask, Optional[Pattern[str]], float
]  # detector, what to ask, the same as a search, the doubt it leaves


class Evidence(NamedTuple):
    """One shape of a payload and how much it says alone, 0 to 1. ``needs``: one of them stands in every match.

    ``gate`` matches wherever the shape does, and is asked once for all rows that share it.
    """

    weight: float
    shape: Pattern[str]
    needs: FrozenSet[str]
    gate: Optional[Pattern[str]] = None


class Gate(str):
    """The expression of a gate, among the literals of a row."""


@dataclass(frozen=True)
class Attack:
    """Gives evidence of an attack in one decoded value of a request, in lower case.

    ``judge`` yields weights for what no expression can say, of texts that have one of ``judged``. Several pieces of
    evidence add up as independent ones: 1 - (1-a)(1-b).
    """

    id: str
    family: str
    evidence: Tuple[Evidence, ...]
    judge: Optional[Ask]
    judged: FrozenSet[str]


class Literals:
    """Finds which of many literals stand in a text: those whose rarest pair of bytes stands there are looked for."""

    _COMMON = b" etaoinsrhldcumpgfwybvkxjqz0123456789.,-/:()'\""

    def __init__(self, literals: Iterable[str]) -> None:
        self._of: Dict[int, Tuple[str, ...]] = {}
        single: List[str] = []
        for literal in sorted(set(literals)):
            data = literal.encode()
            if len(data) == 1:
                single.append(literal)
                continue
            rarest = max([data[at : at + 2] for at in range(len(data) - 1)], key=self._rarity)
            (key,) = memoryview(rarest).cast("H")
            self._of[key] = (*self._of.get(key, ()), literal)
        self._pairs = frozenset(self._of)
        self._single = tuple(single)

    def _rarity(self, pair: bytes) -> int:
        return sum([at if at >= 0 else len(self._COMMON) for at in map(self._COMMON.find, pair)])

    def present(self, text: str) -> Set[str]:
        """Return the literals that stand in a text."""
        data = text.encode("utf-8", "surrogatepass")
        found = {literal for literal in self._single if literal in text}
        pairs = self._pairs
        for half in (data, data[1:]):  # pairs that begin at even places, and at odd ones
            if len(half) > 1:
                for key in pairs.intersection(memoryview(half[: len(half) & ~1]).cast("H")):
                    for literal in self._of[key]:
                        if literal in text:
                            found.add(literal)
        return found


class Index:
    """Asks many detectors about a text. Only evidence whose literals stand in it is asked: they cost a fiftieth."""

    def __init__(self, attacks: Iterable[Attack]) -> None:
        self._asked: List[Asked] = []
        self._masks: Dict[str, int] = {}  # by literal: a bit for each piece of evidence that has it
        self._rows: Dict[int, Tuple[Asked, ...]] = {}  # by mask, remembered
        for one in attacks:
            for row in one.evidence:
                if row.gate is None:
                    shape = None if anchored(row.shape.pattern) else row.shape
                    self._add(row.needs, (one.id, _asking(row), shape, 1 - row.weight))
            for gate in {row.gate.pattern: row.gate for row in one.evidence if row.gate is not None}.values():
                rows = [row for row in one.evidence if row.gate is gate]
                self._add(frozenset().union(*[row.needs for row in rows]), (one.id, _behind(gate, rows), None, 0.0))
            if one.judge is not None:
                self._add(one.judged, (one.id, one.judge, None, 0.0))
        self._literals = Literals(self._masks)

    def _add(self, needs: FrozenSet[str], asked: Asked) -> None:
        for literal in needs:
            self._masks[literal] = self._masks.get(literal, 0) | 1 << len(self._asked)
        self._asked.append(asked)

    def scores(self, text: str) -> Dict[str, float]:
        """Return the scores of the detectors that see something in a text in lower case, in their order."""
        mask = 0
        for literal in self._literals.present(text):
            mask |= self._masks[literal]
        doubts: Dict[str, float] = {}
        for name, ask, shape, doubt in self._rows.get(mask) or self._of(mask):
            if shape is not None:  # most of them: a search
                if shape.search(text):
                    doubts[name] = doubts.get(name, 1.0) * doubt
                continue
            for weight in ask(text):
                doubts[name] = doubts.get(name, 1.0) * (1 - weight)
        return {name: round(1 - doubt, 3) for name, doubt in doubts.items()}

    def _of(self, mask: int) -> Tuple[Asked, ...]:
        """Return the pieces of evidence of a mask: texts of one kind have the same literals."""
        found = tuple([row for number, row in enumerate(self._asked) if mask >> number & 1])
        if len(self._rows) >= MAX_MASKS:
            self._rows.clear()
        self._rows[mask] = found
        return found


def _asking(row: Evidence) -> Ask:
    """Return what asks one row at a text's beginning: its expression is compiled when a text first meets it."""
    shape, said = row.shape, (row.weight,)
    return lambda text: said if shape.match(text) else ()


def _behind(gate: Pattern[str], rows: Sequence[Evidence]) -> Ask:
    """Return what asks rows where their gate matches."""
    asks = [(row.shape.match if anchored(row.shape.pattern) else row.shape.search, row.weight) for row in rows]

    def ask(text: str) -> Iterable[float]:
        return [weight for shape, weight in asks if shape(text)] if gate.search(text) else ()

    return ask


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


def gated(gate: str, *rows: Row) -> Tuple[Row, ...]:
    """Return rows that are asked where a gate matches: an expression that all of them contain."""
    return tuple([(*row, Gate(gate)) for row in rows])


def attack(name: str, family: str, *rows: Row, judge: Optional[Ask] = None, judged: Tuple[str, ...] = ()) -> Attack:
    """Return a detector of rows: weight, pattern, and the literals of which one stands in every match of it."""
    found = []
    gates: Dict[str, Pattern[str]] = {}
    for weight, pattern, *more in rows:
        needs = [str(need) for need in more if not isinstance(need, Gate)]
        if not needs:
            raise ValueError(f"{name}: a row has no literals, so every text would be asked: {str(pattern)[:60]}")
        behind = [gates.setdefault(need, linear(need)) for need in more if isinstance(need, Gate)]
        found.append(Evidence(float(weight), linear(str(pattern)), frozenset(needs), behind[0] if behind else None))
    return Attack(name, family, tuple(found), judge, frozenset(judged))


def linear(pattern: str) -> Pattern[str]:
    """Return a shape, compiled when first asked. It nests no quantifiers, so that hostile text costs linear time."""
    return lazy(pattern)
