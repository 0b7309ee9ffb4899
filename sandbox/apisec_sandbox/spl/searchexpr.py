"""The expression of the ``search`` command: terms, phrases, comparisons of fields, booleans.

Source: Search Reference, "search"; Search Manual, "Boolean expressions" (NOT before OR before AND), "Wildcards",
"Use CASE() and TERM() to match phrases". Texts compare without regard to case, ``*`` is a wildcard, ``!=`` needs
the field to exist and ``NOT`` does not.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from apisec_sandbox.spl import times
from apisec_sandbox.spl.errors import SplError
from apisec_sandbox.spl.lexer import QUOTED, bracket_end, unquote
from apisec_sandbox.spl.values import CIDR, Row, cidr_match, to_number, to_text, wildcard_regex

Test = Callable[[Row], bool]
MAX_DEPTH = 100
METADATA = frozenset(("host", "source", "sourcetype", "index", "_raw"))
OPERATOR = re.compile(r"!=|<=|>=|==|=|<|>")
WORD = re.compile(r"(?:[^\s\"()\[\]|=<>!,]|!(?!=))+")
VALUE = re.compile(r"(?:[^\s\"()\[\]|])+")
LIST_VALUE = re.compile(r"(?:[^\s\"()\[\]|,])+")
TIME_TERMS = ("earliest", "latest", "starttime", "endtime", "_index_earliest", "_index_latest")
UNSUPPORTED_TIME = ("starttime", "endtime", "_index_earliest", "_index_latest")


class Resolver(Protocol):
    """What the expression needs beside the row."""

    now: float

    def subsearch(self, text: str, position: int) -> str:
        """Run a subsearch and return the expression it stands for."""

    def eventtype(self, name: str) -> str | None: ...

    def tag_pairs(self, tag: str) -> list[tuple[str, str]]: ...


@dataclass
class SearchExpression:
    """``indexes`` and ``sourcetypes`` are patterns that every match must fit, None when not restricted."""

    test: Test
    fields: frozenset[str]
    indexes: list[str] | None = None
    earliest: float | None = None
    latest: float | None = None
    empty: bool = False
    early: Test | None = None  # what can be said before fields are extracted


@dataclass
class _Node:
    test: Test
    indexes: list[str] | None = None  # patterns of which the index is one, where that is certain
    nothing: bool = False  # a term that only sets the time range
    early: Test | None = None  # a necessary condition on metadata and _raw alone


@dataclass
class _State:
    fields: set[str] = field(default_factory=set)
    earliest: float | None = None
    latest: float | None = None


def parse_search(text: str, start: int, end: int, resolver: Resolver) -> SearchExpression:
    """Compile ``text[start:end]``. Nothing at all matches everything.

    Raises:
        SplError: with the position in ``text``.
    """
    parser = _Parser(text, start, end, resolver)
    node = parser.conjunction()
    parser.space()
    if parser.at < end:
        raise SplError(f"Unbalanced or unexpected {text[parser.at]!r} in the search", text, parser.at)
    state = parser.state
    return SearchExpression(
        node.test, frozenset(state.fields), node.indexes, state.earliest, state.latest, parser.terms == 0, node.early
    )


class _Parser:
    def __init__(self, text: str, start: int, end: int, resolver: Resolver, depth: int = 0) -> None:
        self.text = text
        self.at = start
        self.end = end
        self.resolver = resolver
        self.state = _State()
        self.depth = depth
        self.terms = 0

    def space(self) -> None:
        while self.at < self.end and self.text[self.at].isspace():
            self.at += 1

    def keyword(self, name: str) -> bool:
        """Booleans are upper case in search (docs: Boolean expressions)."""
        self.space()
        stop = self.at + len(name)
        if self.text[self.at : stop] != name or stop > self.end:
            return False
        after = self.text[stop : stop + 1]
        if stop < self.end and not (after.isspace() or after in '(["'):
            return False
        self.at = stop
        return True

    def peek_keyword(self, name: str) -> bool:
        held = self.at
        found = self.keyword(name)
        self.at = held
        return found

    def conjunction(self) -> _Node:
        nodes: list[_Node] = []
        while True:
            self.space()
            if self.at >= self.end or self.text[self.at] == ")":
                break
            if self.keyword("AND") and not nodes:
                raise SplError("AND needs a term on its left", self.text, self.at)
            if self.peek_keyword("OR"):
                raise SplError("OR needs a term on its left", self.text, self.at)
            nodes.append(self.disjunction())
        nodes = [node for node in nodes if not node.nothing]
        return _all(nodes)

    def disjunction(self) -> _Node:
        nodes = [self.negation()]
        while self.keyword("OR"):
            nodes.append(self.negation())
        kept = [node for node in nodes if not node.nothing]
        if len(nodes) == 1:
            return nodes[0]
        return _any(kept) if kept else nodes[0]

    def negation(self) -> _Node:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise SplError("The search is nested too deeply", self.text, self.at)
        try:
            if self.keyword("NOT"):
                inner = self.negation()
                return inner if inner.nothing else _Node(lambda row: not inner.test(row))
            return self.term()
        finally:
            self.depth -= 1

    def term(self) -> _Node:
        self.space()
        self.terms += 1
        if self.at >= self.end:
            raise SplError("A term is missing at the end of the search", self.text, self.at)
        char = self.text[self.at]
        if char == "(":
            return self.group()
        if char == "[":
            return self.subsearch()
        if char == '"':
            begin = self.at
            value = self.quoted()
            return self.comparison(value, begin) if self.operator_follows() else self.phrase(value)
        if char in ",|":
            raise SplError(f"Unexpected {char!r} in the search", self.text, self.at)
        return self.word_term()

    def group(self) -> _Node:
        opened = self.at
        self.at += 1
        node = self.conjunction()
        self.space()
        if self.at >= self.end or self.text[self.at] != ")":
            raise SplError("Missing closing parenthesis )", self.text, opened)
        self.at += 1
        return node

    def subsearch(self) -> _Node:
        stop = bracket_end(self.text, self.at, self.end)
        inner = self.text[self.at + 1 : stop - 1]
        expression = self.resolver.subsearch(inner, self.at)
        self.at = stop
        return self.nested(expression)

    def nested(self, expression: str) -> _Node:
        """Parse text that stands for itself: a subsearch's result or an event type."""
        parser = _Parser(expression, 0, len(expression), self.resolver, self.depth + 1)
        if parser.depth > MAX_DEPTH:
            raise SplError("Event types refer to one another without end", self.text, self.at)
        parser.state = self.state
        node = parser.conjunction()
        if parser.at < parser.end:
            raise SplError(f"Unexpected {expression[parser.at]!r}", expression, parser.at)
        return node

    def quoted(self) -> str:
        match = QUOTED.match(self.text, self.at, self.end)
        if not match:
            raise SplError("Unbalanced quotes", self.text, self.at)
        self.at = match.end()
        return unquote(match[1])

    def operator_follows(self) -> bool:
        held = self.at
        self.space()
        found = OPERATOR.match(self.text, self.at, self.end) is not None
        self.at = held
        return found or self.peek_in()

    def peek_in(self) -> bool:
        return re.compile(r"\s+IN\s*\(", re.IGNORECASE).match(self.text, self.at, self.end) is not None

    def word_term(self) -> _Node:
        match = WORD.match(self.text, self.at, self.end)
        if not match:
            raise SplError(f"Unexpected {self.text[self.at]!r} in the search", self.text, self.at)
        begin, word = self.at, match[0]
        self.at = match.end()
        if word in ("TERM", "CASE") and self.text[self.at : self.at + 1] == "(":
            return self.directive(word)
        if self.operator_follows():
            return self.comparison(word, begin)
        return self.phrase(word)

    def directive(self, name: str) -> _Node:
        stop = self.text.find(")", self.at, self.end)
        if stop < 0:
            raise SplError(f"Missing ) of {name}(", self.text, self.at)
        inner = self.text[self.at + 1 : stop].strip().strip('"')
        self.at = stop + 1
        self.state.fields.add("_raw")
        if name == "CASE":
            return _Node(_raw_test(inner, ignore_case=False))
        pattern = re.compile(r"(?<![^\s\[\]<>(){}|!;,'\"&?])" + _wild(inner) + r"(?![^\s\[\]<>(){}|!;,'\"&?])", re.I)
        return _Node(lambda row: pattern.search(row.get("_raw", "")) is not None)

    def phrase(self, text: str) -> _Node:
        if text.strip("*") == "":
            return _Node(lambda _row: True)
        self.state.fields.add("_raw")
        test = _raw_test(text)
        return _Node(test, early=test)

    def comparison(self, name: str, begin: int) -> _Node:
        if self.peek_in():
            match = re.compile(r"\s+IN\s*\(", re.IGNORECASE).match(self.text, self.at, self.end)
            assert match is not None
            self.at = match.end()
            return _any([self.compare(name, "=", value, begin) for value in self.list_values()])
        self.space()
        op = OPERATOR.match(self.text, self.at, self.end)
        assert op is not None
        self.at = op.end()
        return self.compare(name, op[0].replace("==", "="), self.value(), begin)

    def value(self) -> str:
        self.space()
        if self.at < self.end and self.text[self.at] == '"':
            return self.quoted()
        match = VALUE.match(self.text, self.at, self.end)
        if not match:
            raise SplError("A value is missing behind the operator", self.text, self.at)
        self.at = match.end()
        return match[0]

    def list_values(self) -> list[str]:
        values: list[str] = []
        while True:
            self.space()
            if self.at < self.end and self.text[self.at] == ")":
                self.at += 1
                return values
            if self.at < self.end and self.text[self.at] == ",":
                self.at += 1
                continue
            if self.at < self.end and self.text[self.at] == '"':
                values.append(self.quoted())
                continue
            match = LIST_VALUE.match(self.text, self.at, self.end)
            if not match:
                raise SplError("Missing ) of IN (", self.text, self.at)
            values.append(match[0])
            self.at = match.end()

    def compare(self, name: str, op: str, value: str, begin: int) -> _Node:
        if name in TIME_TERMS:
            return self.time_term(name, value, begin)
        if name == "eventtype":
            return self.eventtype(op, value, begin)
        if name == "tag" or name.startswith("tag::"):
            return self.tag(name, op, value)
        if name == "index":
            return self.index(op, value)
        if name == "splunk_server":
            return _Node(lambda _row: True)
        self.state.fields.add(name)
        test = field_test(name, op, value)
        return _Node(test, early=test if name in METADATA else None)

    def index(self, op: str, value: str) -> _Node:
        """``*`` does not reach internal indexes, ``_*`` does (docs: search, index)."""
        test = field_test("index", op, value)
        if op == "=" and value.startswith("*"):
            open_ones = field_test("index", "!=", "_*")
            return _Node(lambda row: test(row) and open_ones(row), [value])
        return _Node(test, [value] if op == "=" else None, early=test)

    def time_term(self, name: str, value: str, begin: int) -> _Node:
        if name in UNSUPPORTED_TIME:
            raise SplError(f"The time term {name!r} is not supported; use earliest and latest", self.text, begin)
        try:
            epoch = times.resolve(value, self.resolver.now)
        except SplError as error:
            raise SplError(error.message, self.text, begin) from error
        setattr(self.state, name, epoch)
        return _Node(lambda _row: True, nothing=True)

    def eventtype(self, op: str, value: str, begin: int) -> _Node:
        if "*" in value:
            self.state.fields.add("eventtype")
            return _Node(field_test("eventtype", op, value))
        definition = self.resolver.eventtype(value)
        if definition is None:
            raise SplError(f"Eventtype '{value}' does not exist or is disabled.", self.text, begin)
        node = self.nested(definition)
        return _Node(lambda row: not node.test(row)) if op == "!=" else node

    def tag(self, name: str, op: str, value: str) -> _Node:
        pairs = self.resolver.tag_pairs(value)
        only = name[5:] if name.startswith("tag::") else None
        nodes = [self.compare(f, "=", v, self.at) for f, v in pairs if only is None or f == only]
        found = _any(nodes)
        return _Node(lambda row: not found.test(row)) if op == "!=" else found


