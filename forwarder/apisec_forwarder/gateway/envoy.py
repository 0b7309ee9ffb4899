"""Builds Envoy's configuration: capture first, then enforcement, then the router; a JSON access log as the copy.

Names and types are those of Envoy 1.40's API v3. ``build`` is pure; the command ``gateway`` prints the result.
"""

from __future__ import annotations

import importlib.resources
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from apisec.errors import ConfigError
from apisec_forwarder.config import Address, Config, EnvoyReceiver
from apisec_forwarder.gateway import ext_proc

Node = dict[str, Any]

HTTP = "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
LUA = "type.googleapis.com/envoy.extensions.filters.http.lua.v3.Lua"
ROUTER = "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"
FILE_LOG = "type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog"
TLS_INSPECTOR = "type.googleapis.com/envoy.extensions.filters.listener.tls_inspector.v3.TlsInspector"
DOWNSTREAM_TLS = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext"

# What one line of the log holds; receivers/envoy.py reads it. Values that may not be UTF-8 are in the frames.
LOG_FORMAT: dict[str, str] = {
    "id": "%STREAM_ID%",
    "start": "%START_TIME(%s.%6f)%",
    "duration_us": "%COMMON_DURATION(DS_RX_BEG:DS_TX_END:us)%",
    "duration_ms": "%DURATION%",
    "upstream_us": "%COMMON_DURATION(US_TX_BEG:US_RX_END:us)%",
    "method": "%REQ(:METHOD)%",
    "scheme": "%REQ(:SCHEME)%",
    "authority": "%REQ(:AUTHORITY)%",
    "path": "%REQ(:PATH)%",
    "original_path": "%REQ(X-ENVOY-ORIGINAL-PATH)%",
    "address": "%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%",
    "port": "%DOWNSTREAM_REMOTE_PORT%",
    "tls_version": "%DOWNSTREAM_TLS_VERSION%",
    "ja4": "%TLS_JA4_FINGERPRINT%",
    "status": "%RESPONSE_CODE%",
    "details": "%RESPONSE_CODE_DETAILS%",
    "body_in": "%BYTES_RECEIVED%",
    "body_out": "%BYTES_SENT%",
    "wire_in": "%DOWNSTREAM_WIRE_BYTES_RECEIVED%",
    "wire_out": "%DOWNSTREAM_WIRE_BYTES_SENT%",
    "pattern": "%RESP(X-APISEC-PATTERN)%",
    "q": "%FILTER_STATE(apisec.q:PLAIN)%",
    "s": "%FILTER_STATE(apisec.s:PLAIN)%",
}
NOWHERE = [{"address_prefix": "255.255.255.255", "prefix_len": 32}]  # an empty list would mean the private ranges
PEER_SUBJECT = "%DOWNSTREAM_PEER_SUBJECT%"  # logged only when Envoy verifies client certificates


@dataclass(frozen=True)
class Tls:
    """The listener's certificate; with ``client_ca``, client certificates are asked for and verified."""

    certificate: Path
    key: Path
    client_ca: Path | None = None


def build(
    config: Config,
    listen: Address,
    upstream: Address,
    tls: Tls | None = None,
    trusted_hops: int = 0,
    *,
    streamed: bool = False,
) -> Node:
    """Return the bootstrap configuration of a gateway in front of ``upstream``.

    ``trusted_hops``: proxies in front of Envoy whose X-Forwarded-For entries may be believed.
    ``streamed``: the copy is streamed by external processing, instead of written to a log.
    """
    client_certificates = tls is not None and tls.client_ca is not None
    clusters = [_upstream(upstream)]
    if streamed:
        filters = [ext_proc.http_filter(client_certificates=client_certificates)]
        clusters.append(ext_proc.cluster(config))
    else:
        filters = [_lua(config)]
    if config.decisions is not None:
        from apisec_forwarder.enforcement import envoy as enforcement

        filters += enforcement.http_filters(config)
        clusters += enforcement.clusters(config)
    filters.append({"name": "envoy.filters.http.router", "typed_config": {"@type": ROUTER}})
    manager = _manager(filters, trusted_hops)
    if not streamed:
        manager["access_log"] = _access_logs(config, client_certificates=client_certificates)
    bootstrap: Node = {
        "node": {"id": config.gateway.name, "cluster": f"apisec-{config.gateway.env}"},
        "static_resources": {
            "listeners": [_listener(config, listen, tls, manager)],
            "clusters": clusters,
        },
    }
    admin_socket = (ext_proc.settings(config) if streamed else _receiver(config)).admin_socket
    if admin_socket is not None:
        bootstrap["admin"] = {
            "address": {"pipe": {"path": str(admin_socket), "mode": 0o600}},
            "allow_paths": [{"exact": "/reopen_logs"}, {"exact": "/ready"}, {"prefix": "/stats"}],
        }
    return bootstrap


def render(bootstrap: Node) -> str:
    """Return the configuration as YAML, scripts as readable blocks."""
    return yaml.dump(bootstrap, Dumper=_Dumper, sort_keys=False, width=110, allow_unicode=True)


