"""The parts of Envoy's configuration that enforce block patterns (API v3 of Envoy 1.40).

Four filters stand between the capture and the router:

1. header_mutation drops what a client sent as ``x-apisec-*``, and names on the response the pattern that RBAC held;
2. RBAC, by ECDS from a watched folder: ``rules`` refuse, ``shadow_rules`` only mark a request as one to ask about;
3. HTTP ext_authz over a unix socket asks the decision service about marked requests, and about no others.

When the decision service is dead or slow, requests pass (``failure_mode_allow``).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from apisec.model.transaction import Refusal
from apisec_forwarder.enforcement.ecds import FILTER, RBAC, rules_file

if TYPE_CHECKING:
    from apisec_forwarder.config import Config

Node = dict[str, Any]

CLUSTER = "apisec-decisions"
PATTERN_HEADER = "x-apisec-pattern"
METADATA = "envoy.filters.http.rbac"  # where RBAC leaves its results, whatever the filter is named
_HEADER_MUTATION = "type.googleapis.com/envoy.extensions.filters.http.header_mutation.v3.HeaderMutation"
_EXT_AUTHZ = "type.googleapis.com/envoy.extensions.filters.http.ext_authz.v3.ExtAuthz"

# What the decision service is told beside the client's own headers: the same values as the access log's.
CALL_OUT_HEADERS: dict[str, str] = {
    "x-apisec-id": "%STREAM_ID%",
    "x-apisec-time": "%START_TIME(%s.%6f)%",
    "x-apisec-scheme": "%REQ(:SCHEME)%",
    "x-apisec-address": "%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%",
    "x-apisec-port": "%DOWNSTREAM_REMOTE_PORT%",
    "x-apisec-tls": "%DOWNSTREAM_TLS_VERSION%",
    "x-apisec-ja4": "%TLS_JA4_FINGERPRINT%",
    "x-apisec-subject": "%DOWNSTREAM_PEER_SUBJECT%",
}
# They describe the client's connection, not ours to the decision service (RFC 9110 7.6.1).
_HOP_BY_HOP = ("connection", "expect", "keep-alive", "proxy-connection", "te", "transfer-encoding", "upgrade")


def http_filters(config: Config) -> list[Node]:
    """Return the filters, in order; empty when the configuration has no decisions."""
    if config.decisions is None:
        return []
    return [_headers(), _rbac(config), _ext_authz(config)]


def clusters(config: Config) -> list[Node]:
    """Return the cluster of the decision service."""
    if config.decisions is None:
        return []
    endpoint = {"endpoint": {"address": {"pipe": {"path": str(config.decisions.socket)}}}}
    return [
        {
            "name": CLUSTER,
            "type": "STATIC",
            "connect_timeout": f"{config.decisions.timeout_ms / 1000:.3f}s",
            "load_assignment": {"cluster_name": CLUSTER, "endpoints": [{"lb_endpoints": [endpoint]}]},
            # A service that hangs costs each asked request the whole timeout: after five in a row stop asking.
            # With the only host ejected, ext_authz fails at once and so lets pass.
            "outlier_detection": {
                "consecutive_gateway_failure": 5,
                "enforcing_consecutive_gateway_failure": 100,
                "consecutive_local_origin_failure": 5,
                "split_external_local_origin_errors": True,
                "interval": "1s",
                "base_ejection_time": "2s",
                "max_ejection_time": "10s",
                "max_ejection_percent": 100,
            },
            "common_lb_config": {"healthy_panic_threshold": {"value": 0}},
            "circuit_breakers": {"thresholds": [{"max_connections": 256, "max_pending_requests": 1024}]},
        }
    ]


_HELD = re.compile(r"rbac_access_denied_matched_policy\[([0-9a-f-]{36})\]")


def refusal(details: str, pattern_header: str | None) -> Refusal | None:
    """Return how apisec refused a request, read from its log line; None when it did not.

    ``details`` is RESPONSE_CODE_DETAILS, which Envoy alone writes. The header may come from the upstream, so it
    is believed only when the details say that ext_authz refused.
    """
    held = _HELD.search(details)
    if held is not None:
        return Refusal(held.group(1), "rbac")
    if details == "ext_authz_denied" and pattern_header and re.fullmatch(r"[0-9a-f-]{36}", pattern_header):
        return Refusal(pattern_header, "call-out")
    return None


def _headers() -> Node:
    """Drop ``x-apisec-*`` of the client's; ``x-apisec-pattern`` of the upstream's; name the pattern RBAC held."""
    held = f"%DYNAMIC_METADATA({METADATA}:enforced_effective_policy_id)%"
    mutations = {
        "request_mutations": [
            {"remove_on_match": {"key_matcher": {"prefix": "x-apisec-", "ignore_case": True}}},
        ],
        "response_mutations": [
            {
                "append": {
                    "header": {"key": PATTERN_HEADER, "value": held},
                    "append_action": "OVERWRITE_IF_EXISTS_OR_ADD",
                    "keep_empty_value": False,
                }
            },
        ],
    }
    return {"name": "apisec.headers", "typed_config": {"@type": _HEADER_MUTATION, "mutations": mutations}}


def _rbac(config: Config) -> Node:
    assert config.decisions is not None
    path = rules_file(config.decisions.ecds_directory)
    source = {
        "path_config_source": {"path": str(path), "watched_directory": {"path": str(path.parent)}},
        "resource_api_version": "V3",
    }
    return {
        "name": FILTER,
        "config_discovery": {
            "config_source": source,
            "default_config": {"@type": RBAC},
            "apply_default_config_without_warming": True,
            "type_urls": [RBAC],
        },
    }


def _ext_authz(config: Config) -> Node:
    decisions = config.decisions
    assert decisions is not None
    typed: Node = {
        "@type": _EXT_AUTHZ,
        "stat_prefix": "apisec",
        "transport_api_version": "V3",
        "failure_mode_allow": True,
        "filter_enabled_metadata": {
            "filter": METADATA,
            "path": [{"key": "shadow_engine_result"}],
            "value": {"string_match": {"exact": "denied"}},
        },
        "allowed_headers": {"patterns": [{"safe_regex": {"regex": ".*"}}]},
        "disallowed_headers": {
            "patterns": [{"exact": name} for name in _HOP_BY_HOP] + [{"prefix": "x-apisec-", "ignore_case": True}]
        },
        "http_service": {
            "server_uri": {
                "uri": "http://apisec.invalid",
                "cluster": CLUSTER,
                "timeout": f"{decisions.timeout_ms / 1000:.3f}s",
            },
            "authorization_request": {
                "headers_to_add": [{"key": key, "value": value} for key, value in CALL_OUT_HEADERS.items()]
            },
            "authorization_response": {
                "allowed_client_headers": {"patterns": [{"exact": PATTERN_HEADER}, {"exact": "content-type"}]}
            },
        },
    }
    if decisions.body_bytes:
        typed["with_request_body"] = {"max_request_bytes": decisions.body_bytes, "allow_partial_message": True}
    return {"name": "apisec.call-out", "typed_config": typed}
