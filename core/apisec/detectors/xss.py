"""Cross-site scripting: markup and attributes that run code."""

from __future__ import annotations

from apisec.detectors.base import SignalDetector, linear, shapes

_TAGS = r"(?:iframe|frame|object|embed|applet|base|meta|link|style|svg|math|form|isindex|video|audio|marquee|template)"

SIGNALS = (
    SignalDetector(
        "injection.xss",
        linear(r"<|\bon[a-z]{3,20} ?=|script:|data:|document\.|alert|\beval|fromcharcode|expression ?\("),
        shapes(
            (0.9, r"< ?/?script(?:[\s/>\x00]|$)"),
            (0.9, r"<[a-z!?/][^>]{0,300}[\s/'\"\x00]on[a-z]{3,24}\s{0,3}="),
            (0.85, r"^[^<]{0,60}['\"`]\s{0,3}/?\s{0,3}on[a-z]{4,24}\s{0,3}=\s{0,3}[\w'\"`(]"),
            (
                0.85,
                r"(?:href|src|action|data|value|to|from|background|lowsrc)\s{0,3}=\s{0,3}['\"`]?\s{0,3}"
                r"(?:java|vb|live)\s{0,2}script\s{0,2}:",
            ),
            (0.8, r"^\s{0,5}(?:j\s{0,2}a\s{0,2}v\s{0,2}a|vb)\s{0,2}script\s{0,2}:"),
            (0.75, r"\]\( ?javascript:|url\( ?['\"]?javascript:"),
            (0.75, r"data:(?:text/html|image/svg\+xml|application/xhtml)[;,]"),
            (0.6, rf"<{_TAGS}[\s/>][^>]{{0,200}}(?:src|srcdoc|href|data|code|content|http-equiv|action)\s{{0,3}}="),
            (0.5, r"['\"] ?/?> ?<[a-z]"),
            (0.55, r"<style[^>]{0,60}>[^<]{0,100}(?:@import|expression|behaviou?r|-moz-binding)"),
            (0.45, r"\b(?:alert|confirm|prompt)\s{0,2}[(`]"),
            (
                0.45,
                r"\bdocument\s{0,2}[.\[]\s{0,2}['\"]?(?:cookie|location|write|domain)|\bwindow\s{0,2}[.\[]"
                r"\s{0,2}['\"]?(?:location|name|open)",
            ),
            (0.5, r"string\.fromcharcode|\beval\s{0,2}\(|\bsettimeout\s{0,2}\(|\batob\s{0,2}\(|constructor\s{0,2}\("),
            (0.5, r"(?:style|width)\s{0,2}[=:].{0,40}expression\s{0,2}\("),
            (
                0.4,
                r"<(?:img|body|input|details|select|textarea|keygen|a|b|div|x)[\s/][^>]{0,200}(?:javascript:|srcdoc)",
            ),
        ),
    ),
)
