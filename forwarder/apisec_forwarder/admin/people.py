"""People who sign in by name and password (Basic, RFC 7617), and what the groups of their directory give them."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable
from typing import Protocol

from apisec_forwarder.config.schema import LdapGroup

MAX_HEADER = 2048


class People(Protocol):
    """A directory: returns the mapped groups of a person, None whatever is wrong. May block for some seconds."""

    def groups(self, name: str, secret: str) -> tuple[LdapGroup, ...] | None: ...


def basic(header: str) -> tuple[str, str] | None:
    """Return name and password of an Authorization header (RFC 7617), None when it is none."""
    scheme, _, text = header.partition(" ")
    if scheme.lower() != "basic" or len(header) > MAX_HEADER:
        return None
    try:
        name, colon, secret = base64.b64decode(text.strip(), validate=True).decode("utf-8").partition(":")
    except (binascii.Error, ValueError):
        return None
    return (name, secret) if colon else None


def teams(groups: Iterable[LdapGroup], scope: str) -> frozenset[str]:
    """Return the teams for which one of the groups gives the scope: a group's scopes count for its own teams only."""
    return frozenset(team for group in groups if scope in group.scopes for team in group.teams)
