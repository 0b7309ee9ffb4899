"""Commands in values, read as a shell would: behind each separator a word, and what the word needs to be no prose.

A word is taken as the shell takes it: assignments before it are skipped, quotes, backslashes, carets and empty
substitutions within it are no part of it, a folder before it neither. So *w'h'oami*, *wh\\oami* and */usr/bin/whoami*
are one word. Many commands are words of English too (*find*, *more*, *who*): they need what only a command line has.
"""

from __future__ import annotations

import re
from typing import Iterator, Match, Optional, Tuple

from apisec.attacks.commands import CONTROL, FILTERS, LOOKING, READERS, RUNS, SHORT, SURE, WORDS
from apisec.attacks.quoting import mentions
from apisec.attacks.written import is_deadly

MAX_SEGMENTS = 24  # separators whose words are read
MAX_LINES = 3  # of a text whose lines may be commands: people write longer ones
MAX_WORD = 80  # characters of a word with all that a shell takes out
MAX_REST = 120  # characters behind a word that are looked at

_DEVELOPER = re.compile(
    r"\s{0,2}(?:\$ )?(?:sudo )?(?:ansible\S*|apt|apt-get|aws|az|brew|bundle|bun|cargo|cd|chmod|cmake|composer|conda"
    r"|cp|curl"
    r"|deno|dnf|docker\S*|dotnet|dpkg|du|export|find|gcloud|gem|git|go|gradlew?|grep|gunzip|gzip|head|helm|java|journalctl"
    r"|kubectl|ln|make|mkdir|mv|mvnw?|nano|node|npm|npx|pacman|patch|pg_dump|php|pip3?|pipx|pnpm|poetry|psql|pytest"
    r"|python3?|rails|rake|rsync|ruby|rustup|scp|sed|service|source|ssh|systemctl|tail|tar|terraform|time|touch|tsc|unzip"
    r"|uv|vim?|virtualenv|watch|yarn|yum) (?!-c |-e |-r )\S"
)

# What stands before a command: a separator, a substitution, a line. The value's beginning counts too, for less.
# It begins with one class of characters, so that text without them is skipped quickly.
_SEPARATOR = re.compile(
    r"[|&;\n\r`$<>](?:(?<=\|)\|?|(?<=&)&?|(?<=;);?|(?<=[\n\r`])|(?<=[$<>])\(|(?<=\$)\{(?=[^}]{0,40};))"
)
_SKIPPED = re.compile(r"(?:[\s({!]|\w{1,20}=(?:[^\s;|&'\"]{0,40}|'[^']{0,40}'|\"[^\"]{0,40}\")[ \t]+){0,6}")
_WORD = re.compile(r"(?:\\.|[\w'\"^./~*?:@+-]|\$\{\w{0,12}\}|\$[@*#!?-]|\$'|\\\n){1,80}", re.DOTALL)
_TAKEN_OUT = re.compile(r"['\"^\\]|\$\{\w{0,12}\}|\$[@*#!?'-]")
_EXTENSION = re.compile(r"\.(?:exe|com|bat|cmd)$")  # what a shell adds by itself: id.sh is another program than id
_FOLDER = re.compile(r"(?:^|[/~.*?])(?:[\w.*?-]{0,20}/){1,6}$|^[a-z]:|^\\\\")

