"""Listening sockets of the receivers, and their TLS."""

from __future__ import annotations

import socket
import ssl
from pathlib import Path

from apisec.errors import ConfigError
from apisec_forwarder.config.reader import Address
from apisec_forwarder.config.receivers import TlsSettings

SOCKET_MODE = 0o660  # the gateway's user and ours share a group


def tcp(address: Address, backlog: int, where: str, *, buffer: int = 0) -> socket.socket:
    """Listen on an address; ConfigError when that cannot be had.

    ``buffer``: the bytes of each connection's receive buffer; the kernel's choice when 0.
    """
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    bound.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if buffer:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
    try:
        bound.bind((address.host, address.port))
        bound.listen(backlog)
    except OSError as error:
        bound.close()
        raise ConfigError(f"cannot listen there: {error.strerror}", where=f"{where}: {address}") from error
    return bound


def unix(path: Path, where: str, backlog: int) -> socket.socket:
    """Listen on a unix socket, in the place of one that was left behind; ConfigError when that cannot be had."""
    bound = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        path.unlink(missing_ok=True)
        bound.bind(str(path))
        path.chmod(SOCKET_MODE)
        bound.listen(backlog)
    except OSError as error:
        bound.close()
        raise ConfigError(f"cannot listen there: {error.strerror}", where=f"{where}: {path}") from error
    return bound


def tls(settings: TlsSettings, where: str) -> ssl.SSLContext | None:
    """Return the TLS of a receiver, None when it has none; ConfigError when the files do not serve."""
    if settings.tls_certificate is None or settings.tls_key is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(settings.tls_certificate, settings.tls_key)
        if settings.client_ca is not None:
            context.load_verify_locations(settings.client_ca)
            context.verify_mode = ssl.CERT_REQUIRED
    except (OSError, ssl.SSLError) as error:
        where = f"{where}: {settings.tls_certificate}, {settings.tls_key}"
        raise ConfigError(f"not a certificate and its key: {error.strerror or error.args[-1]}", where=where) from error
    return context
