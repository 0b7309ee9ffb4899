"""What apps import from Splunk's own Python package, as far as it exists here (runs on Python 3.9 too).

Source: dev.splunk.com, "Custom REST endpoints"; the imports of solnlib, splunktaucclib and published apps.
A module that is not here is refused by name.
"""

from __future__ import annotations

import importlib.abc
import os
import sys
import threading
from typing import Any

DEFAULTS = threading.local()


class SplunkdException(Exception):
    """Base of what talking to splunkd can raise."""

    statusCode = 500

    def get_message_text(self) -> str:
        return str(self)


class SplunkdConnectionException(SplunkdException):
    """splunkd does not answer."""


class RESTException(SplunkdException):
    """splunkd answered with an error."""

    def __init__(self, statusCode: int = 500, messages: Any = None, extendedMessages: Any = None) -> None:
        super().__init__(statusCode, messages)
        self.statusCode = statusCode
        self.messages = messages
        self.extendedMessages = extendedMessages
        self.msg = str(messages or "")

    def __str__(self) -> str:
        return f"[HTTP {self.statusCode}] {self.msg}"

    def get_message_text(self) -> str:
        return self.msg

    def get_extended_message_text(self) -> str:
        return str(self.extendedMessages or self.msg)


class BadRequest(RESTException):
    def __init__(self, messages: Any = None, extendedMessages: Any = None) -> None:
        super().__init__(400, messages, extendedMessages)


class AuthenticationFailed(RESTException):
    def __init__(self, messages: Any = None, extendedMessages: Any = None) -> None:
        super().__init__(401, messages, extendedMessages)


class AuthorizationFailed(RESTException):
    def __init__(self, messages: Any = None, extendedMessages: Any = None) -> None:
        super().__init__(403, messages, extendedMessages)


class ResourceNotFound(RESTException):
    def __init__(self, messages: Any = None, extendedMessages: Any = None) -> None:
        super().__init__(404, messages, extendedMessages)


class InternalServerError(RESTException):
    def __init__(self, messages: Any = None, extendedMessages: Any = None) -> None:
        super().__init__(500, messages, extendedMessages)


def getDefault(name: str) -> Any:
    """host, port, protocol, username, namespace, sessionKey: what requests take when they are told nothing."""
    own = getattr(DEFAULTS, name, None)
    if own is not None:
        return own
    protocol, _, rest = os.environ.get("SPLUNKD_URI", "https://127.0.0.1:8089").partition("://")
    host, _, port = rest.partition(":")
    return {"protocol": protocol, "host": host, "port": port or "8089", "namespace": "search"}.get(name)


def setDefault(name: str, value: Any = None) -> None:
    setattr(DEFAULTS, name, value)


def getSessionKey() -> Any:
    return getDefault("sessionKey")


def getLocalServerInfo() -> str:
    return os.environ.get("SPLUNKD_URI", "https://127.0.0.1:8089")


def mergeHostPath(hostPath: str | None = None, saveAsDefault: bool = False) -> str:
    return hostPath or getLocalServerInfo()


class _Refusal(importlib.abc.MetaPathFinder):
    """Says which of Splunk's modules is missing here."""

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> None:
        if name.startswith("splunk."):
            raise ModuleNotFoundError(f"The stand-in's splunk package has no module {name!r}", name=name)


sys.meta_path.append(_Refusal())
