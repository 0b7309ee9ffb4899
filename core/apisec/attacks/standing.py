"""How evidence stands in its value: what breaks out of something, and what is all that the value is.

A field may be there for commands, statements, markup, queries or addresses: a job of CI, a report's query, a page, a
filter, a webhook. What is such a thing in its own right, written as those who work with it write it, ends no literal,
closes no element and separates itself from nothing. That the text *is* of a language then says little, and its score
stays below what a family counts as whole (``WEAK`` in ``abuse/payload.py``), until it comes again and again or departs
from what its parameter carries. What is written to attack and to nothing else (``is_deadly``) keeps its score.
"""

from __future__ import annotations

import re
from typing import Callable, Dict, FrozenSet, Mapping

from apisec.attacks.code import ENCODED
from apisec.attacks.shell import is_command_line
from apisec.attacks.written import is_deadly

HELD = 0.65  # of evidence in a value that is a whole of its own
STRONG = 0.7  # what is below is weak as it is
MAX_READ = 2_048  # characters of a value that are looked at

# A program's line: a statement, an assignment between blanks, a call, a comment, a tag, a prompt.
_CODE = re.compile(
    r"\s{0,12}(?:(?:const|let|var|import|from|return|if|else|elif|for|foreach|while|switch|try|catch|function|async|await|def"
    r"|class|public|private|protected|static|new|echo|print|puts|use|using|package|require|throw|raise|lambda|string|int"
    r"|module|export|select|with|case|func|fn|sub|my|set|then|do|done|fi|end)\b[\s(]"
    r"|<[?%]|<!--|/\*|//|#[!\s]|\[\[?\s|\(\(\s|\$\s?\w|>>> |@[a-z]\w*|\w{0,20}\s?\(?[\w, ]{0,40}\)?\s?=>"
    r"|[$@]?[a-z_][\w$]{0,40}(?:(?:\.|->|::)[\w$]{1,40}|\[[\w'\"$]{1,30}\]){0,6}\s?(?:\(|[+*/.:|&-]?=\s)|\$\(['\"])"
)
# Code that hides what it calls, or reaches for what its language keeps apart: nobody's own.
_TRICK = re.compile(
    r"[(\[]\s{0,3}(?:/\*[^*]{0,30}\*/)?\s{0,3}[\[({]?\s{0,3}['\"]?(?:system|exec|shell_exec|passthru|assert|eval|phpinfo|popen)['\"]?"
    r"[^)\]\n]{0,30}[)\]][\s)\]]{0,4}(?:\[\s?\d\s?\])?\s{0,3}[({\[]|['\"]\s?\.\s?['\"][^)]{0,30}['\"]\s?\)\s?\(|constructor\W{1,4}constructor"
    r"|class\W{1,2}module|classloader\W{1,2}(?:resources|urls)|(?:runtime|processbuilder)\b.{0,40}(?:transformer|closure|factory)"
    r"|mainmodule|process\.binding|chr\(\d{1,3}\)\s?\.\s?chr\(|\bmd5\(\s?['\"]?\d|\$\{@|\$_(?:get|post|request|cookie)\s?[\[{][^\]}]{1,30}[\]}]\s?\("
    r"|(?:system|exec|passthru|popen|execsync|spawn)\s?\(\s?['\"`](?:id|ls|cat|whoami|uname|dir|curl|wget|nc|ping|sleep|ifconfig|type)\b"
    r"|phpinfo\s?\(\s?\)"
    # a comment between a variable and its call, a name that is computed or silenced, a file made of base64
    r"|\$\w{1,30}(?:\[[^\]\n]{1,30}\])?\s?/\*[^*\n]{0,30}\*/\s?[\[(]|\$\s?\{\s?@|\$\$\$|=\s?@\$\w{1,30}\s?\(|\[\s?@[$\w]"
    r"|(?:put_contents|fwrite|fputs)\s?\([^)\n]{1,80},\s?base64_decode\("
)
_FILE = re.compile(r"[^\s(]{0,160}\.(?:php|pht|phar|inc)[\w.-]{0,12}[.~/\\\s]{0,30}$")
_CLOSES = re.compile(r"\s{0,2}(?:[)\]};|&]|['\"`]\s{0,2}[);,+.|&>/]|\d{0,10}['\"`)])")

_STATEMENT = re.compile(
    r"[\s(]{0,4}(?:select\s[^;]{1,400}?\sfrom\s|insert\s{1,4}into\s|update\s{1,4}\S{1,80}\s{1,4}set\s|delete\s{1,4}from\s"
    r"|(?:create|alter|drop|truncate)\s{1,4}(?:\w{1,12}\s{1,4}){1,3}\S|with\s{1,4}\w{1,40}\s{1,4}as\s{0,4}\(|begin\s{0,2};"
    r"|start\s{1,2}transaction|explain\s|case\s{1,4}when\s|merge\s{1,4}into\s|grant\s{1,4}\w|revoke\s{1,4}\w|copy\s{1,4}\w"
    r"|\w{2,10}>\s)"
)

