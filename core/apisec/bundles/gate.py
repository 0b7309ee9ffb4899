"""Whether a release may be applied: every reason against it, each as a message that names the thing and the remedy."""

from __future__ import annotations

import datetime
from dataclasses import dataclass, field
from typing import FrozenSet, Iterable, Iterator, List, Mapping, NamedTuple, Optional, Tuple

from apisec.bundles import ed25519
from apisec.bundles.document import Bundle
from apisec.bundles.effects import MIN_REASON, effects, unreasoned
from apisec.bundles.release import Release
from apisec.bundles.trust import Trust, Verify
from apisec.dispositions.exceptions import out_of_bounds
from apisec.errors import PatternError, did_you_mean
from apisec.model.pattern import ENFORCE
from apisec.patterns.replay import check_evidence

MAX_SEEN_AGE = 30 * 86400.0  # seconds: what a quarter ago was seen says little of today's fields
STRICT = "strict"
FORWARDER, SPLUNK = "forwarder", "Splunk"  # where a release is applied
MAX_NAMED = 10  # fields that one message lists

SIGNATURE, KEY_SCOPE, SERVICE, ENVIRONMENT, GATEWAY = "signature", "key_scope", "service", "environment", "gateway"
BASE, VERSION, LOWERED_CLASS, UNCLASSIFIED = "base", "version", "lowered_class", "unclassified_field"
SEEN, EXPIRED, EVIDENCE, PATTERN_EXPIRED, OWNERSHIP, EXCEPTION = (
    "seen",
    "expired_override",
    "evidence",
    "expired_pattern",
    "ownership",
    "exception",
)


class Refusal(NamedTuple):
    """Why not: ``code`` for machines, ``message`` for people."""

    code: str
    message: str


def no_service(service: str, known: Iterable[str], place: str) -> Refusal:
    """Return the refusal of a service that is not there, or is another team's: both read alike.

    ``known`` are the services that the caller may see; ``place`` is FORWARDER or SPLUNK.
    """
    near = did_you_mean(service, known)
    if place == FORWARDER:
        message = f"the forwarder has no service {service!r} of your teams{near}; add it to its configuration"
    else:
        message = f"Splunk knows no service {service!r} of your teams{near}; a team's rule must give it to a team"
    return Refusal(SERVICE, message)


class Configured(NamedTuple):
    """What the forwarder's own configuration says of a service; its hosts and paths bound what a bundle may claim."""

    team: str
    hosts: Tuple[str, ...]
    paths: Tuple[str, ...]
    mode: str


@dataclass(frozen=True)
class Target:
    """Where a release is to be applied. ``present`` is what holds there for the service, by bundle or configuration.

    ``gateway`` is None for Splunk: it takes the events of every gateway and routes no traffic, so that hosts, paths and
    gateways of a bundle claim nothing there. ``applied`` and ``version`` are the digest and version of the bundle that
    is applied (None and 0: none yet), ``highest`` is the highest version that ever was, ``history`` are the digests
    that were applied before.
    """

    environment: str
    gateway: Optional[str]
    services: Mapping[str, Configured]
    present: Optional[Bundle] = None
    applied: Optional[str] = None
    version: int = 0
    highest: int = 0
    history: FrozenSet[str] = frozenset()
    limit: float = 0.01  # largest upper bound of false positives with which a pattern may enforce
    trust: Trust = field(default_factory=Trust)

    @property
    def place(self) -> str:
        """What people call it."""
        return FORWARDER if self.gateway is not None else SPLUNK


def refusals(release: Release, target: Target, now: float, verify: Verify = ed25519.verify) -> List[Refusal]:
    """Return every reason why the release may not be applied at ``now`` (seconds since the epoch); none: it may."""
    bundle = release.bundle
    if bundle.service not in target.services:
        return [no_service(bundle.service, target.services, target.place)]
    found = list(_signatures(release, target, now, verify))
    found += _place(bundle, target)
    found += _claims(bundle, target)
    found += _descent(bundle, target)
    if not any(one.code == ENVIRONMENT for one in found):
        found += _source(release, target, now)
    found += _lowered(release, target)
    found += _dated(bundle, target, now)
    return found


