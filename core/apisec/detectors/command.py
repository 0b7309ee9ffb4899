"""Command injection: a separator or a substitution, and then a command."""

from __future__ import annotations

from apisec.detectors.base import SignalDetector, linear, shapes

# Commands that are words of a language need an argument that only a command takes.
_SURE = (
    r"(?:whoami|uname|ifconfig|ipconfig|netstat|tasklist|systeminfo|powershell|pwsh|certutil|chmod|chown|mkfifo"
    r"|busybox|printenv|tcpdump|crontab)\b"
)
_TOOL = (
    r"(?:wget|curl|nc|ncat|netcat|nslookup|python[23]?|perl|ruby|php|bash|zsh|sh|telnet|sudo|ssh|scp|dig)"
    r"(?= ?$| ?[;|&`)]| -| \S{0,60}[./:$])"
)
_WITH = (
    r"(?:cat [\w./~*$-]{0,30}[/.$*]|sleep \d|ping (?:-|\d)|(?:id|ls|ps|env|set|pwd|dir)(?= ?$| ?[;|&#)`\n])"
    r"|(?:ls|dir|rm|ps|grep|head|tail) -|(?:ls|find|head|tail|del|dir) /|echo \S|nc \d|dir [a-z]:|type [a-z]:"
    r"|type [\w.]{0,20}[\\/]|net user|ps aux|reg query)"
)
_COMMAND = rf"(?:/(?:usr/)?s?bin/)?(?:{_SURE}|{_TOOL}|{_WITH})"

SIGNALS = (
    SignalDetector(
        "injection.command",
        linear(r"[;|&`\n]|\$\(|\$\{|/bin/|\bcmd\b|powershell|\(\) ?\{"),
        shapes(
            (0.85, rf"^[^\n]{{0,200}}(?:;|\|{{1,2}}|&{{1,2}}) ?['\"(]?{_COMMAND}"),
            (0.7, rf"^[^\n ]{{0,80}}[\n\r]{{1,2}} ?{_COMMAND}"),
            (0.85, rf"\$\( ?{_COMMAND}"),
            (0.8, r"\$\( ?(?:curl|wget|nc|python|perl|bash|sh|ping|nslookup|dig) [^)]{1,200}\)"),
            (0.7, rf"(?:^|[\w'\"=;|&])` ?{_COMMAND}[^`]{{0,100}}`"),
            (0.85, r"\$\{?ifs\b|\{[a-z]{2,12},-?[\w/.-]{1,40}\}"),
            (0.7, r"(?:^|[\s;|&(`'\"=])/(?:usr/)?bin/(?:ba|z|da|k|c)?sh\b|/bin/(?:cat|ls|id|nc|ping|uname)\b"),
            (0.6, r"[<>]&? ?/dev/(?:tcp|udp)/|\bmkfifo /"),
            (0.8, r"\bpowershell(?:\.exe)? .{0,40}-(?:e|en|enc|c|nop|w|ep|encodedcommand|command)\b"),
            (0.75, r"\bcmd(?:\.exe)? ?/[ckr]\b"),
            (0.95, r"\(\) ?\{ ?:? ?;? ?\} ?;"),
            (0.6, r"\b(?:system|exec|shell_exec|passthru|popen|proc_open|runtime\.exec|os\.system) ?\( ?['\"]"),
        ),
    ),
)
