"""Excess data: more bytes or more classified values than a principal has reason for."""

from __future__ import annotations

from apisec.abuse.counting import PRINCIPAL_OPERATION, Claim, CountingFamily


class ExcessData(CountingFamily):
    name = "excess_data"
    claims = (
        Claim(
            "sensitive", "sensitive", "classified values", PRINCIPAL_OPERATION, least=20, group="data", example="large"
        ),
        Claim("bytes", "bytes", "bytes", PRINCIPAL_OPERATION, least=20_000, group="data", example="large"),
        Claim("all_bytes", "bytes", "bytes", least=50_000, group="data", example="large"),
    )
