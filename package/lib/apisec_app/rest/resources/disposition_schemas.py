"""What dispositions, exceptions, campaigns and labels look like in the API."""

from __future__ import annotations

from typing import Any, Dict

from apisec.dispositions import verdicts
from apisec.dispositions.exceptions import FAMILIES, MAX_DAYS, MAX_TEXT, MEMBERS, MIN_REASON

from ..table import paging
from .operations import COUNT, SECONDS, TEXT

_LINE = {"type": "string", "minLength": 1, "maxLength": MAX_TEXT}
REASON = {**_LINE, "minLength": MIN_REASON, "description": "why, in words that will be understood in a year"}
_UNTIL = f"the first day (UTC) without it, at most {MAX_DAYS} days away"
_EXPIRES = {"type": "string", "format": "date", "description": _UNTIL}
_TEXTS: Dict[str, Any] = {"type": "array", "items": TEXT}
_MAYBE = {"type": ["string", "null"]}
ABOUT: Dict[str, Any] = {
    "id": {**TEXT, "description": "the campaign's"},
    "service": TEXT,
    "team": TEXT,
    "families": _TEXTS,
    "operations": _TEXTS,
    "principals": {**_TEXTS, "description": f"at most {verdicts.MAX_MEMBERS}"},
    "member_count": COUNT,
    "first_time": SECONDS,
    "last_time": SECONDS,
}
_VERDICT = {"type": "string", "enum": list(verdicts.VERDICTS)}
_CAMPAIGN_MEMBERS: Dict[str, Any] = {
    **ABOUT,
    "peak": {"type": "number", "description": "highest score so far"},
    "finding": {"type": "boolean", "description": "whether it became a finding"},
    "verdict": {"type": ["string", "null"], "enum": [*verdicts.VERDICTS, None]},
}
DISPOSITION: Dict[str, Any] = {
    **ABOUT,
    "verdict": _VERDICT,
    "reason": TEXT,
    "author": TEXT,
    "created": SECONDS,
    "updated": SECONDS,
    "exceptions": {**_TEXTS, "description": "ids of the exceptions that it made"},
}
_LABEL_MEMBERS: Dict[str, Any] = {
    "id": TEXT, "campaign": TEXT, "service": TEXT, "families": _TEXTS, "operations": _TEXTS, "principals": _TEXTS,
    "first_time": SECONDS, "last_time": SECONDS, "verdict": _VERDICT, "author": TEXT, "time": SECONDS,
}  # fmt: skip
_EXCEPTION_MEMBERS: Dict[str, Any] = {
    "id": TEXT,
    "team": TEXT,
    **dict.fromkeys(MEMBERS, _MAYBE),
    "expired": {"type": "boolean"},
    "created": SECONDS,
    "updated": SECONDS,
    "source": {**_MAYBE, "description": "the campaign whose disposition made it, or the digest of its bundle"},
}
_GLOB = {**_LINE, "description": "a glob: `GET /items/*`"}


def _object(members: Dict[str, Any], **more: Any) -> Dict[str, Any]:
    return {"type": "object", "properties": members, "required": list(members), **more}


SCHEMAS: Dict[str, Any] = {
    "Campaign": _object(_CAMPAIGN_MEMBERS),
    "CampaignList": paging.schema("Campaign"),
    "Disposition": _object(DISPOSITION),
    "DispositionList": paging.schema("Disposition"),
    "DispositionChange": {
        "type": "object",
        "properties": {
            "campaign": {"type": "string", "pattern": "^c-[0-9a-f]{16}$"},
            "verdict": _VERDICT,
            "reason": REASON,
            "scope": {
                "type": "string",
                "enum": list(verdicts.SCOPES),
                "description": "of a benign one: what is not to be found again, in this family and service. Without it "
                "the campaign's principals, where all of them are known, else its operations",
            },
            "expires": {**_EXPIRES, "description": f"{_UNTIL}; else in {verdicts.DEFAULT_DAYS} days"},
        },
        "required": ["campaign", "verdict", "reason"],
        "additionalProperties": False,
        "description": "the author is who calls",
    },
    "Label": _object(_LABEL_MEMBERS),
    "LabelList": paging.schema("Label"),
    "Exception": _object(_EXCEPTION_MEMBERS),
    "ExceptionList": paging.schema("Exception"),
    "ExceptionChange": {
        "type": "object",
        "properties": {
            "service": _LINE,
            "operation": _GLOB,
            "principal": {**_LINE, "description": "its token"},
            "family": {"type": "string", "enum": list(FAMILIES)},
            "reason": REASON,
            "expires": _EXPIRES,
        },
        "required": ["service", "reason", "expires"],
        "additionalProperties": False,
        "description": "at least one of operation, principal and family; the author is who calls",
    },
}
