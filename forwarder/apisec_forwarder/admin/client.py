"""A client of the admin API for the command line: TLS verified, problems turned into errors."""

from __future__ import annotations

import argparse
import os
import stat
from pathlib import Path
from typing import Any

import requests

from apisec.errors import ApisecError, ConfigError
from apisec_forwarder.config import Config

TIMEOUT = (5.0, 30.0)  # seconds to connect, to answer
MAX_TOKEN = 4096  # characters: an authentication token of Splunk is a JWT


class AnsweredError(ApisecError):
    """The forwarder refused; ``problem`` is its answer (RFC 9457)."""

    def __init__(self, message: str, status: int, problem: dict[str, Any]) -> None:
        super().__init__(message)
        self.status, self.problem = status, problem


class Client:
    """Talks to one forwarder. The token never appears in an error."""

    def __init__(self, url: str, token: str, ca_file: Path | None) -> None:
        if not url.startswith("https://"):
            raise ConfigError("must begin with https://: the token would travel in clear", where="--url")
        self._url = url.rstrip("/")
        self._session = requests.Session()
        self._session.trust_env = False  # no proxy, no .netrc: the token goes where --url says
        self._session.headers["authorization"] = f"Bearer {token}"
        self._verify = str(ca_file) if ca_file is not None else True
        self.always: dict[str, str] = {}  # goes into every query

    def call(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: dict[str, str] | None = None,
        query: dict[str, str] | None = None,
    ) -> Any:
        """Return the JSON of the answer, None when it has none; ApisecError with what went wrong and the remedy."""
        try:
            params = {**self.always, **(query or {})}
            request = requests.Request(method, self._url + path, headers, data=body, params=params)
            prepared = self._session.prepare_request(request)
            answer = self._session.send(prepared, timeout=TIMEOUT, allow_redirects=False, verify=self._verify)
        except requests.exceptions.SSLError as error:
            raise ApisecError(f"{self._url}: the certificate is not trusted; name its CA by --ca-file") from error
        except (requests.exceptions.RequestException, OSError) as error:
            raise ApisecError(f"{self._url}: no answer ({type(error).__name__}); is it running?") from error
        try:
            content = answer.json() if answer.content else None
        except ValueError:
            raise ApisecError(f"{self._url}{path}: answered {answer.status_code} without JSON") from None
        if answer.status_code >= 300:
            found = content if isinstance(content, dict) else {}
            detail = found.get("detail") or _messages(found) or f"answered {answer.status_code}"
            raise AnsweredError(f"{detail}. {found.get('remedy', '')}".rstrip(), answer.status_code, found)
        return content


def _messages(found: dict[str, Any]) -> str:
    """Return what splunkd says where the app was not reached, such as that a token is over."""
    listed = found.get("messages")
    texts = [one.get("text") for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
    return "; ".join(str(text) for text in texts)


def read_token(path: Path) -> str:
    """Read a token file; ConfigError when others may read it."""
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
        if mode & 0o077:
            raise ConfigError(f"others may read it (mode {mode:o}); run: chmod 600 {path}", where=str(path))
        token = path.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError("cannot be read", where=str(path)) from error
    if not token or not token.isascii() or not token.isprintable() or len(token) > MAX_TOKEN:
        raise ConfigError("holds no token", where=str(path))
    return token


def options() -> argparse.ArgumentParser:
    """Return the options that ``connect`` needs, as a parent of a command's actions."""
    remote = argparse.ArgumentParser(add_help=False)
    remote.add_argument("--url", help="the forwarder's admin API, https://HOST:PORT")
    remote.add_argument("--token-file", type=Path, help="file of mode 600 with the token (or set APISEC_TOKEN)")
    remote.add_argument("--ca-file", type=Path, help="CA of the admin API's certificate, PEM")
    remote.add_argument("--config", type=Path, help="the forwarder's configuration, instead of --url and --ca-file")
    return remote


def connect(url: str | None, token_file: Path | None, ca_file: Path | None, config: Config | None) -> Client:
    """Return a client from options, a configuration, and APISEC_TOKEN, in that order of precedence."""
    if url is None and config is not None and config.admin is not None:
        url = f"https://{config.admin.listen}"
        ca_file = ca_file or config.admin.tls_certificate
    if url is None:
        raise ConfigError("give --url https://HOST:PORT, or --config of a forwarder with an admin section")
    if token_file is not None:
        return Client(url, read_token(token_file), ca_file)
    token = os.environ.get("APISEC_TOKEN", "").strip()
    if not token:
        raise ConfigError("give --token-file FILE (mode 600), or set APISEC_TOKEN")
    return Client(url, token, ca_file)
