"""Replies of the REST API: entries and feeds as Atom XML or, on ``output_mode=json``, as JSON.

Shapes from the REST API User Manual ("Access endpoint descriptions", "Atom feed response").
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote
from xml.sax.saxutils import escape, quoteattr

from apisec_sandbox.splunkd.builtin import BUILD, VERSION
from apisec_sandbox.splunkd.web import Reply

NAMESPACES = (
    'xmlns="http://www.w3.org/2005/Atom" xmlns:s="http://dev.splunk.com/ns/rest" '
    'xmlns:opensearch="http://a9.com/-/spec/opensearch/1.1/"'
)
ILLEGAL_XML = {code: " " for code in range(32) if code not in (9, 10, 13)} | {0xFFFE: " ", 0xFFFF: " "}
JSON_TYPE = "application/json; charset=UTF-8"


EPOCH = "1970-01-01T00:00:00+00:00"  # what splunkd says of objects that live in configuration files
SHARED = {"read": ["*"], "write": ["admin", "power"]}


@dataclass(frozen=True)
class Attributes:
    """eai:attributes: what an object of a collection may hold, ``wildcard`` as regular expressions."""

    required: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    wildcard: tuple[str, ...] = ()

    def as_xml(self) -> dict[str, list[str]]:
        held = {"optionalFields": self.optional, "requiredFields": self.required, "wildcardFields": self.wildcard}
        return {name: list(values) for name, values in held.items()}

    def as_json(self) -> dict[str, list[str]]:
        return {"required": list(self.required), "optional": list(self.optional), "wildcard": list(self.wildcard)}


@dataclass
class Entry:
    """One object. ``path`` is its address below /servicesNS/owner/app/, already percent-encoded.

    ``perms`` is None for what one user keeps for himself. ``attributes`` appear where one object is shown.
    ``links`` come besides those that every object has; ``plain`` leaves those out.
    """

    name: str
    content: Mapping[str, Any]
    path: str = ""
    app: str = "search"
    owner: str = "nobody"
    sharing: str = "app"
    removable: bool = True
    links: dict[str, str] = field(default_factory=dict)
    perms: Mapping[str, Sequence[str]] | None = field(default_factory=lambda: dict(SHARED))
    attributes: Attributes = Attributes()
    modifiable: bool = True
    updated: str = EPOCH
    published: str = ""
    plain: bool = False
    space: str = ""  # the user's part of the address where it is not the owner: nobody for what is shared

    @property
    def id_path(self) -> str:
        owner, app = quote(self.space or self.owner, safe=""), quote(self.app or "system", safe="")
        return f"/servicesNS/{owner}/{app}/{self.path}"

    def acl(self) -> dict[str, Any]:
        return {
            "app": self.app,
            "can_change_perms": self.modifiable,
            "can_list": True,
            "can_share_app": self.modifiable,
            "can_share_global": self.modifiable,
            "can_share_user": self.modifiable and self.sharing == "user",
            "can_write": self.modifiable,
            "modifiable": self.modifiable,
            "owner": self.owner,
            "perms": None if self.perms is None else {name: list(roles) for name, roles in self.perms.items()},
            "removable": self.removable,
            "sharing": self.sharing,
        }


@dataclass
class Feed:
    """Entries as a reply. ``base`` is the path that was asked, ``host`` the authority that it was asked at."""

    title: str
    entries: Sequence[Entry]
    base: str
    total: int | None = None
    offset: int = 0
    per_page: int = 30
    messages: Sequence[tuple[str, str]] = ()
    host: str = ""
    single: bool = False


def quoted(name: str) -> str:
    """Percent-encode a name for a path; a slash twice, as splunkd's own links do."""
    return quote(name, safe="").replace("%2F", "%252F")


