"""Regular expressions in linear time, for patterns that strangers write and strangers' traffic is run through.

Python's ``re`` backtracks: ``.*a.*b`` is cubic in the input. Here Sigma's flavour (groups, alternation,
classes, anchors, quantifiers) becomes an automaton that is simulated with lazily built states, so that the time
is linear in the input and the memory bounded. Parsing is left to ``re`` itself.

Refused although the automaton could bear some of it, because the same pattern is read by PCRE in Splunk:
nested quantifiers, back-references, look-around, atomic groups.
"""

from __future__ import annotations

import re
import sys
from typing import Any, Callable, Dict, FrozenSet, List, Optional, Set, Tuple

from apisec.errors import PatternError

if sys.version_info >= (3, 11):
    from re import _constants as _c  # type: ignore[attr-defined]
    from re import _parser as _p  # type: ignore[attr-defined]
else:  # pragma: no cover - the same parser under its former names
    import sre_constants as _c
    import sre_parse as _p

MAX_LENGTH = 512  # characters of a pattern
MAX_STATES = 1000  # of the automaton, after {n,m} was unrolled
MAX_CACHE = 2000  # lazily built transitions; the cache starts anew beyond
MAX_INPUT = 65536  # characters of a value that are looked at

_Test = Callable[[str], bool]
# A state is one of: (test, next) consuming a character; (None, next, …) an empty move; ("^" or "$", next).


class Regex:
    """``Regex(pattern).search(text)``; raises PatternError from the constructor."""

    def __init__(self, pattern: str, *, ignore_case: bool = False, where: str = "re") -> None:
        if len(pattern) > MAX_LENGTH:
            raise PatternError(f"regular expression of more than {MAX_LENGTH} characters", where=where)
        try:
            tree = _p.parse(pattern, re.IGNORECASE if ignore_case else 0)
        except (re.error, RecursionError, OverflowError) as error:
            raise PatternError(f"not a regular expression: {error}", where=where) from None
        if tree.state.flags & ~(re.UNICODE | re.IGNORECASE):
            raise PatternError("flags inside the expression are not supported; use re|i", where=where)
        self.pattern = pattern
        self._nodes = _Builder(bool(tree.state.flags & re.IGNORECASE), where)
        self._start = self._nodes.sequence(list(tree), self._nodes.add_accept())
        self._cache: Dict[Tuple[FrozenSet[int], str], FrozenSet[int]] = {}

    def search(self, text: str) -> bool:
        """Return whether the pattern occurs in ``text`` (its first ``MAX_INPUT`` characters)."""
        text = text[:MAX_INPUT]
        fresh = self._close({self._start}, first=False)
        current = self._close({self._start}, first=True)
        for char in text:
            if 0 in current:
                return True
            current = self._step(current, char) | fresh
        return 0 in self._close(set(current), first=not text, last=True)

    def _step(self, current: FrozenSet[int], char: str) -> FrozenSet[int]:
        key = (current, char)
        found = self._cache.get(key)
        if found is None:
            moved: Set[int] = set()
            for state in current:
                test, target = self._nodes.consumes[state]
                if test is not None and test(char):
                    moved.add(target)
            found = self._close(moved, first=False)
            if len(self._cache) >= MAX_CACHE:
                self._cache.clear()
            self._cache[key] = found
        return found

    def _close(self, states: Set[int], *, first: bool, last: bool = False) -> FrozenSet[int]:
        """Follow empty moves; anchors are passable only at their ends. ``$`` also keeps its own state."""
        seen: Set[int] = set()
        stack = list(states)
        while stack:
            state = stack.pop()
            if state in seen:
                continue
            seen.add(state)
            anchor = self._nodes.anchors.get(state)
            if anchor is None or (anchor == "^" and first) or (anchor == "$" and last):
                stack.extend(self._nodes.empties[state])
        return frozenset(seen)


