"""Which token an envelope goes by: that of the team that owns its index, or the default one."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence

import orjson

from apisec_forwarder.exporters.hec import DEFAULT_ROUTE

# The head of an envelope as the forwarder writes it: everything before the index is configuration, never traffic.
_PLAIN = rb'"[^"\\]{0,256}"'
_HEAD = re.compile(
    rb'\{"time":[0-9.eE+-]{1,32},"host":' + _PLAIN + rb',"source":' + _PLAIN + rb',"sourcetype":' + _PLAIN
    + rb',"index":"([a-z0-9_-]{1,80})"'
)  # fmt: skip


class Routes:
    """Knows the indexes that belong to teams with a token of their own."""

    def __init__(self, owners: Iterable[tuple[str, str]] = ()) -> None:
        """``owners``: (index, team), as ``Hec.team_routes`` gives them."""
        self._by_index: Mapping[bytes, str] = {index.encode("ascii"): team for index, team in owners}
        self.names: tuple[str, ...] = (DEFAULT_ROUTE, *sorted(set(self._by_index.values())))

    def group(self, envelopes: Sequence[bytes]) -> dict[str, list[int]]:
        """Return the places of the envelopes by route."""
        if not self._by_index:
            return {DEFAULT_ROUTE: list(range(len(envelopes)))}
        groups: dict[str, list[int]] = {}
        for place, envelope in enumerate(envelopes):
            groups.setdefault(self._by_index.get(_index(envelope), DEFAULT_ROUTE), []).append(place)
        return groups


def _index(envelope: bytes) -> bytes:
    head = _HEAD.match(envelope)
    if head is not None:
        return head[1]
    try:
        document = orjson.loads(envelope)
    except ValueError:
        return b""
    index = document.get("index") if isinstance(document, dict) else None
    return index.encode() if isinstance(index, str) else b""


def held_writer(route: str) -> str:
    """Return the name under which the events of a route wait in the spool while its token is refused."""
    return "held_" + hashlib.sha256(route.encode()).hexdigest()[:12]
