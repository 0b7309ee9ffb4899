"""Applies bundles, takes them back, and says what they would change: behind the admin API, in the control process."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from apisec.bundles import effects as differences
from apisec.bundles.document import Bundle, parse, successor
from apisec.bundles.effects import Effect
from apisec.bundles.gate import FORWARDER, Configured, Refusal, Target, no_service, refusals, still_signed
from apisec.bundles.history import APPLY, EDIT, ROLLBACK, Entry, State
from apisec.bundles.release import Release
from apisec.bundles.release import parse as parse_release
from apisec.bundles.trust import Trust
from apisec.classification.overrides import Override, Overrides
from apisec.errors import ApisecError, ConfigError, DocumentError, did_you_mean
from apisec.model.pattern import Pattern
from apisec.patterns import spans
from apisec_forwarder.bundles import effect, signing
from apisec_forwarder.bundles.documents import read_file
from apisec_forwarder.bundles.store import BundleStore
from apisec_forwarder.config.schema import Bundles as Settings
from apisec_forwarder.config.schema import Config
from apisec_forwarder.decisions.registry import (
    UNASSIGNED,
    Caller,
    ForbiddenError,
    NotFoundError,
    PreconditionError,
    Wish,
)

MAX_TRUST_BYTES = 2**20
MAX_LISTED = 200  # effects and refusals that one audit record carries
Audit = Callable[[dict[str, Any], str, float], None]


class BundleRefusedError(ApisecError):
    """The release may not be applied here; ``refusals`` are all the reasons."""

    def __init__(self, refusals: list[Refusal]) -> None:
        self.refusals = refusals
        super().__init__("; ".join(one.message for one in refusals))


class ServiceUnknownError(NotFoundError):
    """No service of this name, or none that the caller may see."""


class Patterns(Protocol):
    """The part of the registry of block patterns that bundles need."""

    def put(self, identity: str, document: Any, caller: Caller, wish: Wish, now: float) -> tuple[Any, bool]: ...
    def delete(self, identity: str, caller: Caller, wish: Wish, now: float) -> None: ...
    def find(self, identity: str) -> Pattern | None: ...


@dataclass(frozen=True)
class Outcome:
    """What became of a request: ``changed`` is False when the same bundle was applied already."""

    state: State
    changed: bool
    effects: list[Effect]
    warnings: list[str]


Checked = tuple[Release, list[Refusal], Outcome | None]  # None: the caller has no such service


class Bundles:
    """The applied bundles of one forwarder. All methods but ``check`` are called from one thread.

    ``changing`` is held by whoever changes something: a large release is checked in a thread, so that call-outs,
    for which a client waits, are answered meanwhile.
    """

    def __init__(self, config: Config, base: Overrides, patterns: Patterns, audit: Audit) -> None:
        """``base`` are the overrides of the configuration's file."""
        if config.bundles is None:
            raise ConfigError("bundles need the section bundles", where=str(config.path))
        self._config = config
        self._settings: Settings = config.bundles
        self._base = base
        self._patterns = patterns
        self._audit = audit
        self._store = BundleStore(self._settings.store)
        self._states = self._store.load()
        self._in_force = {name: state.applied.digest for name, state in self._states.items()}
        self._services = {service.name: service for service in config.services}
        self.changing = asyncio.Lock()
        load_trust(self._settings.trust)

    # --- what there is ----------------------------------------------------------------------------------------

    def services(self, caller: Caller) -> list[str]:
        return [name for name in self._services if caller.reaches(self.team(name))]

    def team(self, service: str) -> str:
        state = self._states.get(service)
        return state.applied.release.bundle.ownership.team if state is not None else self._services[service].team

    def reach(self, service: str, caller: Caller) -> None:
        """Raise ServiceUnknownError unless the service is there and the caller's: both read alike."""
        if service not in self._services or not caller.reaches(self.team(service)):
            near = did_you_mean(service, self.services(caller))
            raise ServiceUnknownError(f"no service {service!r}{near}; GET /v1/services lists what there is")

    def present(self, service: str) -> Bundle:
        """Return what holds for a service: its applied bundle, or what the configuration says."""
        state = self._states.get(service)
        if state is not None:
            return state.applied.release.bundle
        return effect.configured(self._config, service, self._base)

    def state(self, service: str) -> State | None:
        return self._states.get(service)

    def in_force(self, service: str) -> str | None:
        """Return the digest of the bundle with which the processes of this generation were started."""
        return self._in_force.get(service)

    def overrides(self, service: str) -> tuple[Override, ...]:
        """Return the overrides that hold for a service, those for every service with them."""
        anywhere = [one for one in self._base.entries if one.service == "*"]
        return (*self.present(service).overrides.entries, *anywhere)

    def etag(self, service: str) -> str:
        """Return the strong ETag of what is applied."""
        state = self._states.get(service)
        text = state.applied.digest + repr(state.applied.at) if state is not None else f"configuration {service}"
        return f'"{hashlib.sha256(text.encode()).hexdigest()[:32]}"'

    # --- changes ----------------------------------------------------------------------------------------------

    def check(self, document: Any, caller: Caller, now: float) -> Checked:
        """Read a release and return every reason against it, and what it would change. Changes nothing itself."""
        release = parse_release(document)
        service = release.bundle.service
        if service not in self.services(caller):  # another team's reads as if it were not there
            return release, [no_service(service, self.services(caller), FORWARDER)], None
        if not caller.reaches(release.bundle.ownership.team):
            raise ForbiddenError(f"the token does not reach team {release.bundle.ownership.team!r}")
        found = refusals(release, self._target(service), now, signing.verify)
        found += self._foreign_patterns(release.bundle)
        changes = differences.effects(self.present(service), release.bundle, release.seen)
        state = self._states.get(service) or State(service, 0, ())
        return release, found, Outcome(state, True, changes, self._warnings(release.bundle))

    def apply(self, document: Any, caller: Caller, if_match: str | None, now: float) -> Outcome:
        """Apply a release; the one that is applied already changes nothing. BundleRefusedError with all reasons."""
        return self.settle(self.check(document, caller, now), caller, if_match, now)

    def settle(self, checked: Checked, caller: Caller, if_match: str | None, now: float) -> Outcome:
        """Apply what ``check`` has found; nothing may have changed in between (``changing`` is held)."""
        release, found, outcome = checked
        service = release.bundle.service
        state = self._states.get(service) if outcome is not None else None
        if state is not None and state.applied.digest == release.bundle.digest:
            return Outcome(state, False, [], self._warnings(release.bundle))
        if outcome is not None:
            self._precondition(service, if_match)
        if found or outcome is None:
            team = self.team(service) if outcome is not None else UNASSIGNED
            self._tell(release.bundle, "bundle_refused", team, caller, [one.message for one in found], now)
            raise BundleRefusedError(found)
        return self._settle(Entry(release, now, caller.name, APPLY), caller, outcome, now)

    def rollback(
        self, service: str, to: str | None, reason: str, caller: Caller, if_match: str | None, now: float
    ) -> Outcome:
        """Back to the release before, or to that of a digest; its signatures must still count."""
        self.reach(service, caller)
        self._precondition(service, if_match)
        state = self._states.get(service)
        if not reason:
            raise DocumentError("say why; the audit keeps it", where="reason")
        if state is None:
            raise DocumentError("there is no bundle before the applied one", where="service")
        wanted = state.before(to)
        release = wanted.release
        teams = tuple(sorted({self.team(service), release.bundle.ownership.team}))
        for team in teams:
            if not caller.reaches(team):
                raise ForbiddenError(f"the token does not reach team {team!r}")
        if wanted.action != EDIT:
            self._still_signed(release, teams, now)
        changes = differences.effects(state.applied.release.bundle, release.bundle, release.seen)
        entry = Entry(release, now, caller.name, ROLLBACK)
        return self._settle(entry, caller, Outcome(state, True, changes, []), now, reason)

    def edit(
        self, service: str, overrides: list[Any], reason: str, caller: Caller, if_match: str | None, now: float
    ) -> Outcome:
        """Make the next version of a service's bundle with other overrides, where the configuration allows it."""
        self.reach(service, caller)
        if not self._settings.editable:
            raise ForbiddenError("overrides are changed by signed bundles here (bundles.editable is false)")
        self._precondition(service, if_match)
        made = {"author": caller.name, "reason": reason, "at": spans.rfc3339(now)}
        state = self._states.get(service)
        if state is not None:
            document = successor(state.applied.release.bundle, made)
        else:
            chain = [self._config.gateway.env]
            document = effect.of_configuration(self._config, service, self._base, caller.name, reason, now, chain)
        document["overrides"] = overrides
        release = parse_release({"apisec_release": 1, "bundle": parse(document).document, "source": None})
        changes = differences.effects(self.present(service), release.bundle)
        lowered = [
            Refusal("lowered_class", f"{one.line()}: write an override that says why that is safe")
            for one in differences.unreasoned(changes)
        ]
        if lowered:
            raise BundleRefusedError(lowered)
        outcome = Outcome(state or State(service, 0, ()), True, changes, [])
        return self._settle(Entry(release, now, caller.name, EDIT), caller, outcome, now)

    def _settle(self, entry: Entry, caller: Caller, outcome: Outcome, now: float, reason: str = "") -> Outcome:
        bundle = entry.release.bundle
        before = self.present(bundle.service)
        why = reason or bundle.made.reason
        self._swap(before.patterns, bundle.patterns, caller, why, now)
        state = outcome.state.followed(entry)
        self._store.save(state)
        self._states[bundle.service] = state
        team = bundle.ownership.team
        self._tell(bundle, f"bundle_{entry.action}", team, caller, [one.line() for one in outcome.effects], now, why)
        return Outcome(state, True, outcome.effects, outcome.warnings)

    def _swap(
        self, before: tuple[Pattern, ...], after: tuple[Pattern, ...], caller: Caller, why: str, now: float
    ) -> None:
        """Bring the registry's patterns from one bundle's to the other's; when one is refused, none is changed."""
        former = {pattern.id: pattern for pattern in before}
        wish = Wish(reason=f"bundle: {why}"[:2000])
        undo: list[tuple[str, Pattern | None]] = []
        try:
            for pattern in after:
                known = self._patterns.find(pattern.id)
                same = pattern.id in former and former[pattern.id].document == pattern.document
                if known is None or not same:
                    undo.append((pattern.id, known))
                    self._patterns.put(pattern.id, pattern.document, caller, wish, now)
        except ApisecError:
            for identity, known in reversed(undo):
                if known is not None:
                    force = Wish(override=True, reason="a bundle was refused")
                    self._patterns.put(identity, known.document, caller, force, now)
                elif self._patterns.find(identity) is not None:
                    self._patterns.delete(identity, caller, wish, now)
            raise
        for identity in former.keys() - {pattern.id for pattern in after}:
            if self._patterns.find(identity) is not None:
                self._patterns.delete(identity, caller, wish, now)

    # --- reasons ----------------------------------------------------------------------------------------------

    def _target(self, service: str) -> Target:
        state = self._states.get(service)
        config = self._config
        return Target(
            environment=config.gateway.env,
            gateway=config.gateway.name,
            services={
                one.name: Configured(one.team, one.hosts, one.paths, one.redaction or config.redaction.mode)
                for one in config.services
            },
            present=self.present(service),
            applied=state.applied.digest if state is not None else None,
            version=state.applied.release.bundle.version if state is not None else 0,
            highest=state.highest if state is not None else 0,
            history=state.digests if state is not None else frozenset(),
            limit=config.decisions.false_positive_limit if config.decisions is not None else 0.01,
            trust=load_trust(self._settings.trust),
        )

    def _foreign_patterns(self, bundle: Bundle) -> list[Refusal]:
        found = []
        for pattern in bundle.patterns:
            known = self._patterns.find(pattern.id)
            if known is not None and known.service != bundle.service:
                found.append(Refusal("ownership", f"pattern id {pattern.id} is taken already; give it a new id"))
        return found

    def _still_signed(self, release: Release, teams: tuple[str, ...], now: float) -> None:
        trust = load_trust(self._settings.trust)
        refused = still_signed(release, trust, teams, self._config.gateway.env, now, signing.verify)
        if refused:
            raise BundleRefusedError(refused)

    def _precondition(self, service: str, if_match: str | None) -> None:
        if if_match is not None and if_match not in ("*", self.etag(service)):
            raise PreconditionError("another bundle was applied meanwhile; GET it and send its ETag in If-Match")

    def _warnings(self, bundle: Bundle) -> list[str]:
        """Say where the OpenAPI document that this forwarder reads is none of those that the bundle names."""
        path = next((one.openapi for one in self._config.services if one.name == bundle.service), None)
        if path is None or not bundle.specs:
            return []
        try:
            digest = "sha256:" + hashlib.sha256(path.read_bytes()).hexdigest()
        except OSError:
            return [f"{path} cannot be read"]
        known = any(one.sha256 == digest for one in bundle.specs)
        return [] if known else [f"{path} is none of the bundle's specs (its digest is {digest})"]

    def _tell(
        self, bundle: Bundle, change: str, team: str, caller: Caller, lines: list[str], now: float, reason: str = ""
    ) -> None:
        event = {
            "schema": 1,
            "time": round(now, 6),
            "actor": caller.name,
            "change": change,
            "bundle": bundle.digest,
            "version": bundle.version,
            "service": bundle.service,
            "team": team,
            "author": bundle.made.author,
            "reason": reason or bundle.made.reason,
            "effects" if change != "bundle_refused" else "refusals": lines[:MAX_LISTED],
        }
        self._audit(event, team, now)


def load_trust(path: Path) -> Trust:
    """Return the trusted keys; read at each use, so that a revocation counts at once."""
    if path.exists() and path.stat().st_mode & 0o022:
        raise ConfigError(f"others may write it; run: chmod go-w {path}", where=str(path))
    return Trust.parse(read_file(path, MAX_TRUST_BYTES), str(path))
