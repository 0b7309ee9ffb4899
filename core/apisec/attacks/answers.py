"""Evidence in a response: an error that a database or a runtime says, or content that no API means to give.

It is no attack by itself, and the strongest evidence beside one: the request's payload arrived somewhere.
"""

from __future__ import annotations

import re
from typing import Iterator, List, Tuple

from apisec.attacks.base import THRESHOLD, Attack, Index, attack
from apisec.decoders.base import Document

MAX_VALUE = 8_192  # characters of one value that are looked at
MAX_ASKED = 200  # values of one response with a telling literal; of more, the rest is left out

ANSWERS: Tuple[Attack, ...] = (
    attack(
        "answer.database_error",
        "answer",
        (
            0.9,
            r"you have an error in your sql syntax|\bora-\d{5}\b|sqlstate\[\w{5}\]"
            r"|unclosed quotation mark after the character",
            "sql syntax",
            "ora-",
            "sqlstate",
            "unclosed quotation",
        ),
        (
            0.85,
            r"psycopg2?\.(?:errors|errorclass|programmingerror)|org\.postgresql\.util\.psqlexception"
            r"|syntax error at or near",
            "psycopg",
            "psqlexception",
            "syntax error at",
        ),
        (
            0.85,
            r"sqlite3?\.(?:operationalerror|exception)|near \"[^\"]{0,40}\": syntax error|unrecognized token: \"",
            "sqlite",
            "syntax error",
            "unrecognized token",
        ),
        (
            0.85,
            r"com\.(?:mysql|microsoft\.sqlserver)\.\w{0,12}\.?jdbc|java\.sql\.sqlexception"
            r"|quoted string not properly terminated",
            "jdbc",
            "sqlexception",
            "quoted string not",
        ),
        (
            0.85,
            r"microsoft ole db provider|\[odbc [\w ]{2,30} driver\]|db2 sql error|incorrect syntax near",
            "ole db",
            "odbc",
            "db2 sql",
            "incorrect syntax",
        ),
        (
            0.8,
            r"mysqli?_(?:fetch|query|num_rows)\w{0,10}\(\)|pg_(?:query|exec)\(\)|warning: (?:mysqli?|pg|sqlite"
            r"|oci)_",
            "mysql",
            "pg_",
            "warning: ",
        ),
        (
            0.8,
            r"mongo(?:server|network|bulkwrite)?error|unknown (?:top level )?operator: \$|\$where requires"
            r"|casterror: cast to",
            "mongo",
            "operator: $",
            "$where",
            "casterror",
        ),
        (
            0.75,
            r"javax\.naming\.(?:naming|invalidname)exception|ldap_search\(\)|bad search filter|xpathevalerror"
            r"|xpath\w{0,8}exception",
            "javax.naming",
            "ldap_search",
            "search filter",
            "xpath",
        ),
    ),
    attack(
        "answer.stack_trace",
        "answer",
        (0.8, r"traceback \(most recent call last\)|file \"[^\"]{1,200}\", line \d{1,6}, in ", "traceback", 'file "'),
        (
            0.8,
            r"\bat [\w$.<>]{3,160}\((?:[\w$]{1,60}\.(?:java|kt|scala|groovy):\d{1,6}|native method"
            r"|unknown source)\)",
            ".java:",
            ".kt:",
            ".scala:",
            ".groovy:",
            "native method",
            "unknown source",
        ),
        (
            0.8,
            r"\bat [\w.<>`]{3,160}\([^)]{0,120}\) in [^\n]{1,200}:line \d|system\.\w{1,40}exception:",
            ":line ",
            "exception:",
        ),
        (
            0.75,
            r"\bat (?:async )?(?:[\w$.<>\[\] ]{1,100} )?\(?(?:file://)?/[^\s)]{1,200}\.(?:js|ts"
            r"|mjs):\d{1,6}:\d{1,6}",
            ".js:",
            ".ts:",
            ".mjs:",
        ),
        (
            0.75,
            r"goroutine \d{1,9} \[\w{2,20}[^\]]{0,40}\]:|panicked at '[^']{0,200}'|\.rb:\d{1,6}:in [`']",
            "goroutine ",
            "panicked at",
            ".rb:",
        ),
        (
            0.75,
            r"(?:fatal error|parse error|warning|notice)(?:</b>)?:\s.{1,200} in (?:<b>)?/[^\s<]{1,200}\.php(?:"
            r"</b>)? on line",
            ".php",
        ),
    ),
    attack(
        "answer.file_content",
        "answer",
        (0.95, r"root:[^:\n]{0,120}:0:0:[^:\n]{0,60}:/|daemon:[x*]:\d{1,5}:\d{1,5}:", "root:", "daemon:"),
        (
            0.9,
            r"\[boot loader\]|; for 16-bit app support|\[extensions\]\s{0,4}\[mci",
            "[boot loader]",
            "16-bit app",
            "[extensions]",
        ),
        (0.9, r"-----begin (?:rsa |ec |dsa |openssh )?private key-----", "private key-----"),
        (
            0.8,
            r"<\?php\s{1,4}[\w/$@*]|db_password['\"]\s?,|aws_secret_access_key\s?=",
            "<?php",
            "db_password",
            "aws_secret",
        ),
    ),
    attack(
        "answer.command_output",
        "answer",
        (0.95, r"\buid=\d{1,9}\([\w.-]{1,40}\) gid=\d{1,9}\(", "uid="),
        (
            0.8,
            r"\blinux version \d|\bvolume serial number is|directory of [a-z]:\\",
            "linux version",
            "volume serial",
            "directory of",
        ),
        (
            0.75,
            r"\btotal \d{1,9}\n[d-][r-][w-][x-]|\n[d-](?:[r-][w-][x-]){3}[.+ ]\s{0,3}\d{1,5} \w{1,32} ",
            "total ",
            "rwx",
            "rw-",
            "r--",
        ),
    ),
    attack(
        "answer.cloud_metadata",
        "answer",
        (
            0.9,
            r"\bami-id\b[\s\S]{0,200}\binstance-id|iam/security-credentials"
            r"|\"accesskeyid\"\s?:\s?\"asia[a-z0-9]{16}|service-accounts/default",
            "ami-id",
            "security-credentials",
            "accesskeyid",
            "service-accounts",
        ),
    ),
)

LITERALS: Tuple[str, ...] = tuple(sorted({need for one in ANSWERS for row in one.evidence for need in row.needs}))
_INDEX = Index(ANSWERS)
# The same first question as one expression, for engines that ask many values at once.
TELLING = re.compile("(?i:" + "|".join(map(re.escape, LITERALS)) + ")")


def scan(value: str) -> List[Tuple[str, float]]:
    """Return what a value of a response tells, with scores."""
    scores = _INDEX.scores(value[:MAX_VALUE].lower())
    return [(name, score) for name, score in scores.items() if score >= THRESHOLD]


def of_document(document: Document) -> Iterator[Tuple[str, str, float]]:
    """Yield detector, path and score of the values of a response's body."""
    asked = 0
    for leaf in document.leaves:
        if leaf.kind == "string" and TELLING.search(leaf.value):
            asked += 1
            if asked > MAX_ASKED:
                return
            for name, score in scan(leaf.value):
                yield name, leaf.path, score
