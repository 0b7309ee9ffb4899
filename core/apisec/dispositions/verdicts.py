"""What an analyst said of a campaign, with what the campaign was: an exception where it is benign, a label in any case.

A label is what ``apisec-ml`` learns from: the family, and which principals of which service did it, from when to when.
It holds what the campaign held when it was said, because campaigns are forgotten, and what was learned has to be
explained later.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any, Dict, List, Optional, Tuple

from apisec.dispositions.exceptions import MIN_REASON, Exemption
from apisec.errors import DocumentError

VERSION = 1
BENIGN, TRUE_POSITIVE = "benign", "true_positive"
VERDICTS = (BENIGN, TRUE_POSITIVE)
PRINCIPAL, OPERATION, FAMILY = "principal", "operation", "family"
SCOPES = (PRINCIPAL, OPERATION, FAMILY)
DEFAULT_DAYS = 90
MAX_MEMBERS = 64  # principals that a disposition names
MAX_LIST = 32

LABEL = ("campaign", "service", "families", "operations", "principals", "first_time", "last_time", "verdict")
Document = Dict[str, Any]


def known(campaign: Mapping[str, Any]) -> Document:
    """Return what a label keeps of a campaign: of its document in the KV store, or of one of its events."""
    members = campaign.get("members")
    listed = members if isinstance(members, (list, tuple)) else sorted(members) if isinstance(members, Mapping) else []
    return {
        "campaign": str(campaign.get("campaign") or campaign.get("_key") or ""),
        "service": str(campaign.get("service") or ""),
        "families": _texts(campaign.get("families")) or _texts([campaign.get("family")]),
        "operations": _texts(campaign.get("operations")),
        "principals": _texts(listed, MAX_MEMBERS),
        "member_count": int(campaign.get("member_count") or len(listed)),
        "first_time": float(campaign.get("first_time") or campaign.get("first") or 0.0),
        "last_time": float(campaign.get("last_time") or campaign.get("last") or 0.0),
    }


def _texts(value: Any, most: int = MAX_LIST) -> List[str]:
    listed = value if isinstance(value, (list, tuple)) else [] if value in (None, "") else [value]
    return [one for one in listed if isinstance(one, str) and one][:most]


def disposition(campaign: Mapping[str, Any], verdict: str, reason: str, author: str, now: float) -> Document:
    """Return the document of a disposition, without an exception; DocumentError for what may not be said so."""
    if verdict not in VERDICTS:
        raise DocumentError(f"must be one of {', '.join(VERDICTS)}", where="verdict")
    if len(reason.strip()) < MIN_REASON:
        raise DocumentError(f"must have at least {MIN_REASON} characters: say how you know", where="reason")
    about = known(campaign)
    if not about["campaign"] or not about["service"] or not about["families"]:
        raise DocumentError("names no service or no family; it cannot be judged", where="campaign")
    return {
        "_key": about["campaign"], "version": VERSION, **about, "verdict": verdict, "reason": reason.strip(),
        "author": author, "created": now, "updated": now, "exceptions": [],
    }  # fmt: skip


def exemptions(
    said: Mapping[str, Any], scope: Optional[str], expires: Optional[datetime.date], today: datetime.date
) -> List[Exemption]:
    """Return the exceptions that a benign disposition makes, one a family and principal (or operation).

    ``scope`` says what is excepted: the campaign's principals (the default, where all of them are known), its
    operations, or the whole family in this service. DocumentError where the campaign does not hold that.
    """
    principals, operations = said["principals"], said["operations"]
    wanted = scope or (PRINCIPAL if principals and said["member_count"] <= len(principals) else OPERATION)
    targets: List[Tuple[str, str]]
    if wanted == PRINCIPAL:
        if said["member_count"] > len(principals):
            message = f"the campaign has {said['member_count']} principals, too many to except each"
            raise DocumentError(f"{message}; choose {OPERATION} or {FAMILY}", where="scope")
        targets = [("", one) for one in principals]
    elif wanted == OPERATION:
        targets = [(one, "") for one in operations]
    elif wanted == FAMILY:
        targets = [("", "")]
    else:
        raise DocumentError(f"must be one of {', '.join(SCOPES)}", where="scope")
    if not targets:
        raise DocumentError(f"the campaign names no {wanted}; choose another", where="scope")
    until = expires or today + datetime.timedelta(days=DEFAULT_DAYS)
    return [
        Exemption(said["service"], said["reason"], said["author"], until, operation, principal, family)
        for family in said["families"]
        for operation, principal in targets
    ]


def label(said: Mapping[str, Any]) -> Document:
    """Return what ``apisec-ml`` reads of a disposition."""
    return {**{name: said[name] for name in LABEL}, "author": said["author"], "time": said["updated"]}
