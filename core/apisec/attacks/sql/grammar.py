"""What a value's tokens tell: where a literal or a number ends and an expression, a clause or a statement begins.

Weights are of one piece of evidence alone. A whole statement (*SELECT name FROM orders*) is no attack: it breaks out of
nothing, and people write about SQL.
"""

from __future__ import annotations

import re
from typing import Iterator, Pattern, Tuple

from apisec.attacks.sql.tokens import ways

ODD = 0.6  # the most that is said of a literal which would end where one begins
_C = "[s1vTq]"  # a constant
_X = r"(?:[s1vTtq]|f\(|n\()"  # what begins an expression and no sentence

Rules = Tuple[Tuple[float, Pattern[str]], ...]


def _rules(*rows: Tuple[float, str]) -> Rules:
    return tuple(sorted([(weight, re.compile(shape)) for weight, shape in rows], key=lambda row: -row[0]))


# What follows needs the quote behind the value to close something, or a comment to hide it.
_TO_CONSTANT = r"^s\)*[oe]+[1vT]\)*(?:[ceo;&]|$)"

# Behind the end of the literal that the value stands in.
_QUOTED = _rules(
    (0.95, rf"^s\)*&[(!o]*{_X}[)s1nvo(.,]*[eo]"),  # ' or 1=1
    (0.95, r"^s\)*&[(!o]*n(?:\.n)?\)*e"),  # ' or a=1
    (0.9, r"^s\)*&[(o]*(?:f\(|[EUkt(])"),  # ' and (select
    (0.9, r"^s\)*&[(o]*[1vT]\)*[c;]?$"),  # ' or 1
    (0.9, r"^s\)*&[(o]*[1vTsn]\)*[c;]"),  # ' or 'x'--
    (0.7, r"^s\)*&\(*q$"),  # ' or 'x
    (0.6, r"^s\)*&\(*[oeE]?$"),  # ' or
    (0.95, r"^s\)*[;(]*Uk?\(*[Ek(]"),  # ' union select
    (0.6, r"^s\)*U(?:[xo1]|n?)$"),
    (0.85, r"^s\)*;[(]*E[nkEftsv1(o]"),  # '; drop table
    (0.85, r"^s\)*,?\(+E"),  # ',(select
    (0.8, r"^s\)*,?\(*f\((?:[1s]e|[of(]*\(?E)"),  # ' if(1=1
    (0.85, r"^s\)*[oe]+(?:\(+E|f\(|E|\(+f\()"),  # '+(select
    (0.8, r"^s\)*[oe]+[sq]\)*(?:[ceo;&]|$)"),  # '=' and '||'
    (0.7, _TO_CONSTANT),  # '-1--
    (0.7, r"^s\)*(?:&|o)+n\("),  # '||f(
    (0.8, r"^s\)*K[kn]?[1f(se]"),  # ' order by 1
    (0.7, r"^s\)*k(?:1|q|s)"),  # ' limit 1
    (0.8, r"^s\)*[;,]*c$"),  # '--
    (0.6, r"^s\)+[c;]|^s[)]{2,}$"),
    (0.7, r"^s,(?:[1sTvn]|f\(|\(E)[^x]*c$"),  # ', 1)--
    (0.75, r"^s\)*k?E(?:k|n[(,]|1|s|o|\()"),
    (0.75, r"^s\)*e\("),  # ' in (
    (0.7, r"^s\)+;?(?:E|k|K|U)"),
)
# As it stands: a number or a name, then an expression; or what only an injection begins with.
_BARE = _rules(
    (0.9, rf"^(?:o?1|s|n|T|v)?\)*&[(o]*{_C}\)*e+[(]*{_C}(?![nj])"),  # 1 or 1=1
    (0.85, rf"&\(*{_C}\)*e\(*{_C}\)*(?:[c;]|$|&)"),  # ... and 1=1
    (0.85, rf"&\(*{_C}\)*e\(*(?:f\(|\(E)"),  # ... and 1=(select
    (0.8, r"f\([o(]*\(E"),  # exp(~(select
    (0.85, r"^(?:o?1|s)\)*&[(o]*(?:f\(|\(*E|t|v)"),  # 1 and sleep(
    (0.75, r"^(?:o?1|s)\)*&[(o]*n\)*e[o(]*[1svT]"),  # 1 or a=1
    (0.8, r"^&[(o]*[1snT]\)*e|^ne&[(o]*(?:[1sT]|n(?!.{5}))\)*e"),  # and 1=
    (0.6, r"^(?:ne)?&[(o]*[1s]q?$"),
    (0.6, r"^Kk?1e"),
    (0.7, r"^Ek?n;c$"),  # drop t;--
    (0.6, r"^ks(?:\.s)*k"),  # from `t` where
    (0.9, r"Uk?\(*E(?:k|[1svtTo*(]|n[,.(k]|f\()"),  # union select 1
    (0.85, r"^[1s]\)*Uk?\(*[En]|^[1s]?\)*Uk?E$"),
    (0.9, r"[1s)q];\(*E[nkEftv(s1o]"),  # 1; drop table
    (0.8, r"^;\(*(?:E|k)[nkEftv(s1o]"),
    (0.85, r"^(?:o?1|s)?\)*,?\(+E"),  # 1,(select
    (0.8, r"^(?:o?1|s)?\)+(?:&|U|K|k|;E|[oe][(E1sf])"),  # 1) or
    (0.8, r"^(?:o?1|s)\)*Kk[1f(sc]|^1K(?:k|1[oe]|n\()"),  # 1 order by 5
    (0.75, r"^n\)+(?:Kk?1c|Uk?\(*E)"),  # abc) order by 31/*
    (0.85, r"^1[oe]\(+E|^1[oe]?\(*E.*k|^1[oe]f\("),  # 1-(select
    (0.6, r"Ek?f\("),  # select concat(
    (0.55, r"^E?f\($|^(?:E|[oe]|&)+f\("),  # what was cut off behind a call
    (0.6, r"^[k,(]*\(?Ek?f\(.*\(E|\(Ek?(?:n|f\(|\*|o|1|t).*k"),  # a statement within an expression
    (0.6, r"^(?:o?1|s)\)*c$"),  # 1--
    (0.8, r"&f\(.*\)[eo]"),
    (0.85, r"^f\((?:1|s|f\()[^;]*\)(?:[oec&]|$)"),  # sleep(5)
    (0.7, r"^(?:1|s)[oek]+\(*E|^[oek]+\(+E"),
    (0.75, r"(?:E|U).*t"),
)


