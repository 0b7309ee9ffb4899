"""Command injection: a separator or a substitution, and then a command; and the shells' own statements."""

from __future__ import annotations

import re
from typing import Iterator

from apisec.attacks.base import attack

# Names that are no words of a language; with a separator before them, they need nothing more.
_SURE = (
    r"(?:whoami|uname|ifconfig|ipconfig|netstat|tasklist|systeminfo|powershell|pwsh|certutil|chmod"
    r"|chown|mkfifo|busybox"
    r"|printenv|tcpdump|crontab|nslookup|wget|useradd|userdel|usermod|sudo|passwd|tftp|arp -"
    r"|route print|gcc|g\+\+|lsof|lsmod"
    r"|dmesg|iptables|bitsadmin|wmic|schtasks|cscript|wscript|mshta|rundll32|regsvr32|telnet|ncat"
    r"|netcat|socat|phpinfo|base64 -)\b"
)
# Names that need an argument or an end.
_TOOL = (
    r"(?:curl|nc|python[23]?|perl|ruby|php|bash|zsh|ksh|csh|tcsh|dash|sh|ssh|scp|dig|node|lua|awk|sed"
    r"|tar|gzip|ftp|rsh|nmap|ps|id|w|ls|env"
    r"|set|pwd|dir|who|date|hostname|finger|last|mount|df|du|uptime|history|sysctl|cmd|ver|vol|apt-get"
    r"|yum|dpkg|rpm|make|cc|clang|gdb|strace|nohup|xargs|tee|xxd|hexdump|od|strings|dd|mkdir|rmdir"
    r"|chattr|lsattr|kill|killall|pkill|pgrep|top|free|vmstat|jobs|alias|export|unset|unzip|zip|gunzip"
    r"|zcat|bzip2|rsync|sftp|irb|gawk|mawk|nice|timeout|watch|openssl|screen|tmux|systemctl|service"
    r"|traceroute|tracert|whois|lynx|netsh|sc|at|getmac|nbtstat|pathping|msiexec|forfiles|findstr"
    r"|where|chcp|attrib|icacls|takeown|vssadmin|sort|uniq|cut|diff|tr|base32|xz|expr|test|printf|read"
    r"|eval|exec)"
    r"(?= ?$| ?[;|&`)\n#]| -\w| ?[<>] ?\S| /\w| \S{0,60}(?:[/:$]\S|\.[a-z]{2,4}\b))"
)
_WITH = (
    r"(?:cat [\w./~*$?-]{0,60}[/.$*?]|sleep \d|ping (?:-|\d|\w+\.\w)|(?:ls|dir|rm|ps|grep|head|tail"
    r"|cat|cp|mv|find|kill|more|less|tail|touch|wc) [-/<]"
    r"|(?:del|type|copy|more) (?:[a-z]:|[/\\%]|\w{1,20}\.\w)|echo [\w\"'`$(\\%].{0,60}(?:>|\||$)|nc \d"
    r"|net (?:user|localgroup|view|use)|reg (?:query|add)|set /a|eval [\"'$]"
    r"|exec [\d/<]|source /|\. /|rm -|id\b(?= ?[;|&`)]| ?$)|exit\b(?= ?[;|&]| ?$)|print [\"']|reboot"
    r"|shutdown [-/]|mysql -|env x=)"
)
_COMMAND = rf"(?:\w{{1,12}}= ?)?(?:[\w.~-]{{0,20}}/)?(?:/?(?:usr/)?(?:local/)?s?bin/)?(?:{_SURE}|{_TOOL}|{_WITH})"
_SQUEEZED = re.compile(
    r"[\\^]|(?<=\w)(?:''|\"\"|\$@|\$\*|\$\{\w?\})|(?<=\w)[\"'](?=\w{1,3}[\"']\w)|(?<=\w[\"']\w)[\"']"
    r"|(?<=\w{2})[\"'](?=\w)"
)
_SEPARATORS = (";", "|", "&", "`", "$(", "\n")
_SEPARATED = re.compile(rf"(?:;|\|{{1,2}}|&{{1,2}}|`|\$\(|\n) ?['\"({{]?{_COMMAND}")


def _judge(text: str) -> Iterator[float]:
    """Ask again without what a shell takes out of a word: w'h'oami, c^md, wh\\oami."""
    if not any(mark in text for mark in _SEPARATORS):
        return
    if ("'" in text or '"' in text or "\\" in text or "^" in text or "$@" in text) and len(text) <= 2_000:
        plain = _SQUEEZED.sub("", text)
        if plain != text and _SEPARATED.search(plain) and not _SEPARATED.search(text):
            yield 0.7