def capture_script(request_cap: int, response_cap: int, shards: int = 1) -> str:
    """Return the Lua text with its caps (bytes of a body) and the number of logs in front."""
    text = importlib.resources.files(__package__).joinpath("capture.lua").read_text("utf-8")
    return f"local REQUEST_CAP, RESPONSE_CAP, SHARDS = {request_cap:d}, {response_cap:d}, {shards:d}\n{text}"


def _receiver(config: Config) -> EnvoyReceiver:
    if config.receiver.envoy is None:
        raise ConfigError("receiver.envoy is missing: the access log that Envoy is to write", where=str(config.path))
    return config.receiver.envoy


def _lua(config: Config) -> Node:
    envoy = _receiver(config)
    source = {"inline_string": capture_script(envoy.request_bytes, envoy.response_bytes, config.workers.count)}
    return {
        "name": "apisec.capture",
        "typed_config": {"@type": LUA, "default_source_code": source, "stat_prefix": "apisec_capture"},
    }


def _manager(filters: list[Node], trusted_hops: int) -> Node:
    return {
        "@type": HTTP,
        "stat_prefix": "ingress",
        "codec_type": "AUTO",
        "use_remote_address": True,
        "xff_num_trusted_hops": trusted_hops,
        # No address counts as internal: otherwise a client there could choose its x-request-id, our event's id.
        "internal_address_config": {"unix_sockets": False, "cidr_ranges": NOWHERE},
        "normalize_path": True,
        "merge_slashes": True,
        # FORWARD: what the rules see is what the upstream gets, and no client is sent elsewhere for it
        "path_with_escaped_slashes_action": "UNESCAPE_AND_FORWARD",
        "upgrade_configs": [{"upgrade_type": "websocket"}],
        "stream_idle_timeout": "300s",
        "route_config": {
            "name": "upstream",
            "virtual_hosts": [
                {
                    "name": "all",
                    "domains": ["*"],
                    # timeout 0: a stream (server-sent events) may last; the idle timeout still ends dead ones
                    "routes": [{"match": {"prefix": "/"}, "route": {"cluster": "upstream", "timeout": "0s"}}],
                }
            ],
        },
        "http_filters": filters,
    }


def _access_logs(config: Config, *, client_certificates: bool) -> list[Node]:
    log_format: Node = dict(LOG_FORMAT)
    if client_certificates:
        log_format["subject"] = PEER_SUBJECT
    return [_access_log(config, shard, log_format) for shard in range(config.workers.count)]


def _access_log(config: Config, shard: int, log_format: Node) -> Node:
    """Return the log of one worker. What has no shard (the capture did not run) is in the first one's."""
    log: Node = {
        "name": "envoy.access_loggers.file",
        "typed_config": {
            "@type": FILE_LOG,
            "path": str(_receiver(config).shard(shard)),
            "log_format": {"json_format": log_format},
        },
    }
    if config.workers.count > 1:
        value = {"string_match": {"exact": str(shard)}}
        matcher = {"filter": "apisec", "path": [{"key": "shard"}], "value": value}
        log["filter"] = {"metadata_filter": {"matcher": matcher, "match_if_key_not_found": shard == 0}}
    return log


def _listener(config: Config, listen: Address, tls: Tls | None, manager: Node) -> Node:
    chain: Node = {"filters": [{"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}]}
    listener: Node = {
        "name": config.gateway.name,
        "address": _address(listen),
        "filter_chains": [chain],
    }
    if tls is not None:
        inspector = {"@type": TLS_INSPECTOR, "enable_ja4_fingerprinting": True}
        listener["listener_filters"] = [{"name": "envoy.filters.listener.tls_inspector", "typed_config": inspector}]
        chain["transport_socket"] = {"name": "envoy.transport_sockets.tls", "typed_config": _downstream(tls)}
    return listener


def _downstream(tls: Tls) -> Node:
    common: Node = {
        "alpn_protocols": ["h2", "http/1.1"],
        "tls_params": {"tls_minimum_protocol_version": "TLSv1_2"},
        "tls_certificates": [
            {
                "certificate_chain": {"filename": str(tls.certificate)},
                "private_key": {"filename": str(tls.key)},
            }
        ],
    }
    if tls.client_ca is not None:
        common["validation_context"] = {"trusted_ca": {"filename": str(tls.client_ca)}}
    return {"@type": DOWNSTREAM_TLS, "common_tls_context": common, "require_client_certificate": False}


def _upstream(upstream: Address) -> Node:
    return {
        "name": "upstream",
        "type": "STRICT_DNS",
        "connect_timeout": "5s",
        "load_assignment": {
            "cluster_name": "upstream",
            "endpoints": [{"lb_endpoints": [{"endpoint": {"address": _address(upstream)}}]}],
        },
    }


def _address(address: Address) -> Node:
    return {"socket_address": {"address": address.host, "port_value": address.port}}


class _Dumper(yaml.SafeDumper):
    """Writes multi-line text as a block and never an alias."""

    def ignore_aliases(self, data: Any) -> bool:
        del data
        return True


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style="|" if "\n" in value else None)


_Dumper.add_representer(str, _text)
