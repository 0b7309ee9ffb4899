"""The part of Envoy's configuration that streams a copy to the forwarder by external processing (API v3 of 1.40)."""

from __future__ import annotations

from typing import Any

from apisec.errors import ConfigError
from apisec_forwarder.config import Config
from apisec_forwarder.config.receivers import ExtProcReceiver
from apisec_forwarder.receivers.ext_proc_exchange import PEER_SUBJECT, REQUEST_ATTRIBUTES, RESPONSE_ATTRIBUTES

Node = dict[str, Any]

CLUSTER = "apisec-copy"
FILTER = "type.googleapis.com/envoy.extensions.filters.http.ext_proc.v3.ExternalProcessor"
_HTTP = "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
_UPSTREAM_TLS = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext"

# How much Envoy holds while nobody reads: so many streams at once, each for so long behind its transaction.
MAX_STREAMS = 4096
CLOSE_SECONDS = 1
BUFFER_BYTES = 128 * 2**20  # waiting in one connection to the forwarder
STREAMS_PER_CONNECTION = 2000  # then a new one, which another worker of ours may accept


def settings(config: Config) -> ExtProcReceiver:
    if config.receiver.ext_proc is None:
        raise ConfigError("receiver.ext_proc is missing; give it the socket that Envoy is to reach")
    return config.receiver.ext_proc


def http_filter(*, client_certificates: bool) -> Node:
    """Return the filter; it is the first one, and Envoy never waits for it."""
    subject = [PEER_SUBJECT] if client_certificates else []
    return {
        "name": "apisec.copy",
        "typed_config": {
            "@type": FILTER,
            "stat_prefix": "apisec",
            "grpc_service": {"envoy_grpc": {"cluster_name": CLUSTER}, "timeout": "0s"},
            "observability_mode": True,
            "failure_mode_allow": True,
            "message_timeout": "0.2s",  # not used in this mode; Envoy's default
            "deferred_close_timeout": f"{CLOSE_SECONDS}s",
            "processing_mode": {
                "request_header_mode": "SEND",
                "response_header_mode": "SEND",
                "request_body_mode": "STREAMED",
                "response_body_mode": "STREAMED",
                "request_trailer_mode": "SEND",
                "response_trailer_mode": "SEND",
            },
            "request_attributes": [*REQUEST_ATTRIBUTES, *subject],
            "response_attributes": list(RESPONSE_ATTRIBUTES),
        },
    }


def cluster(config: Config) -> Node:
    """Return the cluster of the forwarder."""
    receiver = settings(config)
    http: Node = {"explicit_http_config": {"http2_protocol_options": {}}}
    if config.workers.count > 1:
        http["common_http_protocol_options"] = {"max_requests_per_connection": STREAMS_PER_CONNECTION}
    bounds = {"max_connections": 1024, "max_requests": MAX_STREAMS, "max_pending_requests": MAX_STREAMS}
    found: Node = {
        "name": CLUSTER,
        "type": "STATIC" if receiver.socket is not None else "STRICT_DNS",
        "connect_timeout": "1s",
        # at half full, Envoy would stop reading from clients, until we read on
        "per_connection_buffer_limit_bytes": BUFFER_BYTES,
        "typed_extension_protocol_options": {
            "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {"@type": _HTTP, **http}
        },
        "circuit_breakers": {"thresholds": [bounds]},
        "load_assignment": {
            "cluster_name": CLUSTER,
            "endpoints": [{"lb_endpoints": [{"endpoint": {"address": _address(receiver)}}]}],
        },
    }
    if receiver.tls_certificate is not None:
        found["transport_socket"] = {"name": "envoy.transport_sockets.tls", "typed_config": _tls(receiver)}
    return found


def _address(receiver: ExtProcReceiver) -> Node:
    if receiver.socket is not None:
        return {"pipe": {"path": str(receiver.socket)}}
    assert receiver.listen is not None
    return {"socket_address": {"address": receiver.listen.host, "port_value": receiver.listen.port}}


def _tls(receiver: ExtProcReceiver) -> Node:
    """Return Envoy's side of TLS. The files in angle brackets are Envoy's own, which the forwarder does not know."""
    common: Node = {"validation_context": {"trusted_ca": {"filename": "<CA of the forwarder's certificate>"}}}
    if receiver.client_ca is not None:
        common["tls_certificates"] = [
            {
                "certificate_chain": {"filename": "<Envoy's certificate>"},
                "private_key": {"filename": "<its key>"},
            }
        ]
    return {"@type": _UPSTREAM_TLS, "common_tls_context": common}