def json_reply(value: object, status: int = 200) -> Reply:
    return Reply(status, json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass"), JSON_TYPE)


def xml_reply(text: str, status: int = 200) -> Reply:
    body = '<?xml version="1.0" encoding="UTF-8"?>\n' + text
    return Reply(status, body.encode("utf-8", "replace"))


def message_reply(status: int, messages: Sequence[tuple[str, str]], as_json: bool, code: str = "") -> Reply:
    """Splunk's list of messages, the body of every error: (type, text) each, some with a code."""
    more = {"code": code} if code else {}
    if as_json:
        return json_reply({"messages": [{"type": kind, **more, "text": text} for kind, text in messages]}, status)
    attribute = f" code={quoteattr(code)}" if code else ""
    inner = "".join(f"<msg type={quoteattr(kind)}{attribute}>{_text(text)}</msg>" for kind, text in messages)
    return xml_reply(f"<response>\n  <messages>\n    {inner}\n  </messages>\n</response>", status)


def feed_reply(feed: Feed, as_json: bool, status: int = 200) -> Reply:
    return json_reply(_feed_json(feed), status) if as_json else xml_reply(_feed_xml(feed), status)


def entry_reply(entry: Entry, host: str) -> Reply:
    """One entry as the root element: the answer to ``search/jobs/{sid}``."""
    return xml_reply(_entry_xml(entry, host, single=True, root=True))


def now_text() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _text(value: object) -> str:
    return escape(str(value).translate(ILLEGAL_XML))


def _links(entry: Entry) -> dict[str, str]:
    if entry.plain:
        return {"alternate": entry.id_path, **entry.links}
    links = {"alternate": entry.id_path, "list": entry.id_path, "_reload": entry.id_path + "/_reload"}
    if entry.modifiable:
        links["edit"] = entry.id_path
    if entry.removable:
        links["remove"] = entry.id_path
    disabled = entry.content.get("disabled")
    if entry.modifiable and isinstance(disabled, bool):
        name = "enable" if disabled else "disable"
        links[name] = f"{entry.id_path}/{name}"
    return links | entry.links


def _collection_links(feed: Feed) -> dict[str, str]:
    """Source: REST API User Manual, "Atom feed response": the links of a collection."""
    return {} if feed.single else {"create": feed.base + "/_new", "_reload": feed.base + "/_reload"}


def _feed_json(feed: Feed) -> dict[str, Any]:
    return {
        "links": _collection_links(feed),
        "origin": feed.host + feed.base,
        "updated": now_text(),
        "generator": {"build": BUILD, "version": VERSION},
        "entry": [_entry_json(entry, feed) for entry in feed.entries],
        "paging": {
            "total": len(feed.entries) if feed.total is None else feed.total,
            "perPage": feed.per_page,
            "offset": feed.offset,
        },
        "messages": [{"type": kind, "text": text} for kind, text in feed.messages],
    }


def _entry_json(entry: Entry, feed: Feed) -> dict[str, Any]:
    shown = {
        "name": entry.name,
        "id": feed.host + entry.id_path,
        "updated": entry.updated,
        "links": _links(entry),
        "author": entry.owner,
        "acl": entry.acl(),
    }
    if entry.published:
        shown["published"] = entry.published
    if feed.single:
        shown["fields"] = entry.attributes.as_json()
    return {**shown, "content": {"eai:acl": None, **entry.content}}


def _feed_xml(feed: Feed) -> str:
    total = len(feed.entries) if feed.total is None else feed.total
    entries = "".join(_entry_xml(entry, feed.host, feed.single) for entry in feed.entries)
    messages = "".join(f"<s:msg type={quoteattr(kind)}>{_text(text)}</s:msg>" for kind, text in feed.messages)
    links = "".join(
        f"<link href={quoteattr(href)} rel={quoteattr(rel)}/>" for rel, href in _collection_links(feed).items()
    )
    return (
        f"<feed {NAMESPACES}><title>{_text(feed.title)}</title><id>{_text(feed.host + feed.base)}</id>"
        f"<updated>{now_text()}</updated><generator build={quoteattr(BUILD)} version={quoteattr(VERSION)}/>"
        f"<author><name>Splunk</name></author>{links}"
        f"<opensearch:totalResults>{total}</opensearch:totalResults>"
        f"<opensearch:itemsPerPage>{feed.per_page}</opensearch:itemsPerPage>"
        f"<opensearch:startIndex>{feed.offset}</opensearch:startIndex>"
        f"<s:messages>{messages}</s:messages>{entries}</feed>"
    )


def _entry_xml(entry: Entry, host: str, single: bool = False, root: bool = False) -> str:
    links = "".join(f"<link href={quoteattr(href)} rel={quoteattr(rel)}/>" for rel, href in _links(entry).items())
    # A name of the content wins over the ACL: XML carries both in one dictionary.
    content = {"eai:acl": entry.acl(), **entry.content}
    if single:
        content["eai:attributes"] = entry.attributes.as_xml()
    published = f"<published>{_text(entry.published)}</published>" if entry.published else ""
    return (
        f"<entry{' ' + NAMESPACES if root else ''}><title>{_text(entry.name)}</title>"
        f"<id>{_text(host + entry.id_path)}</id><updated>{_text(entry.updated)}</updated>{links}{published}"
        f"<author><name>{_text(entry.owner)}</name></author>"
        f'<content type="text/xml">{_value_xml(content)}</content></entry>'
    )


def _value_xml(value: object) -> str:
    if isinstance(value, Mapping):
        keys = "".join(f"<s:key name={quoteattr(_plain(k))}>{_value_xml(v)}</s:key>" for k, v in value.items())
        return f"<s:dict>{keys}</s:dict>"
    if isinstance(value, (list, tuple)):
        return "<s:list>" + "".join(f"<s:item>{_value_xml(item)}</s:item>" for item in value) + "</s:list>"
    if isinstance(value, bool):
        return "1" if value else "0"
    return "" if value is None else _text(value)


def _plain(value: object) -> str:
    return str(value).translate(ILLEGAL_XML)
