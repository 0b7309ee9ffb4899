"""Parts of requests that people and attackers write alike: pages, terms, whole records."""

from __future__ import annotations

from random import Random
from typing import Any

from apisec_sandbox.campaigns.app import App
from apisec_sandbox.campaigns.bodies import Listed
from apisec_sandbox.campaigns.operations import Compiled, filled
from apisec_sandbox.campaigns.values import WORDS


def paged(
    app: App, op: Compiled, rng: Random, number: int = 0, size: int = 0, term: str = "", wide: bool = False
) -> dict[str, Any]:
    """Return the options of a request for a page: ``size`` 0 leaves the API's own; ``wide``: whole records."""
    way, name, size_name = app.spec.paging
    options: dict[str, Any] = {}
    members: dict[str, str | int] = {}
    if op.graphql:
        if name:
            members = {size_name: size or app.spec.page}
            members |= {name: _place(way, number, size or app.spec.page)} if number else {}
            options["body"] = op.document(members)
            fields = ["operationName", "query", *(f"variables.{each}" for each in members)]
            options["extra"] = tuple(
                Listed(each, "body", "integer" if each.startswith("variables.") else "string") for each in fields
            )
        return options
    if op.bodies and op.spec.method == "POST":  # an RPC's page is in its body
        if name:
            members = {name: _place(way, number, size or app.spec.page), size_name: size or app.spec.page}
        options["body"] = filled(op, rng, app.tokens, members)
        return options
    pairs: list[tuple[str, str]] = []
    for each in op.query:
        if each == name:
            if number or way == "page":
                pairs.append((each, str(_place(way, number, size or app.spec.page))))
        elif each == size_name:
            if size or op.number % 2:
                pairs.append((each, str(size or app.spec.page)))
        else:
            pairs.append((each, term or rng.choice(WORDS)))
    if wide and app.spec.widening and op.method == "GET":
        pairs.append((app.spec.widening, "all"))
        options["wide"] = True
    if pairs:
        options["query"] = sorted(pairs)
    return options


def _place(way: str, number: int, size: int) -> int:
    return number + 1 if way == "page" else number * size if way == "offset" else 7_000 + 31 * number


def page_of(shelf: list[Any], number: int, size: int) -> list[Any]:
    return shelf[number * size : (number + 1) * size]
