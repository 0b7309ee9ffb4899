"""The OWASP Core Rule Set's regression tests as requests: attacks (a rule must log) and harmless ones (it must not).

They are not part of this repository: ``folder`` is ``tests/regression/tests`` of an unpacked source of the rule set.
A third of them, chosen by a hash of their titles, is for development; figures are taken from the other two.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlencode

import yaml

from benchmarks.payloads.sent import Sent, complete

# Rule families that are about attacks in requests. 911, 913 and 920 enforce policies: methods, scanners, headers.
FAMILIES = {
    "921": "protocol",
    "930": "files (LFI)",
    "931": "inclusion (RFI)",
    "932": "command",
    "933": "PHP",
    "934": "Node.js",
    "941": "XSS",
    "942": "SQL",
    "943": "session fixation",
    "944": "Java",
}
_LEVEL = re.compile(r"paranoia-level/(\d)")
_RULE = re.compile(r"\bid:(\d{6})")
_LOGGED = re.compile(r"\d{6}")


def split_of(title: str) -> str:
    """Return development for a third of the titles, examination for the rest."""
    return "development" if hashlib.sha256(title.encode()).digest()[0] % 3 == 0 else "examination"


def levels(rules: Path) -> dict[str, int]:
    """Return the paranoia level of each rule, read from the rules' tags."""
    found = {}
    for path in sorted(rules.glob("*.conf")):
        for block in path.read_text(encoding="utf-8", errors="replace").split("SecRule"):
            rule, level = _RULE.search(block), _LEVEL.search(block)
            if rule:
                found[rule.group(1)] = int(level.group(1)) if level else 1
    return found


def attacks(folder: Path, split: str) -> Iterator[tuple[Sent, str]]:
    """Yield requests of which a rule must log something, with that rule."""
    yield from ((sent, rule) for sent, rule, bad in _read(folder, split) if bad)


def harmless(folder: Path, split: str) -> Iterator[tuple[Sent, str]]:
    """Yield requests of which a rule must not log anything (another one may)."""
    yield from ((sent, rule) for sent, rule, bad in _read(folder, split) if not bad)


def _read(folder: Path, split: str) -> Iterator[tuple[Sent, str, bool]]:
    for path in sorted(folder.rglob("*.yaml")):
        rule = path.stem[:6]
        if rule[:3] not in FAMILIES:
            continue
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
        for test in document["tests"]:
            title = str(test["test_title"])
            if split_of(title) != split:
                continue
            stage = test["stages"][-1]["stage"]
            output = stage["output"]
            says = output[0] if isinstance(output, list) else output
            sent = _sent(FAMILIES[rule[:3]], title, stage["input"])
            if sent is not None and "log_contains" in says:
                logged = _LOGGED.search(str(says["log_contains"]))
                yield sent, logged.group() if logged else rule, True
            elif sent is not None and "no_log_contains" in says:
                yield sent, rule, False


def _sent(kind: str, title: str, given: dict[str, Any]) -> Sent | None:
    raw = given.get("encoded_request")
    if raw:
        return _raw(kind, title, raw)
    headers = tuple((str(name), str(value)) for name, value in (given.get("headers") or {}).items())
    data = given.get("data", "")
    text = "\r\n".join(map(str, data)) if isinstance(data, list) else str(data or "")
    media = next((value for name, value in headers if name.lower() == "content-type"), "")
    if text and not given.get("stop_magic") and (not media or media.startswith("application/x-www-form-urlencoded")):
        text = _escaped(text)
    body = text.encode("utf-8", "surrogateescape")
    target = str(given.get("uri", "/"))
    return Sent(kind, title, str(given.get("method", "GET")), target, complete(headers, body), body)


def _escaped(text: str) -> str:
    """Escape a form as the tests' own runner does: where it was not."""
    if unquote(text) != text:
        return text
    pairs = parse_qsl(text)
    return urlencode(pairs) if pairs else text


def _raw(kind: str, title: str, raw: str) -> Sent | None:
    try:
        text = base64.b64decode(raw).decode("latin-1")
    except (binascii.Error, ValueError):
        return None
    head, _, body = text.partition("\r\n\r\n")
    first, *rest = head.split("\r\n")
    words = first.split(" ")
    if len(words) < 2:
        return None
    headers = tuple((name.strip(), value.strip()) for name, _, value in (line.partition(":") for line in rest) if name)
    data = body.encode("latin-1")
    return Sent(kind, title, words[0], " ".join(words[1:-1]) or words[1], complete(headers, data), data)
