"""Knowledge objects that are no more than a stanza: event types, macros, lookup definitions.

Source: REST API Reference, "Knowledge endpoint descriptions".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from apisec_sandbox.splunkd.atom import Entry, quoted
from apisec_sandbox.splunkd.confs import Stanza, is_true
from apisec_sandbox.splunkd.rest import shared
from apisec_sandbox.splunkd.rest.call import Call, Route
from apisec_sandbox.splunkd.web import HttpError, Reply

SEARCH_RESERVED = ("|", "[")


@dataclass(frozen=True)
class Kind:
    """A collection: its address, its conf, what it takes, and what an object always shows."""

    path: str
    conf: str
    title: str
    required: tuple[str, ...]
    optional: tuple[str, ...]
    shown: dict[str, Any]

    def entry(self, call: Call, stanza: Stanza) -> Entry:
        content = {**self.shown, **stanza.settings, "disabled": stanza.flag("disabled")}
        content |= {"eai:appName": stanza.app, "eai:userName": stanza.owner}
        return shared.entry(call, self.conf, stanza, f"{self.path}/{quoted(stanza.name)}", content)

    def settings(self, call: Call, create: bool) -> dict[str, str]:
        settings = call.settings("name")
        for name in self.required if create else ():
            call.needed(name)
        for name in settings:
            if name not in self.required and name not in self.optional:
                raise HttpError(400, f'Argument "{name}" is not supported by this endpoint.')
        if self.conf == "eventtypes" and settings.get("search", "").lstrip().startswith(SEARCH_RESERVED):
            raise HttpError(400, "Eventtype search string cannot be a search pipeline or contain a subsearch")
        if "iseval" in settings:
            settings["iseval"] = "1" if is_true(settings["iseval"]) else "0"
        return settings

    def listing(self, call: Call) -> Reply:
        return call.feed(self.title, [self.entry(call, stanza) for stanza in shared.visible(call, self.conf)])

    def show(self, call: Call, name: str) -> Reply:
        found = [self.entry(call, stanza) for stanza in shared.named(call, self.conf, name)]
        return call.one(self.title, found[0]) if len(found) == 1 else call.feed(self.title, found)

    def create(self, call: Call) -> Reply:
        made = shared.create(call, self.conf, call.needed("name"), self.settings(call, create=True))
        return call.one(self.title, self.entry(call, made), 201)

    def edit(self, call: Call, name: str) -> Reply:
        held = shared.one(call, self.conf, name)
        changed = shared.edit(call, self.conf, held, self.settings(call, create=False))
        return call.one(self.title, self.entry(call, changed))

    def delete(self, call: Call, name: str) -> Reply:
        shared.remove(call, self.conf, shared.one(call, self.conf, name))
        return self.listing(call)

    def acl(self, call: Call, name: str) -> Reply:
        return shared.acl_reply(call, self.title, self.entry(call, shared.one(call, self.conf, name)))

    def share(self, call: Call, name: str) -> Reply:
        changed = shared.share(call, self.conf, shared.one(call, self.conf, name))
        return shared.acl_reply(call, self.title, self.entry(call, changed))

    def move(self, call: Call, name: str) -> Reply:
        return call.one(self.title, self.entry(call, shared.move(call, self.conf, shared.one(call, self.conf, name))))

    def routes(self) -> tuple[Route, ...]:
        item = self.path + "/{name}"
        return (
            Route("GET", self.path, self.listing),
            Route("POST", self.path, self.create),
            Route("GET", item, self.show),
            Route("POST", item, self.edit),
            Route("DELETE", item, self.delete),
            Route("GET", item + "/acl", self.acl),
            Route("POST", item + "/acl", self.share),
            Route("POST", item + "/move", self.move),
        )


MACRO = ("args", "description", "disabled", "errormsg", "iseval", "validation")
LOOKUP = (
    *("filename", "collection", "external_type", "external_cmd", "fields_list", "max_matches", "min_matches"),
    *("default_match", "case_sensitive_match", "match_type", "time_field", "time_format", "max_offset_secs"),
    *("min_offset_secs", "filter", "batch_index_query", "allow_caching", "disabled"),
)
KINDS = (
    Kind(
        "saved/eventtypes",
        "eventtypes",
        "eventtypes",
        ("search",),
        ("description", "disabled", "priority", "tags", "color"),
        {"description": "", "priority": "1", "tags": "", "search": ""},
    ),
    Kind(
        "admin/macros",
        "macros",
        "macros",
        ("definition",),
        MACRO,
        {"definition": "", "iseval": "0", "args": "", "validation": "", "errormsg": ""},
    ),
    Kind("data/transforms/lookups", "transforms", "transforms-lookup", (), LOOKUP, {}),
)
ROUTES: tuple[Route, ...] = tuple(route for kind in KINDS for route in kind.routes())
