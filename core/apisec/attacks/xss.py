"""Cross-site scripting: markup that runs code, and what breaks out of an attribute. Markup alone is none."""

from __future__ import annotations

import re
from typing import Iterator

from apisec.attacks.base import attack, gated
from apisec.attacks.markup import Tag, tags

_RUNS = {
    "script": 0.95,
    "iframe": 0.7,
    "frame": 0.6,
    "frameset": 0.6,
    "object": 0.6,
    "embed": 0.65,
    "applet": 0.75,
    "base": 0.6,
    "isindex": 0.6,
    "vmlframe": 0.6,
    "xss": 0.6,
    "bgsound": 0.6,
    "layer": 0.5,
    "ilayer": 0.6,
    "keygen": 0.5,
    "plaintext": 0.6,
}
_EVENT = re.compile(r"on[a-z]{3,30}")
_SCHEME = re.compile(r"(?:javascript|vbscript|livescript|mocha|jscript)$|feed:javascript")
_IGNORED = re.compile(r"[\s\x00-\x20\\]|&(?:tab|newline|colon);?")
_ADDRESSES = frozenset(
    [
        "href",
        "src",
        "action",
        "formaction",
        "data",
        "code",
        "codebase",
        "value",
        "to",
        "from",
        "by",
        "values",
        "background",
        "lowsrc",
        "dynsrc",
        "poster",
        "srcset",
        "xlink:href",
        "srcdoc",
        "content",
        "cite",
        "classid",
        "folder",
        "icon",
        "longdesc",
        "manifest",
        "profile",
        "usemap",
        "archive",
        "rel",
        "style",
    ]
)
_CODE = re.compile(
    r"expression\(|-moz-binding|behaviou?r:|url\(['\"]?(?:javascript|vbscript|data:text/html)"
    r"|@import"
)
_DATA = re.compile(r"data:(?:text/html|image/svg\+xml|application/xhtml|text/xml|;base64|text/javascript)")


_PAGE = re.compile(r"<(?:!doctype html|html|head|body|title)\b")


# What JSX gives an event, up to its first blank: a function's name or parameters. To a browser it is code that calls
# nothing, or none at all.
_NAMED = re.compile(r"\{(?:\(?[\w$]*[,)]?|[\w$]+(?:\.[\w$]+){0,4})\}?")


def _by_attribute(name: str, attribute: str, value: str) -> float:
    """Return what an attribute tells whose value is no code itself."""
    if name == "meta" and attribute == "http-equiv":
        return 0.8 if "refresh" in value or "set-cookie" in value else 0.0
    if name == "meta" and attribute == "charset":
        return 0.9 if "utf-7" in value else 0.55
    if name == "link" and attribute == "rel":
        return 0.6 if "stylesheet" in value or "import" in value else 0.0
    return 0.6 if attribute in ("formaction", "dynsrc", "lowsrc") else 0.0


def _weigh(tag: Tag) -> float:
    name = tag.name.rpartition(":")[2]
    best = _RUNS.get(name.lstrip("/"), 0.0)
    for attribute, value in tag.attributes:
        if _EVENT.fullmatch(attribute.rpartition(":")[2]) and (value or tag.closed) and not _NAMED.fullmatch(value):
            return 0.95
        plain = _IGNORED.sub("", value) if value else ""
        if attribute in _ADDRESSES and plain:
            if _SCHEME.match(plain.partition(":")[0]) and ":" in plain:
                return 0.95
            if _DATA.match(plain) and name not in ("img", "image"):
                best = max(best, 0.8)
            if attribute == "srcdoc" or (attribute == "style" and _CODE.search(plain)):
                best = max(best, 0.8)
        best = max(best, _by_attribute(name, attribute, value))
        if attribute == "xsi:schemalocation" and "http" in value:
            best = max(best, 0.6)
    return best


def _judge(text: str) -> Iterator[float]:
    if "<" in text:
        best = max([_weigh(tag) for tag in tags(text)], default=0.0)
        # A page of its own, as a mail is, names its frames and styles.
        if best > 0.6 or (best and not _PAGE.search(text)):
            yield best


