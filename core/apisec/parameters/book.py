"""The models of all parameters of a forwarder: asked for every transaction, taught by a sample of them.

Places are written as signals write them: ``query.q``, ``body.items[].note``, ``path.order_id``; beside them
``response.size`` (bytes) and ``response.time`` (milliseconds). Headers and cookies mean the same to all operations of
a service, which share their models; no values are kept of them, for versions and locales come and go. A transaction
teaches when its answer was no refusal, and no value of it looked like a payload. Nothing here reads a clock: the day
is that of the transaction.
"""

from __future__ import annotations

import zlib
from typing import Dict, FrozenSet, Iterable, Iterator, List, Mapping, NamedTuple, Optional, Sequence, Set, Tuple

from apisec.attacks.base import THRESHOLD
from apisec.attacks.signals import Signal
from apisec.parameters.model import DEPARTURES, GROUPS, STEPS, Departure, Model, hashed
from apisec.parameters.traits import length_of

EVERY = 16  # of so many transactions one teaches: what is usual shows in a sample
MAX_TEACHING = 200  # values of a transaction that teaches; one with more teaches nothing
MAX_ODD = 50  # values of a transaction whose departures are said
MAX_MODELS = 4_096  # of a forwarder: about 8 MiB
MAX_TABLES = 2_048
MAX_PLACES = 128  # of one operation
MAX_NEWCOMERS = 256  # places of one operation that only one group of principals has sent yet
SECONDS_A_DAY = 86_400.0

# How often harmless values may carry a signal before it loses weight: what signals are made for (docs/signals.md).
USUAL_RATE = 0.003
TIME, SIZE = "response.time", "response.size"
HEADS = "*"  # stands for the operation in the table of a service's headers and cookies
_ANSWERS = {TIME: ("answer.delay", "milliseconds"), SIZE: ("answer.size", "bytes")}
ANSWER_SCORE = 0.6

Value = Tuple[str, str]  # where, and the text
Scalar = Tuple[str, str]  # where, and the kind of what is no text


class Observed(NamedTuple):
    """What of a transaction is asked and learned. ``time``: seconds since the epoch; ``answered``: no refusal.

    ``heads``: values of headers and cookies.
    """

    principal: str
    time: float
    answered: bool
    values: Sequence[Value]
    scalars: Sequence[Scalar] = ()
    sizes: Mapping[str, int] = {}
    heads: Sequence[Value] = ()


class Judged(NamedTuple):
    """The signals by what is usual, and what was found on the way."""

    signals: List[Signal]
    raw: Sequence[Signal]
    odd: FrozenSet[Value]


class Table:
    """The parameters of one operation."""

    __slots__ = ("day", "models", "newcomers")

    def __init__(self) -> None:
        self.models: Dict[str, Model] = {}
        self.newcomers: Dict[str, int] = {}  # masks of groups
        self.day = 0

    def admit(self, where: str, group: int) -> bool:
        """Return whether a second group of principals sends a place: only then it gets a model."""
        before = self.newcomers.pop(where, 0)
        if before & ~(1 << group):
            return len(self.models) < MAX_PLACES
        if len(self.newcomers) >= MAX_NEWCOMERS:
            del self.newcomers[next(iter(self.newcomers))]
        self.newcomers[where] = before | 1 << group
        return False


Key = Tuple[str, str]  # service and operation
_NOTHING: Mapping[str, Model] = {}


