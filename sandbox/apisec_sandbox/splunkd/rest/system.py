"""messages, and the sandbox's own switches.

Source: REST API Reference, "System endpoint descriptions" (messages).
"""

from __future__ import annotations

import time

from apisec_sandbox.errors import SandboxError
from apisec_sandbox.splunkd.atom import Entry, json_reply, quoted
from apisec_sandbox.splunkd.rest.call import Call, Route
from apisec_sandbox.splunkd.web import HttpError, Reply


def _message_entry(name: str, message: tuple[str, str]) -> Entry:
    content = {
        "severity": message[0],
        "message": message[1],
        "timeCreated_epochSecs": int(time.time()),
        name: message[1],
    }
    return Entry(name, content, f"messages/{quoted(name)}", "", "system", "system")


def messages(call: Call) -> Reply:
    return call.feed("messages", [_message_entry(*item) for item in call.splunkd.messages.items()])


def message(call: Call, name: str) -> Reply:
    if name not in call.splunkd.messages:
        raise HttpError(404, f"Could not find object id={name}")
    return call.one("messages", _message_entry(name, call.splunkd.messages[name]))


def create_message(call: Call) -> Reply:
    name, value = call.needed("name"), call.needed("value")
    severity = call.params.get("severity", "info")
    if severity not in ("info", "warn", "error"):
        raise HttpError(400, "severity must be one of info, warn, error")
    known = {"role": call.splunkd.roles.names(), "capability": call.splunkd.roles.capabilities()}
    for kind, names in known.items():
        for given in (part for text in call.request.all(kind) for part in text.split(",") if part):
            if given not in names:
                raise HttpError(400, f"The {kind} '{given}' does not exist.")
    call.splunkd.messages[name] = (severity, value)
    return call.one("messages", _message_entry(name, (severity, value)), 201)


def delete_message(call: Call, name: str) -> Reply:
    message(call, name)
    del call.splunkd.messages[name]
    return messages(call)


# The sandbox's own


def set_overload(call: Call) -> Reply:
    """``code`` of HEC to answer with and for how many ``requests`` (-1: until code=0); ``queue`` is its bytes."""
    call.require("admin_all_objects")
    queue = {"queue": call.params["queue"]} if "queue" in call.params else {}
    code = call.params.get("code", "0") if queue else call.needed("code")
    names = {"code": code, "requests": call.params.get("requests", "-1"), **queue}
    try:
        numbers = {name: int(text) for name, text in names.items()}
    except ValueError as error:
        raise SandboxError(f"{', '.join(names)} are whole numbers") from error
    call.splunkd.hec.overload.set(*numbers.values())
    return json_reply(numbers)


ROUTES: tuple[Route, ...] = (
    Route("GET", "messages", messages),
    Route("POST", "messages", create_message),
    Route("GET", "messages/{name}", message),
    Route("DELETE", "messages/{name}", delete_message),
    Route("POST", "sandbox/hec_overload", set_overload),
)
