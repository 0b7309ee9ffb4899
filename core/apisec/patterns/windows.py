"""Sliding windows behind Sigma's correlations, one bounded state a pattern.

Every window is told events in two ways: ``add`` for what happened (a copy, or a call-out that was answered)
and ``would`` for the request at hand, which asks whether the condition holds with it included. Events carry an
id, so that the copy of a request that a call-out already counted is not counted twice.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import Any, Dict, Iterable, List, Mapping, Optional, Tuple

from apisec.model.pattern import Correlation
from apisec.patterns import fields
from apisec.patterns.expression import holds

Group = Tuple[str, ...]


class Windows:
    """The windows of all groups of one correlation; the least recently seen group is forgotten first."""

    def __init__(self, correlation: Correlation, max_groups: int = 20_000) -> None:
        self.correlation = correlation
        self.max_groups = max_groups
        self._groups: OrderedDict[Group, _Window] = OrderedDict()

    def __len__(self) -> int:
        return len(self._groups)

    def observe(self, event: Mapping[str, Any], now: float, *, half: bool = False) -> bool:
        """Count what happened; return whether the condition holds with it."""
        group = self._group(event)
        rules = self._matching(event, half=half, certain=True)
        if group is None or not rules:
            return False
        window = self._groups.get(group)
        if window is None:
            window = self._groups[group] = _WINDOWS[self.correlation.kind](self.correlation)
            if len(self._groups) > self.max_groups:
                self._groups.popitem(last=False)
        self._groups.move_to_end(group)
        return window.add(_Occurrence(str(event.get("id", "")), rules, self._counted(event)), now)

    def would(self, event: Mapping[str, Any], now: float) -> bool:
        """Return whether the request half of an event completes the condition, or meets it as complete."""
        group = self._group(event)
        certain = self._matching(event, half=True, certain=True)
        possible = self._matching(event, half=True, certain=False)
        if group is None or not possible:
            return False
        window = self._groups.get(group) or _WINDOWS[self.correlation.kind](self.correlation)
        return window.would(_Occurrence(str(event.get("id", "")), certain, self._counted(event)), now)

    def _group(self, event: Mapping[str, Any]) -> Optional[Group]:
        parts: List[str] = []
        for name in self.correlation.group_by:
            found = fields.values(event, name)
            if not found:
                return None
            parts.append(str(found[0]))
        return tuple(parts)

    def _matching(self, event: Mapping[str, Any], *, half: bool, certain: bool) -> List[int]:
        found = []
        for index, (_, rule) in enumerate(self.correlation.rules):
            value = holds(rule, event, half=half)
            if value or (value is None and not certain):
                found.append(index)
        return found

    def _counted(self, event: Mapping[str, Any]) -> List[str]:
        return [str(v) for v in fields.values(event, self.correlation.field)] if self.correlation.field else []


@dataclass(frozen=True)
class _Occurrence:
    """One event as a window sees it: its id, the rules it surely matches, the values that are counted."""

    id: str
    rules: List[int]
    values: List[str]


class _Window:
    def __init__(self, correlation: Correlation) -> None:
        self.correlation = correlation

    def add(self, seen: _Occurrence, now: float) -> bool:
        raise NotImplementedError

    def would(self, seen: _Occurrence, now: float) -> bool:
        raise NotImplementedError


class _Recent(_Window):
    """Distinct keys with their newest time: event ids for event_count, values for value_count.

    Only ``threshold`` newest keys are kept: more cannot change an answer.
    """

    def __init__(self, correlation: Correlation) -> None:
        super().__init__(correlation)
        self._seen: OrderedDict[str, float] = OrderedDict()

    def keys(self, seen: _Occurrence) -> Iterable[str]:
        return seen.values if self.correlation.field else (seen.id,)

    def add(self, seen: _Occurrence, now: float) -> bool:
        for key in self.keys(seen):
            if self.correlation.field or key not in self._seen:
                self._seen[key] = now
                self._seen.move_to_end(key)
        while len(self._seen) > self.correlation.threshold:
            self._seen.popitem(last=False)
        return self._live(now) >= self.correlation.threshold

    def _live(self, now: float) -> int:
        while self._seen and now - next(iter(self._seen.values())) > self.correlation.timespan:
            self._seen.popitem(last=False)
        return len(self._seen)

    def would(self, seen: _Occurrence, now: float) -> bool:
        live = self._live(now)
        new = sum(1 for key in set(self.keys(seen)) if key not in self._seen) if seen.rules else 0
        return live + new >= self.correlation.threshold


class _Together(_Window):
    """temporal: each rule matched, in any order, within the timespan."""

    def __init__(self, correlation: Correlation) -> None:
        super().__init__(correlation)
        self._last: Dict[int, float] = {}

    def _fresh(self, now: float) -> List[int]:
        return [rule for rule, time in self._last.items() if now - time <= self.correlation.timespan]

    def add(self, seen: _Occurrence, now: float) -> bool:
        for rule in seen.rules:
            self._last[rule] = max(now, self._last.get(rule, now))
        return len(self._fresh(now)) == len(self.correlation.rules)

    def would(self, seen: _Occurrence, now: float) -> bool:
        return len({*self._fresh(now), *seen.rules}) == len(self.correlation.rules)


class _InOrder(_Window):
    """temporal_ordered: ``_start[i]`` is the latest start of a chain that has reached rule i."""

    def __init__(self, correlation: Correlation) -> None:
        super().__init__(correlation)
        self._start: Dict[int, float] = {}
        self._counted: OrderedDict[str, bool] = OrderedDict()

    def _extend(self, start: Dict[int, float], rules: Iterable[int], now: float) -> bool:
        for rule in sorted(rules, reverse=True):  # backwards: one event is one step of the chain
            if rule == 0:
                start[0] = now
            elif rule - 1 in start and now - start[rule - 1] <= self.correlation.timespan:
                start[rule] = max(start[rule - 1], start.get(rule, start[rule - 1]))
        last = start.get(len(self.correlation.rules) - 1)
        return last is not None and now - last <= self.correlation.timespan

    def add(self, seen: _Occurrence, now: float) -> bool:
        known = self._counted.get(seen.id)
        if known is None:
            known = self._counted[seen.id] = self._extend(self._start, seen.rules, now)
            while len(self._counted) > 64:
                self._counted.popitem(last=False)
        return known

    def would(self, seen: _Occurrence, now: float) -> bool:
        if seen.id in self._counted:
            return self._counted[seen.id]
        return self._extend(dict(self._start), seen.rules, now)


_WINDOWS = {"event_count": _Recent, "value_count": _Recent, "temporal": _Together, "temporal_ordered": _InOrder}
