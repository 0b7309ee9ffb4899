"""Command injection: a separator or a substitution, and then a command; and the shells' own statements."""

from __future__ import annotations

from apisec.attacks.base import attack
from apisec.attacks.shell import judge

_IF = r"\bif(?:\s{0,2}/i)?(?:\s{1,8}not)?\s{1,12}"
_DO = (
    r"(?:cmd|echo|goto|if|del|call|set|start|md|rd|cd|copy|move|ren|rename|type|exit|pause|rem|find|for|mkdir"
    r"|rmdir|erase"
    r"|attrib|net|taskkill|ping|xcopy|shift|title|sc|reg|\w{1,24}\.(?:exe|bat|cmd|com))\b"
)
ATTACKS = (
    attack(
        "injection.command",
        "command",
        (
            0.85,
            r"\$\( ?(?:curl|wget|nc|python|perl|bash|sh|ping|nslookup|dig) [^)]{1,200}\)|\$\(\([^)]{1,40}\)\)",
            "$(",
        ),
        (0.85, r"\$\{?ifs\b|\{[a-z]{2,12},(?:-\w|/?[\w.-]{0,30}[/.])[\w/.-]{0,40}\}", "ifs", ","),
        (
            0.75,
            r"(?:^|[\s;|&(`'\"=<>])/(?:usr/)?(?:local/)?s?bin/[\w.?*\[\]-]{1,20}(?:$|[\s;|&)`'\"<>])"
            r"|/bin/(?:ba|z|da|k|c)?sh\b(?!: \w)|/bin/(?:cat|ls|id|nc|ping|uname|[\w?*]{0,6}[?*][\w?*]{0,6})\b",
            "/bin/",
            "/sbin/",
        ),
        (0.7, r"/[a-z?*]{0,3}[?*][a-z?*]{0,3}/[a-z?*]{0,6}[?*][a-z?*]{0,6}(?:$|[\s/])", "?", "*"),
        (
            0.7,
            r"[<>]&? ?/dev/(?:tcp|udp)/|\bmkfifo /|/dev/(?:tcp|udp)/|<&\d|0>&\d",
            "/dev/",
            "mkfifo",
            "<&",
            ">&",
        ),
        (0.4, r">& ?\d", ">&"),  # a script's own
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
        (
            0.6,
            r"\b(?:add|checkpoint|clear|compare|complete|connect|convert(?:from|to)?|copy|debug|disable"
            r"|disconnect|enable|enter"
            r"|exit|export|foreach|format|get|group|import|invoke|join|limit|measure|move|new|out|pop|push"
            r"|receive|register"
            r"|remove|rename|repair|reset|resolve|restart|restore|resume|save|select|send|set|show|sort|split"
            r"|start|stop"
            r"|suspend|switch|tee|test|trace|undo|unregister|update|use|wait|where|write)-(?:acl|alias"
            r"|applocker\w{4,15}"
            r"|authenticodesignature|bits\w{4,12}|childitem|cim\w{4,14}|clixml|computer\w{0,16}|connection|console"
            r"|content|counter|credential|csv|culture|custom|debug|error|event(?:log|subscriber)?|executionpolicy"
            r"|expression|formatdata|history|host|hotfix|html|item(?:property(?:value)?)?|job|json|list|location"
            r"|mailmessage|member|module(?:member|manifest)?|null|object|output|path|printer|process|progress"
            r"|ps(?:breakpoint|callstack|debug|drive|host\w{5,9}|provider|readline\w{0,10}|repository"
            r"|session\w{0,20}|snapin|sessionconfiguration\w{0,4}|transport\w{6,8})|random|restmethod|runspace"
            r"|scheduledjob"
            r"|scheduledtask|securestring|service|string(?:data)?|table|tracesource|transaction|troubleshootingpack"
            r"|type(?:data)?|uiculture|unique|variable|verbose|warning|web(?:request|serviceproxy)|wide"
            r"|windowsfeature"
            r"|winevent|wmi(?:object|event|method|instance)|wql\w{0,4}|wsman\w{0,16}|xml|xpath)\b",
            "-acl",
            "-alias",
            "-applocker",
            "-authenti",
            "-bits",
            "-childitem",
            "-cim",
            "-clixml",
            "-computer",
            "-connection",
            "-console",
            "-content",
            "-counter",
            "-credential",
            "-csv",
            "-culture",
            "-custom",
            "-debug",
            "-error",
            "-event",
            "-execution",
            "-expression",
            "-formatdata",
            "-history",
            "-host",
            "-hotfix",
            "-html",
            "-item",
            "-job",
            "-json",
            "-list",
            "-location",
            "-mailmessage",
            "-member",
            "-module",
            "-null",
            "-object",
            "-output",
            "-path",
            "-printer",
            "-process",
            "-progress",
            "-ps",
            "-random",
            "-restmethod",
            "-runspace",
            "-scheduled",
            "-securestring",
            "-service",
            "-string",
            "-table",
            "-trace",
            "-transaction",
            "-troubleshoot",
            "-type",
            "-uiculture",
            "-unique",
            "-variable",
            "-verbose",
            "-warning",
            "-web",
            "-wide",
            "-windowsfeature",
            "-winevent",
            "-wmi",
            "-wql",
            "-wsman",
            "-xml",
            "-xpath",
        ),
        (
            0.55,
            r"(?:^|[\s;|&=(,'\"])(?:usr/)?(?:local/)?s?bin/[a-z][\w+-]{0,20}(?:$|[\s;|&)'\"])|^\W{0,3}dev/(?:tcp"
            r"|udp|fd|null|zero|std\w{2,3})"
            r"|(?:(?:^|[;|&=\s])\$\{?(?:cdpath|dirstack|home|hostname|oldpwd|ostype|path|pwd|shell|bash_version"
            r"|shellopts|user|uid|ppid|random|ifs)\}?(?:$|[\s;|&])|[;|&]\s?\$\{?(?:home|pwd|oldpwd|path|shell)\}?/)",
            "bin/",
            "dev/",
            "$",
        ),
        (
            0.8,
            r"[;\n] ?then (?:sleep|ping|curl|wget|nslookup) \S[^;]{0,60}; ?(?:else|fi)\b",
            "then ",
        ),  # answers by time
        (0.8, r"@\{ ?\[ ?(?:system|exec|qx|open|`)", "@{"),  # Perl's interpolation
        (0.75, r"\bcmd(?:\.exe)? ?/[ckrqv](?::on)?\b", "cmd"),
        (0.95, r"\(\) ?\{(?! ?\}[\[$|)+*-]) ?(?:_|:|\w{0,10} ?=>? ?\w{0,10})? ?;? ?[:}]", "()"),
        (
            0.7,
            r"\b(?:system|exec|shell_exec|passthru|popen|proc_open|pcntl_exec|runtime\.exec|os\.system"
            r"|subprocess\.(?:call|run|popen|check_output))(?: ?\( ?['\"`$\[]|\( ?\w{1,30} ?\))",
            "system",
            "exec",
            "passthru",
            "popen",
            "proc_open",
            "subprocess",
        ),
        # Statements of cmd.exe.
        (
            0.75,
            r"\bfor\b(?:\s{0,4}/[dflr]\b[^%]{0,120}"
            r"|\s{1,4}\"[^\"]{0,60}\")?\s{0,12}%{1,2}[^\s()]{0,12}\s{1,8}in\s{0,8}\(",
            "for ",
            "for/",
        ),
        (
            0.75,
            rf"{_IF}(?:errorlevel|cmdextversion)\s{{1,4}}\d|{_IF}(?:exist"
            rf"|defined)\s{{1,8}}\S{{1,80}}\s{{1,12}}(?:else\s)?(?:[(@]?{_DO}|\(\s{{0,3}}$)"
            rf"|{_IF}exist\s{{1,8}}(?:[a-z]:|\\|%|\")\S{{0,80}}",
            "if ",
            "if/",
        ),
        (
            0.75,
            rf"{_IF}[^\n]{{1,80}}?\s?\b(?:equ|neq|lss|leq|gtr|geq)\b"
            rf"|{_IF}[^\n=]{{0,60}}[%\[][\w~*!{{\]][^\n=]{{0,60}}={{2,3}}"
            rf"|\bif\s{{0,2}}/i(?:\s{{1,4}}not)?\s[^\n=]{{1,60}}={{2}}"
            rf"|{_IF}[^\n=]{{1,60}}={{2,3}}\s?[\w\"%~/?.()\[\]:\\$'-]{{1,40}}\s{{1,12}}(?:else\s)?[(@]?{_DO}",
            "if ",
            "if/",
        ),
        (
            0.6,
            r"^\s?(?:wget|curl) (?:-\S{1,10} )?(?:https?://|\d)|^\s?nc (?:-\S{1,8} )?\d{1,3}\.\d",
            "wget ",
            "curl ",
            "nc ",
        ),
        (0.55, r"[;|&] ?\$\{?[a-z_]{1,20}\}?(?:\[|\$|/)|\$\{[a-z_]{1,12}(?:%%|##|:\d|//)[^}]{0,30}\}", "$"),
        judge=judge,
        judged=(
            ";",
            "|",
            "&",
            "`",
            "\n",
            "\r",
            "$(",
            "<(",
            ">(",
            " -",
            " /",
            " ~",
            " $",
            "://",
            "\\",
            "^",
            "bin/",
            "${",
        ),
    ),
)
