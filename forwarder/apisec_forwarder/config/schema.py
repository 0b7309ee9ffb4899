"""The sections of the configuration, their keys, meanings, bounds and defaults. The reference is made from here."""

# ruff: noqa: RUF009 (option() is dataclasses.field with the reader of the value)
from __future__ import annotations

from collections.abc import Iterable, Iterator
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
_MODE = text(r"balanced|strict", "balanced or strict")
_PROXY = text(
    r"http://([A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\]):[0-9]{1,5}",
    "a proxy such as http://proxy.example:3128 (credentials stand in proxy_credentials_file)",
)
_CLASS = text(r"[a-z_]+(\.[a-z0-9_]+)*", "a data class such as pci.pan (docs/reference/classes.md)")
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
    redaction: str | None = option(_MODE, "`balanced` or `strict` for this service; `redaction.mode` when absent", None)


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
        if (self.tls_certificate is None) != (self.tls_key is None):
            yield "receiver.ext_proc: tls_certificate and tls_key belong together"
        if self.client_ca is not None and self.tls_certificate is None:
            yield "receiver.ext_proc: client_ca needs tls_certificate and tls_key"
        local = self.listen is None or self.listen.host in ("127.0.0.1", "::1", "localhost")
        if not local and self.client_ca is None:
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
        if (self.tls_certificate is None) != (self.tls_key is None):
            yield "receiver.http: tls_certificate and tls_key belong together"
        if self.client_ca is not None and self.tls_certificate is None:
            yield "receiver.http: client_ca needs tls_certificate and tls_key"
        if self.listen is None or self.listen.host in ("127.0.0.1", "::1", "localhost"):
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
    """HAProxy's log as datagrams (`apisec-forwarder gateway --for haproxy` prints the configuration)."""

    socket: Path = option(socket_path, "unix datagram socket that HAProxy's log directive names")
    stats_socket: Path | None = option(socket_path, "HAProxy's stats socket: its own count of dropped logs", None)
    request_bytes: int = option(size(0, 20 * KIB), "bytes of a request's body that HAProxy copies", 16 * KIB)
    response_bytes: int = option(size(0, 20 * KIB), "bytes of a response's body that HAProxy copies", 16 * KIB)
    queue: Queue = option(section(Queue), "what may wait", factory=Queue)


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
        if self.ext_proc is not None:
            yield from self.ext_proc.contradictions()
        if self.http is not None:
            yield from self.http.contradictions()
        logs = [one.log for one in (self.envoy, self.nginx) if one is not None]
        listening = (self.ext_proc, self.http, self.haproxy)
        sockets = [one.socket for one in listening if one is not None and one.socket is not None]
        inputs = [*logs, *(one.path for one in self.files), *sockets]
        for path in sorted({path for path in inputs if inputs.count(path) > 1}):
            yield f"receiver: {path} stands twice"


@dataclass(frozen=True)
class Workers:
    """The processes that decode, classify and redact."""

    count: int = option(integer(1, 64, "processes"), "how many; one a core that the gateway leaves free", 1)
    memory: int = option(
        size(64 * MIB, 64 * GIB), "resident bytes above which a worker finishes its batch and is replaced", 256 * MIB
    )
    engine: str = option(
        text("auto|native|pure", "auto, native or pure"),
        "`native` needs the wheels of hyperscan and orjson, `auto` takes it where they are; both make the same events",
        "auto",
    )


@dataclass(frozen=True)
class MetricsEndpoint:
    """Metrics and health by HTTP, where there is no admin API: `/metrics`, `/healthz`, `/readyz`."""

    listen: Address = option(listen_address, "host:port to listen on; metrics hold no value from traffic")


@dataclass(frozen=True)
class Keys:
    """The keys that make tokens: from exactly one of `file`, `environment` and `command`."""

    file: Path | None = option(file_path, "key file of mode 600 (`apisec-forwarder keys generate`)", None)
    environment: str | None = option(
        text(r"[A-Za-z_][A-Za-z0-9_]{0,127}", "the name of an environment variable"),
        "variable that holds the key document, as JSON or base64 of it",
        None,
    )
    command: tuple[str, ...] = option(
        sequence(text(), 1, 64), "program and arguments that print the key document, such as a secret manager's", ()
    )
    fips: bool = option(boolean, "refuse keys whose algorithm FIPS 140 does not approve (BLAKE2)", False)
    format_preserving: tuple[str, ...] = option(
        sequence(_CLASS, 0, 200),
        "classes whose tokens keep digits and length (FF1); the key's holder can undo them",
        (),
    )


