"""The sections under `receiver`: where traffic comes from."""

# ruff: noqa: RUF009 (option() is dataclasses.field with the reader of the value)
from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from apisec_forwarder.config.reader import (
    Address,
    file_path,
    integer,
    listen_address,
    option,
    section,
    sequence,
    size,
    socket_path,
    text,
)
from apisec_forwarder.config.values import GIB, KIB, MIB


class TlsSettings(Protocol):
    """What receivers that listen have in common."""

    @property
    def tls_certificate(self) -> Path | None: ...
    @property
    def tls_key(self) -> Path | None: ...
    @property
    def client_ca(self) -> Path | None: ...


def _tls_contradictions(where: str, settings: TlsSettings) -> Iterator[str]:
    if (settings.tls_certificate is None) != (settings.tls_key is None):
        yield f"{where}: tls_certificate and tls_key belong together"
    if settings.client_ca is not None and settings.tls_certificate is None:
        yield f"{where}: client_ca needs tls_certificate and tls_key"


def _here(address: Address) -> bool:
    """Whether only this very machine can reach it."""
    return address.host in ("127.0.0.1", "::1", "localhost")


@dataclass(frozen=True)
class EnvoyReceiver:
    """The copy that Envoy writes (`apisec-forwarder gateway` prints the Envoy configuration)."""

    log: Path = option(
        file_path, "access log that Envoy writes, and beside it one for each further worker; on a size-capped tmpfs"
    )
    admin_socket: Path | None = option(socket_path, "Envoy's admin socket; without it the log is never rotated", None)
    rotate_bytes: int = option(size(64 * KIB, 64 * GIB), "size at which the log is renamed and reopened", 32 * MIB)
    request_bytes: int = option(size(0, 4 * MIB), "bytes of a request's body that Envoy copies", 64 * KIB)
    response_bytes: int = option(size(0, 4 * MIB), "bytes of a response's body that Envoy copies", 64 * KIB)

    def shard(self, number: int) -> Path:
        """Return the log of one worker: Envoy deals its transactions out to as many logs as there are workers."""
        return self.log if number == 0 else self.log.with_name(f"{self.log.stem}.shard{number}{self.log.suffix}")


@dataclass(frozen=True)
class Queue:
    """Transactions that were taken in and wait for the worker; what does not fit is dropped and counted."""

    count: int = option(integer(1, 1_000_000, "transactions"), "most transactions that wait in one worker", 4096)
    bytes: int = option(size(64 * KIB, 4 * GIB), "most bytes of them in one worker", 32 * MIB)


@dataclass(frozen=True)
class ExtProcReceiver:
    """Envoy's external processing in observability mode: whole bodies, over gRPC. Give `socket` or `listen`."""

    socket: Path | None = option(socket_path, "unix socket on which Envoy reaches it", None)
    listen: Address | None = option(listen_address, "host:port, where Envoy runs elsewhere", None)
    tls_certificate: Path | None = option(file_path, "certificate chain, PEM; with `listen`", None)
    tls_key: Path | None = option(file_path, "private key, PEM, mode 600", None)
    client_ca: Path | None = option(file_path, "CA of the certificate that Envoy must have (mTLS)", None)
    admin_socket: Path | None = option(socket_path, "Envoy's admin socket: its count of what it began to send", None)
    body_bytes: int = option(size(0, 64 * MIB), "bytes of a body that are kept", MIB)
    queue: Queue = option(section(Queue), "what may be open or wait; beyond it copies are dropped", factory=Queue)

    def contradictions(self) -> Iterator[str]:
        """Yield what is wrong between the keys."""
        if (self.socket is None) == (self.listen is None):
            yield "receiver.ext_proc: give one of socket and listen"
        yield from _tls_contradictions("receiver.ext_proc", self)
        if self.listen is not None and not _here(self.listen) and self.client_ca is None:
            yield "receiver.ext_proc: anybody could send; give tls_certificate, tls_key and client_ca"


@dataclass(frozen=True)
class HttpReceiver:
    """Batches over HTTP: `POST /v1/transactions`, `/v1/kong`, `/v1/apisix` (docs/gateways/http.md)."""

    listen: Address | None = option(listen_address, "host:port to listen on; in clear only on this very machine", None)
    socket: Path | None = option(socket_path, "unix socket to listen on, instead of `listen`", None)
    tls_certificate: Path | None = option(file_path, "certificate chain, PEM", None)
    tls_key: Path | None = option(file_path, "private key, PEM, mode 600", None)
    client_ca: Path | None = option(file_path, "CA of the certificates that senders must have (mTLS)", None)
    tokens_file: Path | None = option(
        file_path, "hashes of bearer tokens with the scope `transactions:write`, mode 600", None
    )
    max_bytes: int = option(size(1000, 256 * MIB), "largest batch, unpacked", 16 * MIB)
    connections: int = option(integer(1, 100_000, "connections"), "connections of one worker at once", 1000)
    queue: Queue = option(section(Queue), "what may wait; beyond it senders are told to come again", factory=Queue)

    def contradictions(self) -> Iterator[str]:
        """Yield what is wrong between the keys."""
        if (self.listen is None) == (self.socket is None):
            yield "receiver.http: give one of listen and socket"
        yield from _tls_contradictions("receiver.http", self)
        if self.listen is None or _here(self.listen):
            return
        if self.tls_certificate is None:
            yield "receiver.http: raw traffic would cross the network in clear; give tls_certificate and tls_key"
        if self.tokens_file is None and self.client_ca is None:
            yield "receiver.http: anybody could send; give tokens_file, client_ca or both"


