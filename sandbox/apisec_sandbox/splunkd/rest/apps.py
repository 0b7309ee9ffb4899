"""apps/local: installed apps.

Source: REST API Reference, "Application endpoint descriptions".
"""

from __future__ import annotations

import re
import shutil
import tarfile
from pathlib import Path
from typing import Any

from apisec_sandbox.errors import AppError
from apisec_sandbox.splunkd.apps import install
from apisec_sandbox.splunkd.atom import Entry, quoted
from apisec_sandbox.splunkd.confs import is_true, render
from apisec_sandbox.splunkd.home import BUILT_IN_APPS, write_atomic
from apisec_sandbox.splunkd.rest.call import Call, Route
from apisec_sandbox.splunkd.web import HttpError, Reply

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.\-]{0,99}\Z")
TEMPLATES = ("barebones", "sample_app")
RESTART = "Splunk must be restarted for changes to take effect."
# Argument: stanza and key of app.conf (docs: app.conf.spec)
PLACES = {
    "author": ("launcher", "author"),
    "check_for_updates": ("package", "check_for_updates"),
    "configured": ("install", "is_configured"),
    "description": ("launcher", "description"),
    "label": ("ui", "label"),
    "show_in_nav": ("ui", "show_in_nav"),
    "version": ("launcher", "version"),
    "visible": ("ui", "is_visible"),
}
FLAGS = ("check_for_updates", "configured", "show_in_nav", "visible")
ABOUT_INSTALL = ("name", "filename", "update", "auth", "session", "explicit_appname", "template")


def _entry(call: Call, name: str) -> Entry:
    stanzas = call.splunkd.confs.app_conf(name)
    launcher, ui, state = stanzas.get("launcher", {}), stanzas.get("ui", {}), stanzas.get("install", {})
    content: dict[str, Any] = {
        "label": ui.get("label", name),
        "version": launcher.get("version") or stanzas.get("id", {}).get("version", ""),
        "author": launcher.get("author", ""),
        "description": launcher.get("description", ""),
        "build": state.get("build", ""),
        "visible": is_true(ui.get("is_visible", "1")),
        "disabled": state.get("state", "enabled") == "disabled",
        "configured": is_true(state.get("is_configured", "0")),
        "check_for_updates": is_true(stanzas.get("package", {}).get("check_for_updates", "1")),
        "core": name in BUILT_IN_APPS,
        "managed_by_deployment_client": False,
        "show_in_nav": is_true(ui.get("show_in_nav", "1")),
        "show_upgrade_notification": False,
        "state_change_requires_restart": is_true(state.get("state_change_requires_restart", "0")),
    }
    setup = call.splunkd.home.apps / name / "default" / "setup.xml"
    if setup.is_file():
        content["eai:setup"] = setup.read_text("utf-8", "replace")
    entry = Entry(name, content, f"apps/local/{quoted(name)}", name, "nobody", "app", name not in BUILT_IN_APPS)
    entry.links = {"package": entry.id_path + "/package"}
    return entry


def apps(call: Call) -> Reply:
    return call.feed("localapps", [_entry(call, name) for name in call.splunkd.confs.all_apps()])


def app(call: Call, name: str) -> Reply:
    if name not in call.splunkd.confs.all_apps():
        raise HttpError(404, f"Could not find object id={name}")
    return call.one("localapps", _entry(call, name))


def create(call: Call) -> Reply:
    call.require("edit_local_apps", "install_apps", "admin_all_objects")
    name = call.needed("name")
    if call.flag("filename"):
        return _install(call, name)
    if not NAME.match(name):
        raise HttpError(400, f"Invalid app name {name!r}: use letters, digits, _ . and -")
    if name in call.splunkd.confs.all_apps():
        raise HttpError(409, f"An object with name={name} already exists")
    template = call.params.get("template", "barebones")
    if template not in TEMPLATES:
        raise HttpError(400, f"Invalid template {template!r}; known: {', '.join(TEMPLATES)}")
    conf = {
        "install": {"is_configured": "0"},
        "ui": {"is_visible": "1", "label": name},
        "launcher": {"version": "1.0.0"},
    }
    for stanza, settings in _settings(call).items():
        conf.setdefault(stanza, {}).update(settings)
    folder = call.splunkd.home.apps / name
    write_atomic(folder / "default" / "app.conf", render(conf).encode())
    meta = "[]\naccess = read : [ * ], write : [ admin, power ]\nexport = none\n"
    write_atomic(folder / "metadata" / "default.meta", meta.encode())
    return call.one("localapps", _entry(call, name), 201)