def _all(nodes: list[_Node]) -> _Node:
    tests = [node.test for node in nodes]
    restricted = next((node.indexes for node in nodes if node.indexes is not None), None)
    if len(tests) == 1:
        return _Node(tests[0], restricted, early=nodes[0].early)
    return _Node(_conjunction(tests), restricted, early=_conjunction([n.early for n in nodes if n.early]))


def _conjunction(tests: list[Test]) -> Test:
    if len(tests) == 2:
        first, second = tests
        return lambda row: first(row) and second(row)
    return lambda row: all(test(row) for test in tests)


def _any(nodes: list[_Node]) -> _Node:
    tests = [node.test for node in nodes]
    indexes: list[str] | None = []
    for node in nodes:
        indexes = None if indexes is None or node.indexes is None else indexes + node.indexes
    if len(tests) == 1:
        return _Node(tests[0], indexes)
    return _Node(lambda row: any(test(row) for test in tests), indexes)


def _wild(text: str) -> str:
    return r"[^\s\[\]<>(){}|!;,'\"&?]*".join(re.escape(part) for part in re.split(r"\*+", text))


def _raw_test(text: str, ignore_case: bool = True) -> Test:
    """A term matches whole tokens: neither a letter nor a digit continues it, unless a ``*`` says so."""
    left = "" if text.startswith("*") or not text[:1].isalnum() else r"(?<![^\W_])"
    right = "" if text.endswith("*") or not text[-1:].isalnum() else r"(?![^\W_])"
    pattern = re.compile(left + _wild(text.strip("*")) + right, re.IGNORECASE if ignore_case else 0)
    if "*" not in text.strip("*") and ignore_case:
        needle = text.strip("*").lower()

        def quick(row: Row) -> bool:
            raw = row.get("_raw", "")
            return needle in raw.lower() and pattern.search(raw) is not None

        return quick
    return lambda row: pattern.search(row.get("_raw", "")) is not None


