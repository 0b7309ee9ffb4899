"""Eval expressions: parsed into nodes, compiled into closures over a row.

Precedence for where and eval: ``NOT``, ``AND``, ``XOR``, ``OR`` (docs: Search Manual, "Boolean expressions");
null in, null out, except where a function's page says otherwise.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from apisec_sandbox.spl import functions
from apisec_sandbox.spl.errors import SplError, suggestion
from apisec_sandbox.spl.lexer import Cursor, Token, expression_tokens
from apisec_sandbox.spl.values import Row, clean, compare, to_number, to_text

Evaluate = Callable[[Row], Any]
MAX_DEPTH = 100
COMPARISONS: dict[str, Callable[[int], bool]] = {
    "=": lambda order: order == 0,
    "==": lambda order: order == 0,
    "!=": lambda order: order != 0,
    "<": lambda order: order < 0,
    ">": lambda order: order > 0,
    "<=": lambda order: order <= 0,
    ">=": lambda order: order >= 0,
}


@dataclass(frozen=True)
class Expression:
    """A compiled expression. ``fields`` are the fields it reads; ``boolean`` that it can only be true or false."""

    run: Evaluate
    fields: frozenset[str] = frozenset()
    boolean: bool = False
    constant: Any = None


@dataclass
class Scope:
    """What functions of the moment need: the time of the search."""

    now: float
    fields: set[str] = field(default_factory=set)


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
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise self.cursor.error("The expression is nested too deeply", self.cursor.peek())
        left = self._xor()
        while self.cursor.accept_word("or"):
            left = _either(left, self._xor())
        self.depth -= 1
        return left

    def _xor(self) -> Expression:
        left = self._and()
        while self.cursor.accept_word("xor"):
            left = _differ(left, self._and())
        return left

    def _and(self) -> Expression:
        left = self._not()
        while self.cursor.accept_word("and"):
            left = _both(left, self._not())
        return left

    def _not(self) -> Expression:
        if token := self.cursor.accept_word("not"):
            self.depth += 1
            if self.depth > MAX_DEPTH:
                raise self.cursor.error("The expression is nested too deeply", token)
            negated = _negate(self._not())
            self.depth -= 1
            return negated
        return self._comparison()

    def _comparison(self) -> Expression:
        left = self._sum()
        if op := self.cursor.accept_op(*COMPARISONS):
            return _compare(left, self._sum(), op.value)
        if self.cursor.accept_word("like"):
            return _call_node("like", [left, self._sum()], self.scope)
        negative = None
        follows = self.cursor.peek(1)
        if follows and follows.is_word("in") and (token := self.cursor.peek()) and token.is_word("not"):
            negative = self.cursor.next()
        if self.cursor.accept_word("in"):
            self.cursor.expect_op("(")
            found = _call_node("in", [left, *self._arguments()], self.scope)
            return _negate(found) if negative else found
        return left

    def _sum(self) -> Expression:
        left = self._product()
        while op := self.cursor.accept_op("+", "-", "."):
            right = self._product()
            left = _join(left, right, {"+": _plus, "-": _minus, ".": _concat}[op.value])
        return left

    def _product(self) -> Expression:
        left = self._unary()
        while op := self.cursor.accept_op("*", "/", "%"):
            left = _join(left, self._unary(), {"*": _times, "/": _divide, "%": _modulo}[op.value])
        return left

    def _unary(self) -> Expression:
        if token := self.cursor.accept_op("-", "+"):
            self.depth += 1
            if self.depth > MAX_DEPTH:
                raise self.cursor.error("The expression is nested too deeply", token)
            inner = self._unary()
            self.depth -= 1
            return _join(_literal(0), inner, _minus) if token.value == "-" else inner
        return self._atom()

    def _atom(self) -> Expression:
        token = self.cursor.next("a value")
        if token.kind == "number":
            number = to_number(token.value)
            return _literal(number)
        if token.kind == "text":
            return _literal(token.value)
        if token.kind == "name":
            return _field(token.value)
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
            return _literal(None)
        if token.is_word("and", "or", "not", "xor", "in", "like", "as", "by"):
            raise self.cursor.error(f"The expression is malformed. Unexpected {token.value!r}", token)
        return _field(token.value)

    def _call(self, token: Token) -> Expression:
        name = token.value.lower()
        if name not in functions.SIGNATURES:
            near = suggestion(name, functions.SIGNATURES)
            raise self.cursor.error(f"The '{token.value}' function is unsupported or undefined.{near}", token)
        given = self._lambda_arguments() if name in functions.PER_VALUE else self._arguments()
        least, most = functions.SIGNATURES[name].arity
        if not least <= len(given) <= most:
            wanted = f"{least}" if least == most else f"{least} to {most}" if most < 999 else f"at least {least}"
            raise self.cursor.error(f"The '{name}' function takes {wanted} arguments, given {len(given)}", token)
        try:
            return _call_node(name, given, self.scope)
        except SplError as error:
            raise self.cursor.error(error.message, token) from error

    def _lambda_arguments(self) -> list[Expression]:
        """mvfilter(x) and mvmap(x, y): the expression sees one value of the multivalue at a time."""
        return self._arguments()

    def _arguments(self) -> list[Expression]:
        given: list[Expression] = []
        if self.cursor.accept_op(")"):
            return given
        while True:
            given.append(self.whole())
            if self.cursor.accept_op(")"):
                return given
            self.cursor.expect_op(",")


def _literal(value: Any) -> Expression:
    return Expression(lambda _row: value, constant=value)


def _field(name: str) -> Expression:
    return Expression(lambda row: row.get(name), frozenset((name,)))


def _reads(*parts: Expression) -> frozenset[str]:
    return frozenset().union(*(part.fields for part in parts))


def _truth(value: Any) -> bool | None:
    """A condition's value: true, false or unknown."""
    return value if value is True or value is False else None


