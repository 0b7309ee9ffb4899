"""receivers/simple: one event over the management port.

Source: REST API Reference, "receivers/simple" (the body is the raw event; source, sourcetype, host and index are
query parameters; the capability edit_tcp is needed).
"""

from __future__ import annotations

from xml.sax.saxutils import escape

from apisec_sandbox.splunkd.atom import json_reply, xml_reply
from apisec_sandbox.splunkd.indexes import Event
from apisec_sandbox.splunkd.rest.call import Call, Route
from apisec_sandbox.splunkd.web import HttpError, Reply

DEFAULT_SOURCE = "www"
DEFAULT_SOURCETYPE = "web_event"


def simple(call: Call) -> Reply:
    call.require("edit_tcp")
    query = dict(call.request.query)
    text = call.request.body.decode("utf-8", "replace")
    if not text.strip():
        raise HttpError(400, "No data")
    index = query.get("index", "main")
    if index not in call.splunkd.index_names():
        raise HttpError(400, f"supplied index '{index}' missing")
    now = call.splunkd.store.clock()
    event = Event(
        now,
        now,
        query.get("host") or call.request.client or "localhost",
        query.get("source", DEFAULT_SOURCE),
        query.get("sourcetype", DEFAULT_SOURCETYPE),
        text,
        {},
        index,
    )
    call.splunkd.store.append([event])
    fields = {"_index": index, "bytes": str(len(call.request.body)), "host": event.host, "source": event.source}
    fields["sourcetype"] = event.sourcetype
    if call.json:
        return json_reply(fields)
    rows = "".join(f"<field k='{k}'><value><text>{escape(v)}</text></value></field>" for k, v in fields.items())
    return xml_reply(f"<response><results><result>{rows}</result></results></response>")


ROUTES: tuple[Route, ...] = (Route("POST", "receivers/simple", simple),)