# Words of a sentence before a statement, and no quote at all: nothing ends there, and where no literal stands around
# the value, three names in a row are an error. Nor does a pattern from its anchor to the other one, without quotes.
_ASKED = re.compile(
    r"(?!(?:\w{1,30} ){0,2}(?:or|and|xor|not|union|having|order|group|limit|in|is|like|between|desc|asc|select|drop"
    r"|exec)\b)"
    r"(?:[a-z]{1,20}[,:]? ){3}[^'\"`;\\]{1,2000}|\^[^'\"`;]{1,400}\$"
)
_TRUTH = re.compile(r"\b(\d{1,9})['\"]?\s?=\s?['\"]?\1\b")

# Markup as an attacker types it: no blank between name and attribute, values without quotes or JSX's braces, capitals
# that change within a name, a tag that only attacks have, a character of code hidden, code that is one call.
_BY_HAND = re.compile(
    r"<\s?(?i:[a-z]{1,12})[/\x0b\x0c](?!>)|<(?=[A-Za-z]{0,12}[a-z][A-Z])(?i:script|img|svg|iframe|body|object|embed|video"
    r"|audio|input|details|marquee|math|style)\b|(?i:<[^<>]{0,200}[\s/\"']on[a-z]{3,20}\s{0,4}=\s{0,4}[^\s\"'>{])"
    r"|(?i:<(?:script|iframe|embed|object)\b[^<>]{0,200}\s(?:src|data)\s?=\s?(?:[^\s\"'>]|[\"']\s?(?:data|blob):))"
    r"|(?i:<(?:xss|isindex|vmlframe|bgsound|i?layer|applet|plaintext|keygen|x|math|animate|set|marquee)\b)|(?i:<svg[^<>]{0,80}\son)"
    r"|(?i:on[a-z]{3,20}\s?=\s?[\"'][^\"']{0,80}(?:&#|\\u00|\\x))"
    r"|(?i:<script>[^<\n]{0,50}</script)|(?i:javascript\s?:)|[^\x00-\x7f]\s?script|<\s(?i:script)|(?i:<[a-z]{1,9}\s[^<>]{0,80}\\?[\"'`]{2}<)"
    r"|<\w{1,12}<|&#[xX]?0{0,6}(?:9|[aAdD]|10|13|60|3[cC]);?|%3[cC]|(?:\[\]|!\[)[\s+!\[\]()]{6}|\[\s?[\"'`](?:alert|eval|document|cookie|constructor)"
    r"|(?i:<meta\s[^>]{0,60}http-equiv\s?=\s?(?:[^\"'\s]|[\"']set-cookie))|\*?(?i:<meta[^>]{0,80}url\s?=\s?['\"]?(?:https?:)?//)"
)
_BREAKS = re.compile(
    r"\s{0,2}[^<]{0,80}(?:[\"'`]\s{0,2}/?>|--!?>|\]\]>|</(?:textarea|title|style|script|noscript|iframe|xmp|select|template"
    r"|button)\s{0,3}>)\s{0,3}<[a-z!]|[^<>]{0,40}[\"'`][\s/]{0,3}on[a-z]{3,20}\s{0,3}="
)

# Operators of Mongo that a filter of a table or a report has, and what turns a filter into what is always true.
_RANGE = re.compile(
    r"\$(?:gte|lte?|in|eq|and|or|all|size|text|search|options|near|slice|project|group|match|sort|mod)\b"
)
_JSON = re.compile(r"\s{0,4}(?:\{\s{0,8}[\"'$]|\[\s{0,8}[\"'{])")
_ALWAYS = re.compile(
    r"\$(?:ne|nin|where|function|accumulator|expr|exists|not|nor|out|merge|unionwith|lookup)\b|\$gte?['\"]?\s?:\s?(?:\"\"|''|null|-?[01]\b)"
    r"|\$regex['\"]?\s?:\s?['\"](?:\^?\.?[*+]?\$?|\^?\.[*+].{0,8})['\"]|drop|remove|injection|sleep|while"
)

