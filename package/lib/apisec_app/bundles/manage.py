"""Checks bundles, applies them and takes them back, for one caller at one moment."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any, Dict, List, NamedTuple, Optional, Tuple

from apisec.bundles import effects as differences
from apisec.bundles import gate
from apisec.bundles.document import Bundle, override_document, parse
from apisec.bundles.effects import Effect
from apisec.bundles.gate import SPLUNK, Configured, Refusal, Target, no_service, refusals, still_signed
from apisec.bundles.history import APPLY, ROLLBACK, Entry, State
from apisec.bundles.release import Release
from apisec.bundles.release import parse as parse_release
from apisec.classification.overrides import Overrides
from apisec.dispositions.exceptions import Exemption
from apisec.errors import ApisecError, DocumentError
from apisec.http.conditional import etag

from ..access import Caller
from ..dispositions import ExceptionStore
from ..kvstore import EXCEPTIONS, SPECS, TEAMS, Collection, Document
from ..overrides import OVERRIDES, OverrideStore
from ..specs.store import Specs
from ..teams import Owners, TeamStore, owners
from . import effect, services
from .store import BUNDLES, BundleStore, BusyError, Held, Pending

BALANCED = "balanced"  # of bundles that do not name a mode: Splunk redacts nothing, so it asks for none
AS_KNOWN = "Splunk"  # author of what no bundle says
Match = Callable[[Optional[str]], None]  # holds If-Match against an ETag


class BundleRefusedError(ApisecError):
    """The release may not be applied here; ``refusals`` are all the reasons."""

    def __init__(self, found: List[Refusal], release: Optional[Release] = None) -> None:
        self.refusals = found
        self.release = release
        super().__init__("; ".join(one.message for one in found))


class UnknownServiceError(ApisecError):
    """No service of this name, or none that the caller may see."""


class ForbiddenError(ApisecError):
    """The caller is of one team, and the change concerns another one too."""


class Present(NamedTuple):
    """What holds for a service now, by a bundle or without one.

    Without what other teams say of operations that rules give to them: that is not this bundle's to change.
    """

    held: Held
    overrides: Overrides
    exceptions: Tuple[Exemption, ...]
    team: str

    @property
    def bundle(self) -> Optional[Bundle]:
        """The applied bundle."""
        return self.held.state.applied.release.bundle if self.held.state is not None else None

    @property
    def parts(self) -> Tuple[Overrides, Tuple[Exemption, ...], str]:
        """What of it can be edited beside the bundle."""
        return self.overrides, self.exceptions, self.team

    @property
    def etag(self) -> str:
        """Differs after each change, of the bundle or of what holds beside it."""
        state = self.held.state
        entries = [override_document(one) for one in self.overrides.entries]
        applied = [state.applied.digest, repr(state.applied.at)] if state is not None else []
        hidden = [one.to_document() for one in self.exceptions]
        return etag([applied, self.team, entries, hidden, self.held.pending is not None])


class Outcome(NamedTuple):
    """What became of a request: ``changed`` is False when the same bundle was applied already."""

    service: str
    changed: bool
    effects: List[Effect]
    warnings: List[str]


class Checked(NamedTuple):
    """A release with every reason against it; ``outcome`` is None when the caller has no such service."""

    release: Release
    refusals: List[Refusal]
    outcome: Optional[Outcome]


class Bundles:
    """``system`` is connected with Splunk's own session; ``now`` is in seconds since the epoch.

    ``owned`` says who owns what now, where the caller has read that already.
    """

    def __init__(self, system: Any, caller: Caller, now: float, owned: Optional[Owners] = None) -> None:
        self._system = system
        self._caller = caller
        self._now = now
        self.store = BundleStore(Collection(system, BUNDLES))
        self._overrides = OverrideStore(Collection(system, OVERRIDES))
        self._exceptions = ExceptionStore(Collection(system, EXCEPTIONS))
        self._specs = Specs(Collection(system, SPECS))
        self._read = owned
        self._holder = ""  # of the lock, while something changes

    # --- what there is ----------------------------------------------------------------------------------------

    @property
    def _owners(self) -> Owners:
        if self._read is None:
            self._read = owners(self._system)
        return self._read

    def services(self) -> Dict[str, str]:
        """Return the services that the caller sees, with their teams."""
        found = {name: self._owners.of(name) for name in sorted(services.names(self._system, self._owners))}
        return {name: team for name, team in found.items() if self._caller.sees(team)}

    def reach(self, service: str) -> str:
        """Return a service's team. UnknownServiceError unless it is there and the caller's: both read alike."""
        team = self._owners.of(service)
        if not self._caller.sees(team) or not services.is_known(self._system, self._owners, service):
            raise UnknownServiceError(f"no service {service!r}, or it belongs to a team that is not yours")
        return team

    def present(self, service: str) -> Present:
        """Return what holds for a service; what a crash left unfinished is finished first."""
        held = self.store.held(service)
        if held.pending is not None:
            with contextlib.suppress(BusyError), self._changing(service) as settled:
                held = settled
        return self._present(service, held)

    def _present(self, service: str, held: Held) -> Present:
        team = self._owners.of(service)
        named = held.state.applied.release.bundle.overrides if held.state is not None else Overrides()
        places = {(one.path, one.operation, one.location) for one in named.entries}
        own = Overrides(
            one
            for one in self._overrides.load([service]).entries
            if one.service == service
            and ((one.path, one.operation, one.location) in places or not self._foreign(service, team, one.operation))
        )
        return Present(held, own, self._exceptions.promoted(service, self._now), team)

    def document(self, service: str, present: Present) -> Dict[str, Any]:
        """Return the applied bundle's document; without one, what Splunk knows, as the start of a first one."""
        if present.bundle is not None:
            return dict(present.bundle.document)
        environment = self.store.settings().environment or "DEV"
        specs = [
            {"url": _url(str(one["source"])), "sha256": f"sha256:{one['sha256']}"} for one in self._published(service)
        ]
        return effect.known(
            service, present.team, present.overrides, present.exceptions, specs, environment, AS_KNOWN, 0.0
        )

    def edited(self, present: Present) -> Optional[Dict[str, Any]]:
        """Return the applied bundle's document with what holds now in it; None where that is the same."""
        if present.bundle is None:
            return None
        found = effect.drift(present.bundle, *present.parts)
        if not found.any and not found.beside:
            return None
        return effect.edited(present.bundle, *present.parts)

    def _published(self, service: str) -> List[Dict[str, Any]]:
        """Return the heads of the documents in force that have a digest of their text."""
        newest: Dict[str, Dict[str, Any]] = {}
        for head in self._specs.heads(service):
            newest.setdefault(str(head["name"]), head)
        return [head for head in newest.values() if head.get("sha256")]

    # --- changes ----------------------------------------------------------------------------------------------

    def check(self, document: Any) -> Checked:
        """Read a release and return every reason against it, and what it would change. Changes nothing itself."""
        release = parse_release(document)
        service = release.bundle.service
        if not self._sees(service):
            return Checked(release, [no_service(service, self.services(), SPLUNK)], None)
        return self._check(release, self.present(service))

    def _sees(self, service: str) -> bool:
        try:
            self.reach(service)
        except UnknownServiceError:
            return False
        return True

    def _check(self, release: Release, present: Present) -> Checked:
        bundle = release.bundle
        self._reaches(bundle.ownership.team)
        target = self._target(bundle.service, present)
        found = self._nowhere() or [*refusals(release, target, self._now), *self._unowned(bundle)]
        before = target.present
        changes = differences.effects(before, bundle, release.seen) if before is not None else []
        published = {str(one["name"]): str(one["sha256"]) for one in self._published(bundle.service)}
        return Checked(release, found, Outcome(bundle.service, True, changes, effect.unlisted_specs(bundle, published)))

    def _nowhere(self) -> List[Refusal]:
        """Return the refusal while it is unknown which environment this is; an administrator says so."""
        if self.store.settings().environment:
            return []
        message = "nobody has said which environment this Splunk is: PUT /services/apisec/v1/environment"
        return [Refusal(gate.ENVIRONMENT, message)]

    def _reaches(self, team: str) -> None:
        if not self._caller.sees(team):
            raise ForbiddenError(f"the bundle is of team {team!r}, which is not yours")

    def apply(self, document: Any, match: Match) -> Outcome:
        """Apply a release. BundleRefusedError with all reasons; BusyError while somebody else changes the service.

        The bundle that is applied already changes nothing, or takes back what was edited here since.
        """
        release = parse_release(document)
        service = release.bundle.service
        if not self._sees(service):
            raise BundleRefusedError([no_service(service, self.services(), SPLUNK)], release)
        with self._changing(service) as held:
            present = self._present(service, held)
            checked = self._check(release, present)
            match(present.etag)
            found, again = (
                checked.refusals,
                present.bundle is not None and present.bundle.digest == release.bundle.digest,
            )
            if again:
                if present.bundle is not None and not effect.drift(present.bundle, *present.parts).any:
                    return Outcome(service, False, [], checked.outcome.warnings if checked.outcome else [])
                found = self._unsigned(release, self._teams_of(release, present)) + self._unowned(release.bundle)
            if found or checked.outcome is None:
                raise BundleRefusedError(found, release)
            self._settle(held.state, Pending(Entry(release, self._now, self._caller.user, APPLY), ""))
        return checked.outcome

    def rollback(self, service: str, to: Optional[str], reason: str, match: Match) -> Outcome:
        """Go back to the release before, or to that of a digest; its signatures must still count."""
        self.reach(service)
        with self._changing(service) as held:
            present = self._present(service, held)
            match(present.etag)
            if held.state is None:
                raise DocumentError("there is no bundle before the applied one", where="service")
            release = held.state.before(to).release
            self._reaches(release.bundle.ownership.team)
            found = self._unsigned(release, self._teams_of(release, present)) + self._unowned(release.bundle)
            if found:
                raise BundleRefusedError(found, release)
            before = self._as_bundle(service, present)
            changes = differences.effects(before, release.bundle, release.seen) if before is not None else []
            entry = Entry(release, self._now, self._caller.user, ROLLBACK)
            self._settle(held.state, Pending(entry, reason))
        return Outcome(service, True, changes, [])

    @contextlib.contextmanager
    def _changing(self, service: str) -> Iterator[Held]:
        """Hold the service's lock; what a crash left unfinished is finished first."""
        holder = self._holder = self.store.lock(service, self._now)
        try:
            held = self.store.held(service)
            if held.pending is not None:
                # What was acceptable then may not be now, if somebody gave the service away meanwhile. It stays so,
                # is shown as such, and the next change takes its place: each writes everything anew.
                with contextlib.suppress(DocumentError):
                    held = Held(self._finish(held.state, held.pending), None)
            yield held
        finally:
            self.store.unlock(service, holder)

    def _settle(self, state: Optional[State], pending: Pending) -> None:
        self.store.begin(pending.entry.release.bundle.service, state, pending, self._now)
        self._finish(state, pending)

    def _finish(self, state: Optional[State], pending: Pending) -> State:
        """Write what a change means, and then the change into the history. Doing it again does no harm."""
        entry = pending.entry
        bundle = entry.release.bundle
        listed = [override_document(one) for one in bundle.overrides.entries]

        def foreign(row: Document) -> bool:
            return bool(self._foreign(bundle.service, bundle.ownership.team, row.get("operation")))

        self._overrides.replace(
            bundle.service, listed, author=entry.by, now=entry.at, bundle=bundle.digest, keep=foreign
        )
        self._exceptions.replace(bundle.service, bundle.exceptions, entry.at, bundle.digest)
        author = f"bundle of {bundle.service}, version {bundle.version}"
        documents = TeamStore(self._system).documents()
        moved = effect.moved(documents, bundle.service, bundle.ownership.team, author, entry.at)
        Collection(self._system, TEAMS).save(moved)
        self._read = None
        if not self.store.holds(bundle.service, self._holder):  # whoever has it now has seen this change as pending
            raise BusyError(f"the change of {bundle.service} took too long; see what holds, and try again")
        after = (state or State(bundle.service, 0, ())).followed(entry)
        self.store.end(after, self._now)
        return after

    # --- reasons ----------------------------------------------------------------------------------------------

    def _as_bundle(self, service: str, present: Present) -> Optional[Bundle]:
        if present.bundle is None:
            return effect.as_bundle(self.document(service, present))
        return parse(effect.edited(present.bundle, *present.parts), "what holds")

    def _target(self, service: str, present: Present) -> Target:
        state = present.held.state
        return Target(
            environment=self.store.settings().environment,
            gateway=None,
            services={service: Configured(present.team, (), (), BALANCED)},
            present=self._as_bundle(service, present),
            applied=state.applied.digest if state is not None else None,
            version=state.applied.release.bundle.version if state is not None else 0,
            highest=state.highest if state is not None else 0,
            history=state.digests if state is not None else frozenset(),
            trust=self.store.trust(),
        )

    def _teams_of(self, release: Release, present: Present) -> Tuple[str, ...]:
        """Return the teams that a key must speak for: the release's, and the one that has the service now."""
        return tuple(sorted({release.bundle.ownership.team, present.team} - {""}))

    def _unsigned(self, release: Release, teams: Tuple[str, ...]) -> List[Refusal]:
        return still_signed(release, self.store.trust(), teams, self.store.settings().environment, self._now)

    def _foreign(self, service: str, team: str, operation: Optional[str]) -> str:
        """Return the other team that a rule gives an operation to, of a service of ``team``; empty: there is none."""
        rule = self._owners.why({"service": service, "operation": operation}).rule if operation else None
        return rule.team if rule is not None and rule.path and rule.team != team else ""

    def _unowned(self, bundle: Bundle) -> List[Refusal]:
        """Return what of the bundle speaks of operations of teams that are not the caller's."""
        found = []
        for one in bundle.overrides.entries:
            other = self._foreign(bundle.service, bundle.ownership.team, one.operation)
            if other and not self._caller.sees(other):
                message = f"{one.path} of {one.operation}: a rule gives this operation to another team; leave it out"
                found.append(Refusal(gate.OWNERSHIP, message))
        for hidden in bundle.exceptions:
            other = self._foreign(bundle.service, bundle.ownership.team, hidden.operation)
            if other and not self._caller.sees(other):
                message = f"exception of {hidden.operation}: a rule gives this operation to another team; leave it out"
                found.append(Refusal(gate.OWNERSHIP, message))
        return found


def _url(source: str) -> str:
    """Return where a document came from, as a bundle writes it."""
    return source if source.startswith(("https://", "http://")) else "file:" + "_".join(source.split())
