"""search/parser, timeparser, typeahead, commands, tags and concurrency-settings.

Source: REST API Reference, "Search endpoint descriptions".
"""

from __future__ import annotations

from xml.sax.saxutils import escape, quoteattr

from apisec_sandbox.spl import engine, times
from apisec_sandbox.spl.commands import GENERATING, REGISTRY
from apisec_sandbox.spl.context import Context
from apisec_sandbox.spl.errors import SplError
from apisec_sandbox.splunkd import jobs
from apisec_sandbox.splunkd.atom import Entry, json_reply, quoted, xml_reply
from apisec_sandbox.splunkd.confs import Stanza
from apisec_sandbox.splunkd.rest.call import Call, Route
from apisec_sandbox.splunkd.rest.search import leading
from apisec_sandbox.splunkd.runtime import Runtime
from apisec_sandbox.splunkd.web import HttpError, Reply

TIME_FORMAT = "%Y-%m-%dT%H:%M:%S.%3N+00:00"


def parser(call: Call) -> Reply:
    text = call.needed("q").strip()
    services = Runtime(call.splunkd, call.target_app, call.session.user)
    context = Context(services, call.splunkd.clock(), app=call.target_app, owner=call.session.user)
    try:
        parsed = engine.check(leading(text), services, context)
    except SplError as error:
        raise HttpError(400, str(error), "FATAL") from error
    if call.json:
        return json_reply(parsed)
    return call.one("parser", Entry("parser", parsed, "search/parser", plain=True))


def timeparser(call: Call) -> Reply:
    """Each ``time`` as a moment, written in ``output_time_format``."""
    texts = call.request.all("time")
    if not texts:
        raise HttpError(400, "The following required arguments are missing: time.")
    now = call.splunkd.clock()
    if call.params.get("now"):
        now = times.resolve(call.params["now"], now)
    shape = call.params.get("output_time_format") or TIME_FORMAT
    try:
        found = {text: str(times.strftime(times.resolve(text, now), shape)) for text in texts}
    except SplError as error:
        raise HttpError(400, str(error), "FATAL") from error
    if call.json:
        return json_reply(found)
    keys = "".join(f"<key name={quoteattr(text)}>{escape(moment)}</key>" for text, moment in found.items())
    return xml_reply(f"<response><dict>{keys}</dict></response>")


def typeahead(call: Call) -> Reply:
    """Continuations of ``prefix``: the names of indexes after ``index=``, else of commands."""
    prefix, count = call.needed("prefix"), call.whole("count", 0)
    if count < 1:
        raise HttpError(400, "count must be a whole number greater than 0")
    field, equals, begun = prefix.rpartition(" ")[2].partition("=")
    if equals:
        names = Runtime(call.splunkd, call.target_app, call.session.user).indexes() if field == "index" else []
        texts = [f'{field}="{name}"' for name in names if name.startswith(begun.strip('"').lower())]
    else:
        texts = [name for name in sorted(REGISTRY) if name.startswith(field.lower())]
    found = [{"content": text, "count": 1, "operator": False} for text in texts[:count]]
    if call.json:
        return json_reply({"results": found})
    rows = "".join(
        f"<result><field k='content'><value><text>{escape(text)}</text></value></field></result>"
        for text in texts[:count]
    )
    return xml_reply(f"<results preview='0'>{rows}</results>")


def commands(call: Call) -> Reply:
    held = {**call.splunkd.confs.stanzas("commands", call.context_app)}
    return call.feed("commands", [_command(name, held.get(name)) for name in sorted({*REGISTRY, *held} - {"default"})])


def _command(name: str, stanza: Stanza | None) -> Entry:
    own = stanza.settings if stanza else {}
    kind = "generating" if name in GENERATING else "streaming"
    content = {"type": "python" if stanza else "builtin", "category": kind, "disabled": False, **own}
    return Entry(name, content, f"search/commands/{quoted(name)}", stanza.app if stanza else "system", removable=False)


def command(call: Call, name: str) -> Reply:
    stanza = call.splunkd.confs.stanza("commands", name, call.context_app)
    if stanza is None and name not in REGISTRY:
        raise HttpError(404, f"Could not find object id={name}")
    return call.one("commands", _command(name, stanza))


def _tags(call: Call) -> dict[str, list[str]]:
    """Tags with the field-value pairs that carry them."""
    found: dict[str, list[str]] = {}
    for pair, stanza in call.splunkd.confs.stanzas("tags", call.context_app).items():
        for tag, state in stanza.own.items():
            if state == "enabled":
                found.setdefault(tag, []).append(pair)
    return found


def tags(call: Call) -> Reply:
    held = sorted(_tags(call).items())
    return call.feed("tags", [Entry(tag, {"field_value": pairs}, f"search/tags/{quoted(tag)}") for tag, pairs in held])


def tag(call: Call, name: str) -> Reply:
    pairs = _tags(call).get(name)
    if pairs is None:
        raise HttpError(404, f"Could not find object id={name}")
    return call.one("tags", Entry(name, {"field_value": pairs}, f"search/tags/{quoted(name)}"))


def concurrency(call: Call) -> Reply:
    content = {"max_hist_searches": jobs.MAX_RUNNING, "max_rt_searches": 0, "max_searches_perc": 100}
    entry = Entry("search-concurrency", content, "search/concurrency-settings/search-concurrency", "", "system")
    return call.one("concurrency-settings", entry)


ROUTES: tuple[Route, ...] = (
    Route("GET", "search/parser", parser),
    Route("POST", "search/parser", parser),
    Route("GET", "search/v2/parser", parser),
    Route("POST", "search/v2/parser", parser),
    Route("GET", "search/timeparser", timeparser),
    Route("GET", "search/typeahead", typeahead),
    Route("GET", "search/commands", commands),
    Route("GET", "search/commands/{name}", command),
    Route("GET", "search/tags", tags),
    Route("GET", "search/tags/{name}", tag),
    Route("GET", "search/concurrency-settings", concurrency),
    Route("GET", "search/concurrency-settings/search-concurrency", concurrency),
)
