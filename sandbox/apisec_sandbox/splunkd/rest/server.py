"""server/*: what this splunkd is, its settings, log levels and restart; a licence that is always there.

Source: REST API Reference, "System endpoint descriptions", "License endpoint descriptions".
"""

from __future__ import annotations

import platform
from typing import Any

from apisec_sandbox.splunkd.atom import Entry, quoted
from apisec_sandbox.splunkd.builtin import BUILD, PRODUCT, VERSION
from apisec_sandbox.splunkd.confs import is_true
from apisec_sandbox.splunkd.rest.call import Call, Route
from apisec_sandbox.splunkd.web import HttpError, Reply

NAME = "apisec-sandbox"
GUID = "00000000-0000-4000-8000-000000000000"
LEVELS = ("DEBUG", "INFO", "WARN", "ERROR", "CRIT", "FATAL")
HIDDEN = "********"
# Setting: conf, stanza, default. Source: server/settings/settings; server.conf.spec, web.conf.spec.
SETTINGS: dict[str, tuple[str, str, Any]] = {
    "enableSplunkWebSSL": ("web", "settings", False),
    "host": ("inputs", "default", NAME),
    "httpport": ("web", "settings", 8000),
    "mgmtHostPort": ("web", "settings", ""),
    "minFreeSpace": ("server", "diskUsage", 5000),
    "pass4SymmKey": ("server", "general", HIDDEN),
    "serverName": ("server", "general", NAME),
    "sessionTimeout": ("server", "general", "1h"),
    "startwebserver": ("web", "settings", False),
    "trustedIP": ("server", "general", ""),
}


def _fixed(name: str, content: dict[str, Any], path: str) -> Entry:
    return Entry(name, content, path, "", "system", "system", removable=False, modifiable=False)


def info(call: Call) -> Reply:
    system = platform.uname()
    content: dict[str, Any] = {
        "activeLicenseGroup": "Enterprise",
        "activeLicenseSubgroup": "Production",
        "build": BUILD,
        "cpu_arch": system.machine,
        "fips_mode": False,
        "guid": GUID,
        "health_info": "green",
        "health_version": 1,
        "host": NAME,
        "host_fqdn": NAME,
        "host_resolved": NAME,
        "isForwarding": False,
        "isFree": False,
        "isTrial": False,
        "kvStoreStatus": "ready",
        "licenseKeys": ["0" * 64],
        "licenseLabels": ["apisec-sandbox"],
        "licenseSignature": "0" * 32,
        "licenseState": "OK",
        "license_labels": ["apisec-sandbox"],
        "manager_guid": GUID,
        "manager_uri": "self",
        "master_guid": GUID,
        "master_uri": "self",
        "max_users": 4294967295,
        "mode": "normal",
        "numberOfCores": 1,
        "os_build": system.version,
        "os_name": system.system,
        "os_name_extended": system.system,
        "os_version": system.release,
        "product_type": PRODUCT,
        "rtsearch_enabled": False,
        "serverName": _setting(call, "serverName"),
        "server_roles": ["indexer", "license_manager", "license_master", "kv_store", "search_head"],
        "startup_time": int(call.splunkd.started),
        "staticAssetId": BUILD,
        "version": VERSION,
    }
    return call.one("server-info", _fixed("server-info", content, "server/info/server-info"))


def _setting(call: Call, name: str) -> Any:
    conf, stanza, default = SETTINGS[name]
    held = call.splunkd.confs.stanza(conf, stanza)
    text = held.get(name) if held else ""
    if name == "mgmtHostPort":
        return call.splunkd.runner.mgmt_port
    if name == "pass4SymmKey" or not text:
        return default
    return is_true(text) if isinstance(default, bool) else int(text) if isinstance(default, int) else text


