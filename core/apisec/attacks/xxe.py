"""XML external entities and inclusions."""

from __future__ import annotations

from apisec.attacks.base import attack

ATTACKS = (
    attack(
        "injection.xxe",
        "xxe",
        (0.95, r"<!entity\s{1,5}%?\s{0,3}[\w.:-]{1,60}\s{1,5}(?:system|public)\b", "<!entity"),
        (0.8, r"<!doctype\s{1,5}[\w:.-]{1,60}\s{0,5}\[[^\]]{0,400}<!entity", "<!entity"),
        (0.75, r"<!entity\s{1,5}[\w.-]{1,60}\s{1,5}['\"](?:&[\w.-]{1,60};\s{0,3}){2}", "<!entity"),
        (
            0.6,
            r"<!doctype\s{1,5}[\w:.-]{1,60}\s{1,5}system\s{1,5}['\"]"
            r"|<!doctype\s{1,5}[\w:.-]{1,60}\s{1,5}public\s{1,5}['\"][^'\"]{0,80}['\"]\s{1,5}['\"](?!https?://"
            r"(?:www\.w3\.org|java\.sun\.com))",
            "<!doctype",
        ),
        (
            0.8,
            r"<xi:include\b[^>]{0,200}(?:\bparse\s{0,2}=|\bhref\s{0,2}=\s{0,2}['\"]?(?:[a-z]{2,8}:|//|/(?:etc|proc)/|\.\.[/\\]))|<xi:include[^>]{0,40}$",
            "xi:include",
        ),
        (0.6, r"<\?xml-stylesheet[^>]{0,80}href\s?=\s?['\"](?:https?|ftp|file):", "xml-stylesheet"),
        (0.6, r"<xi:include\b[^>]{0,200}\bhref\s{0,2}=\s{0,2}['\"]?/(?!/|etc/|proc/)", "xi:include"),
    ),
)
