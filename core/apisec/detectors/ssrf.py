"""Server-side request forgery: a URL that leads a server to itself, its network or its cloud's metadata."""

from __future__ import annotations

from apisec.detectors.base import SignalDetector, linear, shapes

_AT = r"^\s?(?:url:)?[a-z][a-z0-9+.-]{1,12}:/{0,4}(?:[^/?#\s]{0,100}@)?"

SIGNALS = (
    SignalDetector(
        "injection.ssrf",
        linear(r"://|^//|:/|169\.254\."),
        shapes(
            (
                0.95,
                _AT + r"(?:169\.254\.169\.254|169\.254\.170\.2|metadata\.(?:google|azure)\.(?:internal|com)|metadata/"
                r"|100\.100\.100\.200|192\.0\.0\.192|instance-data|\[?fd00:ec2::254)",
            ),
            (0.9, r"latest/(?:meta-data|user-data|dynamic|api/token)|computemetadata/v1|metadata/instance\?"),
            (
                0.7,
                _AT
                + r"(?:localhost|127\.\d{1,3}\.\d{1,3}\.\d{1,3}|127\.1|0\.0\.0\.0|0|\[?::1?\]?|\[::ffff:)(?:[:/?#]|$)",
            ),
            (0.6, _AT + r"(?:10\.\d{1,3}|192\.168|172\.(?:1[6-9]|2\d|3[01]))\.\d{1,3}(?:\.\d{1,3})?(?:[:/?#]|$)"),
            (
                0.75,
                _AT
                + r"(?:\d{8,10}|0x[0-9a-f]{6,8}|0[0-7]{9,11}|(?:0x?[0-9a-f]{1,3}\.){1,3}0x?[0-9a-f]{1,8})(?:[:/?#]|$)",
            ),
            (0.8, r"^\s?(?:gopher|dict|ldaps?|tftp|jar|netdoc|sftp|imap|pop3|smb|mysql|redis)://"),
            (
                0.8,
                _AT + r"[\w.-]{0,80}(?:\.nip\.io|\.xip\.io|\.sslip\.io|localtest\.me|\.burpcollaborator\.net"
                r"|\.oastify\.com|\.interact\.sh|\.oast\.\w{2,6}|\.internal(?=[:/?#]|$)|\.svc\.cluster\.local|kubernetes\.default)",
            ),
            (0.6, _AT + r"[\w.-]{1,80}:(?:22|25|2375|2376|3306|5432|6379|9200|11211|27017|10250|6443)(?:[/?#]|$)"),
        ),
    ),
)
