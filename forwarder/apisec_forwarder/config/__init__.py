"""The forwarder's configuration: one strict YAML file, read into frozen dataclasses."""

from __future__ import annotations

from apisec_forwarder.config.load import load, parse, pipeline_settings, status_file
from apisec_forwarder.config.schema import (
    Address,
    Admin,
    Config,
    Decisions,
    EnvoyReceiver,
    Gateway,
    Health,
    Hec,
    HecTarget,
    HecTeam,
    Keys,
    Limits,
    Receiver,
    Redaction,
    Service,
    Spool,
    Vault,
)

__all__ = [
    "Address",
    "Admin",
    "Config",
    "Decisions",
    "EnvoyReceiver",
    "Gateway",
    "Health",
    "Hec",
    "HecTarget",
    "HecTeam",
    "Keys",
    "Limits",
    "Receiver",
    "Redaction",
    "Service",
    "Spool",
    "Vault",
    "load",
    "parse",
    "pipeline_settings",
    "status_file",
]
