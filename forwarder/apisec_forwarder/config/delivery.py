"""The sections `spool` and `hec`: where events wait, and where they go."""

# ruff: noqa: RUF009 (option() is dataclasses.field with the reader of the value)
from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from apisec_forwarder.config.reader import (
    boolean,
    file_path,
    integer,
    number,
    option,
    section,
    sequence,
    size,
    text,
    url,
)
from apisec_forwarder.config.values import GIB, INDEX, KIB, MIB, NAME, PROXY

if TYPE_CHECKING:
    from apisec_forwarder.config.schema import Service


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
    proxy: str | None = option(PROXY, "proxy on the way to it", None)


@dataclass(frozen=True)
class HecTeam:
    """A team whose events go by a token of its own, which authorises its indexes and no others."""

    team: str = option(NAME, "name of the team, as services name it")
    token_file: Path = option(file_path, "file of mode 600 that holds its token, for all targets")
    index: str | None = option(INDEX, "index of those services of the team that name none", None)


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
        PROXY, "HTTP proxy (CONNECT), such as http://proxy.example:3128; the environment is never asked", None
    )
    proxy_credentials_file: Path | None = option(file_path, "file of mode 600 that holds `user:password`", None)
    index: str = option(INDEX, "index of events whose service names none, and of health", "apisec")
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
