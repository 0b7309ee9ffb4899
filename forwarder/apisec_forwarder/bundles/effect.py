"""How applied bundles take effect: services and overrides of the configuration, with those of the bundles in place.

A service's bundle replaces what the configuration's file of overrides says of exactly that service; what the file
says of every service (``*``) stays. Hosts and paths that a bundle does not name stay as they are configured.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from apisec.bundles.document import FORMAT, Bundle, override_document, parse
from apisec.classification.overrides import Overrides
from apisec.patterns import spans
from apisec_forwarder.bundles.store import BundleStore
from apisec_forwarder.config.schema import Config

if TYPE_CHECKING:
    from apisec_forwarder.pipeline import Service


def applied(config: Config) -> dict[str, Bundle]:
    """Return the applied bundles by service; those of services that the configuration no longer has are left out."""
    if config.bundles is None:
        return {}
    states = BundleStore(config.bundles.store).load()
    names = {service.name for service in config.services}
    return {name: state.applied.release.bundle for name, state in states.items() if name in names}


def overrides(base: Overrides, bundles: Mapping[str, Bundle]) -> Overrides:
    """Return the overrides of the file with those of the bundles in their place."""
    kept = [one for one in base.entries if one.service not in bundles]
    return Overrides([*kept, *(one for bundle in bundles.values() for one in bundle.overrides.entries)])


def services(
    config: Config, base: Iterable[Service], bundles: Mapping[str, Bundle], environment: str
) -> tuple[Service, ...]:
    """Return the services with team, hosts, paths and mode as their bundles say."""
    return tuple(_service(config, one, bundles[one.name], environment) if one.name in bundles else one for one in base)


def _service(config: Config, service: Service, bundle: Bundle, environment: str) -> Service:
    owner = bundle.ownership
    moved = owner.team != service.team
    return dataclasses.replace(
        service,
        team=owner.team,
        index=(config.hec.team_index(owner.team) or config.hec.index) if moved else service.index,
        hosts=owner.hosts_in(environment) or service.hosts,
        paths=owner.paths or service.paths,
        mode=bundle.mode or service.mode,
    )


def of_configuration(
    config: Config, service: str, base: Overrides, author: str, reason: str, now: float, environments: list[str]
) -> dict[str, Any]:
    """Return what the configuration says of a service as the document of a first bundle."""
    found = next(one for one in config.services if one.name == service)
    document: dict[str, Any] = {
        "apisec_bundle": FORMAT,
        "service": service,
        "version": 1,
        "environments": environments,
        "made": {"author": author, "reason": reason, "at": spans.rfc3339(now)},
        "ownership": {"team": found.team},
    }
    listed = [override_document(one) for one in base.entries if one.service == service]
    return {**document, "overrides": listed} if listed else document


def configured(config: Config, service: str, base: Overrides) -> Bundle:
    """Return what the configuration says of a service, as a bundle to compare with."""
    chain = [config.gateway.env]
    return parse(of_configuration(config, service, base, "configuration", "as configured", 0.0, chain))
