"""The sections of the configuration, their keys, meanings, bounds and defaults. The reference is made from here."""

# ruff: noqa: RUF009 (option() is dataclasses.field with the reader of the value)
from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from apisec_forwarder.config.reader import (
    Address,
    boolean,
    file_path,
    integer,
    listen_address,
    number,
    option,
    section,
    sequence,
    size,
    socket_path,
    text,
    url,
)

_NAME = text(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", "a name: letters, digits, dot, dash, underscore; at most 64")
# Splunk: an index's name holds lower-case letters, digits, underscore and dash, and begins with neither of those two
_INDEX = text(r"[a-z0-9][a-z0-9_-]{0,79}", "the name of a Splunk index: lower-case letters, digits, _ and -")
_HOST = text(r"\*|(\*\.)?[A-Za-z0-9.:\[\]-]{1,253}", "a host name, *.domain or *")
_PATH_PREFIX = text(r"/[^\x00-\x20\x7f?#]*", "a path prefix that begins with /")
KIB, MIB, GIB = 2**10, 2**20, 2**30

__all__ = ["Address"]


@dataclass(frozen=True)
class Gateway:
    """The gateway whose traffic this forwarder sees."""

    name: str = option(_NAME, "name of the gateway; it is the host of every event")
    env: str = option(_NAME, "environment, such as DEV, QA or PROD")


@dataclass(frozen=True)
class Service:
    """One API. A request belongs to the service with the longest matching path of a matching host."""

    name: str = option(_NAME, "name of the service")
    team: str = option(_NAME, "team that owns it")
    hosts: tuple[str, ...] = option(sequence(_HOST, 1, 1000), "hosts it is served on; `*.domain` and `*` are allowed")
    paths: tuple[str, ...] = option(sequence(_PATH_PREFIX, 1, 1000), "path prefixes that belong to it", ("/",))
    index: str | None = option(_INDEX, "Splunk index of its team's events; `hec.index` when absent", None)
    openapi: Path | None = option(file_path, "its OpenAPI document: path templates are taken from there first", None)


@dataclass(frozen=True)
class EnvoyReceiver:
    """The copy that Envoy writes (`apisec-forwarder gateway` prints the Envoy configuration)."""

    log: Path = option(file_path, "access log that Envoy writes; put it on a size-capped tmpfs")
    admin_socket: Path | None = option(socket_path, "Envoy's admin socket; without it the log is never rotated", None)
    rotate_bytes: int = option(size(64 * KIB, 64 * GIB), "size at which the log is renamed and reopened", 32 * MIB)
    request_bytes: int = option(size(0, 4 * MIB), "bytes of a request's body that Envoy copies", 64 * KIB)
    response_bytes: int = option(size(0, 4 * MIB), "bytes of a response's body that Envoy copies", 64 * KIB)


@dataclass(frozen=True)
class Receiver:
    """Where traffic comes from."""

    envoy: EnvoyReceiver = option(section(EnvoyReceiver), "Envoy's access log")


@dataclass(frozen=True)
class Keys:
    """The keys that make tokens."""

    file: Path = option(file_path, "key file of mode 600 (`apisec-forwarder keys generate`)")


@dataclass(frozen=True)
class Spool:
    """Redacted events wait here until Splunk has acknowledged them."""

    directory: Path = option(file_path, "folder of mode 700 on a disk that survives a restart")
    max_bytes: int = option(size(1 * MIB, 2**50), "cap; beyond it the oldest events are dropped and counted", GIB)
    sync_seconds: float = option(number(0.01, 60, "seconds"), "longest time that an event waits for fsync", 0.5)


@dataclass(frozen=True)
class Hec:
    """Splunk's HTTP Event Collector."""

    url: str = option(url, "base URL, such as https://splunk.example:8088")
    token_file: Path = option(file_path, "file of mode 600 that holds the token; read again when it is refused")
    ca_file: Path | None = option(file_path, "CA that signed Splunk's certificate; the system's when absent", None)
    index: str = option(_INDEX, "index of events whose service names none, and of health", "apisec")
    batch_bytes: int = option(size(1000, 5 * MIB), "largest request body, before gzip", 900_000)
    batch_seconds: float = option(number(0, 60, "seconds"), "longest wait for a batch to fill", 0.5)
    ack: bool = option(boolean, "use indexer acknowledgement: an event leaves the spool when it is indexed", True)
    ack_timeout_seconds: float = option(number(1, 3600, "seconds"), "a batch not acknowledged by then is resent", 60)
    timeout_seconds: float = option(number(0.1, 300, "seconds"), "longest wait for an answer", 30)


@dataclass(frozen=True)
class Admin:
    """The admin API (patterns, status, metrics)."""

    listen: Address = option(listen_address, "host:port to listen on")
    tls_certificate: Path = option(file_path, "certificate chain, PEM")
    tls_key: Path = option(file_path, "private key, PEM, mode 600")
    tokens_file: Path = option(file_path, "hashes of bearer tokens, mode 600 (`apisec-forwarder patterns token`)")


@dataclass(frozen=True)
class Decisions:
    """Block patterns: where they are kept, and how Envoy asks and is told."""

    socket: Path = option(socket_path, "unix socket on which Envoy asks (ext_authz)")
    feed_socket: Path = option(socket_path, "unix socket from the pipeline to the decisions")
    ecds_directory: Path = option(file_path, "folder that Envoy watches for rules that it holds itself")
    store: Path = option(file_path, "folder in which patterns persist")
    body_bytes: int = option(size(0, MIB), "bytes of a request body that a call-out sees", 64 * KIB)
    timeout_ms: int = option(integer(1, 5000, "ms"), "longest that a request waits for a decision; then it passes", 50)
    false_positive_limit: float = option(
        number(0, 1, "(a share)"), "largest upper bound of false positives with which a pattern may enforce", 0.01
    )


@dataclass(frozen=True)
class Limits:
    """Bounds of what an event carries."""

    body_bytes: int = option(size(0, MIB), "bytes of a redacted body in an event", 16 * KIB)


@dataclass(frozen=True)
class Health:
    """What the forwarder says about itself."""

    interval_seconds: float = option(number(0.1, 3600, "seconds"), "time between two health events", 10)


@dataclass(frozen=True)
class Config:
    """The whole file. ``path`` is the file that it was read from."""

    gateway: Gateway = option(section(Gateway), "the gateway's name and environment")
    receiver: Receiver = option(section(Receiver), "where traffic comes from")
    keys: Keys = option(section(Keys), "the key file")
    spool: Spool = option(section(Spool), "the folder in which events wait")
    hec: Hec = option(section(Hec), "where events go")
    services: tuple[Service, ...] = option(sequence(section(Service)), "the APIs and their teams", ())
    admin: Admin | None = option(section(Admin), "the admin API; absent: none", None)
    decisions: Decisions | None = option(section(Decisions), "block patterns; absent: none", None)
    limits: Limits = option(section(Limits), "bounds", factory=Limits)
    health: Health = option(section(Health), "health events", factory=Health)
    path: Path = Path()


SECTIONS = {
    "gateway": Gateway,
    "services[]": Service,
    "receiver.envoy": EnvoyReceiver,
    "keys": Keys,
    "spool": Spool,
    "hec": Hec,
    "admin": Admin,
    "decisions": Decisions,
    "limits": Limits,
    "health": Health,
}