def still_signed(
    release: Release,
    trust: Trust,
    teams: Tuple[str, ...],
    environment: str,
    now: float,
    verify: Verify = ed25519.verify,
) -> List[Refusal]:
    """Return why a release that was applied once may not come back: no signature of it counts any more."""
    good, bad = trust.signers(release, teams, environment, now, verify)
    return [] if good else [Refusal(SIGNATURE, why) for why in bad or ["the bundle is not signed"]]


def _signatures(release: Release, target: Target, now: float, verify: Verify) -> Iterator[Refusal]:
    if not release.signatures:
        yield Refusal(SIGNATURE, "the bundle is not signed; sign it with: apisec-forwarder bundle sign")
        return
    teams = {release.bundle.ownership.team}
    if target.present is not None:
        teams.add(target.present.ownership.team)  # who takes a service over needs a key of both teams
    good, bad = target.trust.signers(release, tuple(sorted(teams)), target.environment, now, verify)
    broken = [why for why in bad if "does not fit" in why]
    if good and not broken:
        return
    scoped = [why for why in bad if " may not sign " in why]
    for why in broken or scoped[:1] or bad[:1]:
        remedy = (
            "sign with a key that may, or widen its scope in the trust file"
            if scoped and not broken
            else ("sign it again with a trusted key")
        )
        yield Refusal(KEY_SCOPE if scoped and not broken else SIGNATURE, f"{why}; {remedy}")


_ADD = "where it is to go there, add that to environments in its source, and sign it again"


def _place(bundle: Bundle, target: Target) -> Iterator[Refusal]:
    if target.environment not in bundle.environments:
        chain = " → ".join(bundle.environments)
        yield Refusal(ENVIRONMENT, f"the bundle goes {chain}; this {target.place} is {target.environment}; {_ADD}")
    if target.gateway is not None and not bundle.ownership.covers(target.gateway):
        named = ", ".join(bundle.ownership.gateways)
        yield Refusal(GATEWAY, f"the bundle is for the gateways {named}; this forwarder is at {target.gateway}")


def _claims(bundle: Bundle, target: Target) -> Iterator[Refusal]:
    """A bundle may narrow the hosts and paths of its service, never reach for traffic of others."""
    if target.gateway is None:
        return
    given = target.services[bundle.service]
    for host in bundle.ownership.hosts_in(target.environment):
        if host not in given.hosts:
            message = f"host {host} is not among those of service {bundle.service} in the configuration"
            yield Refusal(OWNERSHIP, f"{message} ({', '.join(given.hosts)}); add it there")
    for path in bundle.ownership.paths:
        rivals = [
            (len(prefix), name)
            for name, one in target.services.items()
            if set(one.hosts) & set(given.hosts)
            for prefix in one.paths
            if path == prefix or path.startswith(prefix.rstrip("/") + "/")
        ]
        if not rivals or max(rivals)[1] != bundle.service:
            owner = "belongs to another service" if rivals else f"is not below {', '.join(given.paths)}"
            yield Refusal(
                OWNERSHIP, f"path {path} {owner}: a bundle takes only what the configuration gives its service"
            )


def _descent(bundle: Bundle, target: Target) -> Iterator[Refusal]:
    if bundle.digest == target.applied:
        return  # it is there already: a pipeline that was cut off begins anew
    if target.applied is not None and not bundle.descends(target.applied):
        yield Refusal(
            BASE,
            f"wrong base: version {target.version} ({target.applied[:19]}…) is applied here, and this bundle was made "
            f"from {(bundle.base or 'none')[:19]}{'…' if bundle.base else ''}; export the applied one and make the "
            "change on it",
        )
    floor = target.version if bundle.digest in target.history else target.highest
    if bundle.version <= floor:
        yield Refusal(VERSION, f"version {bundle.version} is not above {floor}, which was applied here; raise it")


