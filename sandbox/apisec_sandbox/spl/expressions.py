"""Eval expressions: parsed by precedence and compiled into closures over a row.

Precedence, tightest first: unary minus; ``* / %``; ``+ - .``; comparisons, LIKE, IN; NOT; AND; OR; XOR (docs:
Search Manual, "Boolean expressions with logical operators", the column of eval and where).
Null in, null out, except where a function's page says otherwise.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from apisec_sandbox.spl import functions, operators
from apisec_sandbox.spl.errors import SplError, suggestion
from apisec_sandbox.spl.lexer import Cursor, Token, expression_tokens
from apisec_sandbox.spl.values import to_number

Evaluate = operators.Evaluate
MAX_DEPTH = 60  # of parentheses and calls: each costs up to eleven frames of Python's thousand
SUMS, PRODUCTS = ("+", "-", "."), ("*", "/", "%")
RESERVED = ("and", "or", "not", "xor", "in", "like", "as", "by")


@dataclass(frozen=True)
class Expression:
    """A compiled expression. ``fields`` are the fields it reads; ``boolean`` that it can only be true or false.

    ``significant`` and ``decimals`` are the digits that a calculation of literals and fields is good for, what
    sigfig() asks: None where whole numbers alone take part.
    """

    run: Evaluate
    fields: frozenset[str] = frozenset()
    boolean: bool = False
    constant: Any = None
    significant: int | None = None
    decimals: int | None = None


@dataclass
class Scope:
    """What functions of the moment need: the time of the search, and what lookup() and searchmatch() may call."""

    now: float
    fields: set[str] = field(default_factory=set)
    services: Any = None


def parse_expression(text: str, start: int, end: int, scope: Scope) -> Expression:
    """Compile ``text[start:end]``.

    Raises:
        SplError: with the position in ``text``.
    """
    cursor = Cursor(expression_tokens(text, start, end), text, end)
    expression = Parser(cursor, scope).whole()
    token = cursor.peek()
    if token:
        raise cursor.error(f"The expression is malformed. Unexpected {token.value!r}", token)
    return expression


class Parser:
    """A recursive descent parser; it may stop before the end of its tokens (``eval`` reads lists of them)."""

    def __init__(self, cursor: Cursor, scope: Scope) -> None:
        self.cursor = cursor
        self.scope = scope
        self.depth = 0

    def whole(self) -> Expression:
        """One expression, as deep as Python's stack allows."""
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise self.cursor.error("The expression is nested too deeply", self.cursor.peek())
        found = self._logic()
        self.depth -= 1
        return found

    def _logic(self) -> Expression:
        """XOR over OR over AND, without a call a level: lists of lists of operands."""
        odd: list[Expression] = []
        while True:
            any_of: list[Expression] = []
            while True:
                all_of = [self._condition()]
                while self.cursor.accept_word("and"):
                    all_of.append(self._condition())
                any_of.append(_combined(all_of, operators.both))
                if not self.cursor.accept_word("or"):
                    break
            odd.append(_combined(any_of, operators.either))
            if not self.cursor.accept_word("xor"):
                return _combined(odd, operators.differ)

    def _condition(self) -> Expression:
        negations = 0
        while self.cursor.accept_word("not"):
            negations += 1
        found = self._comparison()
        if negations:
            found = _negate(found)
            if negations % 2 == 0:
                found = _negate(found)
        return found

    def _comparison(self) -> Expression:
        left = self._sum()
        if op := self.cursor.accept_op(*operators.ORDERS):
            right = self._sum()
            if extra := self.cursor.accept_op(*operators.ORDERS):
                raise self.cursor.error(f"The expression is malformed. Unexpected {extra.value!r}", extra)
            return Expression(operators.comparison(left.run, right.run, op.value), _reads(left, right), boolean=True)
        token, follows = self.cursor.peek(), self.cursor.peek(1)
        negated = bool(token and token.is_word("not") and follows and follows.is_word("in", "like"))
        if negated:
            self.cursor.next()
        if self.cursor.accept_word("like"):
            found = self._build("like", [left, self._sum()], token)
        elif self.cursor.accept_word("in"):
            self.cursor.expect_op("(")
            found = self._build("in", [left, *self._arguments()], token)
        else:
            return left
        return _negate(found) if negated else found

    def _sum(self) -> Expression:
        """``+ - .`` over ``* / %``, without a call a level."""
        sums: list[Expression] = []
        signs: list[str] = []
        while True:
            factors, kinds = [self._unary()], list[str]()
            while op := self.cursor.accept_op(*PRODUCTS):
                kinds.append(op.value)
                factors.append(self._unary())
            sums.append(_arithmetic(factors, kinds))
            op = self.cursor.accept_op(*SUMS)
            if op is None:
                return _arithmetic(sums, signs)
            signs.append(op.value)

    def _unary(self) -> Expression:
        minus = signs = 0
        while token := self.cursor.accept_op("-", "+"):
            signs += 1
            minus += token.value == "-"
        found = self._atom()
        if not minus:
            return found
        run = operators.negative(found.run)
        if minus % 2 == 0:
            run = operators.negative(run)
        constant = run({}) if to_number(found.constant) is not None else None
        return Expression(run, found.fields, False, constant, found.significant, found.decimals)

    def _atom(self) -> Expression:
        token = self.cursor.next("a value")
        if token.kind == "number":
            return _number(token.value)
        if token.kind == "text":
            return literal(token.value)
        if token.kind == "name":
            return field_of(token.value)
        if token.is_op("("):
            inner = self.whole()
            self.cursor.expect_op(")")
            return inner
        if token.kind == "word":
            return self._word(token)
        raise self.cursor.error(f"The expression is malformed. Unexpected {token.value!r}", token)

    def _word(self, token: Token) -> Expression:
        following = self.cursor.peek()
        if following and following.is_op("("):
            self.cursor.next()
            return self._call(token)
        if token.is_word("true", "false"):
            truth = token.is_word("true")
            return Expression(lambda _row: truth, boolean=True)
        if token.is_word("null"):
            return literal(None)
        if token.is_word(*RESERVED):
            raise self.cursor.error(f"The expression is malformed. Unexpected {token.value!r}", token)
        return field_of(token.value)

    def _call(self, token: Token) -> Expression:
        name = token.value.lower()
        if name not in functions.SIGNATURES:
            near = suggestion(name, functions.SIGNATURES)
            raise self.cursor.error(f"The '{token.value}' function is unsupported or undefined.{near}", token)
        given = self._arguments()
        least, most = functions.SIGNATURES[name].arity
        if not least <= len(given) <= most:
            wanted = f"{least}" if least == most else f"{least} to {most}" if most < 999 else f"at least {least}"
            raise self.cursor.error(
                f"The arguments to the '{name}' function are invalid: it takes {wanted}, given {len(given)}", token
            )
        return self._build(name, given, token)

    def _build(self, name: str, given: list[Expression], token: Token | None) -> Expression:
        signature = functions.SIGNATURES[name]
        if name in functions.CONDITIONS:
            self._conditions(name, given, token)
        call = functions.Call(
            [part.run for part in given],
            [part.constant for part in given],
            [sorted(part.fields) for part in given],
            self.scope.now,
            [part.boolean for part in given],
            [(part.significant, part.decimals) for part in given],
            self.scope.services,
        )
        try:
            run = signature.build(call)
        except SplError as error:
            raise self.cursor.error(error.message, token) from error
        reads = _reads(*given) | call.reads
        return Expression(run, reads, boolean=signature.boolean)

    def _conditions(self, name: str, given: list[Expression], token: Token | None) -> None:
        """if, case and validate refuse a condition that can never be true or false, as splunkd does."""
        for part in functions.CONDITIONS[name](given):
            if part.constant is not None:
                raise self.cursor.error(
                    f"The arguments to the '{name}' function are invalid: {part.constant!r} is no condition", token
                )

    def _arguments(self) -> list[Expression]:
        given: list[Expression] = []
        if self.cursor.accept_op(")"):
            return given
        while True:
            given.append(self.whole())
            if self.cursor.accept_op(")"):
                return given
            self.cursor.expect_op(",")


