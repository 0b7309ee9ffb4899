"""What a request says of accounts: attempts to log in, questions, and what may be either."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Optional

from apisec.activity.asked import identity, presumed
from apisec.activity.attempts import CLOSED, MUTE, NAMED, OPENED, PRESUMED, SIGNED, TRIED, Attempts, outcome_of
from apisec.activity.hashing import value_hash32
from apisec.activity.parts import under
from apisec.activity.plans import Asked, answered
from apisec.baselines.values import text

if TYPE_CHECKING:
    from apisec.activity.operation import OperationActivity
    from apisec.activity.row import Row

ANONYMOUS, BASIC, COOKIE, JWT, SESSION = "anonymous", "basic", "cookie", "jwt", "session"
_READING = frozenset(("GET", "HEAD", "OPTIONS"))


def count_accounts(row: Row, activity: OperationActivity, event: Mapping[str, Any], fields: Asked, status: int) -> None:
    """Count what a request says of accounts; ``status`` is what its answer means."""
    if fields.identities or fields.secret or event.get("auth") == BASIC:
        _count_named(row, activity, event, fields, status)
    elif fields.presumed and _is_unknown(event) and text(event.get("http_method"), 16) not in _READING:
        _count_presumed(activity, event, fields, status)


def _count_named(row: Row, activity: OperationActivity, event: Mapping[str, Any], fields: Asked, status: int) -> None:
    """Count a request that names an account, and an attempt to log in where a secret stands beside it.

    Who is signed in with a token of his own logs nobody in: he changes a password, or makes accounts for others.
    """
    basic = event.get("auth") == BASIC and not fields.secret  # else it names the application
    value: Optional[str] = text(event.get("user"))
    if not basic:
        value = identity(event, fields.identities) or presumed(event, fields.presumed, together=True)
    hashed = value_hash32(value) if value else None
    if hashed is not None and not basic:
        activity.identities.add(hashed)
    tried = basic or (fields.secret and event.get("principal_kind") != JWT)
    outcome = _outcome(event, status)
    if not basic:
        manner = TRIED if tried else NAMED if _is_unknown(event) else SIGNED
        under(activity.attempts, manner, Attempts).add(outcome, hashed)
    if not tried:
        return
    accounts = row.accounts
    accounts.attempts += 1
    accounts.successes += outcome in (OPENED, MUTE)
    accounts.failures += outcome == CLOSED
    if hashed is not None:
        accounts.hashes.add(hashed)


def _is_unknown(event: Mapping[str, Any]) -> bool:
    """Whether nothing tells that the client is signed in; a session's cookie comes with the first page."""
    kind = event.get("principal_kind")
    return kind == ANONYMOUS or (kind == SESSION and event.get("auth") == COOKIE)


def _count_presumed(activity: OperationActivity, event: Mapping[str, Any], fields: Asked, status: int) -> None:
    """Count a request of nobody known, that logs in if others do by such requests."""
    value = presumed(event, fields.presumed, together=False)
    if value:
        under(activity.attempts, PRESUMED, Attempts).add(_outcome(event, status), value_hash32(value))


def _outcome(event: Mapping[str, Any], status: int) -> Optional[int]:
    return outcome_of(status, answered(event.get("response_fields")).grants)
