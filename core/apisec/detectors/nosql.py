"""NoSQL injection: query operators where values belong, and script in a query."""

from __future__ import annotations

from apisec.detectors.base import SignalDetector, linear, shapes

_OPERATORS = (
    r"\$(?:ne|eq|gte?|lte?|n?in|where|regex|exists|or|and|not|nor|expr|elemmatch|function|type|size|all|mod|text)"
)

# Asked of the names of members too: user[$ne]=1, {"user": {"$gt": ""}}.
SIGNALS = (
    SignalDetector(
        "injection.nosql",
        linear(r"\$|\bthis\.|return|function|\bdb\."),
        shapes(
            (0.8, rf"^{_OPERATORS}$"),
            (0.8, rf"\[ ?{_OPERATORS} ?\]"),
            (0.8, rf"[{{,] ?['\"]?{_OPERATORS}['\"]? ?:"),
            (0.75, r"['\"] ?(?:;|\|\||&&) ?(?:return|this\.|sleep ?\(|db\.|while ?\()"),
            (0.6, r"\bthis\.\w{1,40} ?(?:==|!=|=~|\.match)"),
            (0.75, r"\bdb\.\w{1,40}\.(?:find|insert|update|remove|drop|aggregate)\w{0,10} ?\(|db\.injection"),
            (0.6, r"^function ?\(\) ?\{.{0,200}return|;return (?:true|1)\b"),
        ),
    ),
)