def literal(value: Any) -> Expression:
    return Expression(lambda _row: value, constant=value)


def _number(text: str) -> Expression:
    value = to_number(text)
    if "." not in text or "e" in text.lower():
        return literal(value)
    decimals = len(text.partition(".")[2])
    significant = len(text.replace(".", "").lstrip("0")) or 1
    return Expression(lambda _row: value, constant=value, significant=significant, decimals=decimals)


def field_of(name: str) -> Expression:
    return Expression(lambda row: row.get(name), frozenset((name,)))


def _reads(*parts: Expression) -> frozenset[str]:
    return frozenset().union(*(part.fields for part in parts))


def _combined(parts: list[Expression], how: Callable[[list[Evaluate]], Evaluate]) -> Expression:
    if len(parts) == 1:
        return parts[0]
    return Expression(how([part.run for part in parts]), _reads(*parts), boolean=True)


def _negate(inner: Expression) -> Expression:
    return Expression(operators.negate(inner.run), inner.fields, boolean=True)


def _arithmetic(parts: list[Expression], ops: list[str]) -> Expression:
    if len(parts) == 1:
        return parts[0]
    run = operators.join([part.run for part in parts], [operators.ARITHMETIC[op] for op in ops])
    if "." in ops:
        return Expression(run, _reads(*parts))
    if ops[0] in PRODUCTS:
        known = [part.significant for part in parts if part.significant is not None]
        return Expression(run, _reads(*parts), significant=min(known, default=None))
    places = [part.decimals for part in parts if part.decimals is not None]
    return Expression(run, _reads(*parts), decimals=min(places, default=None))