def _install(call: Call, source: str) -> Reply:
    """``name`` is the path of an archive on the server (docs: apps/local, filename)."""
    path = Path(source)
    if not path.is_absolute() or not path.is_file():
        raise HttpError(400, f"Could not find app package {source}: give the whole path of an archive on the server")
    top = _top(path)
    if top in call.splunkd.confs.all_apps() and not call.flag("update"):
        raise HttpError(409, f"App '{top}' already exists; give update=1 to replace it")
    try:
        installed = install(path, call.splunkd.home)
    except AppError as error:
        raise HttpError(400, str(error)) from error
    return call.one("localapps", _entry(call, installed.name), 201)


def _top(path: Path) -> str:
    try:
        with tarfile.open(path) as archive:
            member = archive.next()
    except (tarfile.TarError, OSError, EOFError) as error:
        raise HttpError(400, f"{path}: not an app archive (tar, gzip): {error}") from error
    return member.name.lstrip("./").partition("/")[0] if member else ""


def _settings(call: Call) -> dict[str, dict[str, str]]:
    """The arguments as stanzas of app.conf."""
    found: dict[str, dict[str, str]] = {}
    for key, value in call.settings(*ABOUT_INSTALL).items():
        if key not in PLACES:
            raise HttpError(400, f'Argument "{key}" is not supported by this handler.')
        stanza, name = PLACES[key]
        found.setdefault(stanza, {})[name] = str(int(is_true(value))) if key in FLAGS else value
    return found


def edit(call: Call, name: str) -> Reply:
    call.require("edit_local_apps", "admin_all_objects")
    app(call, name)
    disabled = call.params.get("disabled")
    if disabled is not None:
        if name in BUILT_IN_APPS and is_true(disabled):
            raise HttpError(403, f"Cannot disable app '{name}': it is part of Splunk.")
        state = "disabled" if is_true(disabled) else "enabled"
        call.splunkd.confs.write("app", "install", {"state": state}, name)
    else:
        for stanza, settings in _settings(call).items():
            call.splunkd.confs.write("app", stanza, settings, name)
    return app(call, name)


def delete(call: Call, name: str) -> Reply:
    """Removing an app asks for a restart, as splunkd does (messages, restart_required)."""
    call.require("edit_local_apps", "admin_all_objects")
    app(call, name)
    if name in BUILT_IN_APPS:
        raise HttpError(403, f"Cannot remove app '{name}': it is part of Splunk.")
    shutil.rmtree(call.splunkd.home.apps / name)
    call.splunkd.messages["restart_required"] = ("warn", RESTART)
    return apps(call)


def package(call: Call, name: str) -> Reply:
    """Archive the app on the server, and say where."""
    call.require("edit_local_apps", "admin_all_objects")
    app(call, name)
    folder = call.splunkd.home.root / "share" / "splunk" / "app_packages"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.spl"
    with tarfile.open(path, "w:gz") as archive:
        archive.add(call.splunkd.home.apps / name, arcname=name)
    content = {"name": name, "path": str(path), "url": f"{call.host}/static/app-packages/{quoted(name)}.spl"}
    return call.one("localapps", Entry(name, content, f"apps/local/{quoted(name)}/package", name))


def setup(call: Call, name: str) -> Reply:
    app(call, name)
    entry = _entry(call, name)
    content = {"eai:setup": entry.content.get("eai:setup", "")}
    return call.one("localapps", Entry(name, content, f"apps/local/{quoted(name)}/setup", name))


def update(call: Call, name: str) -> Reply:
    """No update is known: the sandbox asks no one."""
    app(call, name)
    return call.one("localapps", Entry(name, {}, f"apps/local/{quoted(name)}/update", name))


ROUTES: tuple[Route, ...] = (
    Route("GET", "apps/local", apps),
    Route("POST", "apps/local", create),
    Route("GET", "apps/local/{name}", app),
    Route("POST", "apps/local/{name}", edit),
    Route("DELETE", "apps/local/{name}", delete),
    Route("GET", "apps/local/{name}/package", package),
    Route("GET", "apps/local/{name}/setup", setup),
    Route("GET", "apps/local/{name}/update", update),
)
