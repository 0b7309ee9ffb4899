"""Spans of time as conf files write them: ``60``, ``60s``, ``5m``, ``2h``, ``1d`` (savedsearches.conf.spec)."""

from __future__ import annotations

import re

from apisec_sandbox.errors import SandboxError
from apisec_sandbox.spl.times import parse_span

PERIOD = re.compile(r"(\d+)([smhd]?)\Z")


def seconds_of(text: str) -> float:
    """``60``, ``60s``, ``5m``, ``2h``, ``1d``.

    Raises:
        SandboxError: it is no period.
    """
    match = PERIOD.match(text.strip())
    if not match:
        raise SandboxError(f"{text!r} is no period such as 60s, 5m, 2h")
    return parse_span(match[1] + (match[2] or "s"))[0]
