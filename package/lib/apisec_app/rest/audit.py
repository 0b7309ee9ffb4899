"""The audit trail of changes: who changed what, when, from which version to which, and why.

Each change is a line of apisec_audit.log, which Splunk indexes into _internal wherever it can write at all, and an
event of sourcetype apisec:audit in the index of the team or of the app, by receivers/simple with the token that splunkd
gives to this handler (restmap.conf: passSystemAuth): no role, no capability and no token of HEC is needed for it, and
nobody writes such an event through this way without doing the change. When Splunk refuses the event, the change stands:
the line is there, and apisec_rest.log says so.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from splunklib.binding import HTTPError

from apisec.http.documents import canonical
from apisec.http.problem import Problem

from .table import Call

SOURCETYPE = "apisec:audit"
DEFAULT_INDEX = "apisec"
VERSION = 1
_SOURCE = "apisec_rest"


class Audit:
    """Where changes are written to; ``lines`` is the logger of apisec_audit.log."""

    def __init__(self, lines: logging.Logger, log: logging.Logger) -> None:
        self._lines = lines
        self._log = log

    def write(self, call: Call, outcome: str, status: int, about: Mapping[str, Any]) -> None:
        """Write one change, done or refused. ``about`` may have what, team, before, after and reason."""
        event = {
            "version": VERSION,
            "time": round(call.now, 3),
            "user": call.caller.user,
            "call": call.operation.name,
            "method": call.operation.method,
            "path": call.operation.path,
            "parameters": {name: str(value)[:200] for name, value in call.path.items()},
            "status": outcome,
            "http_status": status,
            **about,
        }
        text = canonical(event)
        self._lines.info("%s", text)
        index = _index_of(call, about)
        try:
            call.system.post(
                "receivers/simple",
                owner="nobody",
                app="apisec",
                body=text,
                index=index,
                sourcetype=SOURCETYPE,
                source=_SOURCE,
                headers=[("Content-Type", "text/plain")],
            )
        except (HTTPError, OSError) as error:
            self._log.error("the audit event was refused, apisec_audit.log has it: %s", error)


def _index_of(call: Call, about: Mapping[str, Any]) -> str:
    """Return the index of the team, else the app's; also while teams cannot be read, for the change is done."""
    try:
        found = call.owners.teams.index_of(str(about["team"])) if about.get("team") else None
    except (Problem, HTTPError):
        found = None
    return found or DEFAULT_INDEX
