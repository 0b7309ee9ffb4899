"""XML external entities and inclusions, and documents whose type is defined elsewhere."""

from __future__ import annotations

from apisec.attacks.base import attack

MAX_PROLOG = 2_048  # characters before the first element that are looked at

_DOCTYPE = r"<!doctype\s{1,5}[\w:.-]{1,60}\s{1,5}"
# A parser that reads external subsets fetches them from here. Who publishes types that documents name in good faith is
# known: W3C, OASIS, Sun and Oracle, Apple, Apache, cXML, IETF's tools, NLM; a name without a host or a path upwards is
# a file beside the document.
_ELSEWHERE = (
    r"(?!https?://(?:[\w-]{1,40}\.){0,3}(?:w3\.org|oasis-open\.org|sun\.com|oracle\.com|apple\.com|apache\.org|cxml\.org"
    r"|ietf\.org|nih\.gov|docbook\.org|wapforum\.org|openmobilealliance\.org|sourceforge\.net|springframework\.org)/)"
    r"(?:[a-z][a-z0-9+.-]{1,12}:|//|\\\\|/|\.\./)"
)
# A formal public identifier (ISO 8879, 10.2), and one whose owner is called as the host is: -//Jetty//..., jetty.org.
_FORMAL = (
    r"[-+]//[^/'\"]{1,40}//(?:capacity|charset|document|dtd|elements|entities|lpd|nonsgml|notation|shortref|subdoc|syntax"
    r"|text) [^/'\"]{1,60}//[a-z]{2}\b"
)
_NAMESAKE = r"[-+]//(\w{2,20})[^'\"]{0,120}['\"]\s{1,5}['\"]https?://(?:[\w-]{1,40}\.){0,3}\1\."
_TO = r"[^'\"]{0,120}['\"]\s{1,5}['\"]"


def prolog(text: str) -> str:
    """Return a document's type as it stands before the first element, or nothing: no value of the document holds it."""
    begin = text.find("<!DOCTYPE", 0, MAX_PROLOG)
    end = text.find(">", begin, begin + MAX_PROLOG)
    return text[begin : end + 1] if 0 <= begin < end else ""


ATTACKS = (
    attack(
        "injection.xxe",
        "xxe",
        (0.95, r"<!entity\s{1,5}%?\s{0,3}[\w.:-]{1,60}\s{1,5}(?:system|public)\b", "<!entity"),
        (0.8, r"<!doctype\s{1,5}[\w:.-]{1,60}\s{0,5}\[[^\]]{0,400}<!entity", "<!entity"),
        (0.75, r"<!entity\s{1,5}[\w.-]{1,60}\s{1,5}['\"](?:&[\w.-]{1,60};\s{0,3}){2}", "<!entity"),
        (0.75, _DOCTYPE + r"system\s{1,5}['\"]" + _ELSEWHERE, "<!doctype"),
        (0.75, rf"{_DOCTYPE}public\s{{1,5}}['\"](?!{_FORMAL}|{_NAMESAKE}){_TO}{_ELSEWHERE}", "<!doctype"),
        (0.6, rf"{_DOCTYPE}public\s{{1,5}}['\"](?!{_NAMESAKE})(?={_FORMAL}){_TO}{_ELSEWHERE}", "<!doctype"),
        (
            0.8,
            r"<xi:include\b[^>]{0,200}(?:\bparse\s{0,2}=|\bhref\s{0,2}=\s{0,2}['\"]?(?:[a-z]{2,8}:|//|/(?:etc|proc)/|\.\.[/\\]))|<xi:include[^>]{0,40}$",
            "xi:include",
        ),
        (0.6, r"<\?xml-stylesheet[^>]{0,80}href\s?=\s?['\"](?:https?|ftp|file):", "xml-stylesheet"),
        (0.6, r"<xi:include\b[^>]{0,200}\bhref\s{0,2}=\s{0,2}['\"]?/(?!/|etc/|proc/)", "xi:include"),
    ),
)
