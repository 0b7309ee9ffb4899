"""Text and programs that people write and send on purpose: tickets, manuals, snippets. What in them still is an attack.

A program has calls, quotes and separators without breaking out of anything, and a manual quotes commands between
backquotes. Evidence that only says *this is code* says nothing there; what remains is code that nobody shows others
but who attacks: a shell on a socket, a request's parameter that is evaluated, a file of passwords, a stolen cookie.
"""

from __future__ import annotations

import re
from typing import FrozenSet, Match

TEXT_LENGTH, TEXT_WORDS = 60, 8
PROGRAM_LENGTH, PROGRAM_LINES, PROGRAM_SHARE = (
    30,
    3,
    0.6,
)  # characters and lines of a program, and how many look like code
MAX_LINES = 60  # that are looked at
_STOPS = ".,;:!?()\"'*_`-"

# Words that a statement of SQL has as many of as a sentence.
_KEYWORDS: FrozenSet[str] = frozenset(
    """all alter and any as asc between by case cast count create declare delete desc distinct drop else end exec exists
    from group having if in inner insert int integer into is join left like limit not null numeric offset on or order
    outer select set shutdown table text then top union update values varchar waitfor when where xor""".split()  # noqa: SIM905 - shorter to read than a list of strings
)

# Detectors whose evidence may be nothing but code.
CODE: FrozenSet[str] = frozenset(
    (
        "injection.command", "injection.inclusion", "injection.java", "injection.ldap", "injection.node",
        "injection.nosql", "injection.path_traversal", "injection.php", "injection.sqli", "injection.template",
        "injection.xpath", "injection.xss",
    )
)  # fmt: skip
_CODE_LINE = re.compile(
    r"\s*(?:(?:#|//|/?\*|--|<!--|[{}\[\])]+[,;)]*\s*$|@\w|\$ |%|>>> |\"[\w.-]{1,40}\"\s?:|<[/a-z?!])"
    r"|(?:def|class|import|from|return|if|elif|else|for|foreach|while|const|let|var|function|public|private"
    r"|protected"
    r"|static|final|abstract|use|using|package|namespace|my|our|sub|local|echo|export|fi|done|esac|end|try|catch"
    r"|except"
    r"|finally|module|func|fn|impl|struct|enum|type|interface|async|await|throw|raise|with|include|require|then|do"
    r"|switch|case|break|continue|yield|print|println|val|defer|go|select|insert|create|update|alter|delete|where"
    r"|and"
    r"|or|order|group|values|set|begin|commit|unless|pub|mod|match|extern|typedef|void|int|char|bool|string|auto"
    r"|new)\b"
    r"|[\w.$@\[\]'\"]{1,60}\s{0,8}(?::=|[+*/|&.-]?=(?!=)|:\s|\()|.{0,400}[;{}(\[,\\>|]\s*$|.{0,400}(?:&&|\|\||=>"
    r"|->)\s*$)",
    re.IGNORECASE,
)
# One statement of a program as a whole: what breaks into one begins with what ends another.
_STATEMENT = re.compile(
    r"\s{0,4}(?:(?:const|let|var|val|my|local|final|auto|int|string|bool|char|float|double|static|public|private"
    r"|protected"
    r"|import|export|from(?=\s{1,2}[\w.]{1,80}\s{1,2}import\b|\s{1,2}['\"])|using|package|namespace|use|class|def|fn|func|fun|function|interface|struct|enum|async"
    r"|try|return"
    r"|throw|raise|await|yield)\s{1,2}[\w{$@*&<][\s\S]{0,2000}[;{})\]>:\w'\"`]\s{0,4}$|@\w{2,40}\s{1,2}(?:public|private|protected|class|def|final"
    r"|static)\b"
    r"|(?:if|for|foreach|while|switch)\s{0,2}\((?!%)[^\n]{1,400}[;}{]\s{0,4}$"
    r"|(?:if|for|while|elif|with)\s[\w. ,()\[\]'\"=!<>]{1,120}:\s{0,2}$"
    r"|[a-z_$@%][\w.$]{0,40}(?:(?:->|::)\w{1,40}){0,3}(?:[\[{][$\w'\"]{0,40}[\]}]){0,2}\s{1,2}[+*/"
    r"|&.-]?=\s{1,2}(?=[\w$'\"\[{(!`-])[^\n]{1,400}[;)\]}'\"\w]\s{0,4}$"
    r")",
    re.IGNORECASE,
)
# A line of a shell's script, of a crontab or of a terminal as a whole.
_SHELL = re.compile(
    r"\s{0,12}(?:#!\s?/|\$ \w|# [^\n]{0,200}\n|(?:[\d*/,-]{1,20}\s{1,4}){4}[\w*/,?-]{1,20}\s{1,4}\S"
    r"|@(?:daily|hourly|weekly|monthly|yearly|annually|midnight|reboot)\s"
    r"|(?:(?:export|local|readonly|declare|typeset)\s)?[A-Z][A-Z0-9_]{1,40}=(?:[\"'$`\w/.~(]|$)"
    r"|\[\[? (?:-\w |! |[\"$]|\w{1,40} (?:[!=]=?|-\w\w) )|(?:if|elif|while|until) (?:! ?)?(?:\[|test |command -v"
    r"|\w[^\n]{0,200}; ?(?:then|do)\b)"
    r"|for \w{1,20} in [^\n;]{1,200}(?:; ?do\b|\n)|case [^\n]{1,80} in\b|(?:echo|printf|cat)\b[^\n]{0,200}(?:>&2"
    r"|<<-?\s?['\"]?\w)"
    r"|set -[a-z]|(?:RUN|ENV|COPY|CMD|ENTRYPOINT|WORKDIR|EXPOSE) \S|trap ['\"]|(?:fi|done|esac|then|else)\b|;;|[\w*?"
    r"|.-]{1,40}\)\s{1,8}[^\n]{0,200};;)"
)
_SPANS = re.compile(
    r"\{(?:code|noformat)[^}\n]{0,40}\}[\s\S]{0,4000}?(?:\{(?:code|noformat)\}|\Z)|```[\s\S]{0,4000}?(?:```|\Z)"
    r"|~~~[\s\S]{0,4000}?(?:~~~|\Z)|``[^`\n]{1,400}``|`[^`\n]{1,400}`|^(?: {4}"
    r"|\t).{0,400}$",
    re.MULTILINE,
)
_FENCES = ("```", "~~~")
_OPEN, _LEFT = "`~\t{", 2  # where spans may be; words that stand outside of them, in text that quotes
# What is written to attack, and to nothing else.
_DEADLY = re.compile(
    r"/dev/(?:tcp|udp)/|\b(?:ba|z|k|da)?sh\s{1,3}-i\b|\bnc(?:at)?\s[^\n]{0,60}-[ec]\b|\bmkfifo\s|pty\.spawn"
    r"|socket\.socket\([^\n]{0,200}subprocess"
    r"|\b(?:eval|assert|system|exec|shell_exec|passthru|popen|include|unserialize"
    r"|call_user_func)\s?\(?\s?[@(]?\s?(?:base64_decode\s?\(\s?)?"
    r"(?:\$_(?:get|post|request|cookie|server|files)|req(?:uest)?\.(?:query|body|param|getparameter|args|get))"
    r"|eval\s?\(\s?(?:base64_decode|gzinflate|str_rot13|atob|string\.fromcharcode|unescape)"
    r"|runtime\.getruntime\(\)\.exec\((?:new |['\"](?:/bin|cmd|bash|sh|curl|wget|id|whoami))"
    r"|getruntime\(\)\.exec\([^)\n]{0,40}(?:/bin|cmd|calc|whoami)"
    r"|powershell[^\n]{0,60}\s-(?:e|en|enc|encodedcommand)\b|powershell[^\n]{0,60}(?:hidden|bypass|-nop\b)|download(?:string|file)\(|\biex\b[^\n]{0,40}(?:webclient|iwr)"
    r"|/etc/(?:passwd|shadow|sudoers)|\bwin\.ini\b|boot\.ini|\.ssh/id_[dr]sa|169\.254\.169\.254|xp_cmdshell"
    r"|\bunion\s{1,4}(?:all\s{1,4})?select\s{1,4}(?:null|\d|@@|user|char|0x|concat)"
    r"|(?:^|['\"\d)])\s{0,4}(?:or|and)\s{1,4}['\"]?(\w{1,10})['\"]?\s?=\s?['\"]?\1\b|pg_sleep\(|benchmark\(\d{5,}"
    r"|waitfor delay|sleep\(\d{1,3}\)\s?(?:--|#|\))"
    r"|__import__\(['\"]os['\"]\)|__subclasses__\(|\bos\.(?:system|popen)\(\s?['\"](?:curl|wget|nc|bash|sh"
    r"|cat /etc|id|whoami|rm -rf)"
    r"|child_process['\"]\)\s?\.\s?(?:exec|spawn)\w{0,8}\(\s?['\"](?:curl|wget|nc|bash|sh|cat|id|whoami|rm|ls|/bin)"
    r"|(?:curl|wget)\s[^\n|]{3,200}\|\s?(?:sudo\s)?(?:ba|z|da)?sh\b|\brm\s{1,3}-(?:rf|fr)\s{1,3}(?:/|\*|~"
    r"|\$home)(?:\s|$|\*|;)|:\(\)\s?\{\s?:\|:"
    r"|document\.cookie[^\n]{0,120}(?:fetch|location|src|open|send)|(?:fetch|location|src|open"
    r"|image)[^\n]{0,120}document\.cookie"
    r"|\b(?:alert|confirm|prompt)\s?[(`]\s?(?:\d{1,9}|document\.|['\"]?xss|origin|/)|\bon(?:error|load|mouseover"
    r"|focus|toggle|click|start)\s{0,3}=\s{0,3}['\"]?\s{0,3}(?:alert|confirm|prompt|eval|fetch|location|document"
    r"|window|import|top|self|this(?!\.(?:src|select|value|form|style|submit|checked|class|parent|closest))|\(|`|javascript)"
    r"|(?:href|src|action|data)\s{0,3}=\s{0,3}['\"]?\s{0,3}(?:javascript|vbscript|data:text/html)"
    r"|\\x\w\w\\x\w\w\\x\w\w",
    re.IGNORECASE,
)


