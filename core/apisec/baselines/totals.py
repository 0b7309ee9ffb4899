"""What is done to one operation or one service altogether: hourly totals of four weeks, and what they let expect.

Hours are plain sums of whole numbers: they merge exactly, and what is expected is found from them alone.
"""

from __future__ import annotations

import base64
import math
import zlib
from collections.abc import Mapping
from typing import Any, Dict, List, Tuple

from apisec.baselines.book import PEERS, SHARE, YOUNG, Book, Judgement
from apisec.baselines.counters import HEAVY, HORIZONS, MAX_COUNTERS, MAX_NAME, SLOTS
from apisec.baselines.histograms import MAX_WEIGHT, UNIT, generation_of
from apisec.baselines.season import MAX_HOURS, SHARE_HORIZONS, Outlook, Share, outlook, share_of
from apisec.baselines.tails import decades, log_normal_decades, negative_binomial_tail
from apisec.errors import DocumentError

PER = "requests"  # what other counters may be judged as a share of
DAY, WEEK = 24, 168  # hours
YOUNG_HOURS = DAY  # before them nothing is said
LEAST_EVIDENCE = 0.1
HOURS = tuple(SLOTS[name] // 12 for name in HORIZONS)
MAX_STATE = 16_000  # characters of one counter's hours
_EMPTY: List[int] = []


class Total:
    """Of one operation or service, by counter and hour. Lists of hours begin at ``start``; before it is forgotten."""

    def __init__(self, scope: str) -> None:
        self.scope = scope
        self.first = -1  # the first hour that anything was learned of
        self.start = -1
        self.last = -1  # the hour that is being learned
        self.hours: Dict[str, List[int]] = {}
        self._outlooks: Dict[str, Tuple[int, Outlook]] = {}
        self._shares: Dict[str, Tuple[int, Share]] = {}
        self.dirty = True

    # --- asking ---

    def judge(self, counter: str, horizon: int, slot: int, seen: float, per: float = 0.0) -> Judgement:
        """Judge a sum that ends with this slot; with ``per``, as a part of so many requests."""
        morning = slot // 12 // DAY * DAY
        age = morning - self.first
        if self.first < 0 or age < YOUNG_HOURS:
            return Judgement(0.0, 0.0, YOUNG)
        if per > 0.0 and counter != PER:
            share = self.share(counter, morning)
            expected, spread, basis = share.share * per, share.spread * SHARE_HORIZONS[horizon], SHARE
        else:
            found = self.outlook(counter, morning)
            expected, spread = found.expected(slot, horizon), found.spreads[horizon]
            basis = PEERS if age >= max(HOURS[horizon], WEEK) else YOUNG
        return Judgement(_evidence(counter, seen, expected, spread), expected, basis)

    def outlook(self, counter: str, morning: int) -> Outlook:
        """Return what is expected on the day that begins with this hour, by what was known then."""
        known = self._outlooks.get(counter)
        if known is None or known[0] != morning:
            known = self._outlooks[counter] = (morning, outlook(self._before(counter, morning), self._begin()))
        return known[1]

    def share(self, counter: str, morning: int) -> Share:
        """Return which part of the requests it is on the day that begins with this hour."""
        known = self._shares.get(counter)
        if known is None or known[0] != morning:
            share = share_of(self._before(counter, morning), self._before(PER, morning))
            known = self._shares[counter] = (morning, share)
        return known[1]

    def _begin(self) -> int:
        return max(self.start, self.first)

    def _before(self, counter: str, morning: int) -> List[int]:
        """Return the hours up to ``morning``, exclusive, since anything was learned."""
        begin, end = self._begin(), morning
        values = self.hours.get(counter, _EMPTY)[begin - self.start : end - self.start]
        return values + [0] * (end - begin - len(values))

    # --- learning ---

    def learn(self, slot: int, values: Mapping[str, float], book: Book) -> None:
        """Add one slot's totals. A new hour first has the hours before it judged, for the book."""
        hour = slot // 12
        if self.first < 0:
            self.first = self.last = hour
            self.start = hour // WEEK * WEEK
        if hour > self.last:
            self._finish(min(hour, self.last + WEEK), book)
            self.last = hour
        self._forget()
        offset = hour - self.start
        if offset < 0:
            return
        self.first = min(self.first, hour)
        for counter, value in values.items():
            if not 0.0 < value < MAX_WEIGHT:
                continue
            hours = self.hours.get(counter)
            if hours is None:
                if len(self.hours) >= MAX_COUNTERS or len(counter) > MAX_NAME:
                    continue
                hours = self.hours[counter] = []
            if len(hours) <= offset:
                hours.extend([0] * (offset + 1 - len(hours)))
            hours[offset] += round(value)
        self.dirty = True

    def _finish(self, until: int, book: Book) -> None:
        """Judge the hours from ``last`` on that are over, as they would have been judged."""
        for hour in range(self.last, until):
            slot = hour * 12 + 11
            if hour // DAY * DAY - self.first < YOUNG_HOURS:
                continue
            for horizon, length in enumerate(HOURS):
                self._judge_all(horizon, slot, self._sums(hour, length), book)

    def _sums(self, hour: int, length: int) -> Dict[str, int]:
        """Return the sums of the hours up to and including this one."""
        end = hour + 1 - self.start
        begin = max(0, end - length)
        return {counter: sum(values[begin:end]) for counter, values in self.hours.items()}

    def _judge_all(self, horizon: int, slot: int, sums: Mapping[str, int], book: Book) -> None:
        requests = sums.get(PER, 0)
        counted = set()
        for counter, seen in sums.items():
            for per in (0, requests) if counter != PER and requests else (0,):
                if not seen:
                    continue
                judged = self.judge(counter, horizon, slot, seen, per)
                counted.add(judged.basis)
                if judged.evidence >= LEAST_EVIDENCE:
                    key = (self.scope, counter, horizon, judged.basis)
                    book.cell(key).add(judged.evidence, UNIT, str(slot))
        for basis in counted:
            book.count((self.scope, horizon, basis), UNIT)

    def _forget(self) -> None:
        """Drop the weeks before the last four whole ones; weeks since the epoch, so that all shards drop the same."""
        surplus = self.last // WEEK * WEEK - MAX_HOURS - self.start
        if surplus <= 0:
            return
        self.start += surplus
        self.hours = {counter: kept for counter, values in self.hours.items() if any(kept := values[surplus:])}

    # --- state ---

    def last_generation(self) -> int:
        """Return the generation of the last slot learned."""
        return generation_of(self.last * 12)

    def merge(self, other: Total) -> None:
        """Add the hours of another total of the same key, exactly."""
        if other.first < 0:
            return
        if self.first < 0:
            self.first, self.start, self.last = other.first, other.start, other.last
        start = min(self.start, other.start)
        for counter in [*self.hours, *(name for name in other.hours if name not in self.hours)]:
            if counter in self.hours or len(self.hours) < MAX_COUNTERS:
                mine = [0] * (self.start - start) + self.hours.get(counter, _EMPTY)
                others = [0] * (other.start - start) + other.hours.get(counter, _EMPTY)
                length = max(len(mine), len(others))
                pairs = zip(mine + [0] * (length - len(mine)), others + [0] * (length - len(others)))
                self.hours[counter] = [one + more for one, more in pairs]
        self.start = start
        self.first, self.last = min(self.first, other.first), max(self.last, other.last)
        self._outlooks, self._shares = {}, {}
        self._forget()
        self.dirty = True

    def to_state(self) -> Dict[str, Any]:
        return {
            "span": [self.first, self.start, self.last],
            "hours": {counter: _packed(values) for counter, values in sorted(self.hours.items()) if any(values)},
        }

    @classmethod
    def from_state(cls, scope: str, state: Mapping[str, Any]) -> Total:
        """Raises DocumentError when the state is not one of ``to_state``."""
        total = cls(scope)
        try:
            first, start, last = (int(one) for one in state["span"])
            hours = {str(counter): _unpacked(packed) for counter, packed in state["hours"].items()}
        except (AttributeError, KeyError, TypeError, ValueError, zlib.error) as problem:
            raise DocumentError("not the hourly totals", where="expectations") from problem
        length = last - start + 1 if first >= 0 else 0
        misplaced = first >= 0 and (first > last or start % WEEK)
        if len(hours) > MAX_COUNTERS or not 0 <= length <= MAX_HOURS + WEEK or misplaced:
            raise DocumentError("hourly totals are out of range", where="expectations")
        if any(len(values) > length for values in hours.values()):
            raise DocumentError("a counter has more hours than were learned", where="expectations")
        total.first, total.start, total.last, total.hours = first, start, last, hours
        total.dirty = False
        return total


def _evidence(counter: str, seen: float, expected: float, spread: float) -> float:
    """Return -log10 of the chance of at least so much, 0 for what is no more than expected."""
    if seen <= expected:
        return 0.0
    if counter in HEAVY:
        return log_normal_decades(seen, expected, math.sqrt(math.log1p(spread + 1.0)))
    return decades(negative_binomial_tail(seen, expected, 1.0 / spread))


def _packed(values: List[int]) -> str:
    """Return numbers of at least 0, less the zeros at the end, as seven bits a byte, deflated, in base64."""
    raw = bytearray()
    end = max(index for index, value in enumerate(values) if value) + 1
    for value in values[:end]:
        while value > 0x7F:
            raw.append(value & 0x7F | 0x80)
            value >>= 7
        raw.append(value)
    return base64.b64encode(zlib.compress(bytes(raw), 9)).decode("ascii")


def _unpacked(packed: Any) -> List[int]:
    """Read what ``_packed`` gave. Raises ValueError, TypeError or zlib.error."""
    if not isinstance(packed, str) or len(packed) > MAX_STATE:
        raise ValueError("not packed numbers")
    inflate = zlib.decompressobj()
    most = 8 * (MAX_HOURS + WEEK)
    raw = inflate.decompress(base64.b64decode(packed, validate=True), most)
    if inflate.unconsumed_tail:
        raise ValueError("too many numbers")
    values, value, shift = [], 0, 0
    for byte in raw:
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            values.append(value)
            value = shift = 0
        elif shift > 56:
            raise ValueError("too large a number")
    return values
