"""Trigonometric and hyperbolic functions. Source: Search Reference, "Trig and Hyperbolic functions"."""

from __future__ import annotations

import math

from apisec_sandbox.spl.functions.mathematical import numeric

for _function in (
    *(math.acos, math.acosh, math.asin, math.asinh, math.atan, math.atanh),
    *(math.cos, math.cosh, math.sin, math.sinh, math.tan, math.tanh),
):
    numeric(_function.__name__, _function)
numeric("atan2", math.atan2, 2)
numeric("hypot", math.hypot, 2)
