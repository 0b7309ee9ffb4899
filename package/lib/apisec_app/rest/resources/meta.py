"""About the API itself: who asks, and what there is to ask for."""

from __future__ import annotations

from typing import Any, Dict

from apisec import __version__
from apisec.http import openapi

from ..table import Answer, Call, Operation

ABOUT = openapi.About(
    title="apisec in Splunk: REST API",
    version=__version__,
    description=(
        "What apisec knows and what teams decide, below /services/apisec/v1 of splunkd. Callers see what their teams "
        "own; another team's thing answers 404, as a thing does that is not there. Errors are application/problem+json."
    ),
    servers=("/services/apisec/v1",),
    security={
        "token": {"type": "http", "scheme": "bearer", "description": "Splunk's authentication token"},
        "basic": {"type": "http", "scheme": "basic"},
        "session": {
            "type": "apiKey",
            "in": "header",
            "name": "Authorization",
            "description": "`Splunk <session key>` of POST /services/auth/login",
        },
    },
    always=(400, 401, 406, 503),
    outside=(401,),
    why={401: "No valid session or token. splunkd answers itself, and in XML."},
)

INTRODUCTION = """\
Generated from `package/lib/apisec_app/rest/resources/` by `python tools/reference.py`. `app-api.json` beside this page
is the full contract, which the app serves as `openapi.json`; [rest.md](../rest.md) says how to use it. Paths are below
`https://<splunk>:8089/services/apisec/v1`. Errors are `application/problem+json` with `detail` (what), `remedy` (what
to do) and `errors` (where).
"""


def whoami(call: Call) -> Answer:
    """Return who asks, as the app sees them."""
    caller = call.caller
    capabilities = sorted(name for name in caller.capabilities if name.startswith("apisec_"))
    body: Dict[str, Any] = {
        "user": caller.user,
        "roles": sorted(caller.roles),
        "capabilities": capabilities,
        "teams": sorted(caller.teams),
        "everything": caller.everything,
    }
    return Answer(body=body)


def describe(call: Call) -> Answer:
    """Return the OpenAPI document of this API."""
    del call
    from . import TABLE

    return Answer(body=openapi.document(TABLE, ABOUT))


_NAMES = {"type": "array", "items": {"type": "string"}}
SCHEMAS: Dict[str, Any] = {
    "Caller": {
        "type": "object",
        "properties": {
            "user": {"type": "string"},
            "roles": _NAMES,
            "capabilities": _NAMES,
            "teams": {**_NAMES, "description": "whose things the caller sees"},
            "everything": {"type": "boolean", "description": "every team's things, and those of no team"},
        },
        "required": ["user", "roles", "capabilities", "teams", "everything"],
    },
    "Document": {"type": "object", "required": ["openapi", "info", "paths"]},
}
OPERATIONS = (
    Operation("whoami", "GET", "/whoami", "", "Who asks: user, capabilities of apisec, teams.", whoami, gives="Caller"),
    Operation("describe", "GET", "/openapi.json", "", "This document.", describe, gives="Document"),
)