# Files that say something to who should not have them. Others of a system are in configuration and in logs.
_SECRET = re.compile(
    r"passwd|shadow|hosts|/root/|/\./\.|win\.ini|boot\.ini|id_[dr]sa|\.aws|\.env|\.git|\.ht|\.ssh|\.svn|\.kube|\.docker|\.npmrc|\.netrc|\.pgpass"
    r"|proc/(?:self|version|\d)|web-inf|meta-inf|wp-config|web\.config|_history|sudoers|gshadow|system32/|config\.inc"
    r"|run/secrets|serviceaccount|php\.ini|\.php|localsettings|appsettings|application\.|\.ds_store|\x00|%|\$|\*|\?"
)
_UPWARD = re.compile(
    r"\.\./\.\./(?!etc/|proc/|var/|usr/|root/|home/|windows|winnt|boot)[a-z][\w-]{1,40}(?:/[a-z][\w-]{1,40}){0,4}$"
)
_MESSAGE = re.compile(
    r"(?:(?:```|~~~)\w{0,12}[\r\n]{1,2})?"
    r"(?:http/[\d.]{1,3} |[a-z][a-z0-9-]{1,40}: ?\S|(?:get|post|put|patch|head|options|delete) /)"
)
# A connection's name: a service's scheme, a host with a name, and none that resolves to what it says.
_CONNECTION = re.compile(
    r"(?:jdbc:)?(?:postgres(?:ql)?|mysql|mariadb|mongodb(?:\+srv)?|rediss?|amqps?|kafka|mqtts?|nats|ldaps?|sftp|smb|imaps?|pop3s?"
    r"|smtps?|memcached|sqlserver|oracle|wss?|https?)://(?:[^/?#\s@]{1,100}@)?(?!localhost|metadata|kubernetes\.default"
    r"|instance-data)[a-z][\w-]{0,60}(?:\.[\w-]{1,60}){0,6}(?::\d{2,5})?(?:[/?][^\s]{0,200})?$"
)
# Where a program on one's own machine waits for the end of a login (RFC 8252, 7.3).
_CALLBACK = re.compile(
    r"https?://(?:localhost|127\.0\.0\.1|\[::1\]):\d{4,5}/(?:[\w-]{1,40}/){0,3}(?:[\w-]{0,20}callback|cb|oauth2?|signin-oidc)/?(?:[?#]\S{0,800})?$"
)
# Addresses among others, or before words: what a server fetches is the whole of a value.
_LISTED = re.compile(r"https?://[^\s,;]{1,200}[,;]?\s{1,4}[\w(]")
_RESOLVES = re.compile(
    r"nip\.io|sslip\.io|xip\.io|localtest\.me|lvh\.me|burpcollab|oast|interact|dnslog|requestbin|metadata"
)


def _is_code(text: str) -> bool:
    if _TRICK.search(text) or _FILE.match(text) or any(code in text for code in ENCODED):
        return False
    return _CODE.match(text) is not None or _CLOSES.match(text) is None


# A word with a command in it: a.txt$(id). In jQuery and in templates of JavaScript something stands before the sign.
_GLUED = re.compile(r"^[\w.@/:-]{0,80}\w\$\([^'\"#.)]")


def _is_command(text: str) -> bool:
    if _GLUED.match(text):
        return False
    return is_command_line(text) or _CODE.match(text) is not None


def _is_statement(text: str) -> bool:
    if _TRUTH.search(text):
        return False
    return _STATEMENT.match(text) is not None or _ASKED.fullmatch(text) is not None


def _is_page(text: str, value: str) -> bool:
    if _BREAKS.match(text) or _BY_HAND.search(value):
        return False
    return "<" in text or _CODE.match(text) is not None


def _is_filter(text: str) -> bool:
    """Return whether a filter of LDAP is whole: its first bracket is closed by its last."""
    depth = 0
    for at, character in enumerate(text.strip()):
        depth += (character == "(") - (character == ")")
        if depth <= 0:
            return depth == 0 and at == len(text.strip()) - 1 > 0
    return False


def _is_query(text: str) -> bool:
    return not _ALWAYS.search(text) and (
        _JSON.match(text) is not None or "db." in text or _RANGE.search(text) is not None
    )


def _is_path(text: str) -> bool:
    if ".." in text:
        return _UPWARD.match(text) is not None
    return _SECRET.search(text.replace("\\", "/")) is None


def _is_message(text: str) -> bool:
    return _MESSAGE.match(text) is not None


def _is_connection(text: str) -> bool:
    if _CALLBACK.match(text.strip()) or _LISTED.match(text):
        return True
    return _CONNECTION.match(text.strip()) is not None and not _RESOLVES.search(text)


_WHOLE: Mapping[str, Callable[[str], bool]] = {
    "injection.command": _is_command,
    "injection.sqli": _is_statement,
    "injection.php": _is_code,
    "injection.node": _is_code,
    "injection.java": _is_code,
    "injection.ldap": _is_filter,
    "injection.nosql": _is_query,
    "injection.path_traversal": _is_path,
    "injection.crlf": _is_message,
    "injection.ssrf": _is_connection,
}
_PAGE = "injection.xss"
WHOLE: FrozenSet[str] = frozenset((_PAGE, *_WHOLE))


def weighed(text: str, value: str, scores: Dict[str, float]) -> Dict[str, float]:
    """Return scores with those held back that tell no more than what a value is; ``text``: a reading of it."""
    strong = [name for name, score in scores.items() if score >= STRONG and name in WHOLE]
    if not strong:
        return scores
    text, value = text[:MAX_READ], value[:MAX_READ]
    held = [name for name in strong if (_is_page(text, value) if name == _PAGE else _WHOLE[name](text))]
    if not held or is_deadly(text):
        return scores
    return {name: HELD if name in held else score for name, score in scores.items()}
