"""Functions of eval and where, one builder each: given the compiled arguments it returns the compiled call.

One module a group of the Search Reference's "Evaluation functions"; importing one registers its functions.
"""

from apisec_sandbox.spl.functions import (
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
)
from apisec_sandbox.spl.functions.registry import PER_VALUE, SIGNATURES, Call, Evaluate, Signature, regex

GROUPS = (
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
)

__all__ = ["GROUPS", "PER_VALUE", "SIGNATURES", "Call", "Evaluate", "Signature", "regex"]
