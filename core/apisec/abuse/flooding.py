"""Flooding: more requests than a principal has reason for, or than the service takes.

Load grows, marketing brings bursts, integrations run round the clock: each principal is judged against its peers and
its own habit.
"""

from __future__ import annotations

from apisec.abuse.counting import PRINCIPAL_OPERATION, Claim, CountingFamily


class Flooding(CountingFamily):
    name = "flooding"
    claims = (
        Claim("requests", "requests", "requests", least=30, group="volume"),
        Claim("operation", "requests", "requests", PRINCIPAL_OPERATION, least=20, group="volume"),
        Claim("throttled", "s429", "requests over a limit (429)", example="failure"),
    )
