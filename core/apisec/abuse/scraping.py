"""Scraping: reading through what is there, object by object or page by page."""

from __future__ import annotations

from apisec.abuse.counting import PRINCIPAL_OPERATION, Claim, CountingFamily


class Scraping(CountingFamily):
    name = "scraping"
    claims = (
        Claim(
            "objects", "objects", "different objects", PRINCIPAL_OPERATION, least=10, group="width", example="object"
        ),
        Claim("all_objects", "objects", "different objects", least=15, group="width", example="object"),
        Claim("records", "records", "records", PRINCIPAL_OPERATION, least=50, group="width"),
    )
