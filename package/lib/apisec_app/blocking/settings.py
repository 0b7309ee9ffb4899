"""The action's parameters, and the forwarders of the page Configuration."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from solnlib.conf_manager import ConfManager
from solnlib.soln_exceptions import ConfManagerException, ConfStanzaNotExistException

from apisec.errors import ConfigError, PatternError, did_you_mean
from apisec.model.pattern import CANARY, ENFORCE, SHADOW
from apisec.patterns import spans

from ..connection import APP
from .admin import Forwarder

CONF = "apisec_forwarder"
# What UCC's pages use for the encrypted fields of this conf.
REALM = f"__REST_CREDENTIAL__#{APP}#configs/conf-{CONF}"
MODES = (SHADOW, CANARY, ENFORCE)
MAX_TTL = 30 * 86400.0  # seconds; the forwarder refuses a pattern that lives longer
MAX_REPLAY_HOURS = 24.0 * 90
_TRUE, _FALSE = ("1", "true", "yes", "on"), ("0", "false", "no", "off", "")


@dataclass(frozen=True)
class Parameters:
    """``ttl`` in seconds. ``risk_threshold``: the summed risk from which a principal is not held to be benign."""

    forwarder: str
    pattern: str
    mode: str
    ttl: float
    replay_hours: float
    risk_threshold: float
    dry_run: bool


def parameters_of(configuration: Mapping[str, Any]) -> Parameters:
    """Raises ConfigError that names the parameter and what it may be."""
    mode = str(configuration.get("mode") or SHADOW)
    if mode not in MODES:
        raise ConfigError(f"{mode!r} is not one of {', '.join(MODES)}{did_you_mean(mode, MODES)}", where="param.mode")
    try:
        ttl = spans.timespan(str(configuration.get("ttl") or "24h"), "param.ttl", MAX_TTL)
    except PatternError as error:
        raise ConfigError(str(error)) from None
    return Parameters(
        forwarder=str(configuration.get("forwarder") or "").strip(),
        pattern=str(configuration.get("pattern") or ""),
        mode=mode,
        ttl=ttl,
        replay_hours=_number(configuration, "replay_hours", 24.0, 0.01, MAX_REPLAY_HOURS),
        risk_threshold=_number(configuration, "risk_threshold", 50.0, 0.0, 1e9),
        dry_run=_boolean(configuration, "dry_run"),
    )


def _number(configuration: Mapping[str, Any], name: str, default: float, least: float, greatest: float) -> float:
    text = str(configuration.get(name) or default)
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not least <= value <= greatest:
        raise ConfigError(f"{text!r}: give a number from {least:g} to {greatest:g}", where=f"param.{name}")
    return value


def _boolean(configuration: Mapping[str, Any], name: str) -> bool:
    text = str(configuration.get(name) or "").strip().lower()
    if text not in _TRUE + _FALSE:
        raise ConfigError(f"{text!r} is neither true nor false", where=f"param.{name}")
    return text in _TRUE


def forwarder_of(name: str, server_uri: str, session_key: str) -> Forwarder:
    """A configured forwarder with its token from storage/passwords; without a name the only one there is."""
    parts = urlsplit(server_uri)
    manager = ConfManager(
        session_key, APP, scheme=parts.scheme, host=parts.hostname, port=parts.port or 8089, realm=REALM
    )
    try:
        conf = manager.get_conf(CONF)
        stanzas = conf.get_all()
        known = sorted(key for key in stanzas if key != "default")
        if not name and len(known) == 1:
            name = known[0]
        if name not in known:
            names = ", ".join(known) or "none"
            raise ConfigError(f"no forwarder {name!r} is configured (there: {names})", where="param.forwarder")
        stanza = conf.get(name)
    except (ConfManagerException, ConfStanzaNotExistException) as error:
        remedy = "add one on the page Configuration"
        raise ConfigError(f"no forwarder is configured: {error}; {remedy}", where="param.forwarder") from None
    token = str(stanza.get("token") or "")
    if not token or set(token) == {"*"}:
        raise ConfigError(f"forwarder {name!r} has no token in storage/passwords", where="param.forwarder")
    return Forwarder(name, str(stanza.get("url") or ""), token, str(stanza.get("ca") or ""))
