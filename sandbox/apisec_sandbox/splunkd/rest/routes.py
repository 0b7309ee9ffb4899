"""Every endpoint of the management port."""

from __future__ import annotations

from apisec_sandbox.splunkd.rest import (
    collections,
    configs,
    objects,
    parsing,
    receivers,
    saved,
    search,
    storage,
    system,
    users,
)
from apisec_sandbox.splunkd.rest.call import Route

ROUTES: tuple[Route, ...] = (
    *collections.ROUTES,
    *configs.ROUTES,
    *objects.ROUTES,
    *parsing.ROUTES,
    *receivers.ROUTES,
    *saved.ROUTES,
    *search.ROUTES,
    *storage.ROUTES,
    *system.ROUTES,
    *users.ROUTES,
)
