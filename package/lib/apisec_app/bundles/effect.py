"""What an applied bundle is in Splunk: the overrides and exceptions of its service, and the team that owns it.

Splunk has no reader for the rest: patterns and thresholds work at forwarders, hosts, paths and gateways say there which
traffic is the service's, and specs are references, held against the documents that Splunk has of the service.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Dict, List, NamedTuple, Optional, Tuple

from apisec.bundles import effects as differences
from apisec.bundles.document import FORMAT, Bundle, exception_document, override_document, parse
from apisec.bundles.effects import Effect
from apisec.classification.overrides import Override, Overrides
from apisec.dispositions.exceptions import Exemption
from apisec.patterns import spans
from apisec.teams import Teams

from ..kvstore import Document

UNREAD = ("patterns", "thresholds")  # parts that travel with the bundle and change nothing in Splunk


class Drift(NamedTuple):
    """How what holds differs from the applied bundle, because somebody edited it here."""

    overrides: List[Effect]
    notes: List[str]  # overrides with another author, reason or expiry, exceptions, a service that another team owns
    beside: List[str]  # exceptions that analysts made here: they stay when the bundle is applied again

    @property
    def any(self) -> bool:
        return bool(self.overrides or self.notes)


def moved(documents: Iterable[Document], service: str, team: str, author: str, now: float) -> List[Document]:
    """Return the teams' documents that change when a bundle gives a service to a team.

    Nothing changes where rules give it to the team already. Else the team gets a rule for exactly this service, and
    rules for exactly it go from the others; a team without a document gets one.
    """
    held = [dict(one) for one in documents]
    if Teams.parse(held, ties=False).owner(service) == team:
        return []
    rule = {"service": service}
    changed: List[Document] = []
    for document in held:
        owns = [one for one in document.get("owns") or () if one != rule]
        if document["_key"] == team:
            owns.append(rule)
        if owns != list(document.get("owns") or ()):
            document.update(owns=owns, author=author, updated=now)
            changed.append(document)
    if not any(document["_key"] == team for document in held):
        made = {"_key": team, "version": 1, "owns": [rule], "author": author, "updated": now}
        changed.append(made)
    return changed


def known(
    service: str,
    team: str,
    overrides: Overrides,
    exceptions: Iterable[Exemption],
    specs: Iterable[Mapping[str, str]],
    environment: str,
    author: str,
    now: float,
) -> Dict[str, Any]:
    """Return what Splunk knows of a service without a bundle, as the document of a first one."""
    document: Dict[str, Any] = {
        "apisec_bundle": FORMAT,
        "service": service,
        "version": 1,
        "environments": [environment],
        "made": {"author": author, "reason": "as it is in Splunk", "at": spans.rfc3339(now)},
        "ownership": {"team": team},
    }
    listed = [override_document(one) for one in overrides.entries if one.service == service]
    named = [dict(one) for one in specs]
    hidden = [exception_document(one) for one in exceptions]
    parts = {"specs": named, "overrides": listed, "exceptions": hidden}
    return {**document, **{name: part for name, part in parts.items() if part}}


def edited(bundle: Bundle, overrides: Overrides, exceptions: Iterable[Exemption], team: str) -> Dict[str, Any]:
    """Return the bundle's document with what holds now in place of its overrides, its exceptions and its team."""
    document = {name: part for name, part in bundle.document.items() if name not in ("overrides", "exceptions")}
    listed = [override_document(one) for one in overrides.entries if one.service == bundle.service]
    hidden = [exception_document(one) for one in exceptions]
    document.update({name: part for name, part in (("overrides", listed), ("exceptions", hidden)) if part})
    document["ownership"] = {**document["ownership"], "team": team or bundle.ownership.team}
    return document


def drift(bundle: Bundle, overrides: Overrides, exceptions: Iterable[Exemption], team: str) -> Drift:
    """Return how overrides, exceptions and owner differ from the applied bundle."""
    own = Overrides(one for one in overrides.entries if one.service == bundle.service)
    changes = list(differences.fields(bundle.overrides, own, bundle.service))
    notes = list(_notes(_by_place(bundle.overrides), _by_place(own)))
    hidden = list(differences.exceptions(bundle.exceptions, exceptions))
    notes += [one.line() for one in hidden if one.kind != differences.ADDED]
    beside = [one.line() for one in hidden if one.kind == differences.ADDED]
    if team != bundle.ownership.team:
        notes.append(f"the service belongs to team {team or 'none'}, the bundle says {bundle.ownership.team}")
    return Drift(changes, notes, beside)


Place = Tuple[str, Optional[str], Optional[str]]


def _by_place(overrides: Overrides) -> Dict[Place, Override]:
    return {(one.path, one.operation, one.location): one for one in overrides.entries}


def _notes(before: Mapping[Place, Override], after: Mapping[Place, Override]) -> Iterable[str]:
    """Yield the overrides that came, went, or say the same class in other words."""
    for place in sorted({*before, *after}, key=repr):
        old, new = before.get(place), after.get(place)
        where = f"{place[0]} of {place[1] or 'every operation'}" + (f" ({place[2]})" if place[2] else "")
        if old is None or new is None:
            yield f"override of {where}: {'added' if old is None else 'removed'} in Splunk"
        elif old != new:
            names = [name for name in ("data_class", "author", "reason", "expires") if _differs(old, new, name)]
            yield f"override of {where}: {', '.join(names).replace('data_class', 'class')} changed in Splunk"


def _differs(old: Override, new: Override, name: str) -> bool:
    return bool(getattr(old, name) != getattr(new, name))


def unlisted_specs(bundle: Bundle, published: Mapping[str, str]) -> List[str]:
    """Return a warning for each document of the service in Splunk that is none of the bundle's specs.

    ``published`` is the SHA-256 of each document in force, by its name.
    """
    if not bundle.specs:
        return []
    digests = {one.sha256 for one in bundle.specs}
    return [
        f"the published document {name} is none of the bundle's specs (its digest is sha256:{digest})"
        for name, digest in sorted(published.items())
        if f"sha256:{digest}" not in digests
    ]


def as_bundle(document: Mapping[str, Any]) -> Optional[Bundle]:
    """Return a bundle to compare with; None while the service has no team, without which there is none."""
    return parse(document, "what Splunk knows") if document["ownership"]["team"] else None
