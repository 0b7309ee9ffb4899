"""Which version of an API a request asked for, and what kind of client sent it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import unquote

from apisec.baselines.values import text

MAX_LABEL = 32  # characters
_IN_PATH = re.compile(r"/(v\d{1,3}(?:[._]\d{1,3}){0,2}(?:(?:alpha|beta|rc)\d{0,2})?)(?=/|$)", re.IGNORECASE)
_PARAMETER = re.compile(r"(?:^|&)(?:x-)?(?:api)?[-_]?(?:version|ver|v)=([^&]{1,32})", re.IGNORECASE)
_VALUE = re.compile(r"v?\d{1,4}(?:[._-]\d{1,4}){0,3}(?:-?(?:alpha|beta|preview|rc)\.?\d{0,3})?", re.IGNORECASE)
_IN_MEDIA_TYPE = re.compile(r"[.+-](v\d{1,3}(?:\.\d{1,3}){0,2})(?=[.+-]|$)", re.IGNORECASE)

# The product that says most, in this order: every browser calls itself Mozilla, and most call themselves Safari.
_BROWSERS = (
    ("Edge", "Edg/"), ("Edge", "EdgA/"), ("Opera", "OPR/"), ("Samsung Internet", "SamsungBrowser/"),
    ("Firefox", "Firefox/"), ("Firefox", "FxiOS/"), ("Chrome", "Chrome/"), ("Chrome", "CriOS/"), ("Safari", "Safari/"),
)  # fmt: skip
_PRODUCT = re.compile(r"([A-Za-z][A-Za-z0-9 _.-]{0,31})(?:/v?(\d{1,4}))?")


def version_of(event: Mapping[str, Any]) -> str:
    """Return the version that a request names in its query, headers, media types or path; empty when in none."""
    query = text(event.get("uri_query"), 2048)
    found = _PARAMETER.search(query) if query else None
    if found:
        value = unquote(found.group(1))
        if _VALUE.fullmatch(value):
            return value.lower()[:MAX_LABEL]
    stated = event.get("api_version")
    if stated:
        return text(stated, MAX_LABEL)
    answered, sent = text(event.get("http_content_type"), 128), text(event.get("request_content_type"), 128)
    return _of_names(answered, sent, text(event.get("endpoint")))


@lru_cache(maxsize=4096)
def _of_names(answered: str, sent: str, endpoint: str) -> str:
    found = _IN_MEDIA_TYPE.search(answered) or _IN_MEDIA_TYPE.search(sent) or _IN_PATH.search(endpoint)
    return found.group(1).lower()[:MAX_LABEL] if found else ""


@lru_cache(maxsize=4096)
def unversioned(endpoint: str) -> str:
    """Return the template with its version left open: what ``/v1/orders`` and ``/v2/orders`` have in common."""
    return _IN_PATH.sub("/{version}", endpoint, count=1)


@lru_cache(maxsize=8192)
def agent_family(agent: str) -> str:
    """Return the kind of client that a User-Agent names: ``okhttp/4``, ``Chrome``, ``curl/8``."""
    if agent.startswith("Mozilla/"):
        for name, mark in _BROWSERS:
            if mark in agent:
                return name
        bot = re.search(r"compatible; ([A-Za-z][\w.-]{1,30})", agent)
        return bot.group(1) if bot else "Mozilla"
    found = _PRODUCT.match(agent)
    if not found:
        return "other" if agent else ""
    name, major = found.group(1).strip(), found.group(2)
    return f"{name}/{major}" if major else name