_HANDLERS = (
    r"on(?:abort|activate|afterprint|animation\w{3,9}|auxclick|before\w{4,14}|begin|blur|bounce"
    r"|canplay\w{0,7}|change|click"
    r"|close|contextmenu|copy|cuechange|cut|dblclick|drag\w{0,6}|drop|durationchange|end|ended|error"
    r"|finish|focus\w{0,3}"
    r"|formchange|forminput|fullscreenchange|hashchange|help|input|invalid|key(?:down|press|up)"
    r"|load\w{0,12}|message|mouse\w{2,6}"
    r"|offline|online|page\w{4}|paste|pause|play\w{0,3}|pointer\w{2,18}|popstate|progress|propertychange|ratechange"
    r"|readystatechange|repeat|reset|resize\w{0,5}|scroll\w{0,3}|search|seek\w{2,3}|select\w{0,6}|show"
    r"|stalled|start|storage"
    r"|submit|suspend|timeupdate|toggle|touch\w{3,6}|transition\w{3,6}|unload|volumechange|waiting"
    r"|webkit\w{4,24}|wheel|zoom)"
)

ATTACKS = (
    attack(
        "injection.xss",
        "xss",
        *gated(
            r"on[a-z]{2,30}[\s\x00]{0,3}=",
            (
                0.85,
                rf"(?:^|['\"`;\s/])[\s/\x00]{{0,3}}(?:['\"`/]"
                rf"|\s/?)[\s/\x00]{{0,3}}{_HANDLERS}[\s\x00]{{0,3}}=[\s]{{0,3}}[\w'\"`(\[{{$/!+~]",
                "on",
            ),
            (0.6, rf"^[^<>]{{0,80}}['\"`][\s/]{{0,3}}{_HANDLERS}\s{{0,3}}=", "on"),
            (0.6, rf"^{_HANDLERS}\s{{0,3}}=", "on"),
            # An attribute's end without a quote, and an event that needs nobody to do anything.
            (
                0.8,
                rf"^[^<>\n]{{0,80}}\b(?:autofocus|tabindex|style|contenteditable)\b[^<>\n]{{0,80}}\s{_HANDLERS}\s{{0,3}}=",
                "on",
            ),
            (0.7, rf"^[^<>]{{0,60}}['\"`]\s[\w\s='\"-]{{0,60}}\s{_HANDLERS}\s{{0,3}}=", "on"),
        ),
        (0.9, r"< ?/?script(?:[\s/>\x00\xa0+]|$)|<%00script|\+adw-/?script|\xbc/?script|\\xbc/?script", "script"),
        (
            0.9,
            r"^\W{0,6}(?:j\W{0,2}a\W{0,2}v\W{0,2}a|v\W{0,2}b"
            r"|live)\W{0,2}s\W{0,2}c\W{0,2}r\W{0,2}i\W{0,2}p\W{0,2}t\W{0,2}:(?!\s?\w{1,20}\s\w)",
            ":",
        ),
        (
            0.85,
            r"(?:href|src|action|data|value|to|from|background|lowsrc"
            r"|url)\s{0,3}[=(]\s{0,3}['\"`]?\s{0,3}(?:java|vb|live)\s{0,2}script\s{0,2}:",
            "script",
        ),
        (0.75, r"\+adw-[!/a-z]", "+adw-"),
        # Brackets of a charset of seven bits: a browser that guesses drops the eighth one.
        (0.6, r"\xbc[/!a-z][^>\n]{0,80}[>\xbe]|<[/a-z][^>\xbe\n]{0,80}\xbe", "\xbc", "\xbe"),
        (0.55, r"\bformaction\s{0,2}=", "formaction"),
        (0.55, r"^\W{0,4}(?:<!--|-->|<!\[cdata\[)\W{0,4}$", "<!--", "-->", "cdata"),
        (
            0.55,
            r"\b(?:self|document|top|window)\s?\[[^\]\n]{1,60}\]\s{0,2}[\[(.]",
            *(f"{name}{gap}[" for name in ("self", "document", "top", "window") for gap in ("", " ")),
        ),
        (0.75, r"\]\(\s{0,2}(?:javascript|vbscript|data:text/html)", "]("),
        (
            0.6,
            r"javascript:\s{0,4}(?:/|alert|eval|window|document|void|top|self|this|[a-z]{2,20}[(.\[])",
            "javascript:",
        ),
        (0.7, r"data:(?:text/html|image/svg\+xml|application/xhtml|text/xml)[;,]", "data:"),
        (
            0.7,
            r"\b(?:alert|confirm|prompt)\s{0,3}(?:\(\s{0,2}(?:\d{1,9}|['\"`/]|document|window|location|origin"
            r"|string|this)|`)",
            "alert",
            "confirm",
            "prompt",
        ),
        (
            0.7,
            r"\bdocument\s{0,6}(?:\)\s{0,2})?(?:\.|\[\s{0,2}['\"`]?)\s{0,6}(?:cookie|location|write(?:ln)?\b"
            r"|domain|url|referrer|documentelement|body\.)",
            "document",
        ),
        (
            0.55,
            r"\bwindow\s{0,6}(?:\.|\[\s{0,2}['\"`])\s{0,6}(?:location|name\b|open|document|alert|eval|onload)",
            "window",
        ),
        (
            0.55,
            r"\b(?:self|window|top|this|parent|frames"
            r"|globalthis)\s{0,2}\[\s{0,2}(?:['\"`](?:\\?x?[\w$]{1,12}['\"`]\s{0,2}(?:\+|\])|['\"`])|/)",
            "self[",
            "self [",
            "window[",
            "window [",
            "top[",
            "top [",
            "this[",
            "this [",
            "parent[",
            "parent [",
            "frames[",
            "frames [",
            "globalthis[",
            "globalthis [",
        ),
        (
            0.6,
            r"string\s{0,2}\.\s{0,2}fromcharcode|\bunescape\s{0,2}\(\s{0,2}['\"]%|\batob\s{0,2}\(\s{0,2}['\"`]",
            "fromcharcode",
            "unescape",
            "atob",
        ),
        (0.6, r"\beval\s{0,3}(?:\(\s{0,3}['\"`(\w]|`)", "eval"),
        (
            0.55,
            r"\b(?:settimeout|setinterval|settimeout|execscript)\s{0,2}\(\s{0,2}['\"`]",
            "settimeout",
            "setinterval",
            "execscript",
        ),
        (
            0.6,
            r"\[\s{0,2}['\"`](?:constructor|filter|map|find|at|innerhtml|write"
            r"|cookie)['\"`]\s{0,2}\]\s{0,2}[\[(]",
            "['",
            '["',
            "[`",
            "[ '",
            '[ "',
            "[ `",
        ),
        (
            0.7,
            r"(?:!\s{0,2}\[\s{0,2}\]|\[\s{0,2}\]\s{0,2}\[|\{\s{0,2}\}\s{0,2}\+\s{0,2}\[)[\s+!\[\](){}]{3,}",
            "[]",
            "[ ]",
        ),
        (
            0.6,
            r"(?:style|width|background)[^;]{0,40}expression\s{0,2}\(|expression\s{0,2}\(\s{0,2}(?:alert|eval"
            r"|document|window)",
            "expression",
        ),
        (0.6, r"<style[^>]{0,60}>[^<]{0,100}(?:@import|expression|behaviou?r|-moz-binding|javascript)", "<style"),
        (0.6, r"<\?import\b|<!\[cdata\[<|<!--\[if", "<?import", "<![", "<!--["),
        (0.6, r"\b(?:self|window|top|parent|document|frames|this)\s{0,2}/\*.{0,40}\*/", "/*"),
        (
            0.55,
            r"^\W{0,5}(?:window\.|document\.|self\.|top\.)?location(?:\.(?:href|hash|search|replace"
            r"|assign))?\s{0,2}[=(]"
            r"|^\W{0,5}@import\b|\bsrcdoc\s{0,2}=|=\s?(?:alert|confirm|prompt|eval)\s?[,;]|^[^\n]{0,60}\.(?:parentnode"
            r"|innerhtml|outerhtml)\b"
            r"|-moz-binding\s?:",
            "location",
            "@import",
            "srcdoc",
            "alert",
            "confirm",
            "prompt",
            "eval",
            "parentnode",
            "erhtml",
            "-moz-binding",
        ),
        (
            0.55,
            r"\bnew\s{1,3}image\s{0,2}\(\s{0,2}\)\s{0,2}\.\s{0,2}src"
            r"|\bfetch\s?\(\s?['\"`](?:https?:)?//",
            "image",
            "fetch",
        ),
        (0.6, r"^[^<>]{0,100}['\"`]\s{0,2}/?>\s{0,2}<[a-z/!]", "<"),
        # The end of an element that holds text, of a comment or of a section, which nothing began, and markup.
        (
            0.7,
            r"^[^<]{0,80}(?:</(?:textarea|title|style|script|noscript|iframe|xmp|select|template|button)\s{0,3}>|--!?>|\]\]>)"
            r"\s{0,3}<[a-z!]",
            "</",
            "->",
            "!>",
            "]>",
        ),
        (
            0.75,
            r"\(\s?[\w.]{1,12}\s?,\s?eval\s?\)\s?[(`]|\bimport\s?\(\s?['\"`](?:https?:|data:|blob:|//)",
            "eval",
            "import",
        ),
        # A call whose name stands in brackets, and one behind a literal's end, the line's rest made a comment.
        (
            0.85,
            r"\(\s?(?:alert|confirm|prompt|eval|fetch|print)\s?\)\s?\(|\[\s?(?:alert|confirm|prompt|eval)\s?\]\s?\.\s?\w{3,10}\(",
            "alert",
            "confirm",
            "prompt",
            "eval",
            "fetch",
            "print",
        ),
        (
            0.75,
            r"^\W{0,4}['\"`]\s?[)}\]]{0,3}\s?;\s?[\w.$]{1,40}\([^\n]{0,200}\)\s?;?\s?(?://|<!--)\s?$",
            "//",
            "<!--",
        ),
        (0.75, r"\.cookie\b[^\n]{0,80};\s{0,3}(?:expires|domain|path|max-age)\s{0,3}=", ".cookie"),
        (0.7, r"\.(?:inner|outer)html\s{0,2}[+]?=|\.insertadjacenthtml\(", "html"),
        (
            0.55,
            r"<f\s?o\s?r\s?m(?:[\s>]|$)|<i\s?f\s?r\s?a\s?m\s?e"
            r"|<i\s?m\s?g\s{0,3}/?\s{0,3}s\s?r\s?c\s{0,2}=\s{0,2}['\"`]?(?:x|#|\d|[/]{1,2}[\w.]{0,20})\s",
            "<",
        ),
        (
            0.6,
            r"['\"]\s?in\s[\w\s]{0,20}(?:valueof|tostring)|\b(?:valueof|tostring)\s{0,2}=\s?(?:alert|eval"
            r"|\w{1,20}[,;])|['\"`]\s{0,2}in\s{1,3}valueof",
            "valueof",
            "tostring",
        ),
        (0.6, r"\bxlink:href\s{0,2}=\s{0,2}['\"]?(?:data|javascript|https?:|//)", "xlink"),
        judge=_judge,
        judged=(
            "<",
            "script",
            "on",
            "data:",
            "document",
            "window",
            "alert",
            "eval",
            "fromcharcode",
            "expression",
            "+adw-",
            "confirm",
            "prompt",
            "settimeout",
            "[]",
            "valueof",
            "tostring",
            "setinterval",
            "unescape",
            "atob",
            "html",
            "[",
            "innerhtml",
            "\\xbc",
            "xlink",
            "@import",
            "constructor",
            "self[",
        ),
    ),
)