def settings(call: Call) -> Reply:
    content = {
        "SPLUNK_DB": str(call.splunkd.home.data),
        "SPLUNK_HOME": str(call.splunkd.home.root),
        "kvStorePort": 8191,
        **{name: _setting(call, name) for name in SETTINGS},
    }
    entry = Entry("settings", content, "server/settings/settings", "", "system", "system", removable=False)
    return call.one("settings", entry)


def edit_settings(call: Call) -> Reply:
    call.require("edit_server", "admin_all_objects")
    for name, value in call.settings("name").items():
        if name not in SETTINGS or name in ("mgmtHostPort", "pass4SymmKey"):
            raise HttpError(400, f'Argument "{name}" is not supported by this handler.')
        conf, stanza, default = SETTINGS[name]
        if isinstance(default, int) and not isinstance(default, bool) and not value.isdigit():
            raise HttpError(400, f"{name} must be a whole number")
        call.splunkd.confs.write(conf, stanza, {name: value}, "system")
    return settings(call)


# Log levels


def _logger(name: str, level: str) -> Entry:
    return Entry(name, {"level": level}, f"server/logger/{quoted(name)}", "", "system", "system", removable=False)


def loggers(call: Call) -> Reply:
    return call.feed("logger", [_logger(name, level) for name, level in call.splunkd.log_levels.items()])


def logger(call: Call, name: str) -> Reply:
    level = call.splunkd.log_levels.get(name)
    if level is None:
        raise HttpError(404, f"Could not find object id={name}")
    return call.one("logger", _logger(name, level))


def edit_logger(call: Call, name: str) -> Reply:
    """The level is shown and lasts until the next restart, as splunkd's own."""
    call.require("edit_server", "admin_all_objects")
    logger(call, name)
    level = call.needed("level")
    if level not in LEVELS:
        raise HttpError(400, f"Invalid level {level!r}; known: {', '.join(LEVELS)}")
    call.splunkd.log_levels[name] = level
    return logger(call, name)


# Control


def controls(call: Call) -> Reply:
    entries = [_fixed(name, {}, f"server/control/{name}") for name in ("restart", "restart_webui")]
    return call.feed("control", entries)


def restart(call: Call) -> Reply:
    """What a client sees of a restart: sessions, jobs and messages are gone, configuration is read anew."""
    call.require("restart_splunkd", "admin_all_objects")
    call.splunkd.restart()
    return call.message(200, "INFO", "Restarting splunkd.")


def restart_web(call: Call) -> Reply:
    call.require("restart_splunkd", "admin_all_objects")
    return call.message(200, "INFO", "There is no Splunk Web here.")


def health(call: Call) -> Reply:
    return call.one("health-report", _fixed("splunkd", {"health": "green"}, "server/health/splunkd"))


# Licence


def groups(call: Call) -> Reply:
    content = {"is_active": True, "stack_ids": ["enterprise"]}
    return call.feed("groups", [_fixed("Enterprise", content, "licenser/groups/Enterprise")])


def licenses(call: Call) -> Reply:
    content = {
        "label": "apisec-sandbox",
        "status": "VALID",
        "type": "enterprise",
        "group_id": "Enterprise",
        "stack_id": "enterprise",
        "quota": 0,
        "features": [],
    }
    return call.feed("licenses", [_fixed("0" * 64, content, f"licenser/licenses/{'0' * 64}")])


ROUTES: tuple[Route, ...] = (
    Route("GET", "server/info", info),
    Route("GET", "server/info/server-info", info),
    Route("GET", "server/settings", settings),
    Route("GET", "server/settings/settings", settings),
    Route("POST", "server/settings/settings", edit_settings),
    Route("GET", "server/logger", loggers),
    Route("GET", "server/logger/{name}", logger),
    Route("POST", "server/logger/{name}", edit_logger),
    Route("GET", "server/control", controls),
    Route("POST", "server/control/restart", restart),
    Route("POST", "server/control/restart_webui", restart_web),
    Route("GET", "server/health/splunkd", health),
    Route("GET", "licenser/groups", groups),
    Route("GET", "licenser/licenses", licenses),
)
