"""XML external entities and inclusions."""

from __future__ import annotations

from apisec.detectors.base import SignalDetector, linear, shapes

SIGNALS = (
    SignalDetector(
        "injection.xxe",
        linear(r"<!|xi:include|xinclude"),
        shapes(
            (0.95, r"<!entity\s{1,5}%?\s{0,3}[\w.:-]{1,60}\s{1,5}(?:system|public)\b"),
            (0.7, r"<!doctype\s{1,5}[\w:.-]{1,60}\s{0,5}\[[^\]]{0,400}<!entity"),
            (0.6, r"<!doctype\s{1,5}[\w:.-]{1,60}\s{1,5}system\s{1,5}['\"]"),
            (0.8, r"<xi:include\b|http://www\.w3\.org/2001/xinclude"),
        ),
    ),
)
