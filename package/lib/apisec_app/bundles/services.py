"""Which services Splunk knows: those of its inventory, those that a rule gives to a team, those with a bundle."""

from __future__ import annotations

from typing import Any, Set

from ..kvstore import ARCHIVE, INVENTORY, Collection
from ..teams import Owners
from .store import BUNDLES, BundleStore


def names(system: Any, owned: Owners) -> Set[str]:
    """Return every service that is known by name."""
    found = set(BundleStore(Collection(system, BUNDLES)).heads())
    for name in (INVENTORY, ARCHIVE):
        found |= {str(one["service"]) for one in Collection(system, name).load(fields=("service",))}
    rules = (rule for team in owned.teams for rule in team.owns)
    return found | {rule.service for rule in rules if rule.service and "*" not in rule.service}


def is_known(system: Any, owned: Owners, service: str) -> bool:
    """Return whether a service is known, also by a rule with wildcards: before its first traffic, that is."""
    if owned.teams.why(service).rule is not None or BundleStore(Collection(system, BUNDLES)).head(service) is not None:
        return True
    query = {"service": service}
    return any(Collection(system, name).load(query, fields=("_key",)) for name in (INVENTORY, ARCHIVE))
