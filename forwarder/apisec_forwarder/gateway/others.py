"""Configurations for gateways other than Envoy: NGINX and HAProxy, as files to start with and to take parts from."""

from __future__ import annotations

from importlib import resources
from pathlib import Path
from string import Template

from apisec.errors import ConfigError
from apisec_forwarder.config.reader import Address
from apisec_forwarder.config.receivers import HaproxyReceiver, NginxReceiver

HEADER_BYTES = 32 * 1024  # room for headers beside a body in HAProxy's buffer


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


def haproxy(settings: HaproxyReceiver | None, listen: Address, upstream: Address) -> str:
    """Return HAProxy's configuration; ConfigError when the forwarder's names no HAProxy."""
    if settings is None:
        raise ConfigError("receiver.haproxy is missing; give it the socket that HAProxy is to log to")
    stats = settings.stats_socket
    return _filled(
        "haproxy.cfg.in",
        listen=str(listen),
        upstream=str(upstream),
        socket=str(settings.socket),
        stats=f"    stats socket {stats} mode 660 level user\n" if stats is not None else "",
        buffer=str(max(settings.request_bytes, settings.response_bytes) + HEADER_BYTES),
        request_bytes=str(settings.request_bytes),
        response_bytes=str(settings.response_bytes),
    )


def _filled(name: str, **values: str) -> str:
    text = resources.files("apisec_forwarder.gateway").joinpath(name).read_text(encoding="utf-8")
    return Template(text).substitute(values)
