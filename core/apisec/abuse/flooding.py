"""Flooding: more requests than a principal has reason for, or than the service takes.

Load grows, marketing brings bursts, integrations run round the clock: each principal is judged against its peers and
its own habit. Volume alone is never a finding, for a migration and a new monitor look no different; what the service
itself refuses as too much is.
"""

from __future__ import annotations

from apisec.abuse.base import PRINCIPAL_OPERATION
from apisec.abuse.counting import Claim, CountingFamily, Total, volume


class Flooding(CountingFamily):
    name = "flooding"
    claims = (
        volume("requests", "requests", "requests", least=60, group="volume"),
        volume("operation", "requests", "requests", PRINCIPAL_OPERATION, least=40, group="volume"),
        Claim("throttled", "s429", "requests over a limit (429)", example="failure"),
    )
    totals = (Total("total", "s429", "requests over a limit (429)", example="failure"),)
