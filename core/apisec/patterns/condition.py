"""Sigma's condition grammar: selections joined by ``and``, ``or``, ``not``, parentheses, ``1 of x*``, ``all of x*``.

expression := term ("or" term)*
term       := factor ("and" factor)*
factor     := "not" factor | "(" expression ")" | ("1" | "any" | "all") "of" ("them" | name*) | name
"""

from __future__ import annotations

import fnmatch
import re
from typing import Dict, FrozenSet, List, Mapping

from apisec.errors import PatternError, did_you_mean
from apisec.model.pattern import AllOf, AnyOf, Expression, Not

MAX_LENGTH = 2000  # characters
MAX_DEPTH = 30  # nested parentheses and negations
_TOKEN = re.compile(r"\s*(?:([()])|([A-Za-z0-9_*-]+))")
_QUANTIFIERS = frozenset(("1", "any", "all"))


def parse(
    text: object, selections: Mapping[str, Expression], where: str, hidden: FrozenSet[str] = frozenset()
) -> Expression:
    """Return the condition over ``selections``; ``hidden`` ones are not part of ``them`` or of a wildcard."""
    if not isinstance(text, str) or not text.strip():
        raise PatternError("a condition over the selections is needed, such as 'selection and not filter'", where=where)
    if len(text) > MAX_LENGTH:
        raise PatternError(f"a condition of more than {MAX_LENGTH} characters", where=where)
    return _Parser(_tokens(text, where), selections, where, hidden).whole()


def _tokens(text: str, where: str) -> List[str]:
    tokens: List[str] = []
    position, end = 0, len(text.rstrip())
    while position < end:
        found = _TOKEN.match(text, position)
        if found is None:
            at = end - len(text[position:end].lstrip())
            raise PatternError(f"unexpected {text[at]!r} at column {at + 1}", where=where)
        tokens.append(found.group(1) or found.group(2))
        position = found.end()
    return tokens


class _Parser:
    def __init__(
        self, tokens: List[str], selections: Mapping[str, Expression], where: str, hidden: FrozenSet[str]
    ) -> None:
        self.tokens = tokens
        self.position = 0
        self.selections = selections
        self.where = where
        self.hidden = hidden

    def whole(self) -> Expression:
        expression = self._either(0)
        if self.position < len(self.tokens):
            raise self._error(f"unexpected {self.tokens[self.position]!r} after the condition's end")
        return expression

    def _either(self, depth: int) -> Expression:
        parts = [self._both(depth)]
        while self._take("or"):
            parts.append(self._both(depth))
        return parts[0] if len(parts) == 1 else AnyOf(tuple(parts))

    def _both(self, depth: int) -> Expression:
        parts = [self._factor(depth)]
        while self._take("and"):
            parts.append(self._factor(depth))
        return parts[0] if len(parts) == 1 else AllOf(tuple(parts))

    def _factor(self, depth: int) -> Expression:
        if depth > MAX_DEPTH:
            raise self._error(f"nested deeper than {MAX_DEPTH}")
        if self.position >= len(self.tokens):
            raise self._error("the condition ends where a selection is expected")
        word = self.tokens[self.position]
        self.position += 1
        if word == "(":
            inner = self._either(depth + 1)
            if not self._take(")"):
                raise self._error("a parenthesis is not closed")
            return inner
        lowered = word.lower()
        if lowered == "not":
            return Not(self._factor(depth + 1))
        if lowered in _QUANTIFIERS and self._take("of"):
            return self._of(lowered)
        if lowered in ("and", "or", ")"):
            raise self._error(f"unexpected {word!r} where a selection is expected")
        return self._named(word)

    def _of(self, quantifier: str) -> Expression:
        if self.position >= len(self.tokens):
            raise self._error(f"'{quantifier} of' needs 'them' or a name such as selection*")
        word = self.tokens[self.position]
        self.position += 1
        chosen: Dict[str, Expression] = {
            name: part
            for name, part in self.selections.items()
            if name not in self.hidden and (word.lower() == "them" or fnmatch.fnmatchcase(name, word))
        }
        if not chosen:
            raise self._error(f"no selection is named {word!r}{did_you_mean(word, self.selections)}")
        parts = tuple(chosen.values())
        return AllOf(parts) if quantifier == "all" else AnyOf(parts)

    def _named(self, name: str) -> Expression:
        if name not in self.selections:
            raise self._error(f"no selection is named {name!r}{did_you_mean(name, self.selections)}")
        return self.selections[name]

    def _take(self, word: str) -> bool:
        if self.position < len(self.tokens) and self.tokens[self.position].lower() == word:
            self.position += 1
            return True
        return False

    def _error(self, message: str) -> PatternError:
        return PatternError(message, where=self.where)
