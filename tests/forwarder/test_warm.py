"""An engine has compiled what ordinary traffic needs before its first transaction."""

from __future__ import annotations

import subprocess
import sys

import pytest

from apisec.redaction.keys import Tokenizer
from apisec_forwarder.pipeline import PipelineSettings, engine, missing
from tests.forwarder.test_leaks import KEYS

# In a process of its own: here, other tests have compiled most patterns already.
SCRIPT = """
import json, re, sys
from apisec.model.transaction import Body, Client, Request, Response, Transaction
from apisec.redaction.keys import KeyRing, Tokenizer
from apisec.validators import lazy
from apisec_forwarder.keys import generate
from apisec_forwarder.pipeline import PipelineSettings, engine

compiled, real = [], lazy.re

class Counting:
    def __getattr__(self, name):
        return getattr(real, name)

    @staticmethod
    def compile(pattern, flags=0):
        compiled.append(pattern)
        return real.compile(pattern, flags)

lazy.re = Counting()
if sys.argv[1] == "warm":
    one = engine(PipelineSettings("edge", "DEV"), Tokenizer(KeyRing.parse(generate())), "pure")
else:
    from apisec_forwarder.pipeline.engines import PureEngine
    one = PureEngine(PipelineSettings("edge", "DEV"), Tokenizer(KeyRing.parse(generate())))
before = len(compiled)
user = {"name": "Grace Hopper", "email": "grace@example.com", "phone": "+1 212 555 0199", "card": "5555555555554444"}
body = json.dumps({"id": 7, "user": user, "note": "Grace Hopper paid 12.50, call +1 212 555 0199"}).encode()
sent = Request("POST", "/users/7?q=shoes", (("content-type", "application/json"),), Body(body, len(body)))
answer = Response(200, sent.headers, sent.body)
one.record(Transaction("a", 1.0, Client("192.0.2.1"), sent, answer, 1.0))
print(len(compiled) - before)
"""


def compiled_by_the_first(how: str) -> int:
    """Return how many patterns the first transaction compiles."""
    done = subprocess.run([sys.executable, "-c", SCRIPT, how], capture_output=True, text=True, check=True, timeout=120)
    return int(done.stdout)


def test_the_first_transaction_compiles_nothing() -> None:
    assert compiled_by_the_first("cold") > 10
    assert compiled_by_the_first("warm") == 0


@pytest.mark.parametrize("kind", ["pure", "auto"])
def test_what_was_read_to_get_warm_is_not_counted(kind: str) -> None:
    made = engine(PipelineSettings("edge", "DEV"), Tokenizer(KEYS), kind)
    assert made.name == ("pure" if kind == "pure" or missing() else "native")
    assert set(made.lanes.values()) == {0}
    assert (made.last_coverage, made.last_blocked) == ("", False)
