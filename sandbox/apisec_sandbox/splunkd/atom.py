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


@dataclass
class Entry:
    """One object. ``path`` is its address below /servicesNS/owner/app/, already percent-encoded."""

    name: str
    content: Mapping[str, Any]
    path: str = ""
    app: str = "search"
    owner: str = "nobody"
    sharing: str = "app"
    removable: bool = True
    links: dict[str, str] = field(default_factory=dict)

    @property
    def id_path(self) -> str:
        return f"/servicesNS/{quote(self.owner, safe='')}/{quote(self.app, safe='')}/{self.path}"

    def acl(self) -> dict[str, Any]:
        return {
            "app": self.app,
            "owner": self.owner,
            "sharing": self.sharing,
            "can_list": True,
            "can_write": True,
            "can_change_perms": True,
            "can_share_app": True,
            "can_share_global": True,
            "can_share_user": False,
            "modifiable": True,
            "removable": self.removable,
            "perms": {"read": ["*"], "write": ["admin", "power"]},
        }


@dataclass
class Feed:
    title: str
    entries: Sequence[Entry]
    base: str
    total: int | None = None
    offset: int = 0
    per_page: int = 30
    messages: Sequence[tuple[str, str]] = ()


def quoted(name: str) -> str:
    """Percent-encode a name for a path; a slash twice, as splunkd's own links do."""
    return quote(name, safe="").replace("%2F", "%252F")


def json_reply(value: object, status: int = 200) -> Reply:
    return Reply(status, json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass"), JSON_TYPE)


def xml_reply(text: str, status: int = 200) -> Reply:
    body = '<?xml version="1.0" encoding="UTF-8"?>\n' + text
    return Reply(status, body.encode("utf-8", "replace"))


def message_reply(status: int, messages: Sequence[tuple[str, str]], as_json: bool) -> Reply:
    """Splunk's list of messages, the body of every error: (type, text) each."""
    if as_json:
        return json_reply({"messages": [{"type": kind, "text": text} for kind, text in messages]}, status)
    inner = "".join(f"<msg type={quoteattr(kind)}>{_text(text)}</msg>" for kind, text in messages)
    return xml_reply(f"<response><messages>{inner}</messages></response>", status)


def feed_reply(feed: Feed, as_json: bool, status: int = 200) -> Reply:
    return json_reply(_feed_json(feed), status) if as_json else xml_reply(_feed_xml(feed), status)


def entry_xml(entry: Entry) -> Reply:
    """One entry as the root element: the answer to ``search/jobs/{sid}``."""
    return xml_reply(_entry_xml(entry, root=True))


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _text(value: object) -> str:
    return escape(str(value).translate(ILLEGAL_XML))


def _links(entry: Entry) -> dict[str, str]:
    links = {"alternate": entry.id_path, "list": entry.id_path, "edit": entry.id_path}
    if entry.removable:
        links["remove"] = entry.id_path
    return links | entry.links


def _feed_json(feed: Feed) -> dict[str, Any]:
    return {
        "links": {"create": feed.base + "/_new"},
        "origin": feed.base,
        "updated": _now(),
        "generator": {"build": BUILD, "version": VERSION},
        "entry": [
            {
                "name": entry.name,
                "id": entry.id_path,
                "updated": _now(),
                "links": _links(entry),
                "author": entry.owner,
                "acl": entry.acl(),
                "fields": {"required": [], "optional": [], "wildcard": []},
                "content": entry.content,
            }
            for entry in feed.entries
        ],
        "paging": {
            "total": len(feed.entries) if feed.total is None else feed.total,
            "perPage": feed.per_page,
            "offset": feed.offset,
        },
        "messages": [{"type": kind, "text": text} for kind, text in feed.messages],
    }


def _feed_xml(feed: Feed) -> str:
    total = len(feed.entries) if feed.total is None else feed.total
    entries = "".join(_entry_xml(entry) for entry in feed.entries)
    messages = "".join(f"<s:msg type={quoteattr(kind)}>{_text(text)}</s:msg>" for kind, text in feed.messages)
    return (
        f"<feed {NAMESPACES}><title>{_text(feed.title)}</title><id>{_text(feed.base)}</id>"
        f"<updated>{_now()}</updated><generator build={quoteattr(BUILD)} version={quoteattr(VERSION)}/>"
        "<author><name>Splunk</name></author>"
        f"<opensearch:totalResults>{total}</opensearch:totalResults>"
        f"<opensearch:itemsPerPage>{feed.per_page}</opensearch:itemsPerPage>"
        f"<opensearch:startIndex>{feed.offset}</opensearch:startIndex>"
        f"<s:messages>{messages}</s:messages>{entries}</feed>"
    )


def _entry_xml(entry: Entry, root: bool = False) -> str:
    links = "".join(f"<link href={quoteattr(href)} rel={quoteattr(rel)}/>" for rel, href in _links(entry).items())
    # A name of the content wins over the ACL: XML carries both in one dictionary.
    content = {"eai:acl": entry.acl(), **entry.content}
    return (
        f"<entry{' ' + NAMESPACES if root else ''}><title>{_text(entry.name)}</title>"
        f"<id>{_text(entry.id_path)}</id><updated>{_now()}</updated>{links}"
        f"<author><name>{_text(entry.owner)}</name></author>"
        f'<content type="text/xml">{_value_xml(content)}</content></entry>'
    )


def _value_xml(value: object) -> str:
    if isinstance(value, Mapping):
        keys = "".join(f"<s:key name={quoteattr(str(k))}>{_value_xml(v)}</s:key>" for k, v in value.items())
        return f"<s:dict>{keys}</s:dict>"
    if isinstance(value, (list, tuple)):
        return "<s:list>" + "".join(f"<s:item>{_value_xml(item)}</s:item>" for item in value) + "</s:list>"
    if isinstance(value, bool):
        return "1" if value else "0"
    return "" if value is None else _text(value)
