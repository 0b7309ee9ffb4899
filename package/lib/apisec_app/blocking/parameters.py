"""The action's parameters, checked."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from apisec.errors import ConfigError, PatternError, did_you_mean
from apisec.model.pattern import MODES, SHADOW
from apisec.patterns import spans

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
