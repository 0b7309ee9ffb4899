"""NoSQL injection: query operators where values belong, and script in a query."""

from __future__ import annotations

from apisec.attacks.base import attack

_OPERATORS = (
    r"\$(?:ne|eq|gte?|lte?|n?in|where|regex|options|exists|or|and|not|nor|expr|elemmatch|function"
    r"|accumulator|type|size|all|mod|text|search"
    r"|jsonschema|comment|rand|slice|meta|near|geowithin|lookup|project|group|match|unionwith|out|merge)"
)

# Asked of the names of members too: user[$ne]=1, {"user": {"$gt": ""}}.
ATTACKS = (
    attack(
        "injection.nosql",
        "nosql",
        (0.8, rf"^{_OPERATORS}$", "$"),
        (0.8, rf"\[ ?['\"]?{_OPERATORS}['\"]? ?\]", "$"),
        (0.8, rf"[{{,] ?['\"]?{_OPERATORS}['\"]? ?:", "$"),
        (
            0.75,
            r"^[^'\"\n;({]{0,40}['\"\d)}]{1,4} ?(?:;|\|\||&&) ?(?:return\b|this\.|sleep ?\(|db\.|while ?\(|var \w"
            r"|function ?\(|do ?\{|\w{1,10} ?= ?new date)",
            "return",
            "this.",
            "sleep",
            "db.",
            "while",
            "function",
            "var ",
            "do{",
            "do {",
            "new date",
        ),
        (0.6, r"\bthis\.\w{1,40} ?(?:==|!=|=~|\.match)|\bthis\.\w{1,40}\.match\(", "this."),
        (
            0.75,
            r"\bdb\.\w{1,40}\.(?:find|insert|update|remove|drop|aggregate|count|distinct)\w{0,10} ?\("
            r"|db\.(?:injection|getcollection|admincommand|runcommand)",
            "db.",
        ),
        (
            0.7,
            r"^\W{0,6}function ?\( ?\w{0,10} ?\) ?\{.{0,200}(?:return|while|sleep)|;return (?:true|1)\b"
            r"|\(function\(\) ?\{.{0,200}(?:while|sleep|new date)",
            "function",
            "return",
        ),
    ),
)