@dataclass(frozen=True)
class NginxReceiver:
    """The access log that NGINX writes with njs (`apisec-forwarder gateway --for nginx` prints the configuration)."""

    log: Path = option(file_path, "access log that NGINX writes; put it on a size-capped tmpfs")
    pid_file: Path | None = option(
        file_path, "NGINX's pid file: the forwarder rotates the log itself; without it logrotate does", None
    )
    rotate_bytes: int = option(size(64 * KIB, 64 * GIB), "size at which the log is renamed and reopened", 32 * MIB)
    request_bytes: int = option(size(0, 4 * MIB), "bytes of a request's body that NGINX copies", 64 * KIB)
    response_bytes: int = option(size(0, 4 * MIB), "bytes of a response's body that NGINX copies", 64 * KIB)


@dataclass(frozen=True)
class HaproxyReceiver:
    """HAProxy's log, by a ring over TCP (`apisec-forwarder gateway --for haproxy` prints the configuration)."""

    listen: Address = option(
        listen_address, "host:port for the first worker's ring; the ports after it are those of further workers"
    )
    tls_certificate: Path | None = option(file_path, "certificate chain, PEM", None)
    tls_key: Path | None = option(file_path, "private key, PEM, mode 600", None)
    client_ca: Path | None = option(file_path, "CA of the certificate that HAProxy must have (mTLS)", None)
    ring_bytes: int = option(
        size(MIB, 16 * GIB), "what HAProxy keeps in memory while the forwarder is away, all rings together", 64 * MIB
    )
    request_bytes: int = option(size(0, 20 * KIB), "bytes of a request's body that HAProxy copies", 16 * KIB)
    response_bytes: int = option(size(0, 20 * KIB), "bytes of a response's body that HAProxy copies", 16 * KIB)

    def contradictions(self) -> Iterator[str]:
        """Yield what is wrong between the keys."""
        yield from _tls_contradictions("receiver.haproxy", self)
        if not _here(self.listen) and self.client_ca is None:
            yield "receiver.haproxy: anybody could send; give tls_certificate, tls_key and client_ca"


@dataclass(frozen=True)
class FileReceiver:
    """A file or named pipe that another program writes; it is followed like `tail -F`."""

    path: Path = option(file_path, "the file or pipe; keep it on a tmpfs, for it holds raw traffic")
    format: str = option(text("jsonl|envoy|kong|apisix", "jsonl, envoy, kong or apisix"), "what a line holds", "jsonl")


@dataclass(frozen=True)
class Receiver:
    """Where traffic comes from; at least one."""

    envoy: EnvoyReceiver | None = option(section(EnvoyReceiver), "Envoy's access log (recommended)", None)
    ext_proc: ExtProcReceiver | None = option(section(ExtProcReceiver), "Envoy's external processing", None)
    http: HttpReceiver | None = option(section(HttpReceiver), "HTTP POST; Kong, APISIX and others", None)
    nginx: NginxReceiver | None = option(section(NginxReceiver), "NGINX", None)
    haproxy: HaproxyReceiver | None = option(section(HaproxyReceiver), "HAProxy", None)
    files: tuple[FileReceiver, ...] = option(sequence(section(FileReceiver), 0, 64), "files and pipes", ())

    def names(self) -> tuple[str, ...]:
        """Return the keys that are given."""
        return tuple(name for name, value in vars(self).items() if value)

    def contradictions(self) -> Iterator[str]:
        """Yield what is wrong between keys that are each fine."""
        if not self.names():
            yield f"receiver: give at least one of {', '.join(vars(self))}"
        for listening in (self.ext_proc, self.http, self.haproxy):
            if listening is not None:
                yield from listening.contradictions()
        logs = [one.log for one in (self.envoy, self.nginx) if one is not None]
        served = [one.socket or one.listen for one in (self.ext_proc, self.http) if one is not None]
        rings = [self.haproxy.listen] if self.haproxy is not None else []
        inputs = [str(one) for one in (*logs, *(one.path for one in self.files), *served, *rings)]
        for double in sorted({one for one in inputs if inputs.count(one) > 1}):
            yield f"receiver: {double} stands twice"
