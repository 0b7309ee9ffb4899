"""Requests and answers as lines: the event that a forwarder would ship, and the transaction that it would read."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import orjson

from apisec_sandbox.campaigns.bodies import ACKS, Body, Listed, Records, error_fields, listed_text
from apisec_sandbox.campaigns.operations import Compiled
from apisec_sandbox.campaigns.people import CLAIMS, Credential, Who
from apisec_sandbox.campaigns.spec import ApiSpec

BODY_CAP = 16_384  # characters of a body that the forwarder ships, as it is configured by default
_TOKEN = re.compile(r"~[a-z][a-z._0-9]*~[0-9a-f]{16}~")
JSON, FORM = "application/json", "application/x-www-form-urlencoded"


class Exchange(NamedTuple):
    """One request and its answer. ``named`` is the id it names; ``path`` stands in for the operation's own, "" else."""

    identity: str
    now: float
    who: Who
    credential: Credential | None
    op: Compiled
    path: str
    named: str
    query: str
    names: tuple[str, ...]  # of the query's parameters
    sent: Body
    extra: Sequence[Listed]
    status: int
    shape: str
    reply: Body
    latency: float  # milliseconds
    signals: str

    @property
    def shown(self) -> str:
        """The path as sent."""
        op = self.op
        return self.path or (f"{op.before}{self.named}{op.after}" if op.id_name else op.before)

    @property
    def method(self) -> str:
        return "GET" if self.path else self.op.method


class Wire:
    """Writes the exchanges of one application; what depends on shapes only is made once for each."""

    def __init__(self, spec: ApiSpec, host: str, records: Mapping[str, Records], frame: str) -> None:
        self._spec, self._host, self._records, self._frame = spec, host, records, frame
        self._details: dict[tuple[object, ...], str] = {}

    def event(self, exchange: Exchange) -> str:
        """Return the line of sourcetype apisec:transaction."""
        identity, now, who, credential, op, path, named, query = exchange[:8]
        sent, status, reply, latency, signals = exchange.sent, exchange.status, *exchange[13:]
        shown, client = exchange.shown, who.client
        target, asked = (f"{shown}?{query}", f',"uri_query":"{query}"') if query else (shown, "")
        objects = ""
        if named and not path:
            called = op.id_name or op.at_name or "variables_id"
            # The forwarder takes for an id what is called so.
            objects = f'"{called}={named}"' if not op.at or called.lower().endswith("id") else ""
        head = f',"http_method":"GET","endpoint":"{path}","operation":"GET {path}"' if path else op.head
        acting = credential.text if credential else client.identity()
        return (
            f'{{"schema":1,"id":"{identity}","time":{now:.3f}{self._frame}{head},"uri_path":"{shown}"'
            f',"url":"https://{self._host}{target}"{asked},"object_ids":[{objects}],"status":{status}'
            f'{client.source},"bytes_in":{sent.size},"bytes_out":{reply.size},"response_time":{latency:.1f}'
            f"{acting}{client.tls}{signals}{self._detail(exchange)}{_shown('request', sent, op.form)}"
            f'{_shown("response", reply)},"coverage":"complete"{_reasons(reply)}}}\n'
        )

    def transaction(self, exchange: Exchange) -> str:
        """Return the line that ``apisec-forwarder replay`` reads."""
        client, credential = exchange.who.client, exchange.credential
        headers = [["host", self._host], ["user-agent", client.agent]]
        if credential:
            headers += [list(pair) for pair in credential.headers]
        query = f"?{exchange.query}" if exchange.query else ""
        url = f"https://{self._host}{exchange.shown}{query}"
        request: dict[str, Any] = {"method": exchange.method, "url": url, "headers": headers}
        answered: list[list[str]] = []
        response: dict[str, Any] = {"status": exchange.status, "headers": answered}
        if exchange.sent.raw:
            headers.append(["content-type", FORM if exchange.op.form else JSON])
            request["body"] = exchange.sent.raw
        if exchange.reply.raw:
            answered.append(["content-type", JSON])
            response["body"] = exchange.reply.raw
        if exchange.shape == "cookie" and exchange.who.credential:
            answered.append(["set-cookie", f"session={exchange.who.credential.raw}; HttpOnly; Secure"])
        record = {
            "id": exchange.identity,
            "time": round(exchange.now, 3),
            "client": {"address": client.address, "port": client.port, "ja4": client.ja4, "tls_version": "TLSv1.3"},
            "request": request,
            "response": response,
            "duration": round(exchange.latency, 1),
        }
        return orjson.dumps(record).decode() + "\n"

    def _detail(self, exchange: Exchange) -> str:
        """Return the event's members that depend on shapes only: its fields and their classes."""
        credential, named = exchange.credential, exchange.named
        key = (
            exchange.op.number, credential.kind if credential else "", exchange.shape, bool(named), named.isdigit(),
            bool(exchange.sent.shown), tuple(exchange.extra), bool(exchange.path), exchange.names,
        )  # fmt: skip
        found = self._details.get(key)
        if found is None:
            found = self._details[key] = self._describe(exchange)
        return found

    def _describe(self, exchange: Exchange) -> str:
        asked = _asked(exchange)
        # Headers and cookies come before the body.
        answer = sorted(self._answered(exchange.op, exchange.shape), key=lambda field: (field.place == "body", field))
        classes = sorted({field.data_class for field in (*asked, *answer) if field.data_class})
        listed = ",".join(f'"{each}"' for each in classes)
        fields = listed_text("request_fields", asked) + listed_text("response_fields", answer)
        return f'{fields},"data_classes":[{listed}]'

    def _answered(self, op: Compiled, shape: str) -> list[Listed]:
        before = f"data.{op.spec.key}" if op.graphql else ""
        inner = f"{before}." if before else ""
        if shape == "error":
            return error_fields(self._spec.errors)
        if shape == "one":
            return self._records[op.resource].listed(inner)
        if shape == "one+":
            return self._records[f"{op.resource}+"].listed(inner)
        if shape in ("many", "many+", "empty"):
            listing = self._spec.listing
            total = [Listed("total", "body", "integer")] if listing and not op.graphql else []
            path = before if op.graphql else listing
            records = self._records[f"{op.resource}+" if shape == "many+" else op.resource]
            return total + (records.listed(f"{path}[].") if shape != "empty" else [])
        if shape == "ack":
            return [Listed(inner + name, "body", kind) for name, kind in ACKS[self._spec.ack][1]]
        name = self._spec.token
        return [each._replace(path=each.path.replace("access_token", name, 1)) for each in _TOKENS.get(shape, ())]


