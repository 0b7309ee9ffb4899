"""Cross-origin requests of browsers: ``crossOriginSharingPolicy`` of ``[http]``.

Source: inputs.conf.spec [http]: a list of origins with * as wildcard, of which the first that matches counts, and !
refuses; ``crossOriginSharingHeaders`` adds to the headers that a browser may send.
"""

from __future__ import annotations

import fnmatch

from apisec_sandbox.splunkd.hec.codes import HEADERS
from apisec_sandbox.splunkd.web import Reply, Request

METHODS = "GET, POST, OPTIONS"
ALLOWED = ("Authorization", "Content-Type", "X-Splunk-Request-Channel")


def allowed(origin: str, policy: str) -> bool:
    for pattern in policy.replace(",", " ").split():
        if fnmatch.fnmatchcase(origin.lower(), pattern.removeprefix("!").lower()):
            return not pattern.startswith("!")
    return False


def preflight(request: Request, policy: str, headers: str) -> Reply:
    """Answer OPTIONS, with 200 to anyone: Docker's logging driver for Splunk verifies its connection by that.

    A browser is told more only when the policy knows its origin, and so goes no further otherwise.
    """
    reply = Reply(200, b"", "text/plain; charset=UTF-8", {**HEADERS, "allow": METHODS})
    origin = request.headers.get("origin", "")
    if not origin or not allowed(origin, policy):
        return reply
    more = tuple(part.strip() for part in headers.split(",") if part.strip())
    names = ", ".join((*ALLOWED, *more))
    reply.headers |= {"access-control-allow-methods": METHODS, "access-control-allow-headers": names}
    return share(reply, origin)


def share(reply: Reply, origin: str) -> Reply:
    reply.headers |= {"access-control-allow-origin": origin, "access-control-allow-credentials": "true"}
    reply.headers["vary"] = "Authorization, Origin"
    return reply