class Book:
    """All models. ``salt`` keys the hashes of values; another one makes enumerations begin anew."""

    def __init__(self, salt: bytes = b"", every: int = EVERY) -> None:
        self.salt = salt
        self.tables: Dict[Key, Table] = {}
        self.count = 0
        self.dirty = False
        self._every = every
        self._turn = 0

    def rekey(self, salt: bytes) -> None:
        """Take another salt: values that were hashed with the former one are forgotten."""
        if salt != self.salt:
            self.salt = salt
            for table in self.tables.values():
                for model in table.models.values():
                    model.values = None if model.values is None else {}
                    model.changed()

    def models(self, service: str, operation: str) -> Mapping[str, Model]:
        """Return the models of an operation by place."""
        table = self.tables.get((service, operation))
        return table.models if table is not None else _NOTHING

    def judge(self, service: str, operation: str, seen: Observed, signals: Sequence[Signal]) -> Judged:
        """Return the signals of a transaction by what its parameters usually carry."""
        models, shared = self.models(service, operation), self.models(service, HEADS)
        if not models and not shared:
            return Judged(list(signals), signals, frozenset())
        odd = self._odd(models, seen.values)
        if shared and seen.heads:
            odd |= self._odd(shared, seen.heads)
        if not odd and not signals:
            return Judged([], signals, odd)
        return Judged(self._weighed({**models, **shared}, odd, signals, seen), signals, odd)

    def _odd(self, models: Mapping[str, Model], values: Iterable[Value]) -> FrozenSet[Value]:
        found: Set[Value] = set()
        for where, value in values:
            model = models.get(where)
            # What is written out here is what ``odd`` would do for a value that was asked already.
            if model is None or not model.settled or not value or hash(value) in model.fine:
                continue
            if model.odd(value, self.salt):
                found.add((where, value))
        return frozenset(found if len(found) <= MAX_ODD else sorted(found)[:MAX_ODD])

    def _weighed(
        self, models: Mapping[str, Model], odd: FrozenSet[Value], signals: Sequence[Signal], seen: Observed
    ) -> List[Signal]:
        departures: Dict[str, List[Signal]] = {}
        for where, value in sorted(odd):
            departures.setdefault(where, []).extend(self._departing(models[where], where, value))
        departures.update(self._unlike(models, signals, seen, departures))
        found = []
        for signal in signals:
            strange = departures.get(signal.where)
            usual = models.get(signal.where)
            weighed = _stronger(signal, strange) if strange else signal if usual is None else _less(signal, usual)
            if weighed is not None:
                found.append(weighed)
        told = {signal.where for signal in found}
        for where, some in departures.items():
            found += [] if where in told else some
        if any(is_payload(signal) for signal in found):
            found += _beyond(models, seen.sizes)
        return found

    def _unlike(
        self, models: Mapping[str, Model], signals: Iterable[Signal], seen: Observed, known: Mapping[str, List[Signal]]
    ) -> Iterator[Tuple[str, List[Signal]]]:
        """Yield places of payloads whose value departs in nothing but that its pairs of characters are new there."""
        carrying = {signal.where for signal in signals if is_payload(signal)} - known.keys()
        for where, value in [*seen.values, *seen.heads] if carrying else ():
            model = models.get(where) if where in carrying else None
            if model is not None and model.settled:
                strange = self._told(model, where, model.unlike(value))
                if strange:
                    yield where, strange

    def _departing(self, model: Model, where: str, value: str) -> List[Signal]:
        """Return the departures of a value that seldom happen here."""
        return self._told(model, where, model.departures(value, self.salt))

    @staticmethod
    def _told(model: Model, where: str, departures: Iterable[Departure]) -> List[Signal]:
        found = []
        for name, expected, said in departures:
            signal = discounted(Signal(name, where, DEPARTURES[name], expected, said), model.rate(name))
            if signal is not None:
                found.append(signal)
        return found

    def teaches(self) -> bool:
        """Return whether the next transaction may teach."""
        return (self._turn + 1) % self._every == 0

    def learn(self, service: str, operation: str, seen: Observed, judged: Judged) -> None:
        """Let a transaction teach what is usual, where it may: one of ``every``, and none that was refused."""
        teaches = self.teaches()
        self._turn += 1
        if not teaches or not seen.answered or len(seen.values) + len(seen.scalars) > MAX_TEACHING:
            return
        group, day = zlib.crc32(seen.principal.encode()) % GROUPS, int(seen.time // SECONDS_A_DAY)
        table = self._table((service, operation), day)
        carried = _carried(judged.raw)
        self._teach(table, seen.values, group, day, judged, carried)
        if seen.heads:
            self._teach(self._table((service, HEADS), day), seen.heads, group, day, judged, carried)
        if carried:
            return
        for where, kind in seen.scalars:
            model = self._model(table, where, group)
            if model is not None:
                model.teach_kind(group, day, kind)
        for where, size in seen.sizes.items():
            model = self._model(table, where, group)
            if model is not None:
                model.teach_size(group, day, size)

    def _teach(
        self,
        table: Table,
        values: Sequence[Value],
        group: int,
        day: int,
        judged: Judged,
        carried: Mapping[str, FrozenSet[str]],
    ) -> None:
        """Let the values of a group teach; ``carried``: families of payloads by place."""
        self.dirty = True
        strange = self._strange(table.models, judged.odd)
        for where, value in sorted(set(values)):  # engines gather them in different orders
            model = self._model(table, where, group) if value else None
            if model is not None:
                new = strange.get((where, value), frozenset())
                model.note(group, day, carried.get(where, frozenset()) | new)
                if not carried and all(map(model.lasts, new)):
                    model.teach(group, day, value, self.salt, bool(new))

    def _strange(self, models: Mapping[str, Model], odd: FrozenSet[Value]) -> Dict[Value, FrozenSet[str]]:
        said = {one: models[one[0]].departures(one[1], self.salt) for one in odd if one[0] in models}
        return {one: frozenset([departure.detector for departure in some]) for one, some in said.items()}

    def _table(self, key: Key, day: int) -> Table:
        table = self.tables.get(key)
        if table is None:
            if len(self.tables) >= MAX_TABLES:
                self._forget()
            table = self.tables[key] = Table()
        table.day = max(table.day, day)
        return table

    def _model(self, table: Table, where: str, group: int) -> Optional[Model]:
        model = table.models.get(where)
        if model is None and table.admit(where, group):
            if self.count >= MAX_MODELS and not self._forget(table):
                return None
            model = table.models[where] = Model()
            if where.startswith(("header.", "cookie.")):
                model.values = None
            self.count += 1
        return model

    def _forget(self, kept: Optional[Table] = None) -> bool:
        """Drop the operation that was silent for longest, of several the one with the fewest models."""
        others = [(table.day, len(table.models), name) for name, table in self.tables.items() if table is not kept]
        if not others:
            return False
        _, models, name = min(others)
        del self.tables[name]
        self.count -= models
        return True

    def merge(self, other: Book) -> None:
        """Take what another book with the same salt knows; as often as one likes."""
        for key, theirs in other.tables.items():
            table = self._table(key, theirs.day)
            for where, model in theirs.models.items():
                mine = table.models.get(where)
                if mine is None and self.count < MAX_MODELS and len(table.models) < MAX_PLACES:
                    mine = table.models[where] = Model()
                    self.count += 1
                if mine is not None:
                    mine.merge(model)


def is_payload(signal: Signal) -> bool:
    """Return whether a signal is of an attack: neither a departure nor an answer."""
    return signal.family not in ("anomaly", "answer")


def discounted(signal: Signal, rate: float) -> Optional[Signal]:
    """Return a signal of a place where harmless values carry such a one at this rate; None where it says nothing.

    A score is a chance, and its odds are those of a signal that harmless values carry at USUAL_RATE: where they carry
    it more often, the odds fall in the same measure (Bayes).
    """
    if rate <= USUAL_RATE:
        return signal
    odds = signal.score / max(1e-9, 1 - signal.score) * USUAL_RATE / rate
    score = round(odds / (1 + odds), 3)
    return signal._replace(score=score) if score >= THRESHOLD else None


def _stronger(signal: Signal, departures: Sequence[Signal]) -> Signal:
    """Return a payload's signal in a value that departs: both are evidence of the same, and one signal says it."""
    most = max(departures, key=lambda one: one.score)
    score = round(1 - (1 - signal.score) * (1 - most.score), 3)
    return signal._replace(score=score, expected=most.expected, seen=most.seen)


def _less(signal: Signal, model: Model) -> Optional[Signal]:
    """Return a payload's signal as it counts in a parameter that usually carries such text."""
    if not is_payload(signal) or not model.settled or not model.view().text:
        return signal
    return discounted(signal, model.rate(signal.family))


def _carried(signals: Sequence[Signal]) -> Dict[str, FrozenSet[str]]:
    """Return the families of payloads by place."""
    found: Dict[str, Set[str]] = {}
    for signal in signals:
        if is_payload(signal):
            found.setdefault(signal.where, set()).add(signal.family)
    return {where: frozenset(families) for where, families in found.items()}


def _beyond(models: Mapping[str, Model], sizes: Mapping[str, int]) -> List[Signal]:
    """Return what an answer's size and time tell beside a payload: far beyond what the operation usually takes."""
    found = []
    for where, size in sizes.items():
        model = models.get(where)
        if model is not None and model.settled and length_of(size) >= model.view().longest + STEPS:
            detector, unit = _ANSWERS[where]
            usual = f"at most {(1 << model.view().longest) - 1} {unit}"
            found.append(Signal(detector, where, ANSWER_SCORE, usual, f"{size} {unit}"))
    return found


__all__ = ["Book", "Departure", "Judged", "Observed", "Table", "discounted", "hashed", "is_payload"]
