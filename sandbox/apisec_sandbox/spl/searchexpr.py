"""The expression of the ``search`` command: terms, phrases, comparisons of fields, booleans.

Source: Search Reference, "search"; Search Manual, "Boolean expressions" (NOT before OR before AND), "Use CASE() and
TERM() to match phrases". What a term matches is in terms.py, how parts are joined in searchnodes.py; time terms are in
timeterms.py, event types and tags in objectterms.py.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Protocol

from apisec_sandbox.spl.errors import SplError
from apisec_sandbox.spl.lexer import QUOTED, bracket_end, unquote
from apisec_sandbox.spl.objectterms import is_object_term, object_term
from apisec_sandbox.spl.positions import excerpt
from apisec_sandbox.spl.searchnodes import Node, all_of, any_of, negated
from apisec_sandbox.spl.terms import Test, field_test, is_plain, raw_test
from apisec_sandbox.spl.timeterms import TimeRange, effective, is_time_term

__all__ = ["Resolver", "SearchExpression", "Test", "field_test", "parse_search"]
MAX_DEPTH = 100
MAX_TERMS = 50_000  # a subsearch gives at most 10,000 rows
METADATA = frozenset(("host", "source", "sourcetype", "index", "_raw", "_indextime", "splunk_server"))
OPERATOR = re.compile(r"!=|<=|>=|==|=|<|>")
WORD = re.compile(r"(?:\\[\"\\|()\[\]=]|[^\s\"()\[\]|=<>!,]|!(?!=))+")
VALUE = re.compile(r"(?:\\[\"\\|()\[\]]|[^\s\"()\[\]|])+")
LIST_VALUE = re.compile(r"(?:\\[\"\\|()\[\],]|[^\s\"()\[\]|,])+")
ESCAPED = re.compile(r"\\([\"\\|()\[\],=])")
IN = re.compile(r"\s+IN\s*\(", re.IGNORECASE)
DIRECTIVE = re.compile(r"(TERM|CASE)\(")
INDEXED = re.compile(r"([\w.\-]+)::(.*)\Z", re.DOTALL)
REFUSED = {
    "splunk_server_group": "there is one server here; leave it out",
    "searchtimespanminutes": "use earliest and latest",
    "searchtimespanhours": "use earliest and latest",
    "searchtimespandays": "use earliest and latest",
    "searchtimespanmonths": "use earliest and latest",
}


class Resolver(Protocol):
    """What the expression needs beside the row.

    ``saved_search(name)`` and ``default_indexes()`` are asked for where they are there.
    """

    now: float

    def subsearch(self, text: str, position: int) -> str:
        """Run a subsearch and return the expression it stands for."""

    def eventtype(self, name: str) -> str | None: ...

    def tag_pairs(self, tag: str) -> list[tuple[str, str]]: ...


@dataclass
class SearchExpression:
    """``indexes`` are patterns that every match must fit, None when not restricted."""

    test: Test
    fields: frozenset[str]
    indexes: list[str] | None = None
    earliest: float | None = None
    latest: float | None = None
    empty: bool = False
    early: Test | None = None  # what can be said before fields are extracted

    def span(self, earliest: float, latest: float, now: float) -> tuple[float, float]:
        """The time range to search, given the job's."""
        return effective(self.earliest, self.latest, (earliest, latest), now)


@dataclass
class _State:
    fields: set[str] = field(default_factory=set)
    times: TimeRange = field(default_factory=TimeRange)
    terms: int = 0


def parse_search(text: str, start: int, end: int, resolver: Resolver, anywhere: bool = False) -> SearchExpression:
    """Compile ``text[start:end]``. Nothing at all matches everything.

    ``anywhere``: terms look at all fields of a row that has no raw text.

    Raises:
        SplError: with the position in ``text``.
    """
    parser = _Parser(text, start, end, resolver, anywhere)
    node = parser.conjunction()
    parser.space()
    if parser.at < end:
        raise SplError(f"Unbalanced or unexpected {text[parser.at]!r} in the search", text, parser.at)
    state = parser.state
    return SearchExpression(
        node.confined or node.test,
        frozenset(state.fields),
        node.indexes,
        state.times.earliest,
        state.times.latest,
        parser.terms == 0,
        node.early,
    )