class _Builder:
    """Thompson's construction, from the end backwards: each call returns the state that begins its part."""

    def __init__(self, ignore_case: bool, where: str) -> None:
        self.ignore_case = ignore_case
        self.where = where
        self.consumes: List[Tuple[Optional[_Test], int]] = []
        self.empties: List[Tuple[int, ...]] = []
        self.anchors: Dict[int, str] = {}

    def add_accept(self) -> int:
        return self._add(None, -1, ())

    def _add(self, test: Optional[_Test], target: int, empties: Tuple[int, ...]) -> int:
        if len(self.consumes) >= MAX_STATES:
            raise PatternError(f"regular expression with more than {MAX_STATES} states", where=self.where)
        self.consumes.append((test, target))
        self.empties.append(empties)
        return len(self.consumes) - 1

    def sequence(self, items: List[Any], then: int, *, repeated: bool = False) -> int:
        for item in reversed(items):
            then = self._item(item[0], item[1], then, repeated)
        return then

    def _item(self, op: Any, argument: Any, then: int, repeated: bool) -> int:
        if op in (_c.LITERAL, _c.NOT_LITERAL, _c.ANY, _c.IN):
            return self._add(_char_test(op, argument, self.ignore_case), then, ())
        if op is _c.SUBPATTERN:
            if argument[1] or argument[2]:
                raise self._refuse("flags of a group")
            return self.sequence(list(argument[3]), then, repeated=repeated)
        if op is _c.BRANCH:
            return self._add(None, -1, tuple(self.sequence(list(b), then, repeated=repeated) for b in argument[1]))
        if op in (_c.MAX_REPEAT, _c.MIN_REPEAT):
            if repeated:
                raise self._refuse("a quantifier inside a quantifier")
            return self._repeat(argument[0], argument[1], list(argument[2]), then)
        if op is _c.AT and argument in _ANCHORS:
            state = self._add(None, -1, (then,))
            self.anchors[state] = _ANCHORS[argument]
            return state
        raise self._refuse(_NAMES.get(op, str(op).lower()))

    def _repeat(self, low: int, high: Any, body: List[Any], then: int) -> int:
        many = high is _c.MAXREPEAT
        inner = many or high > 1
        if many:
            loop = self._add(None, -1, ())
            start = self.sequence(body, loop, repeated=True)
            self.empties[loop] = (start, then)
            then = loop
        else:
            for _ in range(min(high - low, MAX_STATES)):
                then = self._add(None, -1, (self.sequence(body, then, repeated=inner), then))
        for _ in range(min(low, MAX_STATES)):
            then = self.sequence(body, then, repeated=inner)
        return then

    def _refuse(self, what: str) -> PatternError:
        return PatternError(f"{what} is not supported in a regular expression", where=self.where)


_ANCHORS = {_c.AT_BEGINNING: "^", _c.AT_BEGINNING_STRING: "^", _c.AT_END: "$", _c.AT_END_STRING: "$"}
_NAMES = {
    _c.GROUPREF: "a back-reference",
    _c.GROUPREF_EXISTS: "a conditional group",
    _c.ASSERT: "look-around",
    _c.ASSERT_NOT: "look-around",
    _c.AT: "a word boundary",
}
_CATEGORIES: Dict[Any, _Test] = {
    _c.CATEGORY_DIGIT: str.isdecimal,
    _c.CATEGORY_NOT_DIGIT: lambda c: not c.isdecimal(),
    _c.CATEGORY_SPACE: str.isspace,
    _c.CATEGORY_NOT_SPACE: lambda c: not c.isspace(),
    _c.CATEGORY_WORD: lambda c: c.isalnum() or c == "_",
    _c.CATEGORY_NOT_WORD: lambda c: not (c.isalnum() or c == "_"),
}


def _char_test(op: Any, argument: Any, ignore_case: bool) -> _Test:
    """Return the test of one character; with ``ignore_case`` it is asked in both cases."""
    if op is _c.ANY:
        return lambda char: char != "\n"
    plain = _set_test(argument) if op is _c.IN else _literal(argument)
    if op is _c.NOT_LITERAL:
        wanted = _either_case(plain) if ignore_case else plain
        return lambda char: not wanted(char)
    if op is _c.IN and argument[0][0] is _c.NEGATE:
        inside = _set_test(argument[1:])
        members = _either_case(inside) if ignore_case else inside
        return lambda char: not members(char)
    return _either_case(plain) if ignore_case else plain


def _literal(code: int) -> _Test:
    wanted = chr(code)
    return lambda char: char == wanted


def _set_test(items: Any) -> _Test:
    tests: List[_Test] = []
    for op, argument in items:
        if op is _c.LITERAL:
            tests.append(_literal(argument))
        elif op is _c.RANGE:
            low, high = argument
            tests.append(lambda char, low=low, high=high: low <= ord(char) <= high)  # type: ignore[misc]
        elif op is _c.CATEGORY:
            tests.append(_CATEGORIES[argument])
    return lambda char: any(test(char) for test in tests)


def _either_case(test: _Test) -> _Test:
    return lambda char: test(char) or any(test(c) for c in char.lower()) or any(test(c) for c in char.upper())
