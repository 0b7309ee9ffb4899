"""Header injection: a line break in a value, and a header behind it."""

from __future__ import annotations

from apisec.detectors.base import SignalDetector, linear, shapes

SIGNALS = (
    SignalDetector(
        "injection.crlf",
        linear(r"[\r\n]"),
        shapes(
            (0.85, r"[\r\n]\s{0,3}(?:set-cookie|location|content-length|transfer-encoding|x-[\w-]{2,30}|refresh) ?:"),
            (0.8, r"[\r\n]\s{0,3}(?:http/1\.[01] \d{3}|(?:get|post|put|delete|head) /\S{0,200} http/)"),
            (0.6, r"[\r\n]\s{0,3}content-type ?: ?text/html"),
        ),
    ),
)
