"""A published document by its URL: conditional, with credentials, and by no way that the input does not name.

Redirects are followed on the same scheme, host and port only: credentials go to no other server. Messages name URLs
without their queries.
"""

from __future__ import annotations

import http.client
import re
import time
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Dict, NamedTuple, Optional

from .addresses import AddressError
from .urls import Url, joined
from .wire import MAX_BYTES, Answer, Deadline, Route, WireError, get, printable

WHOLE_SECONDS = 120.0  # redirects and parts included
MAX_REDIRECTS = 5
MAX_RETRY_AFTER = 86_400.0  # seconds
MAX_VALIDATOR = 512  # characters of an ETag or a date that are kept and sent again
_MEDIA = re.compile(r"(?:application|text)/(?:[\w.+-]*(?:json|yaml|yml|openapi|swagger)[\w.+-]*|plain|octet-stream)")
_ACCEPT = "application/json, application/yaml, application/vnd.oai.openapi, text/yaml;q=0.8, */*;q=0.5"
_REDIRECTS = (301, 302, 303, 307, 308)
_REMEDIES = {
    401: "give the input credentials that it takes",
    403: "give the input credentials that may read it",
    404: "look at the URL",
    410: "look at the URL",
    407: "give the input the proxy's credentials",
}


class FetchError(Exception):
    """A document was not fetched. ``status`` of the answer, 0 without; ``retry_after``: seconds that it asked for."""

    def __init__(self, message: str, *, status: int = 0, retry_after: float = 0.0) -> None:
        self.status = status
        self.retry_after = retry_after
        super().__init__(message)


@dataclass(frozen=True)
class Credentials:
    """``kind``: none, basic, bearer or header. The secret is never shown."""

    kind: str = "none"
    username: str = ""
    header: str = ""
    secret: str = field(default="", repr=False)

    def headers(self) -> Dict[str, str]:
        if self.kind == "basic":
            return {"Authorization": f"Basic {b64encode(f'{self.username}:{self.secret}'.encode()).decode()}"}
        if self.kind == "bearer":
            return {"Authorization": f"Bearer {self.secret}"}
        return {self.header: self.secret} if self.kind == "header" else {}


@dataclass(frozen=True)
class Source:
    """What one input reads, and how."""

    url: Url
    route: Route
    credentials: Credentials = Credentials()
    whole_seconds: float = WHOLE_SECONDS
    max_bytes: int = MAX_BYTES


class Validators(NamedTuple):
    """What a server said of a version of a document (RFC 9110, 8.8)."""

    etag: str = ""
    modified: str = ""

    def headers(self) -> Dict[str, str]:
        named = {"If-None-Match": self.etag, "If-Modified-Since": self.modified}
        return {name: value for name, value in named.items() if value}


UNKNOWN = Validators()


class Fetched(NamedTuple):
    """``text`` is None for what did not change; ``url`` is where it came from, after redirects."""

    url: Url
    text: Optional[str]
    validators: Validators


class Fetcher:
    """The requests of one run: one time limit and one limit of bytes for all of them."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._deadline = Deadline(source.whole_seconds)
        self._left = source.max_bytes

    def get(self, url: Url, known: Validators = UNKNOWN) -> Fetched:
        """Fetch a document, or learn that it is the one that ``known`` is of. FetchError names URL and remedy."""
        began = url
        for _ in range(MAX_REDIRECTS + 1):
            answer = self._ask(url, known)
            if answer.status not in _REDIRECTS:
                return self._taken(url, answer, known)
            url = self._redirected(began, url, answer)
        raise self._failure(began, f"redirects more than {MAX_REDIRECTS} times: give the URL that it ends at")

    def _ask(self, url: Url, known: Validators) -> Answer:
        source = self._source
        headers = {"Host": url.authority, "Accept": _ACCEPT, "User-Agent": "apisec"}
        headers.update(known.headers())
        headers.update(source.credentials.headers())
        try:
            return get(url.host, url.port, url.target, headers, source.route, self._deadline, self._left)
        except WireError as error:
            remedy = "; set the CA certificate in the input" if "certificate" in str(error) else ""
            raise self._failure(url, f"{error}{remedy}") from None
        except AddressError as error:
            raise self._failure(url, str(error)) from None

    def _redirected(self, began: Url, url: Url, answer: Answer) -> Url:
        try:
            target = joined(url, answer.headers.get("location", ""))
        except ValueError:
            raise self._failure(url, "redirects to what is no URL") from None
        if not target.same_origin(began):
            said = f"redirects to {target.shown}; no other server is followed: give that URL itself"
            raise self._failure(url, said)
        return target

    def _taken(self, url: Url, answer: Answer, known: Validators) -> Fetched:
        status, headers = answer.status, answer.headers
        if status == http.client.NOT_MODIFIED and known.headers():
            return Fetched(url, None, known)
        if status != http.client.OK:
            said = f"{status} {http.client.responses.get(status, '')}".strip()
            remedy = f": {_REMEDIES[status]}" if status in _REMEDIES else ""
            raise self._failure(url, f"answers {said}{remedy}", status, _retry_after(headers))
        media = headers.get("content-type", "").partition(";")[0].strip().lower()
        if media and not _MEDIA.fullmatch(media):
            said = f"is {printable(media)}, a page perhaps: give the URL of the JSON or YAML itself"
            raise self._failure(url, said)
        self._left -= len(answer.body)
        try:
            text = answer.body.decode("utf-8-sig")
        except UnicodeDecodeError:
            raise self._failure(url, "is not UTF-8") from None
        kept = (printable(headers.get(name, ""), MAX_VALIDATOR) for name in ("etag", "last-modified"))
        return Fetched(url, text, Validators(*kept))

    def _failure(self, url: Url, said: str, status: int = 0, retry_after: float = 0.0) -> FetchError:
        """Return the error; a server may say again what it was told in confidence, and that is not repeated."""
        text = f"{url.shown}: {said}"
        credentials = self._source.credentials
        for value in (*credentials.headers().values(), credentials.secret):
            text = text.replace(value, "***") if value else text
        return FetchError(text, status=status, retry_after=retry_after)


def _retry_after(headers: Mapping[str, str]) -> float:
    """Return the seconds of a Retry-After (RFC 9110, 10.2.3), 0 without one."""
    text = headers.get("retry-after", "").strip()[:40]
    if text.isdecimal() and text.isascii():
        return min(float(text), MAX_RETRY_AFTER)
    try:
        at = parsedate_to_datetime(text).timestamp()
    except (TypeError, ValueError, IndexError, OverflowError):
        return 0.0
    return min(max(0.0, at - time.time()), MAX_RETRY_AFTER)
