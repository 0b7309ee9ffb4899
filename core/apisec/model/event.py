"""The event schema, ``apisec:transaction``: the contract between the forwarder and everything in Splunk.

One JSON object per request and response. Names are those of Splunk's CIM data model *Web* wherever CIM has
one. ``docs/reference/event.md`` is generated from ``FIELDS``; a test holds it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Dict, Mapping, Tuple

SCHEMA_VERSION = 1

SOURCETYPE_TRANSACTION = "apisec:transaction"
SOURCETYPE_DECISION = "apisec:decision"  # changes of patterns, and refusals' audit
SOURCETYPE_HEALTH = "apisec:health"  # coverage, drops, lag

Event = Dict[str, Any]


@dataclass(frozen=True)
class Field:
    """``kind`` is a JSON type; ``cim`` says the name is CIM Web's; ``indexed`` that it travels in HEC ``fields``."""

    name: str
    kind: str
    text: str
    cim: bool = False
    indexed: bool = False
    required: bool = False


FIELDS: Tuple[Field, ...] = (
    Field("schema", "integer", "Version of this schema.", required=True),
    Field("id", "string", "Stable id of the transaction; a resend carries the same one.", required=True),
    Field("time", "number", "Start of the request, seconds since the epoch.", required=True),
    Field("gateway", "string", "Name of the gateway that saw it.", required=True),
    Field("env", "string", "DEV, QA or PROD, from the forwarder's configuration.", required=True),
    Field("service", "string", "Service that owns the route.", indexed=True, required=True),
    Field("team", "string", "Team that owns the service.", required=True),
    Field("app", "string", "The service again, under CIM's name.", cim=True),
    Field("http_method", "string", "Method in upper case.", cim=True, required=True),
    Field("url", "string", "Scheme, host, path and query, redacted.", cim=True, required=True),
    Field("uri_path", "string", "Path, redacted.", cim=True, required=True),
    Field("uri_query", "string", "Query without the question mark, redacted.", cim=True),
    Field("status", "integer", "Response status; 0 when no response came.", cim=True, indexed=True, required=True),
    Field("action", "string", "allowed, or blocked when apisec refused it.", cim=True, indexed=True, required=True),
    Field("src", "string", "Address of the client.", cim=True, required=True),
    Field("src_port", "integer", "Port of the client.", cim=True),
    Field("dest", "string", "Host that was asked.", cim=True),
    Field("dest_port", "integer", "Port that was asked.", cim=True),
    Field("user", "string", "Token of the user (JWT subject, Basic user), when one is known.", cim=True),
    Field("http_user_agent", "string", "User agent, redacted.", cim=True),
    Field("http_content_type", "string", "Media type of the response.", cim=True),
    Field("request_content_type", "string", "Media type of the request's body, as the client states it."),
    Field("api_version", "string", "Version of the API that a header of the request asks for: 2, 2024-01-01."),
    Field("http_referrer", "string", "Referrer, redacted.", cim=True),
    Field("bytes_in", "integer", "Bytes of the request.", cim=True),
    Field("bytes_out", "integer", "Bytes of the response.", cim=True),
    Field("response_time", "number", "Milliseconds from first request byte to last response byte.", cim=True),
    Field(
        "upstream_time",
        "number",
        "Milliseconds of it that the upstream took: from the gateway's first byte to it to its last byte back.",
    ),
    Field("endpoint", "string", "Path template: /orders/{order_id}.", required=True),
    Field("operation", "string", "Method and template: GET /orders/{order_id}.", indexed=True, required=True),
    Field("body_operation", "string", "What a GraphQL, JSON-RPC or SOAP body asks for, as it names it."),
    Field("principal", "string", "Token of who acts; never a bare address.", indexed=True, required=True),
    Field("principal_kind", "string", "jwt, api_key, session, consumer, mtls, basic or anonymous.", required=True),
    Field(
        "auth",
        "string",
        "Scheme: bearer, basic, digest, hmac (a signature), api_key, gateway, cookie, mtls or none.",
        required=True,
    ),
    Field("auth_token", "string", "Token of the whole credential."),
    Field("session", "string", "Token of the session (cookie, or the JWT's sid or jti)."),
    Field("tls_version", "string", "TLS version on the client's side."),
    Field("ja4", "string", "JA4 fingerprint of the client, where the gateway gives it."),
    Field("request_fields", "array", "Objects {path, in, type, classes?}: every field of the request."),
    Field("response_fields", "array", "Objects {path, in, type, classes?}: every field of the response."),
    Field("data_classes", "array", "Classes seen anywhere, sorted: pci.pan, pii.email …", required=True),
    Field("object_ids", "array", "Ids of objects asked for, as name=value: order_id=1042.", required=True),
    Field(
        "signals",
        "array",
        "Objects {detector, family, where, score, expected?, seen?}: signs of attacks, of leaks, of unusual values.",
    ),
    Field("request_body", "string", "Request body, redacted and capped."),
    Field("response_body", "string", "Response body, redacted and capped."),
    Field("coverage", "string", "complete, truncated or undecoded.", required=True),
    Field("coverage_reasons", "array", "Why coverage is not complete: 'request.body: not JSON'."),
    Field("decision", "string", "block, when the gateway refused it."),
    Field("pattern", "string", "Id of the block pattern that refused it."),
    Field("key_id", "string", "Id of the key that made the tokens.", required=True),
    Field("earlier", "array", "Objects {key_id, principal, session?, auth_token?, user?}: who acts, by replaced keys."),
)

NAMES = frozenset(field.name for field in FIELDS)
INDEXED = tuple(field.name for field in FIELDS if field.indexed)


def indexed_fields(event: Mapping[str, Any]) -> Dict[str, str]:
    """Return the HEC ``fields`` of an event: what tstats can group by without acceleration."""
    return {name: str(event[name]) for name in INDEXED if name in event}
