"""The sections of the configuration, their keys, meanings, bounds and defaults. The reference is made from here."""

# ruff: noqa: RUF009 (option() is dataclasses.field with the reader of the value)
from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from apisec_forwarder.config.delivery import Hec, HecTarget, HecTeam, Spool
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
)
from apisec_forwarder.config.receivers import (
    EnvoyReceiver,
    ExtProcReceiver,
    FileReceiver,
    HaproxyReceiver,
    HttpReceiver,
    NginxReceiver,
    Queue,
    Receiver,
)
from apisec_forwarder.config.values import CLASS, GIB, HOST, INDEX, KIB, MIB, MODE, NAME, PATH_PREFIX, TEAM


@dataclass(frozen=True)
class Gateway:
    """The gateway whose traffic this forwarder sees."""

    name: str = option(NAME, "name of the gateway; it is the host of every event")
    env: str = option(NAME, "environment, such as DEV, QA or PROD")


@dataclass(frozen=True)
class Service:
    """One API. A request belongs to the service with the longest matching path of a matching host."""

    name: str = option(NAME, "name of the service")
    team: str = option(NAME, "team that owns it")
    hosts: tuple[str, ...] = option(sequence(HOST, 1, 1000), "hosts it is served on; `*.domain` and `*` are allowed")
    paths: tuple[str, ...] = option(sequence(PATH_PREFIX, 1, 1000), "path prefixes that belong to it", ("/",))
    index: str | None = option(INDEX, "Splunk index of its team's events; `hec.index` when absent", None)
    openapi: Path | None = option(file_path, "its OpenAPI document: path templates are taken from there first", None)
    redaction: str | None = option(MODE, "`balanced` or `strict` for this service; `redaction.mode` when absent", None)


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
        sequence(CLASS, 0, 200),
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
        MODE, "`balanced`, or `strict`: a valid checksum is enough, whatever the field's name", "balanced"
    )
    overrides: Path | None = option(file_path, "file of overrides: classes that teams give to their fields", None)


SCOPE = text(r"(patterns|bundles):(read|write)", "patterns:read, patterns:write, bundles:read or bundles:write")


@dataclass(frozen=True)
class LdapGroup:
    """What the members of a group may do, and for which teams."""

    group: str = option(text(), "distinguished name of the group")
    teams: tuple[str, ...] = option(sequence(TEAM, 1, 1000), "teams whose services it reaches; `*` for all")
    scopes: tuple[str, ...] = option(sequence(SCOPE, 1, 10), "scopes, as those of tokens")


@dataclass(frozen=True)
class Ldap:
    """People of a directory, by name and password, beside the bearer tokens (docs/bundles.md)."""

    url: str = option(
        text(r"ldaps?://[A-Za-z0-9.\[\]:-]{1,253}", "ldaps://host or ldap://host"),
        "the directory; TLS is always verified",
    )
    bind_dn: str = option(text(), "distinguished name of the account that searches")
    bind_password_file: Path = option(file_path, "its password, mode 600")
    base: str = option(text(), "where people are searched for")
    groups: tuple[LdapGroup, ...] = option(sequence(section(LdapGroup), 1, 1000), "groups and what they may do")
    start_tls: bool = option(boolean, "with ldap://: change to TLS before anything is sent", False)
    ca_file: Path | None = option(file_path, "CA of the directory's certificate; the system's when absent", None)
    user_filter: str = option(
        text(), "finds a person; `{user}` is the name given", "(&(objectClass=person)(uid={user}))"
    )
    group_base: str | None = option(text(), "where groups are searched for; `base` when absent", None)
    group_filter: str = option(
        text(), "finds a person's groups; `{dn}` is the person", "(&(objectClass=groupOfNames)(member={dn}))"
    )
    timeout_seconds: float = option(number(0.1, 60, "seconds"), "for each step", 5)
    cache_seconds: float = option(number(0, 600, "seconds"), "how long an answer counts", 60)


@dataclass(frozen=True)
class Admin:
    """The admin API (patterns, status, metrics)."""

    listen: Address = option(listen_address, "host:port to listen on")
    tls_certificate: Path = option(file_path, "certificate chain, PEM")
    tls_key: Path = option(file_path, "private key, PEM, mode 600")
    tokens_file: Path = option(file_path, "hashes of bearer tokens, mode 600 (`apisec-forwarder patterns token`)")
    ldap: Ldap | None = option(section(Ldap), "people of a directory; absent: bearer tokens only", None)


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
class Bundles:
    """Signed bundles of overrides, ownership and patterns (docs/bundles.md)."""

    store: Path = option(file_path, "folder in which applied bundles persist; all processes of the forwarder read it")
    trust: Path = option(file_path, "file of the public keys whose signatures count, with their teams and environments")
    editable: bool = option(
        boolean, "overrides may also be changed over the admin API without a signature: for DEV", False
    )


@dataclass(frozen=True)
class Limits:
    """Bounds of what an event carries."""

    body_bytes: int = option(size(0, MIB), "bytes of a redacted body in an event", 16 * KIB)


@dataclass(frozen=True)
class Signals:
    """Evidence of attacks in values (docs/signals.md)."""

    learn_parameters: bool = option(
        boolean,
        "learn what parameters, headers and cookies usually carry, and say what departs; keeps hashed traits, no value",
        True,
    )


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
    bundles: Bundles | None = option(section(Bundles), "bundles and their promotion; absent: none", None)
    vault: Vault | None = option(section(Vault), "values of test traffic, for active tests; absent: none", None)
    workers: Workers = option(section(Workers), "processes and their memory", factory=Workers)
    signals: Signals = option(section(Signals), "evidence of attacks", factory=Signals)
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
    "bundles": Bundles,
    "vault": Vault,
    "spool": Spool,
    "hec": Hec,
    "hec.targets[]": HecTarget,
    "hec.teams[]": HecTeam,
    "admin": Admin,
    "admin.ldap": Ldap,
    "admin.ldap.groups[]": LdapGroup,
    "decisions": Decisions,
    "signals": Signals,
    "limits": Limits,
    "metrics": MetricsEndpoint,
    "health": Health,
}
