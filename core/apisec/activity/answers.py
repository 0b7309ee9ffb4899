"""What an answer means: the status that a body under 200 speaks of, where an API answers every error with success.

GraphQL (``errors``, with Apollo's codes), JSON-RPC 2.0 (``error.code``), RFC 9457 (``status``), OAuth 2.0 (``error``)
and the flags that clients look at (``ok``, ``success``) say that a request failed; words of HTTP's reason phrases and
of gRPC's status codes say how. What says neither counts as it came, and so does a record that tells of a failure of
its own: a job, a payment.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Dict, Iterable, Tuple

MAX_CHARS = 2_048  # of a body that may tell of an error
MAX_WORDS = 160  # characters of what is read of one text
MAX_TEXTS = 12
UNTOLD = 420  # no status of HTTP's: refused for a reason that nothing tells
ERRORS = frozenset(
    ("error", "errors", "err", "errorcode", "fault", "exception", "fehler", "fehlercode", "erreur", "erreurs", "errore",
     "errori", "erro", "erros")
)  # fmt: skip
_FLAGS = frozenset(("ok", "success", "succeeded", "successful", "issuccess"))
_OUTCOMES = frozenset(("status", "result", "outcome"))
_FAILED = frozenset(("error", "failed", "failure", "fail", "ko", "nok", "fehler"))
_STATUSES = frozenset(("status", "statuscode", "httpstatus", "httpstatuscode", "httpcode"))
_TELLING = frozenset(
    ("code", "type", "status", "kind", "reason", "name", "slug", "title", "extensions", "message", "detail")
)
_RPC = {-32700: 400, -32600: 400, -32601: 404, -32602: 400, -32603: 500}  # JSON-RPC 2.0, 5.1
# First match wins: an invalid token is no malformed request.
_MEANINGS: Tuple[Tuple[int, re.Pattern[str]], ...] = tuple(
    (status, re.compile(words))
    for status, words in (
        (401, r"unauthori[sz]ed(?!_client)|unauthenti|not_?auth|authentication|sign_?in|log_?in_req|not_logged"
              r"|invalid_(?:token|auth|credential|login|sess)|expired_(?:token|jwt|sess)"
              r"|(?:token|jwt|session)_(?:has_)?(?:expired|invalid)"),
        (403, r"forbidden|permission|access_denied|insufficient_(?:scope|right)|not_permitted|unauthorized_client"),
        (405, r"method_not|not_allowed"),
        (404, r"not_?found|no_such|nonexist|does_not_exist|unknown_(?:user|id|resource|method|operation|path)"),
        (429, r"too_many|rate_?limit|throttl|quota|resource_exhausted|slow_down"),
        (409, r"conflict|already|duplicate|_taken"),
        (423, r"locked"),
        (422, r"bad_|invalid|validation|malformed|missing|required|unprocess|schema|pars(?:e|ing)|unsupported"),
        (500, r"internal|server_error|unexpected|exception|unavailable"),
    )
)  # fmt: skip
# What no body lacks that tells of an error: most are not read for it.
_HINT = re.compile(
    r'"(?:err|fault|exception|fehler)|"[a-z_]{0,9}(?:ok|success|succeeded|successful)"\s{0,4}:\s{0,4}f'
    r'|"[a-z_]{0,5}(?:status|code|result|outcome)(?:_?code)?"\s{0,4}:\s{0,4}(?:"(?:err|fail|ko|nok|feh)|[45]\d\d\b)',
    re.IGNORECASE,
)
_NO_WORD = re.compile(r"[^a-z0-9]+")
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def meant(status: int, errs: bool, body: Any) -> int:
    """Return the status that an answer means. ``errs``: its fields tell of errors, whether or not the body is shown."""
    if not 200 <= status < 300:
        return status
    if not isinstance(body, str) or not body:
        return UNTOLD if errs else status
    if body[0] != "{" or len(body) > MAX_CHARS or _HINT.search(body) is None:
        return status
    return _meant(body) or status


@lru_cache(maxsize=8192)
def _meant(body: str) -> int:
    """Return the status of an error that a body tells of; 0 for none."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return 0
    if not isinstance(document, dict) or _has_data(document):
        return 0
    found: Dict[str, Any] = {_plain(name): value for name, value in document.items()}
    if "id" in found and "jsonrpc" not in found:
        return 0
    error = next((found[name] for name in sorted(ERRORS) if _is_error(found.get(name))), None)
    coded = next((int(found[name]) for name in sorted(_STATUSES) if _is_failure(found.get(name))), 0)
    failed = any(found.get(name) is False for name in _FLAGS) or any(
        isinstance(found.get(name), str) and found[name].lower() in _FAILED for name in _OUTCOMES
    )
    if error is None and not coded and not failed:
        return 0
    return coded or _told(error) or _told({name: found[name] for name in _TELLING if name in found}) or UNTOLD


def _has_data(document: Mapping[str, Any]) -> bool:
    """Whether GraphQL's answer holds some of what was asked for, beside its errors."""
    data = document.get("data")
    return isinstance(data, dict) and any(value is not None for value in data.values())


def _plain(name: str) -> str:
    return _NO_WORD.sub("", name[:32].lower())


def _is_error(value: Any) -> bool:
    return value not in (None, False, 0, "", "0") and value != [] and value != {}


def _is_failure(value: Any) -> bool:
    return type(value) is int and 400 <= value <= 599


def _told(error: Any) -> int:
    """Return the status that an error's codes, types and texts speak of; 0 for none."""
    for one in _texts(error, 0):
        if type(one) is int:
            if one in _RPC or _is_failure(one):
                return _RPC.get(one, one)
            continue
        text = _NO_WORD.sub("_", _CAMEL.sub("_", one[:MAX_WORDS]).lower())
        for status, words in _MEANINGS:
            if words.search(text):
                return status
    return 0


def _texts(value: Any, depth: int) -> Iterable[Any]:
    """Yield numbers and texts, codes before sentences."""
    if isinstance(value, str) or type(value) is int:
        yield value
    elif isinstance(value, list) and depth < 3:
        for one in value[:2]:
            yield from _texts(one, depth + 1)
    elif isinstance(value, dict) and depth < 3:
        named = {_plain(str(name)): one for name, one in list(value.items())[:MAX_TEXTS]}
        for name in sorted(named, key=lambda one: (one in ("message", "detail", "title"), one)):
            if name in _TELLING:
                yield from _texts(named[name], depth + 1)
