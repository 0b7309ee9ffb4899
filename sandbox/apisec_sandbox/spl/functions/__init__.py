"""Functions of eval and where, one builder each: given the compiled arguments it returns the compiled call.

One module a group of the Search Reference's "Evaluation functions"; importing one registers its functions.
"""

from collections.abc import Callable
from typing import Any

from apisec_sandbox.spl.functions import (
    bitwise,
    comparison,
    conversion,
    cryptographic,
    date_and_time,
    informational,
    json_functions,
    mathematical,
    multivalue,
    statistical,
    text,
    trigonometric,
)
from apisec_sandbox.spl.functions.registry import SIGNATURES, Call, Evaluate, Signature, regex

GROUPS = (
    bitwise,
    comparison,
    conversion,
    cryptographic,
    date_and_time,
    informational,
    json_functions,
    mathematical,
    multivalue,
    statistical,
    text,
    trigonometric,
)
# Which arguments are conditions: a constant there is a mistake.
CONDITIONS: dict[str, Callable[[list[Any]], list[Any]]] = {
    "if": lambda given: given[:1],
    "case": lambda given: given[::2],
    "validate": lambda given: given[::2],
}

__all__ = ["CONDITIONS", "GROUPS", "SIGNATURES", "Call", "Evaluate", "Signature", "regex"]