_TEST = r"(?:==|equ|neq|lss|leq|gtr|geq)"
ATTACKS = (
    attack(
        "injection.command",
        "command",
        (0.85, rf"^[^\n;|&]{{0,160}}(?:;|\|{{1,2}}|&{{1,2}}) ?['\"({{]?{_COMMAND}", ";", "|", "&"),
        (0.6, rf"^[^\n ]{{0,80}}[\n\r]{{1,2}} ?{_COMMAND}[^\n]{{0,80}}$", "\n", "\r"),
        (
            0.85,
            rf"\$\( ?{_COMMAND}|\$\( ?(?:curl|wget|nc|python|perl|bash|sh|ping|nslookup|dig) [^)]{{1,200}}\)"
            rf"|\$\(\([^)]{{1,40}}\)\)",
            "$(",
        ),
        (0.7, rf"(?:^|[\w'\"=;|&])` ?{_COMMAND}[^`]{{0,100}}`", "`"),
        (0.85, r"\$\{?ifs\b|\{[a-z]{2,12},(?:-\w|/?[\w.-]{0,30}[/.])[\w/.-]{0,40}\}", "ifs", ","),
        (
            0.75,
            r"(?:^|[\s;|&(`'\"=<>])/(?:usr/)?(?:local/)?s?bin/[\w.?*\[\]-]{1,20}(?:$|[\s;|&)`'\"<>])"
            r"|/bin/(?:ba|z|da|k|c)?sh\b|/bin/(?:cat|ls|id|nc|ping|uname|[\w?*]{0,6}[?*][\w?*]{0,6})\b",
            "/bin/",
            "/sbin/",
        ),
        (0.7, r"/[a-z?*]{0,3}[?*][a-z?*]{0,3}/[a-z?*]{0,6}[?*][a-z?*]{0,6}(?:$|[\s/])", "?", "*"),
        (0.7, r"[<>]&? ?/dev/(?:tcp|udp)/|\bmkfifo /|/dev/(?:tcp|udp)/|>& ?\d|[012]>&[012]", "/dev/", "mkfifo", ">&"),
        (0.6, r"(?:^|[\s;|&])[<>]\( ?(?:cat|curl|wget|echo|ls|id|sh|bash)\b|<<< ?[a-z{$\"']", "<(", ">(", "<<<"),
        (
            0.8,
            r"\bpowershell(?:\.exe)? .{0,60}-(?:e|en|enc|c|nop|w|ep|exec|nologo|noprofile|file|encodedcommand"
            r"|command|version|windowstyle|inputformat|psconsolefile|sta|mta)\b",
            "powershell",
        ),
        (
            0.75,
            r"\b(?:invoke-(?:expression|webrequest|command|item|restmethod)|new-object (?:system\.|net\.)"
            r"|downloadstring\(|\biex ?[(\"$])",
            "invoke-",
            "new-object",
            "downloadstring",
            "iex",
        ),
        (0.75, r"\bcmd(?:\.exe)? ?/[ckrqv](?::on)?\b", "cmd"),
        (0.95, r"\(\) ?\{ ?(?:_|:|\w{0,10} ?=>? ?\w{0,10})? ?;? ?[:}]", "()"),
        (
            0.7,
            r"\b(?:system|exec|shell_exec|passthru|popen|proc_open|pcntl_exec|runtime\.exec|os\.system"
            r"|subprocess\.(?:call|run|popen|check_output)) ?\( ?(?:['\"`$\[]|\w{1,30} ?\))",
            "system",
            "exec",
            "passthru",
            "popen",
            "proc_open",
            "subprocess",
        ),
        # Statements of cmd.exe.
        (0.75, r"\bfor (?:/[dflr] )?(?:\"[^\"]{0,60}\" |[a-z]:\\\S{0,40} |/\S{1,40} )?%{1,2}\w{0,12} in ?\(", "for "),
        (
            0.75,
            r"\bif (?:/i )?(?:not )?(?:exist |defined |errorlevel \d|cmdextversion )\S{0,80}.{0,20}(?:\("
            r"|\bcmd|\becho|\bgoto|\bif|\bdel|\bcall|\bset|\bstart|$)",
            "if ",
        ),
        (
            0.75,
            rf"\bif (?:/i )?(?:not )?\(?\"?[%\[][^\n]{{1,60}}? ?{_TEST} ?"
            rf"|\bif (?:/i )(?:not )?\S{{1,40}} ?{_TEST}|\bif (?:not )?\(?\"?\w{{1,20}}\"?\)? ?(?:equ|neq|lss"
            rf"|leq|gtr|geq) ",
            "if ",
        ),
        (0.7, r"\bif (?:not )?[\w\"%~]{1,20} ?={2,3} ?[\w\"%~/?]{1,20} (?:echo|goto|cmd|set|call|del|exit|\()", "if "),
        (
            0.6,
            r"^\s?(?:wget|curl) (?:-\S{1,10} )?(?:https?://|\d)|^\s?nc (?:-\S{1,8} )?\d{1,3}\.\d",
            "wget ",
            "curl ",
            "nc ",
        ),
        (0.55, r"[;|&`] ?\$\{?[a-z_]{1,20}\}?(?:\[|\$|/)|\$\{[a-z_]{1,12}(?:%%|##|:\d|//)[^}]{0,30}\}", "$"),
        judge=_judge,
        judged=(
            ";",
            "|",
            "&",
            "`",
            "\n",
            "$(",
            "${",
            "/bin/",
            "cmd",
            "powershell",
            "() {",
            "(){",
            "%",
            "errorlevel",
            "<(",
            "/dev/",
            "if ",
            "for ",
            "()",
            "ifs",
            "/etc/",
            "invoke-",
            "-encod",
            "iex",
            "system(",
            "exec(",
            "popen",
            "passthru",
        ),
    ),
)