# What behind a word makes it a command: an option, a path, a variable, a redirection, an address, the next separator.
_ARGUMENT = re.compile(
    r"[ \t+]{1,4}(?:-{1,2}[a-z0-9][\w-]{0,20}(?![\w'])(?! [a-z]{2,}-)|[/~](?:[\w.*?$/-]|\s|$)|\.{1,2}/"
    r"|aux\w{0,2}\b|-?ef\b|\$[\w({@]|[<>]|%\w+%|[a-z]:\\"
    r"|https?://|\d{1,3}(?:\.\d{1,3}){3}\b|/[a-z?]{1,3}(?:\s|$|:)|[\w./-]{1,40}\.(?:php|sh|py|pl|exe|txt|conf|log"
    r"|cgi|bat|c|tar"
    r"|gz|zip|ini|cfg|xml|passwd)\b(?!\w)|[\w./*?-]{0,30}[*?][\w./]{1,30}|[\w.]{0,20}/[\w./*?-]{1,60}(?:$|[\s;"
    r"|&)`]))"
    r"|[ \t]{0,2}[<>]{1,2}[ \t]{0,2}[/\w&.]|<<<|\$ifs|\$\{ifs|[\"'][ \t]{1,2}[/-]"
)
_QUOTED = re.compile(r"[ \t]{1,3}(?:-[a-z]{1,3} )?['\"][^'\"]{0,80}['\"](?:\s{0,2}(?:$|[;|&>`)])|\s{1,2}[>|/.-])")
_NUMBER = re.compile(r"[ \t]{1,3}-?\d{1,6}\s{0,2}(?:$|[;|&`)#\n])")
_ALTERNATIVE = re.compile(r"(?:[(|:]|^)[\w.^*+?\\-]{1,40}\|$")
_LISTED = re.compile(
    r"(?!(?:whoami|uname|ifconfig|ipconfig|netstat|systeminfo|(?:id|ls|env|ps|pwd|dir|hostname)$))[\w.*+?\\-]{1,40}(?:[|)]|$)"
)
_GAP = re.compile(r"[ \t]{1,3}")
_ANY = re.compile(r"[ \t]{1,3}['\"]?[\w.^$*/-]")
_END = re.compile(r"[ \t]{0,3}(?:$|[;|&`)\n\r#]|\}|['\"]\)?\s{0,2}$)")
_ENDED = re.compile(r"[ \t]{0,3}[;|&`)]")
_NET = re.compile(
    r"[ \t]{1,3}(?:user|localgroup|group|view|use|share|start|stop|accounts|session|query|add|delete|export|save)\b"
)
_ENTITY = re.compile(r"&(?:[a-z]{2,8}|#\d{2,5}|#x[\da-f]{2,4});$")
_POSSESSIVE = re.compile(r"(?:[a-z]{2,40}'(?:s|t|re|ve|ll|d|m)\b|[a-z]'(?:s|ve|ll|d|m)(?= [a-z]))")
_ABBREVIATION = re.compile(r"([a-z]{1,2})&([a-z]{1,2})(?![\w./-])")  # AT&T; R&D
_FILE = re.compile(r"(?:^|[\s=<])[/~]\w|\$\(|`|\.\./")
_ASSIGNED = re.compile(r"[ \t]{0,2}(?:=|:(?![\\/]))")  # a=1&sort=asc, a: b; no command


_KNOWN = (SURE | SHORT | WORDS | RUNS) - CONTROL


def _taken(written: str) -> Tuple[str, bool, bool]:
    """Return a word as the shell takes it, without its folder; whether it was disguised, and had a folder."""
    if written.isalnum():
        return written, False, False
    if "://" in written:
        return "", False, False
    plain = _TAKEN_OUT.sub("", written)
    disguised = plain != written and _TAKEN_OUT.search(written.strip("'\"")) is not None
    folder, slash, name = plain.rpartition("/")
    if "\\" in written and ":" in written:
        slash, name = "\\", written.replace("\\\\", "\\").rpartition("\\")[2].strip("'\"")
        folder, disguised = "c:", False
    return _EXTENSION.sub("", name), disguised, bool(slash) and _FOLDER.search(folder + "/") is not None


def _rest(text: str, at: int, prose: bool) -> Optional[float]:
    """Return how sure an argument makes a command of a name that may be a word; ``prose``: of a sentence."""
    rest = text[at : at + MAX_REST]
    if _ASSIGNED.match(rest):
        return None
    if _ARGUMENT.match(rest):
        return 0.85
    if not prose and (_QUOTED.match(rest) or _NUMBER.match(rest)):
        return 0.7
    return None


def _abbreviates(text: str, start: int) -> bool:
    pair = _ABBREVIATION.match(text, start)
    return pair is not None and pair.group(2) not in _KNOWN


