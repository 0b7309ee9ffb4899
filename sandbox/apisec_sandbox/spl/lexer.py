"""Tokens of SPL. Two modes: arguments of commands (words may hold dots, dashes, braces) and eval expressions.

Positions count characters of the whole search, so that every error can point.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from apisec_sandbox.spl.errors import SplError
from apisec_sandbox.spl.positions import excerpt


@dataclass(frozen=True)
class Token:
    """``kind``: word, text (double quotes), name (single quotes), op, number (eval only), search (a subsearch)."""

    kind: str
    value: str
    start: int
    end: int
    spaced: bool = False  # white space stands before it

    def is_word(self, *names: str) -> bool:
        return self.kind == "word" and self.value.lower() in names

    def is_op(self, *ops: str) -> bool:
        return self.kind == "op" and self.value in ops


SPACE = re.compile(r"\s+")
# Possessive: a quote that does not close is found out in one pass.
QUOTED = re.compile(r'"((?:[^"\\]++|\\.)*+)"', re.DOTALL)
SINGLE = re.compile(r"'((?:[^'\\]++|\\.)*+)'", re.DOTALL)
MAX_NESTING = 30  # brackets in brackets
ARGUMENT = re.compile(r"!=|<=|>=|[=<>(),\[\]]|(?:[^\s\"=<>(),\[\]|!]|!(?!=))+")
ARGUMENT_OP = re.compile(r"!=|<=|>=|[=<>(),\[\]]\Z")
EVAL = re.compile(
    r"(?P<number>(?:\d+(?:\.\d+)?|\.\d+)(?:[eE][+-]?\d+)?(?![\w]))"
    r"|(?P<word>[A-Za-z_\u0080-\U0010ffff][\w]*(?::{1,2}\w+)*(?:\{\}[\w.{}]*)?)"
    r"|(?P<op>==|!=|<=|>=|<|>|=|\+|-|\*|/|%|\.|\(|\)|,|\[|\])"
)
DOT = re.compile(r"(?P<op>\.)")
ESCAPE = re.compile(r'\\(["\\])')


def unquote(inner: str) -> str:
    r"""``\"`` and ``\\`` are escapes; any other backslash stays, as regular expressions need it."""
    return ESCAPE.sub(r"\1", inner) if "\\" in inner else inner


def _quoted(text: str, position: int, end: int) -> tuple[str, str, int]:
    pattern, kind = (QUOTED, "text") if text[position] == '"' else (SINGLE, "name")
    match = pattern.match(text, position, end)
    if not match:
        raise SplError("Unbalanced quotes", text, position)
    return kind, unquote(match[1]), match.end()


def bracket_end(text: str, start: int, end: int) -> int:
    """Return where the bracket that opens at ``start`` closes; quotes inside do not count."""
    depth, position = 0, start
    while position < end:
        char = text[position]
        if char == '"':
            position = _quoted(text, position, end)[2]
            continue
        depth += (char == "[") - (char == "]")
        position += 1
        if depth == 0:
            return position
        if depth > MAX_NESTING:
            raise SplError(f"Subsearches are nested more than {MAX_NESTING} deep", text, start)
    raise SplError("Missing closing bracket ]", text, start)


def arguments(text: str, start: int, end: int, brackets: bool = True) -> list[Token]:
    """Tokens of a command's arguments; a subsearch is one token (its inside, without the brackets)."""
    tokens: list[Token] = []
    position, spaced = start, False
    while position < end:
        if space := SPACE.match(text, position, end):
            position, spaced = space.end(), True
            continue
        char = text[position]
        begin = position
        if char == '"':
            kind, value, position = _quoted(text, position, end)
        elif char == "[" and brackets:
            position = bracket_end(text, position, end)
            kind, value = "search", excerpt(text, begin + 1, position - 1)
        else:
            match = ARGUMENT.match(text, position, end)
            if not match:
                raise SplError(f"Unexpected character {char!r}", text, position)
            kind = "op" if ARGUMENT_OP.match(match[0]) else "word"
            value, position = match[0], match.end()
        tokens.append(Token(kind, value, begin, position, spaced))
        spaced = False
    return tokens


def expression_tokens(text: str, start: int, end: int) -> list[Token]:
    """Tokens of an eval expression."""
    tokens: list[Token] = []
    position, spaced = start, False
    while position < end:
        if space := SPACE.match(text, position, end):
            position, spaced = space.end(), True
            continue
        begin = position
        if text[position] in "\"'":
            kind, value, position = _quoted(text, position, end)
        else:
            # Behind an operand a dot joins: ``status.1`` is no field and the number .1.
            dot = text[position] == "." and tokens and _operand(tokens[-1])
            match = DOT.match(text, position, end) if dot else EVAL.match(text, position, end)
            if not match:
                raise SplError(f"Unexpected character {text[position]!r} in the expression", text, position)
            kind, value, position = str(match.lastgroup), match[0], match.end()
        tokens.append(Token(kind, value, begin, position, spaced))
        spaced = False
    return tokens


def _operand(token: Token) -> bool:
    return token.kind in ("text", "name", "number", "word") or token.is_op(")", "]")


class Cursor:
    """A position in a list of tokens, with the errors of a parser."""

    def __init__(self, tokens: list[Token], text: str, end: int) -> None:
        self.tokens = tokens
        self.text = text
        self.end = end
        self.at = 0

    def peek(self, ahead: int = 0) -> Token | None:
        place = self.at + ahead
        return self.tokens[place] if place < len(self.tokens) else None

    def next(self, what: str = "an argument") -> Token:
        token = self.peek()
        if token is None:
            raise self.error(f"Expected {what}, but the command ends")
        self.at += 1
        return token

    def accept_op(self, *ops: str) -> Token | None:
        token = self.peek()
        if token and token.is_op(*ops):
            self.at += 1
            return token
        return None

    def accept_word(self, *names: str) -> Token | None:
        token = self.peek()
        if token and token.is_word(*names):
            self.at += 1
            return token
        return None

    def expect_op(self, op: str) -> Token:
        token = self.peek()
        if token is None or not token.is_op(op):
            raise self.error(f"Expected {op!r}, found {token.value!r}" if token else f"Missing {op!r}", token)
        self.at += 1
        return token

    def error(self, message: str, token: Token | None = None) -> SplError:
        return SplError(message, self.text, token.start if token else self.end)

    def done(self) -> bool:
        return self.at >= len(self.tokens)

    def finish(self, command: str) -> None:
        """Refuse what is left over."""
        token = self.peek()
        if token:
            raise self.error(f"Error in '{command}' command: unexpected argument {token.value!r}", token)