@dataclass(frozen=True)
class Vault:
    """Turns tokens back for active tests only: keeps, encrypted, the values of marked test traffic. Absent: none."""

    file: Path = option(file_path, "database of mode 600, made when it is not there")
    secret_file: Path = option(file_path, "secret of mode 600 (`apisec-forwarder vault init`)")
    keep_hours: float = option(number(0.1, 24 * 30, "hours"), "how long a value is kept", 24)
    max_values: int = option(
        integer(1, 10_000_000, "values"), "most values that are kept; the oldest go first", 100_000
    )


@dataclass(frozen=True)
class Redaction:
    """What counts as sensitive (docs/classification.md)."""

    mode: str = option(
        _MODE, "`balanced`, or `strict`: a valid checksum is enough, whatever the field's name", "balanced"
    )
    overrides: Path | None = option(file_path, "file of overrides: classes that teams give to their fields", None)


@dataclass(frozen=True)
class Spool:
    """Redacted events wait here until Splunk has acknowledged them."""

    directory: Path = option(file_path, "folder of mode 700 on a disk that survives a restart")
    max_bytes: int = option(size(1 * MIB, 2**50), "cap of all waiting events together; `overflow` says what then", GIB)
    sync_seconds: float = option(number(0.01, 60, "seconds"), "longest time that an event waits for fsync", 0.5)
    overflow: str = option(
        text("drop_oldest|pause", "drop_oldest or pause"),
        "at the cap or on a full disk: `drop_oldest` drops and counts the oldest events, `pause` stops reading, so that"
        " the log outside is the buffer",
        "drop_oldest",
    )


@dataclass(frozen=True)
class HecTarget:
    """One HTTP Event Collector. What is absent here is taken from `hec`."""

    url: str = option(url, "base URL, such as https://splunk.example:8088")
    token_file: Path | None = option(file_path, "file of mode 600 that holds its token", None)
    ca_file: Path | None = option(file_path, "CA that signed its certificate", None)
    client_certificate: Path | None = option(file_path, "certificate chain by which it knows this forwarder, PEM", None)
    client_key: Path | None = option(file_path, "private key of that certificate, PEM, mode 600", None)
    proxy: str | None = option(_PROXY, "proxy on the way to it", None)


@dataclass(frozen=True)
class HecTeam:
    """A team whose events go by a token of its own, which authorises its indexes and no others."""

    team: str = option(_NAME, "name of the team, as services name it")
    token_file: Path = option(file_path, "file of mode 600 that holds its token, for all targets")
    index: str | None = option(_INDEX, "index of those services of the team that name none", None)


