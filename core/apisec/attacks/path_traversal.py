"""Path traversal, and files that no client asks a server for."""

from __future__ import annotations

from apisec.attacks.base import attack

_FILES = (
    r"(?:etc/(?:passwd|shadow|group|gshadow|hosts|issue|sudoers|crontab|fstab|motd|mysql|apache2?"
    r"|nginx|httpd|ssh|ssl|php|ld\.so|resolv\.conf|security|init\.d|profile|rc)"
    r"|proc/(?:self|version|cmdline|mounts|net|sched_debug|cpuinfo|\d{1,6})|var/(?:log|www|lib/mysql"
    r"|mail|spool/cron|run/secrets)|usr/local/(?:apache|etc|nginx)|root/\.|home/\w{1,20}/\."
    r"|windows[/\\](?:win\.ini|system32|system\.ini|repair|panther|php\.ini)|winnt[/\\]|boot\.ini"
    r"|win\.ini|web-inf[/\\]|meta-inf/|web\.config|\.git/|\.svn/|\.hg/|\.env\b(?!\.)|\.ht(?:access"
    r"|passwd|group)|\.ssh/|id_[dr]sa"
    r"|\.aws/|\.docker/config|\.kube/config|\.npmrc|\.pgpass|\.netrc|wp-config\.|\.bash_(?:history|rc"
    r"|profile)|\.mysql_history|inetpub[/\\]|sys/class/net|application\.(?:ya?ml|properties)$"
    r"|appsettings\.json$|localsettings\.php|\.ds_store)"
)

_NEEDS = (
    "etc/", "etc\\", "proc/", "var/", "inf/", "inf\\", ".git/", ".env", ".ht", ".ssh/", ".aws/", ".ini",
    "web.config", "wp-config", ".svn/", ".hg/", "id_rsa", "id_dsa", "_history", ".kube/", ".docker/", ".npmrc",
    ".pgpass", ".netrc", "root/.", "home/", "usr/local", "system32", "sys/class", ".ds_store", "application.",
    "appsettings", "localsettings", ".bash", "windows", "inetpub",
)  # fmt: skip

ATTACKS = (
    attack(
        "injection.path_traversal",
        "files",
        (0.9, r"(?:\.{2,3}[/\\;]{1,4}){2}", ".."),
        (0.9, rf"\.\.[/\\]{{1,4}}.{{0,40}}{_FILES}", ".."),
        (0.8, rf"^(?:file:/{{1,3}}|[a-z]:|\.)?[/\\]{{1,3}}(?:[\w.-]{{1,30}}[/\\]){{0,4}}{_FILES}", *_NEEDS),
        (0.7, rf"^{_FILES}", *_NEEDS),
        (0.65, r"^\.\.[/\\]|[=?&,;|]\.\.[/\\]|[/\\]\.\.[/\\]?$|(?:^|[/\\])\.\.[;\x00]|\.\.\.\.[/\\]", ".."),
        (
            0.8,
            r"\.\.;/|\.%2e[/\\]|\.\.%(?:c0%af|255c|c1%9c|2f|5c)|\.\.\ufffd|\ufffd\ufffd\.|%uff0e"
            r"|\.\.[\u2215\u2216\u2044]",
            "..",
            "%",
            "\ufffd",
        ),
        (0.7, r"^file:/{1,3}[\w.]|^file:\\\\", "file:"),
        (0.6, r"\x00(?:\.\w{1,5})?$|\.(?:php|asp|jsp|exe|cgi|pl)\w?\x00", "\x00"),
        (
            0.6,
            r"[/\\]etc[/\\](?:passwd|shadow)\b|[a-z]:\\{1,2}(?:windows|winnt|boot|inetpub)\\?",
            "etc/",
            "etc\\",
            ":\\",
        ),
        (
            0.5,
            r"(?:^|[/\\])[\w.-]{1,40}\.(?:php|asp|aspx|jsp|cfm|inc|conf|cfg|sql|bak|old|swp)(?:~|\.(?:bak|old"
            r"|orig|save|swp|txt|zip))$",
            "~",
            ".bak",
            ".old",
            ".orig",
            ".save",
            ".swp",
            ".txt",
            ".zip",
        ),
    ),
)
