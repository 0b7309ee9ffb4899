"""Operations of one application with everything about them that no request changes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from random import Random
from urllib.parse import quote

from apisec_sandbox.campaigns.bodies import NUMERIC, Body, Listed, members, plain
from apisec_sandbox.campaigns.spec import ApiSpec, Operation
from apisec_sandbox.campaigns.values import Tokens, canonical

BODIES = 24  # made-up request bodies an operation
OPEN_KINDS = frozenset(("login", "register", "reset", "refresh", "health", "browse", "view", "search", "code"))
STAFF_KINDS = {
    "desk": ("desk", "admin"),
    "admin": ("admin",),
    "admin_write": ("admin",),
    "export": ("admin", "machine"),
}
CHANGING = frozenset(("create", "update", "step", "remove", "admin_write", "coupon", "register", "upload", "ingest"))
SLOW = {"export": 6.0, "search": 2.5, "login": 4.0, "step": 1.8, "fetch": 8.0}


class Compiled:
    """``scale`` is the factor that a deployment has put on its latency; ``staff`` are the roles that may call it."""

    __slots__ = (
        "after",
        "at",
        "at_name",
        "at_number",
        "before",
        "bodies",
        "body_fields",
        "form",
        "graphql",
        "head",
        "id_name",
        "kind",
        "median",
        "method",
        "number",
        "open",
        "query",
        "resource",
        "scale",
        "shape",
        "spec",
        "staff",
        "success",
    )

    def __init__(self, number: int, spec: Operation, api: ApiSpec, tokens: Tokens, rng: Random) -> None:
        self.number, self.spec, self.method = number, spec, spec.method
        self.kind, self.shape, self.resource, self.query = spec.kind, spec.shape, spec.resource, spec.query
        self.graphql = bool(api.graphql) and spec.path == api.graphql
        before, opened, rest = spec.path.partition("{")
        self.id_name, _, self.after = rest.partition("}")
        self.at, _, self.at_name = spec.at.partition(":")
        self.at_number = bool(spec.at) and api.resources[spec.resource].identity in NUMERIC
        self.form = spec.form
        self.before = before if opened else spec.path
        self.head = f',"http_method":"{spec.method}","endpoint":"{spec.path}","operation":"{spec.method} {spec.path}"'
        if self.graphql:
            self.head += f',"body_operation":"{spec.key}"'
        self.median = rng.uniform(6.0, 40.0) * SLOW.get(spec.kind, 1.0)
        self.scale = 1.0
        self.success = 201 if spec.kind in ("create", "register") and not self.graphql else 200
        if spec.shape == "none" and not self.graphql:
            self.success = 204
        self.open = spec.kind in OPEN_KINDS
        self.staff = STAFF_KINDS.get(spec.kind, ())
        made = [members(spec.body, rng, tokens) for _ in range(BODIES)] if spec.body else []
        self.body_fields = made[0].listed("") if made else []
        self.bodies = [
            Body(f"{{{each.text(True)}}}", len(f"{{{each.text(False)}}}"), f"{{{each.text(False)}}}") for each in made
        ]
        if spec.form:
            self.bodies = [_as_form(body) for body in self.bodies]

    @property
    def wants_id(self) -> bool:
        return bool(self.id_name or self.at) or (
            self.graphql and self.kind in ("view", "read", "update", "step", "remove")
        )

    def sent_fields(self, named: bool) -> list[Listed]:
        """Return the fields of the body that the operation itself sends; ``named``: with an id."""
        if not self.graphql:
            if self.at == "body" and named:
                kind = "integer" if self.at_number and not self.form else "string"
                return [*self.body_fields, Listed(self.at_name, "body", kind)]
            return self.body_fields
        names = ["operationName", "query", *([f"variables.{self.at_name or 'id'}"] if named else [])]
        return [Listed(name, "body", "string") for name in names]

    def document(self, variables: Mapping[str, str | int]) -> Body:
        """Return a GraphQL document of this operation."""
        key = self.spec.key
        argument = f"({','.join(f'{name}:${name}' for name in variables)})" if variables else ""
        written = ",".join(f'"{name}":{json.dumps(value)}' for name, value in variables.items())
        more = f',"variables":{{{written}}}' if variables else ""
        query = f"{'mutation' if self.kind in CHANGING else 'query'} {key} {{ {key}{argument} {{ id }} }}"
        return plain(f'{{"operationName":"{key}","query":"{query}"{more}}}')

    def naming(self, body: Body, identity: str) -> Body:
        """Return a body of this operation with the id of what it is about."""
        shown, raw = body.shown, body.raw
        if self.form:
            head, tail = f"{self.at_name}={identity}", "&" if shown else ""
            shown, raw = f"{head}{tail}{shown}", f"{head}{tail}{raw}"
        else:
            written = identity if self.at_number else f'"{identity}"'
            head, tail = f'{{"{self.at_name}":{written}', "," if len(shown) > 2 else "}"
            shown, raw = f"{head}{tail}{shown[1:]}", f"{head}{tail}{raw[1:]}"
        return Body(shown, len(raw), raw)


def _as_form(body: Body) -> Body:
    shown = "&".join(f"{name}={quote(str(value), safe='~')}" for name, value in json.loads(body.shown).items())
    raw = "&".join(f"{name}={quote(str(value), safe='')}" for name, value in json.loads(body.raw).items())
    return Body(shown, len(raw), raw)


def _pairs(form: str) -> dict[str, str]:
    return {name: value for name, _, value in (pair.partition("=") for pair in form.split("&") if pair)}


def filled(op: Compiled, rng: Random, tokens: Tokens, values: Mapping[str, str | int]) -> Body:
    """Return an operation's request with some members replaced: by the value as sent."""
    classes = {each.path: each.data_class for each in op.body_fields}
    if op.form:
        base = rng.choice(op.bodies) if op.bodies else Body("", 0, "")
        shown, raw = _pairs(base.shown), _pairs(base.raw)
        for name, value in values.items():
            known = classes.get(name)
            raw[name] = quote(str(value), safe="")
            shown[name] = tokens(known, canonical(known, str(value))) if known else raw[name]
        texts = ["&".join(f"{name}={value}" for name, value in each.items()) for each in (shown, raw)]
        return Body(texts[0], len(texts[1]), texts[1])
    sent: dict[str, str | int] = json.loads(rng.choice(op.bodies).raw) if op.bodies else {}
    sent.update(values)
    redacted = {
        name: tokens(classes[name], canonical(classes[name], str(value))) if classes.get(name) else value
        for name, value in sent.items()
    }
    text = json.dumps(sent, separators=(",", ":"), ensure_ascii=False)
    return Body(json.dumps(redacted, separators=(",", ":"), ensure_ascii=False), len(text.encode()), text)