def _source(release: Release, target: Target, now: float) -> Iterator[Refusal]:
    """What the environment before has seen must be there, recent, and classified."""
    expected = release.bundle.before(target.environment)
    first = expected is None and release.environment in (None, target.environment)
    if not first and release.environment != expected:
        came = release.environment or "nowhere"
        message = f"{target.environment} takes bundles from {expected or 'itself'}, and this one comes from {came}"
        yield Refusal(ENVIRONMENT, f"{message}; sign it with what {expected or target.environment} has seen")
        return
    if release.environment is None:
        return
    seen = release.seen
    if seen is None:
        yield Refusal(SEEN, "the file of fields seen is not with the bundle; sign with --seen FILE")
        return
    if seen.service != release.bundle.service or seen.environment != release.environment:
        said = f"{seen.service} in {seen.environment}"
        yield Refusal(
            SEEN, f"the fields seen are those of {said}, not of {release.bundle.service} in {release.environment}"
        )
    if seen.until < now - MAX_SEEN_AGE:
        yield Refusal(SEEN, "the fields seen end more than 30 days ago; export them again")
    missing = seen.unclassified(release.bundle.overrides)
    if missing:
        listed = "; ".join(
            f"{one.path} of {one.operation} ({one.location}, {one.data_class})" for one in missing[:MAX_NAMED]
        )
        more = f" and {len(missing) - MAX_NAMED} more" if len(missing) > MAX_NAMED else ""
        yield Refusal(
            UNCLASSIFIED,
            f"{release.environment} has seen sensitive fields that the bundle does not classify: {listed}{more}; give "
            "each an override with its class, or none with the reason",
        )


def _lowered(release: Release, target: Target) -> Iterator[Refusal]:
    if target.present is None:
        return
    changes = effects(target.present, release.bundle, release.seen)
    for one in unreasoned(changes)[:MAX_NAMED]:
        why = f"its reason has less than {MIN_REASON} characters" if one.reason else "no override gives a reason"
        yield Refusal(LOWERED_CLASS, f"{one.line()}: {why}; write an override that says why that is safe")
    configured = target.services[release.bundle.service].mode
    before, after = target.present.mode or configured, release.bundle.mode or configured
    if before == STRICT and after != STRICT and len(release.bundle.made.reason) < MIN_REASON:
        message = f"redaction: {before} → {after} (lowered): made.reason must say why"
        yield Refusal(LOWERED_CLASS, f"{message} in {MIN_REASON} characters or more")


def _dated(bundle: Bundle, target: Target, now: float) -> Iterator[Refusal]:
    today = datetime.datetime.fromtimestamp(now, datetime.timezone.utc).date()
    for index, one in enumerate(bundle.overrides.entries):
        if one.expires is not None and one.expires <= today:
            yield Refusal(EXPIRED, f"overrides[{index}] ({one.path}) has expired on {one.expires}; renew or remove it")
    for index, hidden in enumerate(bundle.exceptions):
        wrong = out_of_bounds(hidden, today)
        if wrong:
            yield Refusal(EXCEPTION, f"exceptions[{index}].expires: {wrong}")
    limit = min(target.limit, bundle.limit if bundle.limit is not None else target.limit)
    if bundle.limit is not None and bundle.limit > target.limit:
        message = f"thresholds.false_positive_limit {bundle.limit:g} is above this {target.place}'s {target.limit:g}"
        yield Refusal(EVIDENCE, f"{message}; a bundle may only be stricter")
    for pattern in bundle.patterns:
        if pattern.expires <= now:
            yield Refusal(PATTERN_EXPIRED, f"pattern {pattern.title!r} has expired; renew or remove it")
        elif pattern.mode == ENFORCE:
            try:
                check_evidence(pattern, now, limit)
            except PatternError as error:
                yield Refusal(EVIDENCE, f"pattern {pattern.title!r} is to enforce: {error}")
