"""Values of a request by the paths of their fields, in its redacted text: who logs in, which ids it names."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any, List, Optional, Pattern, Tuple
from urllib.parse import parse_qsl

from apisec.baselines.values import text, texts

MAX_BODY = 65_536  # characters
MAX_VALUE = 256
MAX_ACCOUNT = 64  # characters of what nobody calls an account
MAX_IDS = 32
MAX_VALUES = 512  # of an XML body that are looked through
# Made anew for each request: UUIDs, digests, times since the epoch.
_NONCE = re.compile(r"(?:[0-9a-fA-F-]{24,}|1\d{9}(?:\d{3})?)\Z")
_ELEMENT = re.compile(r"<(?:[\w.-]{1,64}:)?([\w.-]{1,64})(?:\s[^<>]{0,512})?>([^<>]{1,256})</")
_PART = re.compile(r"""name="([^"\r\n]{1,128})"[^\r\n]{0,256}\r?\n(?:[^\r\n]{1,256}\r?\n){0,4}\r?\n([^\r\n]{1,256})""")
_ARGUMENT = re.compile(r"""([A-Za-z_]\w{0,63})\s{0,8}:\s{0,8}(?:"([^"\n]{1,256})"|(\d{1,32}))""")


def identity(event: Mapping[str, Any], fields: Sequence[Tuple[str, str]]) -> Optional[str]:
    """Return the value of the first of these fields (place, path) that is visible."""
    body: Any = None
    for place, path in fields:
        if place == "query":
            found = _of_form(text(event.get("uri_query"), MAX_BODY), path)
        elif place == "path":
            found = _of_path(event, path)
        else:
            body = _body(event) if body is None else body
            found = _of_text(body, path) if isinstance(body, str) else _of_json(body, path)
        if found:
            return found[:MAX_VALUE]
    return None


def presumed(event: Mapping[str, Any], fields: Sequence[Tuple[str, str]], together: bool) -> Optional[str]:
    """Return what may be the account among these fields, of which neither class nor name tells.

    ``together``: all that are visible, for one of them is (the branch, the number, beside a secret); else the first in
    the body, for people are asked who they are before they are asked to prove it.
    """
    body = _body(event)
    found: List[Tuple[int, str]] = []
    for _, path in fields:
        value = _of_text(body, path) if isinstance(body, str) else _of_json(body, path)
        if value and len(value) <= MAX_ACCOUNT and not _NONCE.match(value):
            found.append((_place(body, path), value))
    if not found:
        return None
    return "\x1f".join(value for _, value in sorted(found)) if together else min(found)[1]


def _place(body: Any, path: str) -> int:
    """Where a member stands in its body: the first is 0."""
    name = path.partition(".")[0].partition("[")[0]
    if isinstance(body, str):
        return body.find(name)
    return list(body).index(name) if isinstance(body, dict) and name in body else 0


def _of_path(event: Mapping[str, Any], name: str) -> str:
    """An id of the path that is of an identity's class: /users/by-email/{email}."""
    ids = texts(event.get("object_ids"), MAX_IDS)
    return next((one.partition("=")[2] for one in ids if one.startswith(f"{name}=")), "")


def values_of(event: Mapping[str, Any], fields: Sequence[Tuple[str, str]]) -> List[str]:
    """Return these fields (place, path) as name=value, where they are visible."""
    found = ((path.rpartition(".")[2], identity(event, [(place, path)])) for place, path in fields)
    return [f"{name}={value}" for name, value in found if value]


def _body(event: Mapping[str, Any]) -> Any:
    """The body as JSON where it is, else as text; empty when it is not visible."""
    body = text(event.get("request_body"), MAX_BODY)
    if body[:1] in ("{", "["):
        try:
            return json.loads(body)
        except (ValueError, RecursionError):
            return ""
    return body


def _of_json(document: Any, path: str) -> str:
    for part in path.split("."):
        name = part[:-2] if part.endswith("[]") else part
        if isinstance(document, dict):
            document = document.get(name)
        elif isinstance(document, str):  # a document of GraphQL within the body: query.login.username
            return _of_matches(_ARGUMENT, document[:MAX_BODY], path.rpartition(".")[2])
        if part.endswith("[]") and isinstance(document, list):
            document = document[0] if document else None
    return document if isinstance(document, str) else str(document) if type(document) is int else ""


def _of_text(body: str, path: str) -> str:
    """Of a body that is no JSON: XML, a form in parts, a form."""
    name = path.rpartition(".")[2].rpartition("@")[2]
    if body[:1] == "<":
        return _of_matches(_ELEMENT, body, name)
    if body[:2] == "--":
        return _of_matches(_PART, body, path)
    return _of_form(body, path)


def _of_matches(expression: Pattern[str], body: str, name: str) -> str:
    """Return what the expression finds under a name: its first group; the value is the last that took part."""
    for found in islice(expression.finditer(body), MAX_VALUES):
        if found[1] == name:
            return found[found.lastindex or 1].strip()
    return ""


def _of_form(form: str, name: str) -> str:
    try:
        pairs = parse_qsl(form, max_num_fields=256)
    except ValueError:
        return ""
    return next((value for key, value in pairs if key == name), "")
