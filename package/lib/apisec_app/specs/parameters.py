"""What an input of kind ``apisec_spec`` says: its parameters, checked, and its secrets from storage/passwords."""

from __future__ import annotations

import json
import math
import re
import ssl
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Dict, NamedTuple, Optional, Pattern
from urllib.parse import urlsplit

from solnlib.credentials import CredentialManager, CredentialNotExistException

from apisec.errors import ConfigError

from ..blocking.admin import AdminError, trust
from ..connection import APP
from . import files
from .fetch import Credentials, Source
from .readings import fingerprint
from .urls import Url, checked
from .wire import Proxy, Route, strict

KIND = "apisec_spec"
# What UCC's pages use for the encrypted fields of an input.
REALM = f"__REST_CREDENTIAL__#{APP}#data/inputs/{KIND}"
ARGUMENTS = {
    "service": "Service whose document it is, as its events name it",
    "file": "Name of a .json, .yaml or .yml file in local/specs of the app",
    "url": "URL of the document, instead of a file",
    "auth": "Credentials that the URL takes: none, basic, bearer or header",
    "username": "User of basic credentials",
    "header": "Name of the header that carries the secret",
    "secret": "Password, token or value of the header",
    "ca": "CA certificate of the server: PEM text, or the path of a PEM file",
    "proxy": "HTTP proxy: http://host:port",
    "proxy_username": "User of the proxy",
    "proxy_password": "Password of the proxy",
    "allow_http": "Take http, too",
    "allow_private": "Connect to private addresses, too",
    "orphan_days": "Days without a request after which a documented operation is an orphan",
}
REQUIRED = ("service",)
SECRETS = ("secret", "proxy_password")
AUTH = ("none", "basic", "bearer", "header")
MAX_SERVICE = 200
MAX_SECRET = 8_192
DEFAULT_INTERVAL = 3_600.0
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}")  # RFC 9110, 5.6.2
_VALUE = re.compile(r"[ -~\xa0-\xff]*")  # of a header
_TEXT = re.compile(r"[^\x00-\x1f\x7f-\x9f]*")
_NOT_OURS = frozenset(
    ("host", "connection", "content-length", "transfer-encoding", "accept-encoding", "te", "upgrade", "expect", "range")
)
_TRUE, _FALSE = ("1", "true", "yes", "t", "y"), ("", "0", "false", "no", "f", "n")


class Parameters(NamedTuple):
    """Of one input: a file, or a URL and how it is asked. ``interval`` in seconds."""

    service: str
    file: str
    url: Optional[Url]
    auth: str
    username: str
    header: str
    ca: str
    proxy: Optional[Proxy]
    private: bool
    orphan_days: float
    interval: float

    @property
    def shown(self) -> str:
        """The source, as people and logs may read it."""
        return self.url.shown if self.url else f"local/specs/{self.file}"

    @property
    def fingerprint(self) -> str:
        url = self.url.text if self.url else self.file
        return fingerprint(self.service, url, self.auth, self.username, self.header, self.ca, self.proxy, self.private)


def parameters_of(given: Mapping[str, Any]) -> Parameters:
    """Raises ValueError that names the parameter, its value and what it may be, and repeats no secret."""
    read = {name: str(given.get(name) or "").strip() for name in ARGUMENTS}
    service, file = read["service"], read["file"]
    if not 0 < len(service) <= MAX_SERVICE:
        raise ValueError(f"service = {service[:40]}: give 1 to {MAX_SERVICE} characters, the service of its events")
    if bool(file) == bool(read["url"]):
        raise ValueError("file, url: give one of the two")
    url = _url(read) if read["url"] else None
    auth = _auth(read, url)
    return Parameters(
        service=service,
        file=files.checked_name(file) if file else "",
        url=url,
        auth=auth,
        username=read["username"],
        header=read["header"],
        ca=read["ca"],
        proxy=_proxy(read),
        private=_flag(read, "allow_private"),
        orphan_days=_days(read["orphan_days"]),
        interval=_interval(given.get("interval")),
    )


def _days(text: str) -> float:
    try:
        days = float(text or 30)
    except ValueError:
        days = math.nan
    if not 1 <= days <= 3650:
        raise ValueError(f"orphan_days = {text}: give a number from 1 to 3650")
    return days


def _interval(text: Any) -> float:
    """Return the seconds between two runs; for a cron expression, what most have."""
    try:
        seconds = float(str(text or DEFAULT_INTERVAL))
    except ValueError:
        return DEFAULT_INTERVAL
    return seconds if 1 <= seconds <= 31 * 86_400 else DEFAULT_INTERVAL


