"""Errors as RFC 9457 problems: what went wrong, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Dict, NamedTuple, Optional

from apisec.errors import ApisecError

MEDIA_TYPE = "application/problem+json"
MAX_DETAIL = 2_000  # characters: a detail may repeat what a client sent
TITLES = {
    400: "Bad request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not found",
    405: "Method not allowed",
    406: "Not acceptable",
    409: "Refused",
    412: "Precondition failed",
    413: "Content too large",
    414: "Address too long",
    415: "Unsupported media type",
    422: "Unacceptable document",
    428: "Precondition required",
    429: "Too many",
    500: "Internal error",
    502: "Splunk refused",
    503: "Not available",
}
Schema = Dict[str, Any]
SCHEMA: Schema = {
    "type": "object",
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "remedy": {"type": "string"},
        "id": {"type": "string", "description": "of an internal error: the log holds it"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"pointer": {"type": "string"}, "detail": {"type": "string"}},
                "required": ["pointer", "detail"],
            },
        },
    },
    "required": ["type", "title", "status", "detail", "remedy"],
}


class Fault(NamedTuple):
    """One thing that is wrong; ``pointer`` is a JSON pointer into the body, or ``query/limit``."""

    pointer: str
    detail: str


class Problem(ApisecError):  # noqa: N818 - RFC 9457's name
    """An answer that is no success. ``title`` may be empty: the usual one of the status is taken then."""

    def __init__(
        self,
        status: int,
        title: str,
        detail: str,
        remedy: str,
        *,
        errors: Iterable[Fault] = (),
        headers: Optional[Mapping[str, str]] = None,
        extra: Optional[Mapping[str, Any]] = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.title = title or TITLES.get(status, "Error")
        self.detail = detail
        self.remedy = remedy
        self.errors = tuple(errors)
        self.headers = dict(headers or {})
        self.extra = dict(extra or {})

    def document(self) -> Dict[str, Any]:
        """Return the body of the answer."""
        made: Dict[str, Any] = {
            "type": "about:blank",
            "title": self.title,
            "status": self.status,
            "detail": self.detail[:MAX_DETAIL],
            "remedy": self.remedy[:MAX_DETAIL],
        }
        if self.errors:
            made["errors"] = [{"pointer": one.pointer, "detail": one.detail[:MAX_DETAIL]} for one in self.errors]
        return {**made, **self.extra}


def not_found(what: str, remedy: str) -> Problem:
    """Return the answer for what is not there, and for what belongs to another team: the same words for both."""
    return Problem(404, "", f"there is no such {what}, or it belongs to a team that is not yours", remedy)