def is_text(text: str) -> bool:
    """Return whether somebody may have written it to be read: eight words or more, between blanks."""
    if len(text) <= TEXT_LENGTH:
        return False
    words = [word.strip(_STOPS).lower() for word in text[:2_000].split()]
    return sum([len(word) > 1 and word.isalpha() and word not in _KEYWORDS for word in words]) >= TEXT_WORDS


# A statement of SQL as a whole, as tutorials, reports and tickets have it.
_SQL = re.compile(
    r"\s{0,4}(?:--[^\n]{0,200}\n\s{0,4})?(?:select\s[^;]{1,600}?\sfrom\s[^;]{1,1200};?\s{0,4}$|insert\s+into\s{1,4}[^;]{1,1200}\);?\s{0,4}$"
    r"|update\s{1,4}[\w.\"`\[\]]{1,80}\s{1,4}set\s|delete\s{1,4}from\s{1,4}[\w.\"`]{1,80}\s{1,4}where\s"
    r"|create\s{1,4}(?:unique\s{1,4})?(?:table|index|view)\s|alter\s{1,4}table\s|with\s{1,4}\w{1,40}\s{1,4}as\s{0,4}\()",
    re.IGNORECASE,
)


def is_program(text: str) -> bool:
    """Return whether a text is lines of code, three or more, most of which look like it; or code behind a fence."""
    if text.startswith(_FENCES) and "\n" in text:  # whoever cuts it off leaves the beginning
        return True
    if "\n" not in text or len(text) <= PROGRAM_LENGTH:
        return False
    lines = [line for line in text[:8_192].split("\n")[:MAX_LINES] if line.strip()]
    if len(lines) < PROGRAM_LINES:
        return False
    return sum([(_CODE_LINE.match(line) or _SHELL.match(line)) is not None for line in lines]) >= PROGRAM_SHARE * len(
        lines
    )


def is_statement(text: str) -> bool:
    """Return whether a text is one statement of a program, or two: a line that breaks out of nothing."""
    if len(text) > 2_048 or text.count("\n") > PROGRAM_LINES:
        return False
    return (_STATEMENT.match(text) or _SHELL.match(text) or _SQL.match(text)) is not None


def outside(text: str) -> str:
    """Return a text without the code that it quotes, or the text itself where too little is left to quote anything."""
    if not any(mark in text for mark in _OPEN) and "\n    " not in text:
        return text
    left = _SPANS.sub(_without, text)
    return left if left != text and sum([word.strip(_STOPS).isalpha() for word in left.split()]) >= _LEFT else text


def _without(span: Match[str]) -> str:
    """Return what is left of a span: a name between backquotes, as databases have it, is no code."""
    quoted = span.group()
    return quoted if quoted.strip("`").isidentifier() else " "


def is_deadly(text: str) -> bool:
    """Return whether code is such as is written to attack, and to nothing else."""
    return _DEADLY.search(text) is not None