_TOKENS: Mapping[str, tuple[Listed, ...]] = {
    "cookie": (Listed("done", "body", "boolean"), Listed("session", "cookie", "string", "secret.session")),
    "token.jwt": (
        Listed("access_token", "body", "string", "secret.jwt"),
        *(field._replace(path=field.path.replace("authorization", "access_token"), place="body") for field in CLAIMS),
        Listed("expires_in", "body", "integer"),
    ),
    "token.bearer": (
        Listed("access_token", "body", "string", "secret.token"),
        Listed("expires_in", "body", "integer"),
    ),
}


def _asked(exchange: Exchange) -> list[Listed]:
    """Return the fields of a request: path, query, header and cookie, body."""
    op, asked = exchange.op, []
    if not exchange.path:
        if op.id_name:
            asked.append(Listed(op.id_name, "path", "integer" if exchange.named.isdigit() else "string"))
        asked += [Listed(name, "query", "string") for name in sorted(exchange.names)]
    if exchange.credential:
        asked += sorted(exchange.credential.fields)
    if exchange.sent.shown:
        asked += sorted(exchange.extra or op.sent_fields(bool(exchange.named)))
    return asked


def _cut(text: str) -> str:
    """Return as much of a body as is shipped; no token is broken in two."""
    for match in _TOKEN.finditer(text, BODY_CAP - 64):
        if match.start() < BODY_CAP < match.end():
            return text[: match.start()]
        if match.start() >= BODY_CAP:
            break
    return text[:BODY_CAP]


def _reasons(reply: Body) -> str:
    if len(reply.shown) <= BODY_CAP:
        return ""
    return f',"coverage_reasons":["response_body: shown up to character {BODY_CAP} of {len(reply.shown)}"]'


def _shown(side: str, body: Body, form: bool = False) -> str:
    text = body.shown
    if not text:
        return ""
    if len(text) > BODY_CAP:
        text = _cut(text)
    kind = "request_content_type" if side == "request" else "http_content_type"
    escaped = orjson.dumps(text).decode()[1:-1] if "\\" in text else text.replace('"', '\\"')
    return f',"{side}_body":"{escaped}","{kind}":"{FORM if form else JSON}"'
