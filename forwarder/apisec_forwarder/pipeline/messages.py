"""Headers and bodies of one message: what is in them, and what of them may be shown."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from apisec.classification.names import evidence
from apisec.decoders import Limits, body_text, decode_text, media_type
from apisec.errors import ApisecError, DecodeError
from apisec.model.transaction import Body, Headers, header
from apisec.redaction.fields import FieldSeen, note
from apisec.redaction.redactor import Forced, Part, Redactor, label
from apisec_forwarder.codings import CODINGS
from apisec_forwarder.pipeline.principal import cookies

MAX_HEADERS = 128
MAX_HEADER = 32_768  # characters of one header's value
MAX_UNREAD = 8_192  # characters of a body that no decoder could read, asked for signals

# Headers that say nothing about a person and are in every message: neither scanned nor listed. No header's
# value is ever shown, but for those with a field of their own in the event.
ORDINARY = frozenset(
    """accept accept-charset accept-encoding accept-language accept-ranges age allow alt-svc cache-control connection
    content-encoding content-language content-length content-range content-security-policy
    content-type date dnt etag expect expires host if-match if-modified-since if-none-match if-range
    if-unmodified-since keep-alive last-modified max-forwards nel origin p3p permissions-policy pragma priority range
    referrer-policy referer report-to retry-after sec-ch-ua sec-ch-ua-mobile sec-ch-ua-platform sec-fetch-dest
    sec-fetch-mode sec-fetch-site sec-fetch-user server server-timing strict-transport-security te trailer
    transfer-encoding upgrade upgrade-insecure-requests user-agent vary via x-content-type-options x-frame-options
    x-powered-by x-xss-protection x-envoy-upstream-service-time x-request-id x-forwarded-proto
    x-envoy-expected-rq-timeout-ms x-apisec-test""".split()  # noqa: SIM905 - a list of sixty strings is harder to read
)
_MEDIA_TYPE = re.compile(r"[a-z0-9!#$&^_.+-]{1,64}/[a-z0-9!#$&^_.+-]{1,64}")
# One of IANA's top-level types, and words that are too short, and hold too few digits, to be somebody's key or number.
_SHOWN_TYPE = re.compile(
    r"(?:application|audio|font|image|message|model|multipart|text|video)/[a-z0-9]{1,24}(?:[._+-][a-z0-9]{1,24}){0,8}"
)
MAX_TYPE_DIGITS = 8  # a date's: application/vnd.example.2024-01-01+json


@dataclass
class Coverage:
    """What could not be analysed, and why; no reason repeats a byte of the message."""

    truncated: bool = False
    undecoded: bool = False
    reasons: list[str] = field(default_factory=list)
    unread: str = ""  # the last body's text that no decoder could read: asked for signals, never shown

    def cut(self, reason: str) -> None:
        self.truncated = True
        self.reasons.append(reason)

    def lost(self, reason: str) -> None:
        self.undecoded = True
        self.reasons.append(reason)

    def state(self) -> str:
        return "undecoded" if self.undecoded else "truncated" if self.truncated else "complete"


ForcedAt = Callable[[str], "Forced | None"]  # a location: how overrides decide about its fields


def _not_forced(location: str) -> Forced | None:
    del location
    return None


@dataclass
class Headed:
    """Fields found in headers and cookies, by name."""

    headers: dict[str, FieldSeen] = field(default_factory=dict)
    cookies: dict[str, FieldSeen] = field(default_factory=dict)


def read_headers(headers: Headers, redactor: Redactor, forced: ForcedAt = _not_forced) -> Headed:
    """Find what is sensitive in headers and cookies; their values go no further."""
    found = Headed()
    in_header, in_cookie = forced("header"), forced("cookie")
    for name, value in headers[:MAX_HEADERS]:
        lower = name.lower()
        if lower in ORDINARY or lower == "cookie":
            continue
        if lower == "set-cookie":
            _set_cookie(value, redactor, found, in_cookie)
            continue
        note(found.headers, label(lower), "string", _classes(lower, value[:MAX_HEADER], redactor, in_header))
        redactor.claims(value, label(lower), found.headers)
    for cookie in cookies(headers)[:MAX_HEADERS]:
        note(found.cookies, label(cookie.name), "string", _classes(cookie.name, cookie.value, redactor, in_cookie))
        redactor.claims(cookie.value, label(cookie.name), found.cookies)
    return found


def _set_cookie(value: str, redactor: Redactor, found: Headed, forced: Forced | None) -> None:
    name, equals, rest = value.partition("=")
    if equals:
        content = rest.partition(";")[0].strip().strip('"')
        note(found.cookies, label(name.strip()), "string", _classes(name.strip(), content, redactor, forced))


def _classes(name: str, value: str, redactor: Redactor, forced: Forced | None) -> set[str]:
    """Return the classes of one header's or cookie's value."""
    decided = forced(label(name)) if forced else None
    said = evidence(name)
    with redactor.watching() as seen:
        if decided is not None:
            redactor.force(decided, value)
        elif name == "authorization" or name == "proxy-authorization":
            redactor.credential(value)
        else:
            redactor.value(value, said)
    return seen


def content_type(headers: Headers) -> str | None:
    """Return the media type alone, in lower case, or None when it is missing or not one."""
    essence = (header(headers, "content-type") or "").partition(";")[0].strip().lower()
    return essence if _MEDIA_TYPE.fullmatch(essence) else None


def stated_type(headers: Headers) -> str:
    """Return the media type of a request as it may be shown: a client can write there what it likes."""
    found = content_type(headers) or ""
    return found if _SHOWN_TYPE.fullmatch(found) and sum(map(str.isdigit, found)) <= MAX_TYPE_DIGITS else ""


def _listed(headers: Headers, name: str) -> str | None:
    """Return a header that is a list; several lines of it are one list (RFC 9110, 5.3)."""
    return ", ".join([value for key, value in headers if key.lower() == name]) or None


def _declared(headers: Headers) -> str | None:
    """Return the Content-Type. DecodeError when several lines disagree: servers differ in which one counts."""
    found = [value for key, value in headers if key.lower() == "content-type"]
    if len(found) > 1:
        types = [media_type(value) for value in found]
        for parameter in ("charset", "boundary"):
            said = {value.lower() for value in (media.parameter(parameter) for media in types) if value}
            if len(said) > 1 or len({media.essence for media in types}) > 1:
                raise DecodeError("its media types differ")
        return max(found, key=len)  # the one with the parameters
    return found[0] if found else None


def read_body(
    side: str,
    body: Body,
    headers: Headers,
    redactor: Redactor,
    limits: Limits,
    coverage: Coverage,
    forced: Forced | None = None,
) -> Part | None:
    """Return the redacted body, or None when there is none or it could not be analysed (``coverage`` says so)."""
    if not body.data:
        if body.size:
            coverage.cut(f"{side}.body: not captured")
        return None
    data = body.data[: limits.text * 4]  # UTF-32 needs four bytes a character
    cut = body.truncated or len(data) < len(body.data)
    text = ""
    try:
        kind = _declared(headers)
        text, cut = body_text(
            data,
            kind,
            _listed(headers, "content-encoding"),
            limits,
            truncated=cut,
            message_coding=header(headers, "grpc-encoding") or header(headers, "connect-content-encoding") or "",
            table=CODINGS,
        )
        document = decode_text(text, media_type(kind), limits, label, truncated=cut)
    except ApisecError as error:
        coverage.lost(f"{side}.body: {error}")
        coverage.unread = text[:MAX_UNREAD]
        return None
    if document.incomplete or cut:
        shown = f"the first {len(data)} of {body.size} bytes" if body.truncated else f"{len(body.data)} bytes"
        why = f" ({document.incomplete})" if document.incomplete else ""
        coverage.cut(f"{side}.body: {shown}, analysed up to character {document.end}{why}")
    return redactor.part(document, forced)