def _weigh(text: str, start: int, blank: bool) -> float:
    """Return how sure a command begins behind a separator; ``blank``: one stood before it, as none does in prose."""
    word = _WORD.match(text, start)
    if word is None or len(word.group()) > MAX_WORD:
        return 0.0
    if "'" in word.group() and _POSSESSIVE.match(text, start):
        return 0.0
    name, disguised, folder = _taken(word.group())
    if name not in _KNOWN or (disguised and len(name) == 1) or _abbreviates(text, start):  # \w is a pattern's
        return 0.0
    end = word.end()
    rest = text[end : end + MAX_REST]
    if _ASSIGNED.match(rest):
        return 0.0
    if name in READERS and not disguised and _piped(text, start) and not _file(rest):
        return 0.0
    if name in SURE:
        return 0.85
    if name in SHORT and (_END.match(rest) or disguised or folder):
        return 0.8 if not blank or disguised or folder or _ENDED.match(rest) else 0.6
    if name in RUNS:
        inner = _GAP.match(text, end)
        if inner is not None and _weigh(text, inner.end(), blank) >= 0.8:
            return 0.85
    if name in SHORT or name in WORDS:
        if name in FILTERS and not blank and text[start - 1] != " " and _ANY.match(rest):
            return 0.6
        return _argued(text, end, name, disguised or folder, blank)
    return 0.0


def _argued(text: str, end: int, name: str, hidden: bool, blank: bool) -> float:
    """Return how sure a name that may be a word is a command by what stands behind it; ``hidden``: disguised."""
    if name in ("net", "reg", "sc") and _NET.match(text, end, end + MAX_REST):
        return 0.8
    prose = blank and name in WORDS and name not in ("echo", "print", "printf", "eval", "sleep", "ping")
    found = _rest(text, end, prose)
    if found is not None:
        return found
    return 0.75 if hidden and name else 0.0


def _piped(text: str, start: int) -> bool:
    return text[max(0, start - 2) : start].strip() == "|"


def _file(rest: str) -> bool:
    """Return whether a command is given a file of the system, or another command."""
    return _FILE.search(_next(rest)) is not None


def _next(rest: str) -> str:
    """Return what stands before the next separator."""
    found = _SEPARATOR.search(rest)
    return rest[: found.start()] if found is not None and found.group() not in ("`", "$(") else rest


def _first(text: str) -> float:
    """Return how sure a value itself is a command line: one that looks at a system, and no tool of a developer."""
    skipped = _SKIPPED.match(text)
    start = skipped.end() if skipped is not None else 0
    word = _WORD.match(text, start)
    if word is None or len(word.group()) > MAX_WORD:
        return 0.0
    name, disguised, folder = _taken(word.group())
    if name not in LOOKING:
        return 0.0
    rest = text[word.end() : word.end() + MAX_REST]
    if _ASSIGNED.match(rest):
        return 0.0
    if _ARGUMENT.match(rest):
        return 0.65
    return 0.6 if (disguised and len(name) > 2) or (folder and _END.match(rest)) else 0.0


def _listed(text: str, bar: Match[str]) -> bool:
    """Return whether a bar is of a pattern, or of a list: (jpg|png|zip), asc|desc|date."""
    before = _ALTERNATIVE.search(text, max(0, bar.start() - 60), bar.end())
    return before is not None and _LISTED.match(text, bar.end()) is not None


def _ends_entity(text: str, mark: Match[str]) -> bool:
    return mark.group() == ";" and _ENTITY.search(text, max(0, mark.start() - 10), mark.end()) is not None


# Substitutions as reStructuredText defines and uses them: .. |badge| image:: https://..., |version| |license|
_SUBSTITUTION = re.compile(
    r"(?:^|\n)\s{0,8}\.\. \|[^|\n]{1,60}\|(?= [a-z-]{2,20}::)"
    r"|(?:^|(?<=\s))\|[\w-]{1,40}\|(?:\s\|[\w-]{1,40}\|){1,20}(?!\S)"
)


def _ends(text: str, mark: Match[str], mention: Tuple[int, int]) -> bool:
    """Return whether a backquote ends what a text mentions between two of them: `dist` dir; it begins nothing."""
    return mark.end() == mention[1] and text[mention[0]] == "`"


