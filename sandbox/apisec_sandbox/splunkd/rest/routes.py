"""Every endpoint of the management port."""

from __future__ import annotations

from apisec_sandbox.splunkd.rest import (
    access,
    apps,
    collections,
    configs,
    indexes,
    inputs,
    knowledge,
    models,
    outputs,
    parsing,
    receivers,
    saved,
    search,
    server,
    storage,
    system,
    users,
    views,
)
from apisec_sandbox.splunkd.rest.call import Route

ROUTES: tuple[Route, ...] = (
    *access.ROUTES,
    *apps.ROUTES,
    *collections.ROUTES,
    *configs.ROUTES,
    *indexes.ROUTES,
    *inputs.ROUTES,
    *knowledge.ROUTES,
    *models.ROUTES,
    *outputs.ROUTES,
    *parsing.ROUTES,
    *receivers.ROUTES,
    *saved.ROUTES,
    *search.ROUTES,
    *server.ROUTES,
    *storage.ROUTES,
    *system.ROUTES,
    *users.ROUTES,
    *views.ROUTES,
)