@dataclass(frozen=True)
class Hec:
    """Splunk's HTTP Event Collector."""

    token_file: Path = option(file_path, "file of mode 600 that holds the token; read again when it is refused")
    url: str | None = option(url, "base URL, such as https://splunk.example:8088; absent where `targets` stands", None)
    targets: tuple[HecTarget, ...] = option(sequence(section(HecTarget), 0, 32), "several instead of `url`", ())
    strategy: str = option(
        text("failover|balance", "failover or balance"),
        "`failover`: the first target that works; `balance`: all that work",
        "failover",
    )
    teams: tuple[HecTeam, ...] = option(sequence(section(HecTeam), 0, 1000), "teams with a token of their own", ())
    ca_file: Path | None = option(file_path, "CA that signed Splunk's certificate; the system's when absent", None)
    client_certificate: Path | None = option(file_path, "certificate chain of this forwarder (mTLS), PEM", None)
    client_key: Path | None = option(file_path, "private key of that certificate, PEM, mode 600", None)
    proxy: str | None = option(
        _PROXY, "HTTP proxy (CONNECT), such as http://proxy.example:3128; the environment is never asked", None
    )
    proxy_credentials_file: Path | None = option(file_path, "file of mode 600 that holds `user:password`", None)
    index: str = option(_INDEX, "index of events whose service names none, and of health", "apisec")
    batch_bytes: int = option(size(1000, 5 * MIB), "largest request body, before gzip", 900_000)
    batch_seconds: float = option(number(0, 60, "seconds"), "longest wait for a batch to fill", 0.5)
    event_bytes: int = option(
        size(4 * KIB, MIB),
        "larger events are cut down, bodies first; the app's `TRUNCATE` is 262144, above which Splunk would cut",
        256_000,
    )
    connections: int = option(integer(1, 64, "connections"), "requests under way at one target", 2)
    window: int = option(integer(1, 4096, "batches"), "batches sent and not yet acknowledged", 64)
    ack: bool = option(boolean, "use indexer acknowledgement: an event leaves the spool when it is indexed", True)
    ack_timeout_seconds: float = option(number(1, 3600, "seconds"), "a batch not acknowledged by then is resent", 60)
    timeout_seconds: float = option(number(0.1, 300, "seconds"), "longest wait for an answer", 30)

    def resolved(self) -> tuple[HecTarget, ...]:
        """Return the targets, each with everything that it takes from here."""
        given = self.targets or (HecTarget(url=self.url or ""),)
        return tuple(
            HecTarget(
                url=one.url,
                token_file=one.token_file or self.token_file,
                ca_file=one.ca_file or self.ca_file,
                client_certificate=one.client_certificate or self.client_certificate,
                client_key=one.client_key or self.client_key,
                proxy=one.proxy or self.proxy,
            )
            for one in given
        )

    def team_index(self, team: str) -> str | None:
        """Return the index of a team's services that name none; None when the team has none either."""
        return next((one.index for one in self.teams if one.team == team and one.index), None)

    def team_routes(self, services: Iterable[Service]) -> Iterator[tuple[str, str]]:
        """Yield (index, team) for every index whose events go by a team's own token."""
        owned = list(services)
        for one in self.teams:
            indexes = {service.index for service in owned if service.team == one.team} | {one.index}
            yield from ((index, one.team) for index in sorted(filter(None, indexes)))

    def contradictions(self, services: Iterable[Service]) -> Iterator[str]:
        """Yield what is wrong between keys that are each fine."""
        owned = list(services)
        if (self.url is None) == (not self.targets):
            yield "hec: give either url or targets"
        urls = [one.url for one in self.targets]
        for double in sorted({one for one in urls if urls.count(one) > 1}):
            yield f"hec.targets: {double!r} stands twice"
        pairs = [("hec", self.client_certificate, self.client_key)]
        pairs += [(f"hec.targets: {one.url}", one.client_certificate, one.client_key) for one in self.targets]
        for where, certificate, key in pairs:
            if (certificate is None) != (key is None):
                yield f"{where}: client_certificate and client_key belong together"
        yield from self._team_contradictions(owned)

    def _team_contradictions(self, services: list[Service]) -> Iterator[str]:
        teams = [one.team for one in self.teams]
        for team in sorted({team for team in teams if teams.count(team) > 1}):
            yield f"hec.teams: {team!r} stands twice"
        routes = list(self.team_routes(services))
        for team in sorted(set(teams) - {team for _, team in routes}):
            yield f"hec.teams: {team!r} names no index, nor does a service of that team: its token would never be used"
        others = {service.index or self.team_index(service.team) or self.index: service.team for service in services}
        for index, team in routes:
            shared = {one for other, one in routes if other == index and one != team}
            if index == self.index:
                shared.add("hec.index")
            if index in others and others[index] != team:
                shared.add(others[index])
            for other in sorted(shared):
                yield f"hec.teams: index {index!r} of {team!r} is also that of {other!r}: a token goes by its index"


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
    redaction: Redaction = option(section(Redaction), "modes and overrides", factory=Redaction)
    vault: Vault | None = option(section(Vault), "values of test traffic, for active tests; absent: none", None)
    workers: Workers = option(section(Workers), "processes and their memory", factory=Workers)
    limits: Limits = option(section(Limits), "bounds", factory=Limits)
    metrics: MetricsEndpoint | None = option(section(MetricsEndpoint), "metrics without the admin API", None)
    health: Health = option(section(Health), "health events", factory=Health)
    path: Path = Path()


SECTIONS = {
    "gateway": Gateway,
    "services[]": Service,
    "receiver.envoy": EnvoyReceiver,
    "receiver.ext_proc": ExtProcReceiver,
    "receiver.http": HttpReceiver,
    "receiver.nginx": NginxReceiver,
    "receiver.haproxy": HaproxyReceiver,
    "receiver.files[]": FileReceiver,
    "receiver.*.queue": Queue,
    "workers": Workers,
    "keys": Keys,
    "redaction": Redaction,
    "vault": Vault,
    "spool": Spool,
    "hec": Hec,
    "hec.targets[]": HecTarget,
    "hec.teams[]": HecTeam,
    "admin": Admin,
    "decisions": Decisions,
    "limits": Limits,
    "metrics": MetricsEndpoint,
    "health": Health,
}