def field_test(name: str, op: str, value: str) -> Test:
    """Compare a field with a literal; a multivalue matches when one of its values does."""
    if op == "!=":
        equal = _value_test("=", value)
        return lambda row: (held := row.get(name)) is not None and not _matches(held, equal)
    test = _value_test(op, value)
    return lambda row: (held := row.get(name)) is not None and _matches(held, test)


def _matches(held: object, test: Callable[[object], bool]) -> bool:
    return any(test(item) for item in held) if isinstance(held, list) else test(held)


def _value_test(op: str, value: str) -> Callable[[object], bool]:
    if op == "=":
        return _equality(value)
    number = to_number(value)
    folded = value.lower()

    def run(held: object) -> bool:
        own = to_number(held) if number is not None else None
        if number is not None and own is not None:
            order = (own > number) - (own < number)
        else:
            text = to_text(held).lower()
            order = (text > folded) - (text < folded)
        return order < 0 if op == "<" else order > 0 if op == ">" else order <= 0 if op == "<=" else order >= 0

    return run


def _equality(value: str) -> Callable[[object], bool]:
    if "*" in value:
        if value.strip("*") == "":
            return lambda _held: True
        match = wildcard_regex(value).match
        return lambda held: match(to_text(held)) is not None
    folded, number = value.lower(), to_number(value)
    if CIDR.match(value):
        return lambda held: to_text(held) == value or cidr_match(value, to_text(held))
    if number is None:
        return lambda held: to_text(held).lower() == folded

    def run(held: object) -> bool:
        return to_text(held).lower() == folded or to_number(held) == number

    return run
