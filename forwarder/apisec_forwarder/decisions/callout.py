"""Turns Envoy's ext_authz request into the transaction that the copy will show. Pure.

The client's address, fingerprint and ids come in ``x-apisec-*`` headers that Envoy alone can set (see
``enforcement.envoy``); they are taken out, so that both sides of the pipeline see the same headers.
"""

from __future__ import annotations

from collections.abc import Sequence

from apisec.model.transaction import Body, Client, Request, Transaction

RawHeaders = Sequence[tuple[bytes, bytes]]
_OURS = "x-apisec-"
_PARTIAL = "x-envoy-auth-partial-body"
_ADDED = frozenset(("content-length", _PARTIAL, "x-envoy-internal", "x-envoy-expected-rq-timeout-ms"))


def transaction(method: str, target: bytes, headers: RawHeaders, body: bytes, gateway: str, now: float) -> Transaction:
    """Return the request half; ``now`` (seconds) stands in where Envoy gave no time."""
    encoding = _encoding(target, headers)
    ours: dict[str, str] = {}
    theirs: list[tuple[str, str]] = []
    host, partial = "", False
    for raw_name, raw_value in headers:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode(encoding)
        if name.startswith(_OURS):
            ours[name[len(_OURS) :]] = "" if value == "-" else value
        elif name == "host":
            host = value
        elif name == _PARTIAL:
            partial = value == "true"
        elif name not in _ADDED:
            theirs.append((name, value))
    request = Request(
        method=method,
        target=target.decode(encoding),
        headers=tuple(theirs),
        body=Body(body, len(body) + partial),
        scheme=ours.get("scheme") or "http",
        host=host,
    )
    return Transaction(
        id=ours.get("id", ""),
        time=_number(ours.get("time", ""), now),
        client=_client(ours),
        request=request,
        gateway=gateway,
    )


def _encoding(target: bytes, headers: RawHeaders) -> str:
    """As the receiver reads the copy: UTF-8 when all is, else byte by byte (RFC 9110 5.5)."""
    try:
        target.decode()
        for name, value in headers:
            name.decode()
            value.decode()
    except UnicodeDecodeError:
        return "latin-1"
    return "utf-8"


def _client(ours: dict[str, str]) -> Client:
    port = ours.get("port", "")
    return Client(
        address=ours.get("address", ""),
        port=int(port) if port.isascii() and port.isdigit() and len(port) <= 5 else None,
        tls_version=ours.get("tls") or None,
        ja4=ours.get("ja4") or None,
        certificate_subject=ours.get("subject") or None,
    )


def _number(text: str, default: float) -> float:
    try:
        value = float(text)
    except ValueError:
        return default
    return value if 0 < value < 1e11 else default