def _both(left: Expression, right: Expression) -> Expression:
    a, b = left.run, right.run

    def run(row: Row) -> bool | None:
        x = _truth(a(row))
        if x is False:
            return False
        y = _truth(b(row))
        return False if y is False else None if x is None or y is None else True

    return Expression(run, _reads(left, right), boolean=True)


def _either(left: Expression, right: Expression) -> Expression:
    a, b = left.run, right.run

    def run(row: Row) -> bool | None:
        x = _truth(a(row))
        if x is True:
            return True
        y = _truth(b(row))
        return True if y is True else None if x is None or y is None else False

    return Expression(run, _reads(left, right), boolean=True)


def _differ(left: Expression, right: Expression) -> Expression:
    a, b = left.run, right.run

    def run(row: Row) -> bool | None:
        x, y = _truth(a(row)), _truth(b(row))
        return None if x is None or y is None else x != y

    return Expression(run, _reads(left, right), boolean=True)


def _negate(inner: Expression) -> Expression:
    a = inner.run

    def run(row: Row) -> bool | None:
        x = _truth(a(row))
        return None if x is None else not x

    return Expression(run, inner.fields, boolean=True)


def _compare(left: Expression, right: Expression, op: str) -> Expression:
    """A comparison with a multivalue is true when it is true for any of its values."""
    a, b, accept = left.run, right.run, COMPARISONS[op]

    def run(row: Row) -> bool | None:
        x, y = a(row), b(row)
        if x is None or y is None:
            return None
        if type(x) is list or type(y) is list:
            xs, ys = x if type(x) is list else [x], y if type(y) is list else [y]
            return any(accept(compare(i, j)) for i in xs for j in ys)
        return accept(compare(x, y))

    return Expression(run, _reads(left, right), boolean=True)


def _join(left: Expression, right: Expression, combine: Callable[[Any, Any], Any]) -> Expression:
    a, b = left.run, right.run

    def run(row: Row) -> Any:
        x, y = a(row), b(row)
        return None if x is None or y is None else combine(x, y)

    return Expression(run, _reads(left, right))


def _plus(x: Any, y: Any) -> Any:
    """Numbers are added, texts joined; a number and a text that is none give null (docs: eval, operators)."""
    a, b = to_number(x), to_number(y)
    if a is not None and b is not None:
        return clean(a + b)
    return x + y if isinstance(x, str) and isinstance(y, str) else None


def _minus(x: Any, y: Any) -> Any:
    a, b = to_number(x), to_number(y)
    return None if a is None or b is None else clean(a - b)


def _times(x: Any, y: Any) -> Any:
    a, b = to_number(x), to_number(y)
    return None if a is None or b is None else clean(a * b)


def _divide(x: Any, y: Any) -> Any:
    a, b = to_number(x), to_number(y)
    return None if a is None or not b else clean(a / b)


def _modulo(x: Any, y: Any) -> Any:
    a, b = to_number(x), to_number(y)
    if a is None or not b:
        return None
    remainder = abs(a) % abs(b)  # the sign is the dividend's, as in C
    return clean(-remainder if a < 0 else remainder)


def _concat(x: Any, y: Any) -> Any:
    if isinstance(x, list) or isinstance(y, list):
        return None
    return to_text(x) + to_text(y)


def _call_node(name: str, given: list[Expression], scope: Scope) -> Expression:
    signature = functions.SIGNATURES[name]
    call = functions.Call(
        [part.run for part in given],
        [part.constant for part in given],
        [sorted(part.fields) for part in given],
        scope.now,
    )
    return Expression(signature.build(call), _reads(*given), boolean=signature.boolean)
