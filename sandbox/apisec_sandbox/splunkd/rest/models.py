"""datamodel/model: data models as JSON documents.

Source: REST API Reference, "datamodel/model". Acceleration settings are kept and shown; nothing is accelerated.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from apisec_sandbox.spl import datamodels
from apisec_sandbox.spl.errors import SplError
from apisec_sandbox.splunkd.atom import Entry, quoted
from apisec_sandbox.splunkd.confs import is_true
from apisec_sandbox.splunkd.home import write_atomic
from apisec_sandbox.splunkd.rest.call import Call, Route
from apisec_sandbox.splunkd.web import HttpError, Reply

NAME = re.compile(r"[A-Za-z0-9_\-]{1,100}\Z")
MAX_MODEL = 4 * 1024 * 1024  # bytes
ROOTS = ("BaseEvent", "BaseSearch", "BaseTransaction")
BASE_FIELDS = ("_time", "host", "source", "sourcetype")
SUMMARY = {"Event-Based": "BaseEvent", "Search-Based": "BaseSearch", "Transaction-Based": "BaseTransaction"}
NO_ACCELERATION = {"enabled": False, "earliest_time": "", "cron_schedule": "*/5 * * * *", "manual_rebuilds": False}


def _folder(call: Call, app: str, layer: str = "local") -> Path:
    return call.splunkd.home.apps / app / layer / "data" / "models"


def _place(call: Call, name: str) -> tuple[str, Path]:
    """App and file of a model, local ones first.

    Raises:
        HttpError: 404, there is none.
    """
    own = [call.app] if call.app not in ("", "-") else []
    for app in (*own, *call.splunkd.confs.apps()):
        for layer in ("local", "default"):
            path = _folder(call, app, layer) / f"{name}.json"
            if path.is_file():
                return app, path
    raise HttpError(404, f"Could not find object id={name}")


def _entry(call: Call, name: str) -> Entry:
    app, path = _place(call, name)
    text = json.dumps(_shown(_document(path.read_text("utf-8", "replace")), name), ensure_ascii=False)
    stanza = call.splunkd.confs.stanza("datamodels", name, app)
    held = stanza.settings if stanza else {}
    acceleration = {**NO_ACCELERATION, "enabled": is_true(held.get("acceleration", "0"))}
    for key in ("earliest_time", "cron_schedule"):
        acceleration[key] = held.get(f"acceleration.{key}", acceleration[key])
    content: dict[str, Any] = {
        "acceleration": json.dumps(acceleration),
        "acceleration.allowed": True,
        "dataset.type": "datamodel",
        "description": text,
        "disabled": False,
        "displayName": _document(text).get("displayName", name),
        "eai:appName": app,
        "eai:data": text,
        "eai:type": "models",
        "eai:userName": "nobody",
    }
    entry = Entry(name, content, f"datamodel/model/{quoted(name)}", app, "nobody", "app")
    entry.removable = path.parents[2].name == "local"
    return entry


def _document(text: str) -> dict[str, Any]:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise HttpError(400, f"The description of a data model must be JSON: {error}") from error
    if not isinstance(document, dict):
        raise HttpError(400, "The description of a data model must be a JSON object")
    return document


def _shown(document: dict[str, Any], name: str) -> dict[str, Any]:
    """The document with what splunkd adds to it: lineages, children, the fields that every event has."""
    objects = [dict(one) for one in document.get("objects") or [] if isinstance(one, dict)]
    try:
        loaded = datamodels.load(document, name).datasets if objects else {}
    except SplError:
        return document
    for one in objects:
        held = loaded[one["objectName"]]
        one["lineage"] = held.lineage
        one["children"] = [other.name for other in loaded.values() if other.parent == held.name]
        own = list(one.get("fields") or [])
        known = {part.get("fieldName") for part in own}
        inherited = BASE_FIELDS if held.parent in ROOTS else ()
        one["fields"] = [_base_field(part) for part in inherited if part not in known] + own
        one["calculations"] = [_calculation(part) for part in one.get("calculations") or []]
        one.setdefault("constraints", [])
    summary = {kind: sum(one.get("parentName") == root for one in objects) for kind, root in SUMMARY.items()}
    names = [one["objectName"] for one in objects]
    return {"modelName": name, **document, "objects": objects, "objectNameList": names, "objectSummary": summary}


def _base_field(name: str) -> dict[str, Any]:
    return {
        "fieldName": name,
        "owner": "BaseEvent",
        "type": "timestamp" if name == "_time" else "string",
        "fieldSearch": "",
        "required": False,
        "multivalue": False,
        "hidden": False,
        "editable": False,
        "displayName": name,
        "comment": "",
    }


def _calculation(part: dict[str, Any]) -> dict[str, Any]:
    """A lookup of old form names its one input beside it; shown is the list of inputs."""
    if part.get("calculationType") != "Lookup" or "lookupInputs" in part:
        return part
    pair = {name: part.get(name, "") for name in ("inputField", "lookupField")}
    return {**part, "lookupInputs": [pair]}


def models(call: Call) -> Reply:
    app = call.context_app or "search"
    return call.feed("datamodelmodel", [_entry(call, name) for name in call.splunkd.models.names(app)])


def model(call: Call, name: str) -> Reply:
    return call.one("datamodelmodel", _entry(call, name))


def _write(call: Call, app: str, name: str, text: str) -> None:
    """Keep a model that parses.

    Raises:
        HttpError: it does not, or it is too large.
    """
    if len(text) > MAX_MODEL:
        raise HttpError(413, f"A data model may have at most {MAX_MODEL} bytes")
    document = {"modelName": name, **_document(text)}
    try:
        if document.get("objects"):  # splunkd keeps a model without any, to be filled later
            datamodels.load(document)
    except SplError as error:
        raise HttpError(400, f"In handler 'datamodelmodel': {error}") from error
    if not (call.splunkd.home.apps / app).is_dir():
        raise HttpError(404, f"Application does not exist: {app}")
    write_atomic(_folder(call, app) / f"{name}.json", json.dumps(document, ensure_ascii=False).encode())


def create(call: Call) -> Reply:
    name = call.needed("name")
    if not NAME.match(name):
        raise HttpError(400, f"Invalid data model name {name!r}: use letters, digits, _ and -")
    if name in call.splunkd.models.names(call.target_app):
        raise HttpError(409, f"An object with name={name} already exists")
    text = call.params.get("eai:data") or call.params.get("description", "")
    _write(call, call.target_app, name, text)
    _accelerate(call, call.target_app, name)
    return call.one("datamodelmodel", _entry(call, name), 201)


def _accelerate(call: Call, app: str, name: str) -> None:
    text = call.params.get("acceleration", "")
    if not text:
        return
    given = _document(text)
    settings = {"acceleration": str(int(is_true(str(given.get("enabled", "0")))))}
    settings |= {f"acceleration.{key}": str(given[key]) for key in ("earliest_time", "cron_schedule") if given.get(key)}
    call.splunkd.confs.write("datamodels", name, settings, app)


def edit(call: Call, name: str) -> Reply:
    app, _ = _place(call, name)
    text = call.params.get("eai:data") or call.params.get("description", "")
    if text:
        _write(call, app, name, text)
    _accelerate(call, app, name)
    return model(call, name)


def delete(call: Call, name: str) -> Reply:
    app, path = _place(call, name)
    if path.parents[2].name != "local":
        raise HttpError(403, f"Cannot remove data model '{name}': it comes with app {app}.")
    path.unlink()
    return models(call)


ROUTES: tuple[Route, ...] = (
    Route("GET", "datamodel/model", models),
    Route("POST", "datamodel/model", create),
    Route("GET", "datamodel/model/{name}", model),
    Route("POST", "datamodel/model/{name}", edit),
    Route("DELETE", "datamodel/model/{name}", delete),
)
