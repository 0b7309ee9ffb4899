"""Configurations for gateways other than Envoy: NGINX and HAProxy, as files to start with and to take parts from."""

from __future__ import annotations

from importlib import resources
from pathlib import Path
from string import Template

from apisec.errors import ConfigError
from apisec_forwarder.config.reader import Address
from apisec_forwarder.config.receivers import HaproxyReceiver, NginxReceiver
from apisec_forwarder.receivers.rings import ring_address

HEADER_BYTES = 32 * 1024  # room for headers beside a body in HAProxy's buffer
LINE = "len 65535 format raw"  # the longest that its log may have
MESSAGE_BYTES = 66 * 1024  # a buffer that holds such a line, its length, and what HAProxy reserves (tune.maxrewrite)
# A message that waits for a minute behind a connection that does not move is sent again on a new one.
RING = """\
ring {name}
    format raw
    maxlen 65535
    size {bytes}
    timeout connect 5s
    timeout server 60s
    server forwarder {address} log-proto octet-count{tls}
"""


def nginx(settings: NginxReceiver | None, listen: Address, upstream: Address) -> str:
    """Return NGINX's configuration; ConfigError when the forwarder's names no NGINX."""
    if settings is None:
        raise ConfigError("receiver.nginx is missing; give it the log that NGINX is to write")
    return _filled(
        "nginx.conf.in",
        listen=str(listen),
        upstream=str(upstream),
        log=str(settings.log),
        script_directory=str(Path(__file__).parent),
        request_buffer=str(max(settings.request_bytes, 8192)),
        request_bytes=str(settings.request_bytes),
        response_bytes=str(settings.response_bytes),
    )


def haproxy(settings: HaproxyReceiver | None, listen: Address, upstream: Address, workers: int = 1) -> str:
    """Return HAProxy's configuration, a ring for each worker; ConfigError when the forwarder's names no HAProxy."""
    if settings is None:
        raise ConfigError("receiver.haproxy is missing; give it the address to which HAProxy is to send")
    rings = [_ring(settings, index, workers) for index in range(workers)]
    return _filled(
        "haproxy.cfg.in",
        listen=str(listen),
        upstream=str(upstream),
        logs="\n".join(f"    log ring@{name} {LINE} {sample}local0 info" for name, sample, _ in rings),
        rings="\n".join(text for *_, text in rings),
        buffer=str(max(settings.request_bytes + HEADER_BYTES, settings.response_bytes + HEADER_BYTES, MESSAGE_BYTES)),
        request_bytes=str(settings.request_bytes),
        response_bytes=str(settings.response_bytes),
    )


def _ring(settings: HaproxyReceiver, index: int, workers: int) -> tuple[str, str, str]:
    """Return the ring's name, its part of the messages, and its section."""
    name = "apisec" if index == 0 else f"apisec{index}"
    sample = f"sample {index + 1}:{workers} " if workers > 1 else ""
    tls = " ssl verify required ca-file <the forwarder's CA>" if settings.tls_certificate is not None else ""
    tls += " crt <HAProxy's certificate and key>" if settings.client_ca is not None else ""
    address = ring_address(settings, index)
    return name, sample, RING.format(name=name, bytes=settings.ring_bytes // workers, address=address, tls=tls)


def _filled(name: str, **values: str) -> str:
    text = resources.files("apisec_forwarder.gateway").joinpath(name).read_text(encoding="utf-8")
    return Template(text).substitute(values)
