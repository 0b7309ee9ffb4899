"""data/ui/views: dashboards.

Source: REST API Reference, "data/ui/views/{name}".
"""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

from apisec_sandbox.splunkd.atom import Entry, quoted
from apisec_sandbox.splunkd.confs import is_true
from apisec_sandbox.splunkd.home import write_atomic
from apisec_sandbox.splunkd.rest.call import Call, Route
from apisec_sandbox.splunkd.rest.shared import writable
from apisec_sandbox.splunkd.web import HttpError, Reply

NAME = re.compile(r"[A-Za-z0-9_\-]{1,100}\Z")
MAX_VIEW = 4 * 1024 * 1024  # bytes
ROOTS = ("dashboard", "form", "view", "html")
FORBIDDEN = ("<!DOCTYPE", "<!ENTITY")


def _views(call: Call) -> dict[str, tuple[str, Path]]:
    """Views by name; local ones win over those an app came with."""
    found: dict[str, tuple[str, Path]] = {}
    for app in call.splunkd.confs.apps():
        if call.app not in ("", "-", app):
            continue
        for layer in ("default", "local"):
            for path in sorted((call.splunkd.home.apps / app / layer / "data" / "ui" / "views").glob("*.xml")):
                found[path.stem] = (app, path)
    return found


def _entry(name: str, app: str, path: Path) -> Entry:
    text = path.read_text("utf-8", "replace")
    try:
        root = _parse(text)
    except HttpError:
        root = ElementTree.Element("dashboard")
    label = root.findtext("label") or name
    content = {
        "eai:data": text,
        "eai:appName": app,
        "eai:userName": "nobody",
        "eai:type": "views",
        "disabled": False,
        "isDashboard": root.tag in ("dashboard", "form"),
        "isVisible": is_true(root.get("isVisible", "1")),
        "label": label,
        "rootNode": root.tag,
        "version": root.get("version", ""),
    }
    entry = Entry(name, content, f"data/ui/views/{quoted(name)}", app, "nobody", "app")
    entry.removable = path.parents[3].name == "local"
    return entry


def _parse(text: str) -> ElementTree.Element:
    if any(mark in text for mark in FORBIDDEN):
        raise HttpError(400, "A view must not declare a document type or entities")
    try:
        return ElementTree.fromstring(text)  # noqa: S314 - no entities, see above
    except ElementTree.ParseError as error:
        raise HttpError(400, f"eai:data is not well-formed XML: {error}") from error


def views(call: Call) -> Reply:
    return call.feed("views", [_entry(name, app, path) for name, (app, path) in sorted(_views(call).items())])


def _view(call: Call, name: str) -> tuple[str, Path]:
    found = _views(call).get(name)
    if found is None:
        raise HttpError(404, f"Could not find object id={name}")
    return found


def view(call: Call, name: str) -> Reply:
    return call.one("views", _entry(name, *_view(call, name)))


def _write(call: Call, app: str, name: str) -> Path:
    text = call.needed("eai:data")
    if len(text) > MAX_VIEW:
        raise HttpError(413, f"A view may have at most {MAX_VIEW} bytes")
    if _parse(text).tag not in ROOTS:
        raise HttpError(400, f"The root of a view is one of {', '.join(ROOTS)}")
    folder = call.splunkd.home.apps / app
    if not folder.is_dir():
        raise HttpError(404, f"Application does not exist: {app}")
    path = folder / "local" / "data" / "ui" / "views" / f"{name}.xml"
    write_atomic(path, text.encode())
    return path


def create(call: Call) -> Reply:
    name = call.needed("name")
    if not NAME.match(name):
        raise HttpError(400, f"Invalid view name {name!r}: use letters, digits, _ and -")
    known = _views(call).get(name)
    if known and known[0] == call.target_app:
        raise HttpError(409, f"An object with name={name} already exists")
    writable(call, call.splunkd.confs.permissions("views", name, call.target_app), "nobody")
    path = _write(call, call.target_app, name)
    return call.one("views", _entry(name, call.target_app, path), 201)


def edit(call: Call, name: str) -> Reply:
    app, _ = _view(call, name)
    writable(call, call.splunkd.confs.permissions("views", name, app), "nobody")
    _write(call, app, name)
    return view(call, name)


def delete(call: Call, name: str) -> Reply:
    app, path = _view(call, name)
    if path.parents[3].name != "local":
        raise HttpError(403, f"Cannot remove view '{name}': it comes with app {app}.")
    writable(call, call.splunkd.confs.permissions("views", name, app), "nobody")
    path.unlink()
    return views(call)


ROUTES: tuple[Route, ...] = (
    Route("GET", "data/ui/views", views),
    Route("POST", "data/ui/views", create),
    Route("GET", "data/ui/views/{name}", view),
    Route("POST", "data/ui/views/{name}", edit),
    Route("DELETE", "data/ui/views/{name}", delete),
)