# Whether there is anything of it: mostly there is not, and one question says so.
_ANY_QUOTED, _ANY_BARE = [re.compile("|".join([shape.pattern for _, shape in rules])) for rules in (_QUOTED, _BARE)]

# What tokens of a text as it stands can tell only where one of these is: most prose has none.
_BEGUN = re.compile(
    r"\s{0,4}[);,|&]|[-+~!(\s]{0,4}\d|[a-z_]\w{0,40}\s{0,3}\("
    r"|['\"`][^'\"`]{0,80}['\"`]\s{0,3}(?:[)=<>|&+;,*-]|(?:or|and|xor|like|is|in)\b)"
    r"|(?:\w{1,12}=)?(?:or|and|xor|having|order|group|from|where|drop|exec|execute|like|in)\b"
)
_ENDED = re.compile(r"(?:--|#|/\*)\s?$")
_STACKED = re.compile(
    r";\s{0,3}\(?(?:insert|update|delete|drop|alter|create|truncate|exec|declare|shutdown|waitfor|grant|merge|load|call)\b"
)
# The word first, and what must not stand before it behind it: an expression that begins with a literal is found sooner.
_LOGIC = re.compile(
    r"(?:or(?<![a-z]or)|and(?<![a-z]and)|xor(?<![a-z]xor))\b[\s(!+~-]{0,6}"
    r"(?:[\d'\"@(]|true|false|null|not|[a-z_]{2,24}\s{0,3}\()"
)


# Names, and behind them a statement that breaks out of nothing: what it does is its author's business. Joins, nested
# statements and calls of functions tell nothing there; a constant truth, a second statement and a comment still do.
_OWN = re.compile(r"^[n.,:x]{0,60}E[^;U]*?k")
_OF_OTHERS = frozenset(
    (r"Uk?\(*E(?:k|[1svtTo*(]|n[,.(k]|f\()", r"Ek?f\(", r"&f\(.*\)[eo]",
     r"^[k,(]*\(?Ek?f\(.*\(E|\(Ek?(?:n|f\(|\*|o|1|t).*k")
)  # fmt: skip


def _telling(text: str) -> bool:
    return (
        "union" in text
        or "select" in text
        or "&&" in text
        or "||" in text
        or _BEGUN.match(text) is not None
        or (("or" in text or "and" in text) and _LOGIC.search(text) is not None)
        or (";" in text and _STACKED.search(text) is not None)
        or _ENDED.search(text, max(0, len(text) - 3)) is not None
    )


# Names with values, as programs log them: state=or zip=97201 took=3ms
_LOGGED = re.compile(r"\w{1,30}=\w{1,40}(?: [\w.]{1,30}=(?:\"[^\"]{0,200}\"|[^\s\"=]{1,200})){2}")


def _measured(text: str, quote: str, kinds: str) -> bool:
    """Return whether a quote is a prime, or feet: nothing closes what it would open."""
    return text.count(quote) % 2 == 1 and "c" not in kinds and text[: text.find(quote)][-1:].isalnum()


def judge(text: str) -> Iterator[float]:
    """Yield the weight of the strongest evidence in each way of reading a value."""
    doubtful = 0.0
    for quote, kinds, odd in ways(text, _telling(text) and not _LOGGED.match(text)):
        if len(kinds) > 1 and (_ANY_QUOTED if quote else _ANY_BARE).search(kinds):
            own = not quote and _OWN.match(kinds) is not None
            for weight, shape in _QUOTED if quote else _BARE:
                if own and shape.pattern in _OF_OTHERS:
                    continue
                if shape.pattern == _TO_CONSTANT and _measured(text, quote, kinds):
                    continue  # y' = 3, 5' x 8
                if shape.search(kinds):
                    if odd:
                        doubtful = max(doubtful, min(weight, ODD))
                    else:
                        yield weight
                    break
    if doubtful:
        yield doubtful
