"""Inclusion of remote files and of streams behind wrappers."""

from __future__ import annotations

import re

from apisec.attacks.base import attack

# Names of what a program includes its own files from.
_OWN = re.compile(
    r"(?:absolute_path|doc(?:ument)?_?root|basedir|root_?(?:dir|path)|include_?(?:path|dir|file)|inc_?(?:dir"
    r"|path)|appserv_root"
    r"|_conf\W{1,3}path|config\W{1,3}root\w{0,12}|template_?dir|module_?root|include(?:_once)?\s?\()\W{0,3}$",
    re.IGNORECASE,
)
_REMOTE = re.compile(r"\s?(?:https?|ftps?|file|php|data|smb)://", re.IGNORECASE)
REMOTE_SCORE = 0.7


def includes(where: str, value: str) -> bool:
    """Return whether a parameter that a program includes its own files from leads elsewhere."""
    return "://" in value[:12] and _REMOTE.match(value) is not None and _OWN.search(where[-80:]) is not None


ATTACKS = (
    attack(
        "injection.inclusion",
        "files",
        (
            0.85,
            r"(?:^|[=(,'\"\s])(?:php|phar|zip|expect|glob|ogg|rar|ssh2(?:\.\w{4,6})?|compress\.\w{2,6}|zlib"
            r"|bzip2)://",
            "://",
        ),
        (
            0.8,
            r"\b(?:file|ftps?|https?)://[^\s?]{3,200}\.(?:txt|php\d?|phtml|asp|jsp|gif|jpg|dat|htm)\?{1,3}(?:$"
            r"|&|\x00)",
            "://",
        ),
        (0.6, r"^(?:https?|ftps?|file)://[^\s?]{3,200}\?{1,3}$", "?"),
        (0.55, r"^(?:https?|ftps?|file)://[^\s?]{3,200}\?[^\s]{1,200}\?{1,3}$", "?"),
        (0.6, r"^ftps?://", "ftp"),
        (0.55, r"^(?:https?|ftps?|file)://\d{1,3}(?:\.\d{1,3}){3}(?:[:/?#]|$)", "://"),
        (
            0.7,
            r"^(?:https?|ftp)://(?:\d{1,3}\.){3}\d{1,3}(?::\d{1,5})?/[^\s]{0,100}\.(?:txt|php|sh|py|pl|exe|ps1"
            r"|jsp|asp|aspx|elf|bin)\b",
            "://",
        ),
        (
            0.75,
            r"^data:(?:;base64|text/(?:plain|html|php|javascript)|application/(?:x-)?(?:php|httpd-php"
            r"|javascript))[;,]",
            "data:",
        ),
        (
            0.6,
            r"(?<!#)\b(?:include|require)(?:_once)?\s{0,2}[(]?\s{0,2}(?:\$_?\w|['\"](?:[a-z]{2,6}://|/|\.\./"
            r"|[^'\"]{1,60}\.(?:php|inc)\b))"
            r"|\brequire\s{0,2}\(\s{0,2}req\.|\binclude(?:_once)?\s{0,2}\(\s{0,2}['\"]?(?:https?|ftps?|file|data|php):",
            "include",
            "require",
        ),
    ),
)
