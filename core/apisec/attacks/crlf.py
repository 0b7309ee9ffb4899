"""Line breaks in values: another header or request behind them, or another line of a log."""

from __future__ import annotations

from apisec.attacks.base import attack

_BREAK = r"(?:[\r\n]|\\r\\n|\u560a|\u560d|\ufffd\ufffd)"
_METHODS = (
    "get ", "post ", "put ", "patch ", "head ", "options ", "connect ", "delete ", "trace ", "track ",
    "propfind ", "mkcol ", "copy ", "move ", "lock ",
)  # fmt: skip

ATTACKS = (
    attack(
        "injection.crlf",
        "crlf",
        (
            0.85,
            rf"{_BREAK}\s{{0,3}}(?:set-cookie2?|content-length|transfer-encoding|refresh|remote-addr"
            rf"|access-control-[\w-]{{4,30}}) ?:",
            "set-cookie",
            "content-length",
            "transfer-encoding",
            "refresh",
            "remote-addr",
            "access-control-",
        ),
        (
            0.85,
            rf"^[^\r\n]{{0,200}}{_BREAK}\s{{0,3}}(?:location|content-location|x-[\w-]{{2,30}}) ?:",
            "location",
            "x-",
        ),
        (
            0.8,
            rf"{_BREAK}\s{{0,3}}(?:http/\d|(?:get|post|put|patch|head|options|connect|delete|trace|track"
            rf"|propfind|mkcol|copy|move|lock) (?:/|[a-z]{{2,8}}://)\S{{0,200}})",
            *_METHODS,
            "http/",
        ),
        (
            0.6,
            rf"^[^\r\n:]{{0,200}}{_BREAK}\W{{0,3}}(?:content-type|cookie|host|via|forwarded|remote-ip|originating-ip)\s?:\s?\w",
            "\n",
            "\r",
            "\u560a",
            "\u560d",
            "\\r\\n",
            "\ufffd\ufffd",
        ),
        (
            0.6,
            r"(?:^|[\r\n])(?:get|post|put|patch|head|options|connect|delete|trace|track) (?:/|https?://)\S{0,200}\s?[\r\n]",
            *_METHODS,
        ),
        (
            0.45,
            rf"{_BREAK}\s{{0,3}}content-type ?: ?(?:text/html|multipart)|{_BREAK}{{2,4}}<(?:html|script)",
            "content-type",
            "<html",
            "<script",
        ),
        (
            0.65,
            r"^(?:get|post|put|patch|head|options|connect|delete|trace|track) (?:/"
            r"|[a-z]{2,8}://)\S{0,200} http/\d",
            "http/",
        ),
        # A mail's address, and behind it another recipient.
        (
            0.75,
            r"^[\w.+-]{1,64}@[\w.-]{1,120}\s?[\r\n]{1,2}(?:b?cc|to|from|reply-to|subject|mime-version|content-type)\s?:",
            "cc:",
            "to:",
            "from:",
            "subject:",
            "version:",
            "type:",
            "cc :",
            "to :",
        ),
        # A line that looks like a log's own: a level or a time at its beginning.
        (
            0.6,
            r"^(?!\W{0,3}(?:\d{2,4}[-/:.]\d|\w{3} {1,2}\d{1,2} \d|(?:info|warn|error|debug|notice|trace)\b))"
            r"[^\r\n]{0,80}[\r\n]{1,2}\s?(?:\[?\d{4}-\d\d-\d\d[t ]\d\d:\d\d|\[?(?:info|warn(?:ing)?|error"
            r"|debug|notice)(?:\]|:|\s{2})|\d{1,3}(?:\.\d{1,3}){3} - )[^\r\n]{0,160}$",
            "\n",
            "\r",
        ),
    ),
)