class _Parser:
    def __init__(
        self, text: str, start: int, end: int, resolver: Resolver, anywhere: bool = False, depth: int = 0
    ) -> None:
        self.text = text
        self.at = start
        self.end = end
        self.resolver = resolver
        self.anywhere = anywhere
        self.state = _State()
        self.depth = depth
        self.terms = 0

    def fail(self, message: str, at: int | None = None) -> SplError:
        return SplError(message, self.text, self.at if at is None else at)

    def space(self) -> None:
        while self.at < self.end and self.text[self.at].isspace():
            self.at += 1

    def char(self) -> str:
        return self.text[self.at] if self.at < self.end else ""

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

    # Booleans

    def conjunction(self) -> Node:
        nodes: list[Node] = []
        count = 0
        while True:
            self.space()
            if self.at >= self.end or self.text[self.at] == ")":
                break
            if self.peek_keyword("OR") or self.peek_keyword("XOR"):
                word = "OR" if self.peek_keyword("OR") else "XOR"
                raise self.fail(
                    "OR needs a term on its left" if word == "OR" else "XOR is not supported by the search command"
                )
            if self.keyword("AND"):
                if not count:
                    raise self.fail("AND needs a term on its left")
                self.space()
                if self.at >= self.end or self.text[self.at] == ")":
                    raise self.fail("AND needs a term on its right")
            node = self.disjunction()
            count += 1
            if not node.nothing:
                nodes.append(node)
        return all_of(nodes, nothing=bool(count) and not nodes)

    def disjunction(self) -> Node:
        nodes = [self.negation()]
        while self.keyword("OR"):
            nodes.append(self.negation())
        if len(nodes) == 1:
            return nodes[0]
        kept = [node for node in nodes if not node.nothing]
        return self.either(kept) if kept else nodes[0]

    def negation(self) -> Node:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise self.fail("The search is nested too deeply")
        try:
            if self.keyword("NOT"):
                inner = self.negation()
                return inner if inner.nothing else negated(inner)
            return self.term()
        finally:
            self.depth -= 1

    # Terms

    def term(self) -> Node:
        self.space()
        self.state.terms += 1
        self.terms += 1
        if self.state.terms > MAX_TERMS:
            raise self.fail(f"The search has more than {MAX_TERMS} terms")
        if self.at >= self.end:
            raise self.fail("A term is missing at the end of the search")
        char = self.text[self.at]
        if char == "(":
            return self.group()
        if char == "[":
            return self.nested(self.subsearch())
        if char == '"':
            begin = self.at
            value = self.quoted()
            return self.comparison(value, begin) if self.operator_follows() else self.phrase(value)
        if char in ",|":
            raise self.fail(f"Unexpected {char!r} in the search")
        return self.word_term()

    def group(self) -> Node:
        opened = self.at
        self.at += 1
        node = self.conjunction()
        self.space()
        if self.char() != ")":
            raise self.fail("Missing closing parenthesis )", opened)
        self.at += 1
        return node

    def subsearch(self) -> str:
        stop = bracket_end(self.text, self.at, self.end)
        inner = excerpt(self.text, self.at + 1, stop - 1)
        at, self.at = self.at, stop
        return self.resolver.subsearch(inner, at)

    def nested(self, expression: str) -> Node:
        """Parse text that stands for itself: a subsearch's result or an event type."""
        parser = _Parser(expression, 0, len(expression), self.resolver, self.anywhere, self.depth + 1)
        if parser.depth > MAX_DEPTH:
            raise self.fail("Event types refer to one another without end")
        parser.state = self.state
        node = parser.conjunction()
        if parser.at < parser.end:
            raise SplError(f"Unexpected {expression[parser.at]!r}", expression, parser.at)
        return node

    def quoted(self) -> str:
        match = QUOTED.match(self.text, self.at, self.end)
        if not match:
            raise self.fail("Unbalanced quotes")
        self.at = match.end()
        return unquote(match[1])

    def operator_follows(self) -> bool:
        held = self.at
        self.space()
        found = OPERATOR.match(self.text, self.at, self.end) is not None
        self.at = held
        return found or IN.match(self.text, self.at, self.end) is not None

    def word_term(self) -> Node:
        if DIRECTIVE.match(self.text, self.at, self.end):
            name, inner = self.directive()
            return self.phrase(inner, ignore_case=name != "CASE", major=name == "TERM")
        match = WORD.match(self.text, self.at, self.end)
        if not match:
            raise self.fail(f"Unexpected {self.text[self.at]!r} in the search")
        begin, word = self.at, ESCAPED.sub(r"\1", match[0])
        if word in ("AND", "OR", "XOR", "NOT") and not OPERATOR.match(self.text, match.end(), self.end):
            raise self.fail(f"Unexpected {word}: a term is missing before it")
        if word == "IN":
            raise self.fail("IN takes a list of values: field IN (a, b)")
        self.at = match.end()
        if self.operator_follows():
            return self.comparison(word, begin)
        indexed = INDEXED.match(word)
        if indexed:
            value = self.quoted() if not indexed[2] and self.char() == '"' else indexed[2]
            return self.compare(indexed[1], "=", value, begin)
        return self.phrase(word)

    def directive(self) -> tuple[str, str]:
        """``TERM(…)`` or ``CASE(…)``: its name and what stands inside."""
        match = DIRECTIVE.match(self.text, self.at, self.end)
        assert match is not None
        quoted = QUOTED.match(self.text, match.end(), self.end)
        stop = self.text.find(")", quoted.end() if quoted else match.end(), self.end)
        if stop < 0:
            raise self.fail(f"Missing ) of {match[1]}(")
        inner = unquote(quoted[1]) if quoted else self.text[match.end() : stop].strip()
        if not inner:
            raise self.fail(f"{match[1]}() needs a term")
        self.at = stop + 1
        return match[1], inner

    def phrase(self, text: str, ignore_case: bool = True, major: bool = False) -> Node:
        if text.strip("*") == "":
            return Node(lambda _row: True)
        self.state.fields.add("_raw")
        if self.anywhere:
            self.state.fields.add("*")
        test = raw_test(text, ignore_case, major, self.anywhere)
        return Node(test, early=None if self.anywhere else test)

    # Comparisons

    def comparison(self, name: str, begin: int) -> Node:
        inside = IN.match(self.text, self.at, self.end)
        if inside:
            self.at = inside.end()
            return self.either([self.compare(name, "=", value, begin) for value in self.list_values()])
        self.space()
        op = OPERATOR.match(self.text, self.at, self.end)
        assert op is not None
        self.at = op.end()
        self.space()
        sign = op[0].replace("==", "=")
        if DIRECTIVE.match(self.text, self.at, self.end):
            kind, value = self.directive()
            self.state.fields.add(name)
            return Node(field_test(name, sign, value, match_case=kind == "CASE"))
        return self.compare(name, sign, self.value(name), begin)

    def value(self, name: str) -> str:
        if self.char() == '"':
            return self.quoted()
        if self.char() == "[":
            return _bare(self.subsearch())
        match = VALUE.match(self.text, self.at, self.end)
        if not match:
            raise self.fail(f"A value is missing behind the operator of {name!r}")
        self.at = match.end()
        return ESCAPED.sub(r"\1", match[0])

    def list_values(self) -> list[str]:
        values: list[str] = []
        while True:
            self.space()
            if self.char() == ")":
                if not values:
                    raise self.fail("IN () needs at least one value")
                self.at += 1
                return values
            if self.char() == ",":
                self.at += 1
            elif self.char() == '"':
                values.append(self.quoted())
            elif match := LIST_VALUE.match(self.text, self.at, self.end):
                values.append(ESCAPED.sub(r"\1", match[0]))
                self.at = match.end()
            else:
                raise self.fail("Missing ) of IN (")

    def compare(self, name: str, op: str, value: str, begin: int) -> Node:
        if name in REFUSED:
            raise self.fail(f"The term {name!r} is not supported: {REFUSED[name]}", begin)
        if is_time_term(name):
            return self.time_term(name, op, value, begin)
        if is_object_term(name):
            return self.object_term(name, op, value, begin)
        if name == "index":
            return self.index(op, value)
        if name == "splunk_server" and value == "local" and op == "=":
            self.state.fields.add(name)
            return Node(lambda _row: True)
        self.state.fields.add(name)
        test = field_test(name, op, value)
        equal = (name, value) if op == "=" and is_plain(value) else None
        return Node(test, early=test if name in METADATA else None, equal=equal)

    def index(self, op: str, value: str) -> Node:
        """``*`` does not reach internal indexes, ``_*`` does (docs: search, index)."""
        self.state.fields.add("index")
        test = field_test("index", op, value)
        if op == "=" and value.startswith("*"):
            open_ones = field_test("index", "!=", "_*")
            return Node(lambda row: test(row) and open_ones(row), [value])
        return Node(test, [value] if op == "=" else None, early=test)

    def time_term(self, name: str, op: str, value: str, begin: int) -> Node:
        try:
            test = self.state.times.take(name, op, value, self.resolver.now)
        except SplError as error:
            raise self.fail(error.message, begin) from error
        if test is None:
            return Node(lambda _row: True, nothing=True)
        self.state.fields.add("_indextime")
        return Node(test, early=test)

    def object_term(self, name: str, op: str, value: str, begin: int) -> Node:
        try:
            return object_term(name, op, value, self.resolver, self)
        except SplError as error:
            raise error if error.text else self.fail(error.message, begin) from error

    def comparing(self, name: str, op: str, value: str) -> Node:
        """The comparison of a field, whatever its name stands for elsewhere."""
        if name == "eventtype":
            self.state.fields.add(name)
            return Node(field_test(name, op, value))
        return self.compare(name, op, value, self.at)

    def either(self, nodes: list[Node]) -> Node:
        return any_of(nodes, getattr(self.resolver, "default_indexes", None))


def _bare(expression: str) -> str:
    """A subsearch as a value: what ``return $field`` gives, without its parentheses and quotes."""
    text = expression.strip()
    while text.startswith("(") and text.endswith(")"):
        text = text[1:-1].strip()
    match = QUOTED.fullmatch(text)
    return unquote(match[1]) if match else text or "*"