def _separators(text: str) -> Iterator[Match[str]]:
    """Yield the separators that may stand before a command: no blank before a backquote, no line of a longer text."""
    if _SEPARATOR.search(text) is None:
        return
    fenced = text.startswith(("```", "~~~"))
    lines = "\n" in text and (fenced or text.count("\n") > MAX_LINES or " " in text[: text.find("\n")])
    quoted = list(reversed(mentions(text)))
    if ".. |" in text or "| |" in text or "|\n|" in text:
        text = _SUBSTITUTION.sub(lambda one: "x" * len(one.group()), text)
    for match in _SEPARATOR.finditer(text):
        mark = match.group()
        while quoted and quoted[-1][1] <= match.start():
            quoted.pop()
        if quoted and quoted[-1][0] < match.start() and (mark not in ("`", "$(") or _ends(text, match, quoted[-1])):
            continue  # within quotes it separates nothing
        if mark == "`":
            before = text[match.start() - 1 : match.start()]
            if before and (before.isspace() or before in "(`*_[-#>"):
                continue
            if text.startswith("`", match.end()):
                continue
            if not before and not text.rstrip().endswith("`"):
                continue
        elif (mark in "\n\r" and lines) or (mark == "|" and _listed(text, match)) or _ends_entity(text, match):
            continue
        yield match


def _pasted(text: str) -> bool:
    """Return whether a value is a developer's command line, which nobody had to break into."""
    first = _DEVELOPER.match(text)
    return first is not None and not is_deadly(text)


# What begins a line of a script, of a batch file or of PowerShell, without being a command.
_SCRIPT = re.compile(
    r"\s{0,4}(?:@?echo (?:off|on)\b|(?:if|elif|while|until) (?:not )?(?:exist|errorlevel|defined|\[|!|\"%|%|\"[\w%])"
    r"|for /"
    r"|set \w{1,30}=|(?:copy|del|rmdir|md|rd|xcopy|call|start|goto) \S|[a-z]{3,10}-[a-z]{4,24} [-\w$'\"]|\[\[? |#!"
    r"|(?:ps )?[a-z]:\\?[\w\\]{0,60}> ?\w|(?:\w{1,30}@[\w.-]{1,60}:?[~/\w.-]{0,60})?[#$>] \w|get-\w{3,24}\b"
    r"|[a-z][\w.-]{1,30}: )"
)
_LIST = re.compile(
    r"[\w~.$%{}#:-]{0,20}[/\\][\w./\\$%{}#~:-]{1,80}(?:;[\w~.$%{}-]{0,20}[/\\][\w./\\$%{}~-]{1,80}){1,20};?$"
)
_TESTED = re.compile(r"\[ (?:! )?-\w [^\]\n]{1,80} \] (?:\|\||&&)")
_GIVEN = re.compile(r"[ \t]{1,4}[^\s;|&<>`#]")


def is_command_line(text: str) -> bool:
    """Return whether a value is commands from its beginning: a command, plainly written, and what it is given."""
    if _SCRIPT.match(text) or _LIST.match(text) or _TESTED.search(text):
        return True
    skipped = _SKIPPED.match(text)
    word = _WORD.match(text, skipped.end() if skipped is not None else 0)
    if word is None or len(word.group()) > MAX_WORD:
        return False
    name, disguised, _ = _taken(word.group())
    known = name in _KNOWN or name in CONTROL or _DEVELOPER.match(text) is not None
    return known and not disguised and _GIVEN.match(text, word.end()) is not None


def judge(text: str) -> Iterator[float]:
    """Yield the weight of the strongest command in a value, and of the value as one."""
    best = 0.0
    for count, match in enumerate(_separators(text)):
        if count >= MAX_SEGMENTS or best >= 0.85:
            break
        skipped = _SKIPPED.match(text, match.end())
        start = skipped.end() if skipped is not None else match.end()
        if start < len(text):
            before, behind = text[match.start() - 1 : match.start()], text[match.end() : match.end() + 1]
            # A blank on one side is a sentence's; on both sides of one character it may be, too: this & that, a | b.
            blank = behind == " " and (before != " " or match.group() in "&|")
            weight = _weigh(text, start, blank)
            if weight <= 0.7 and blank and before == " " and match.group() == "&":  # bread & 2 rolls
                continue
            if match.group() in "\n\r" and weight:  # lines of people begin with words, too
                weight = min(weight, 0.6)
            best = max(best, weight)
    if best:
        yield min(best, 0.45) if _pasted(text) else best
    else:
        first = _first(text)
        if first:
            yield first