def _flag(read: Mapping[str, str], name: str) -> bool:
    text = read[name].lower()
    if text not in (*_TRUE, *_FALSE):
        raise ValueError(f"{name} = {text[:40]}: give 1 or 0")
    return text in _TRUE


def _url(read: Mapping[str, str]) -> Url:
    try:
        url = checked(read["url"])
    except ValueError as error:
        raise ValueError(f"url: {error}") from None
    if url.scheme == "http" and not _flag(read, "allow_http"):
        raise ValueError("url: http is neither secret nor verified: give https, or set allow_http")
    return url


def _auth(read: Mapping[str, str], url: Optional[Url]) -> str:
    auth = read["auth"] or "none"
    if auth not in AUTH:
        raise ValueError(f"auth = {auth[:40]}: give one of {', '.join(AUTH)}")
    if auth == "none":
        return auth
    if url is None or url.scheme != "https":
        raise ValueError("auth: credentials are sent by https only")
    if not read["secret"]:
        raise ValueError(f"secret: give what auth = {auth} sends")
    if auth == "basic" and (not read["username"] or ":" in read["username"] or not _VALUE.fullmatch(read["username"])):
        raise ValueError("username: give the user of basic credentials, without a colon")
    header = read["header"]
    if auth == "header" and (not _TOKEN.fullmatch(header) or header.lower() in _NOT_OURS):
        raise ValueError(f"header = {header[:40]}: give the name of the header that carries the secret")
    return auth


def _proxy(read: Mapping[str, str]) -> Optional[Proxy]:
    if not read["proxy"]:
        return None
    try:
        url = checked(read["proxy"])
    except ValueError as error:
        raise ValueError(f"proxy: {error}") from None
    if url.scheme != "http" or url.target != "/":
        raise ValueError("proxy: give http://host:port, without a path")
    if not _VALUE.fullmatch(read["proxy_username"]) or ":" in read["proxy_username"]:
        raise ValueError("proxy_username: give the user of the proxy, without a colon")
    return Proxy(url.host, url.port, read["proxy_username"])


def source_of(parameters: Parameters, secrets: Mapping[str, str]) -> Source:
    """Return how a URL is asked. ConfigError for secrets that are lacking, or a CA that cannot be read."""
    url, proxy = parameters.url, parameters.proxy
    if url is None:
        raise ConfigError("names no URL", where=KIND)
    taken = _TEXT if parameters.auth == "basic" else _VALUE
    secret = _secret(secrets, "secret", taken) if parameters.auth != "none" else ""
    if proxy is not None and proxy.username:
        proxy = replace(proxy, password=_secret(secrets, "proxy_password", _TEXT))
    route = Route(_context(parameters), parameters.private, proxy)
    return Source(url, route, Credentials(parameters.auth, parameters.username, parameters.header, secret))


def _context(parameters: Parameters) -> Optional[ssl.SSLContext]:
    if parameters.url is None or parameters.url.scheme != "https":
        return None
    try:
        return strict(trust(parameters.ca))
    except AdminError as error:
        raise ConfigError(str(error), where="ca") from None


def _secret(secrets: Mapping[str, str], name: str, taken: Pattern[str]) -> str:
    value = secrets.get(name, "")
    if not value or set(value) == {"*"}:
        raise ConfigError("is not in storage/passwords: save the input on the page Inputs again", where=name)
    if len(value) > MAX_SECRET or not taken.fullmatch(value):
        raise ConfigError(f"has line breaks, other control characters or more than {MAX_SECRET} characters", where=name)
    return value


def secrets_of(name: str, given: Mapping[str, Any], server_uri: str, session_key: str) -> Dict[str, str]:
    """Return an input's secrets. ConfigError for one that stands in inputs.conf itself."""
    wanted = [field for field in SECRETS if given.get(field)]
    for field in wanted:
        if set(str(given[field])) != {"*"}:
            raise ConfigError("stands in inputs.conf for all to read: save the input on the page Inputs", where=field)
    if not wanted:
        return {}
    parts = urlsplit(server_uri)
    manager = CredentialManager(
        session_key, APP, realm=REALM, scheme=parts.scheme, host=parts.hostname, port=parts.port or 8089
    )
    try:
        stored = json.loads(manager.get_password(name))
    except (CredentialNotExistException, ValueError):
        return {}
    return {field: str(stored[field]) for field in wanted if stored.get(field)} if isinstance(stored, dict) else {}
