"""LDAP and XPath injection: what breaks out of a filter or of a predicate."""

from __future__ import annotations

from apisec.attacks.base import attack

_NAME = r"[a-z][\w-]{0,30}"
ATTACKS = (
    attack(
        "injection.ldap",
        "ldap",
        (
            0.9,
            rf"(?:\*\)+|\)+\s?\(|\)+[|&!])\s?\(?[|&!]?\(?{_NAME}\s?(?:[~<>]?=|:=|:\d"
            rf"|:dn:)\s?",
            "*)",
            ")(",
            ") (",
            ")&",
            ")|",
            ")!",
        ),
        (0.8, r"\)\s?\(\s?[|&!]\s?\)?|\)\([|&]|^\*?\)\([|&]?", ")(", ") ("),
        (0.85, rf"^\s?\([|&!]\s?\(\s?{_NAME}\s?[~<>]?=", "(|", "(&", "(!"),
        (0.7, r"^[\w@.-]{0,40}\*\)(?=[(|&)!\x00%]|$)|^\*\(\|", "*"),
        (0.6, rf"\\(?:28|29|2a|5c|00).{{0,20}}(?:\\(?:28|29|2a)|{_NAME}=)", "\\"),
    ),
    attack(
        "injection.xpath",
        "xpath",
        (
            0.85,
            # What | joins are nodes, no numbers and texts (XPath 1.0, 3.3): count() behind one is another language's.
            r"['\"\d)\]] ?\| ?doc(?:ument)? ?\("
            r"|['\"\d)\]] ?(?:or|and) ?(?:not ?\( ?)?(?:count|name|local-name|string-length|substring"
            r"|contains|starts-with|position|last|doc|string|boolean|text) ?\(",
            "count",
            "name",
            "string",
            "contains",
            "with",
            "position",
            "last",
            "doc",
            "text",
            "boolean",
        ),
        (
            0.7,
            r"\b(?:ancestor|descendant|following|preceding|child|attribute|namespace"
            r"|following-sibling|preceding-sibling|ancestor-or-self|descendant-or-self)::(?:\*|node\(|[a-z])"
            r"|\b(?:self|parent)::(?:\*|node\()|[/\[]\s?(?:self|parent)::[a-z]",  # PHP has self::NAME
            "::",
        ),
        (0.85, r"['\"]? ?\] ?\| ?(?://|/\*|\*|[a-z]{1,20}\[)", "|"),
        (
            0.7,
            r"['\"\])] ?(?:or|and) ?(?://|/\*|\./"
            r"|@)",
            "or/",
            "or /",
            "or@",
            "or @",
            "or.",
            "or .",
            "and/",
            "and /",
            "and@",
            "and @",
            "and.",
            "and .",
        ),
        (
            0.7,
            r"\b(?:count|name|string-length|local-name)\( ?(?:/|\.\./|//)|\bdoc\( ?['\"]|\bunparsed-text\(",
            "(/",
            "( /",
            "(../",
            "( ../",
            "doc(",
            "unparsed",
        ),
        (0.6, r"\[ ?(?:position\(\)|last\(\)|\d{1,3}) ?(?:=|\]) ?.{0,10}(?:/|text\(\))|/text\(\)(?:$|\W)", "()"),
    ),
)
