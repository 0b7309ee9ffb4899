"""The forwarder's configuration: one strict YAML file, read into frozen dataclasses."""

from __future__ import annotations

from apisec_forwarder.config.delivery import Hec, HecTarget, HecTeam, Spool
from apisec_forwarder.config.load import load, parse, pipeline_settings, status_file
from apisec_forwarder.config.reader import Address
from apisec_forwarder.config.receivers import (
    EnvoyReceiver,
    ExtProcReceiver,
    FileReceiver,
    HaproxyReceiver,
    HttpReceiver,
    NginxReceiver,
    Queue,
    Receiver,
)
from apisec_forwarder.config.schema import (
    Admin,
    Bundles,
    Config,
    Decisions,
    Gateway,
    Health,
    Keys,
    Ldap,
    LdapGroup,
    Limits,
    MetricsEndpoint,
    Redaction,
    Service,
    Signals,
    Vault,
    Workers,
)

__all__ = [
    "Address",
    "Admin",
    "Bundles",
    "Config",
    "Decisions",
    "EnvoyReceiver",
    "ExtProcReceiver",
    "FileReceiver",
    "Gateway",
    "HaproxyReceiver",
    "Health",
    "Hec",
    "HecTarget",
    "HecTeam",
    "HttpReceiver",
    "Keys",
    "Ldap",
    "LdapGroup",
    "Limits",
    "MetricsEndpoint",
    "NginxReceiver",
    "Queue",
    "Receiver",
    "Redaction",
    "Service",
    "Signals",
    "Spool",
    "Vault",
    "Workers",
    "load",
    "parse",
    "pipeline_settings",
    "status_file",
]
