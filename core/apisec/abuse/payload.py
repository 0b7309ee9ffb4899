"""Injection and SSRF: requests with signals. One weak signal is none; strong or repeated ones are."""

# ruff: noqa: ARG002 - every family takes what the protocol gives
from __future__ import annotations

from typing import ClassVar, FrozenSet, Mapping

from apisec.abuse.base import PRINCIPAL_OPERATION, Context
from apisec.abuse.counting import CountingFamily
from apisec.abuse.tally import Counted
from apisec.abuse.weighing import Claim, Total, Weighed

WEAK = 0.7  # below, a signal counts a fifth
_WEAK_WEIGHT = 0.2
ANSWERED = 1.0  # decades for an answer that gave something away


class Payload(CountingFamily):
    """``signals`` are the signal families that the family counts."""

    signals: ClassVar[FrozenSet[str]]
    counter: ClassVar[str]
    further = ("answered",)
    young_cap = None  # a payload is one from the first day on

    def mark(self, counted: Counted, context: Context) -> None:
        for row in counted.rows:
            for family, signal in row.signals.items():
                if family not in self.signals:
                    continue
                weight = signal.strength if signal.strength >= WEAK else _WEAK_WEIGHT * signal.strength
                for operation, requests in signal.operations.items():
                    counted.mark(operation, self.counter, weight * requests)

    def beside(self, counted: Counted, context: Context, lead: Weighed) -> Mapping[str, float]:
        answered = any(
            signal.answered for row in counted.rows for family, signal in row.signals.items() if family in self.signals
        )
        return {"answered": ANSWERED} if answered else {}


class Injection(Payload):
    name = "injection"
    signals = frozenset(
        {"sqli", "nosql", "command", "code", "template", "jndi", "xss", "files", "ldap", "xpath", "xxe", "crlf"}
        | {"deserialisation", "prototype", "graphql"}
    )
    counter = "injections"
    claims = (
        Claim("signals", counter, "requests with signs of an injection", least=0.5, group="signals"),
        Claim("here", counter, "requests with signs of an injection", PRINCIPAL_OPERATION, 0.5, "signals"),
    )
    totals = (Total("total", counter, "requests with signs of an injection", least=3),)


class ServerSideRequestForgery(Payload):
    name = "ssrf"
    signals = frozenset(("ssrf",))
    counter = "forgeries"
    claims = (
        Claim("signals", counter, "requests with addresses of inner networks", least=0.5, group="signals"),
        Claim(
            "here",
            counter,
            "requests with addresses of inner networks",
            PRINCIPAL_OPERATION,
            0.5,
            "signals",
        ),
    )
    totals = (Total("total", counter, "requests with addresses of inner networks", least=3),)
