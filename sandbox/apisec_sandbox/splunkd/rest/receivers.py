"""receivers/simple and receivers/stream: events over the management port.

Source: REST API Reference, "receivers/simple" (the body is the raw data; source, sourcetype, host and index are
query parameters; the capability edit_tcp is needed) and "receivers/stream".
"""

from __future__ import annotations

from xml.sax.saxutils import escape

from apisec_sandbox.splunkd.atom import json_reply, xml_reply
from apisec_sandbox.splunkd.intake import Stream
from apisec_sandbox.splunkd.parsing.parser import Meta
from apisec_sandbox.splunkd.rest.call import Call, Route
from apisec_sandbox.splunkd.web import HttpError, Reply

DEFAULT_SOURCE = "www"
DEFAULT_SOURCETYPE = "web_event"
CAPABILITIES = ("edit_tcp", "edit_tcp_stream")


def meta(call: Call) -> Meta:
    host = call.request.client or "localhost"
    return call.splunkd.intake.meta(dict(call.request.query), host, DEFAULT_SOURCE, DEFAULT_SOURCETYPE)


def simple(call: Call) -> Reply:
    call.require(*CAPABILITIES)
    about = meta(call)
    text = call.request.body.decode("utf-8", "replace")
    if not text.strip():
        raise HttpError(400, "No data")
    call.splunkd.intake.text(text, about)
    return _received(call, about)


def _received(call: Call, about: Meta) -> Reply:
    index, size = dict(call.request.query).get("index", "default"), len(call.request.body)
    if dict(call.request.query).get("output_mode") == "json":
        named = {"host": about.host, "source": about.source, "sourcetype": about.sourcetype}
        return json_reply({"index": index, "bytes": size, **named})
    fields = {"_index": index, "bytes": size, "host": about.host, "source": about.source}
    rows = "".join(
        f"<field k='{name}'><value><text>{escape(str(value))}</text></value></field>"
        for name, value in {**fields, "sourcetype": about.sourcetype}.items()
    )
    return xml_reply(f"<response><results><result>{rows}</result></results></response>")


def stream(call: Call) -> Reply:
    """A stream that has an end, sent as any other body: nothing comes back."""
    call.require(*CAPABILITIES)
    sink = open_stream(call)
    sink.feed(call.request.body)
    sink.finish()
    return Reply(204)


def open_stream(call: Call) -> Stream:
    call.require(*CAPABILITIES)
    return call.splunkd.intake.stream(meta(call))


ROUTES: tuple[Route, ...] = (
    Route("POST", "receivers/simple", simple),
    Route("POST", "receivers/stream", stream),
)
