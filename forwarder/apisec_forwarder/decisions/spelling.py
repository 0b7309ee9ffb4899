"""Other spellings of a path: what a request for ``/Orders//17;x/`` may mean to the upstream.

Envoy has resolved dot segments, merged slashes and unescaped ``%2F`` before any filter (see docs/patterns.md); what is
left are letter case, path parameters, trailing slashes and percent-encoding.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import unquote

from apisec.model.pattern import Scope

MAX_SPELLINGS = 4  # of one request that are looked at
_PARAMETER = re.compile(r"\{[^{}/]+\}")


def respelled(method: str, target: str, scopes: Iterable[Scope]) -> list[tuple[str, str]]:
    """Return (method, target) pairs in the spelling of the scopes' templates, other than the one given."""
    path, mark, query = target.partition("?")
    segments = _segments(path)
    found: list[tuple[str, str]] = []
    for scope in scopes:
        for wanted_method, template in scope:
            if template is None or (wanted_method is not None and wanted_method != method.upper()):
                continue
            other = _as_template(segments, template)
            if other is None:
                continue
            pair = (method.upper(), other + mark + query)
            if pair != (method, target) and pair not in found:
                found.append(pair)
            if len(found) >= MAX_SPELLINGS:
                return found
    return found


def _segments(path: str) -> list[str]:
    decoded = unquote(unquote(path, errors="replace"), errors="replace") if "%" in path else path
    kept: list[str] = []
    for segment in decoded.replace("\\", "/").split("/"):
        name = segment.partition(";")[0]
        if name == "..":
            del kept[-1:]
        elif name not in ("", "."):
            kept.append(name)
    return kept


def _as_template(segments: list[str], template: str) -> str | None:
    wanted = [part for part in template.split("/") if part]
    if len(wanted) != len(segments):
        return None
    spelled: list[str] = []
    for part, segment in zip(wanted, segments, strict=True):
        if _PARAMETER.search(part):
            spelled.append(segment.replace("?", "%3F").replace("#", "%23"))
        elif part.casefold() == segment.casefold():
            spelled.append(part)
        else:
            return None
    return "/" + "/".join(spelled) + ("/" if template.endswith("/") and spelled else "")
