"""splunk.auth: a session key for a name and a password."""

from __future__ import annotations

import json

from . import AuthenticationFailed, rest


def getSessionKey(username: str, password: str, hostPath: str | None = None) -> str:
    """Log in.

    Raises:
        AuthenticationFailed: the name or the password is wrong.
    """
    base = (hostPath or rest.makeSplunkdUri()).rstrip("/")
    form = {"username": username, "password": password}
    reply, content = rest.simpleRequest(f"{base}/services/auth/login?output_mode=json", postargs=form, proxyMode=True)
    if reply.status != 200:
        raise AuthenticationFailed("Login failed")
    return str(json.loads(content)["sessionKey"])
