"""Path traversal and inclusion of local or wrapped files."""

from __future__ import annotations

from apisec.detectors.base import SignalDetector, linear, shapes

_FILES = (
    r"(?:etc/(?:passwd|shadow|group|hosts|issue|sudoers|crontab)|proc/self/|proc/\d{1,6}/|var/log/|windows[/\\]"
    r"(?:win\.ini|system32|system\.ini)|boot\.ini|win\.ini|web-inf/|meta-inf/|web\.config|\.git/|\.svn/|\.env\b"
    r"|\.ht(?:access|passwd)|\.ssh/|id_rsa|\.aws/|wp-config\.php|\.bash_history)"
)

SIGNALS = (
    SignalDetector(
        "injection.path_traversal",
        linear(r"\.\.|etc/|proc/|\\|://|\x00|inf/|\.git|\.env|\.ht|\.ssh|\.aws|\.ini|\.config|wp-"),
        shapes(
            (0.9, r"(?:\.{2,3}[/\\;]{1,4}){2}"),
            (0.9, rf"\.\.[/\\]{{1,4}}.{{0,40}}{_FILES}"),
            (0.75, rf"^(?:file:/{{1,3}}|[a-z]:)?[/\\]{{1,3}}{_FILES}"),
            (0.7, rf"^{_FILES}"),
            (0.55, r"^\.\.[/\\]|[=?]\.\.[/\\]"),
            (0.8, r"\.\.;/|\.%2e[/\\]|\.\.%(?:c0%af|255c|c1%9c)"),
            (0.8, r"(?:php|phar|zip|expect|glob|ogg|ssh2|compress\.\w{2,6})://(?:filter|input|data|temp|memory|\w)"),
            (0.6, r"^file:/{1,3}\w?"),
            (0.6, r"\x00(?:\.\w{1,5})?$"),
            (0.5, r"[/\\]etc[/\\](?:passwd|shadow)\b|c:\\{1,2}(?:windows|winnt|boot)"),
        ),
    ),
)
