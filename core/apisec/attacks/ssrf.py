"""Server-side request forgery: a URL that leads a server to itself, its network or its cloud's metadata."""

from __future__ import annotations

from apisec.attacks.base import attack, gated

_SCHEME = r"^[\s'\"]?(?:url[:=])?[a-z][a-z0-9+.-]{1,12}:"
_AT = r"^[\s'\"]?(?:url[:=])?[a-z][a-z0-9+.-]{1,12}:/{0,4}(?:[^/?#\s]{0,100}@)?"

ATTACKS = (
    attack(
        "injection.ssrf",
        "ssrf",
        *gated(
            _SCHEME,
            (
                0.95,
                _AT + r"(?:169\.254\.\d{1,3}\.\d{1,3}|metadata\.(?:google|azure)\.(?:internal|com)|metadata/"
                r"|100\.100\.100\.200|192\.0\.0\.192|instance-data|\[?fd00:ec2::254)",
                ":",
            ),
            (
                0.75,
                _AT + r"(?:localhost|127\.\d{1,3}\.\d{1,3}\.\d{1,3}|127\.1|0\.0\.0\.0|0|\[(?:0{0,4}:){1,7}0{0,3}1?\]"
                r"|\[(?:0{0,4}:){2,7}ffff:[^\]]{1,24}\])(?:[:/?#\s]|$)",
                ":",
            ),
            (0.65, _AT + r"(?:10\.\d{1,3}|192\.168|172\.(?:1[6-9]|2\d|3[01]))\.\d{1,3}(?:\.\d{1,3})?(?:[:/?#]|$)", ":"),
            (
                0.75,
                _AT + r"(?:\d{8,10}|0x[0-9a-f]{6,8}|0[0-7]{9,11}"
                r"|(?=[\d.]{0,12}0[x\d])(?:(?:0x[0-9a-f]{1,3}|\d{1,4})\.){1,3}(?:0x[0-9a-f]{1,8}|\d{1,11}))(?:[:/?#]|$)",
                ":",
            ),
            (
                0.8,
                _AT + r"[\w.-]{0,80}(?:\.nip\.io|\.xip\.io|\.sslip\.io|localtest\.me|lvh\.me|\.burpcollaborator\.net"
                r"|\.oastify\.com|\.interact\.sh|\.interactsh\.com|\.oast\.\w{2,6}|\.dnslog\.cn|\.requestbin\.net"
                r"|\.internal(?=[:/?#]|$)|\.svc\.cluster\.local|kubernetes\.default)",
                ":",
            ),
            (0.6, _AT + r"[\w.-]{1,80}:(?:22|25|2375|2376|3306|5432|6379|9200|11211|27017|10250|6443)(?:[/?#]|$)", ":"),
        ),
        (
            0.9,
            r"latest/(?:meta-data|user-data|dynamic|api/token)|computemetadata/v1|metadata/instance\?"
            r"|opc/v[12]/instance",
            "latest/",
            "metadata",
            "opc/",
        ),
        (
            0.8,
            r"^[\s'\"]?(?:gopher|dict|ldaps?|tftp|jar|netdoc|sftp|imap|pop3|smb|mysql|redis|rmi|iiop|corba|nds"
            r"|t3|vbscript|view-source)://|^jar:(?:https?|ftp|file):",
            "://",
            "jar:",
        ),
        # What parsers of addresses disagree about: which of two hosts is meant.
        (0.8, r"^https?://[^/\s]{1,80}(?:#@|\\@|\\#)", "#@", "\\@", "\\#"),
        (
            0.6,
            r"^(?:https?:)?[/\\]{2}[^/\s]{1,80}[\\#@][^/\s]{0,80}@?(?:localhost|127\.|10\.|192\.168)"
            r"|^https?:/{0,4}\\",
            "//",
            ":\\",
            "/\\",
        ),
    ),
)
