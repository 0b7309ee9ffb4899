"""What a resource needs to say its operations: rows of core's table, and the call that a handler gets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Dict, Optional

from apisec.errors import DocumentError
from apisec.http import conditional, paging
from apisec.http.conditional import etag
from apisec.http.problem import Fault, Problem, not_found
from apisec.http.table import Answer, Operation, Parameter, path_parameter

from ..access import ADMIN, CLASSIFY, READ, TRIAGE, Caller
from ..teams import Owners, owners

__all__ = [
    "ADMIN",
    "CLASSIFY",
    "READ",
    "TRIAGE",
    "Answer",
    "Call",
    "Caller",
    "Fault",
    "Operation",
    "Parameter",
    "Problem",
    "etag",
    "not_found",
    "paging",
    "path_parameter",
]


@dataclass(frozen=True)
class Call:
    """One authorised request.

    ``system`` is a connection with splunkd's own rights: it sees what every team has, so a handler that uses it shows
    a row only where ``caller`` sees its team. ``user`` is a connection with the caller's rights; searches run on it.
    ``path`` and ``query`` are typed, ``body`` is checked against the operation's schema (or raw text), names of
    ``headers`` are in lower case, ``now`` is in seconds since the epoch.
    """

    caller: Caller
    system: Any
    user: Any
    path: Mapping[str, Any]
    query: Mapping[str, Any]
    body: Any
    headers: Mapping[str, str]
    now: float
    operation: Operation
    held: Dict[str, Any] = field(default_factory=dict, compare=False)

    @property
    def owners(self) -> Owners:
        """Who owns what, read once a call. Problem 503 where a team's document is damaged: nothing is guessed then."""
        if "owners" not in self.held:
            try:
                self.held["owners"] = owners(self.system)
            except DocumentError as error:
                raise damaged(error) from None
        found: Owners = self.held["owners"]
        return found

    def sees(self, row: Mapping[str, Any]) -> bool:
        """Return whether a row with ``service`` and perhaps ``operation`` is the caller's to see."""
        return self.caller.everything or self.caller.sees(self.owners.team_of(row))

    def demand_everything(self) -> None:
        """Problem 403 unless the caller sees every team: what is asked for decides about all of them."""
        if not self.caller.everything:
            detail = "this concerns the services of every team, and you do not see all of them"
            raise Problem(403, "", detail, "Ask somebody whose role has apisec_all_teams.")

    def match(self, current: Optional[str]) -> None:
        """Hold If-Match and If-None-Match against the ETag of what there is, None for nothing; Problem 412 or 428."""
        conditional.check(self.headers, current, required=self.operation.match_required)


def damaged(error: DocumentError) -> Problem:
    """Return the answer while the documents of teams cannot be read: nobody's rows are shown to anybody then."""
    return Problem(
        503, "", f"a team's document is damaged: {error}", "An administrator can mend it: PUT /teams/{team}."
    )
