"""Attacks in the requests themselves: payloads, links, members slipped in, paths guessed, forms broken."""

from __future__ import annotations

from urllib.parse import quote

from apisec_sandbox.campaigns.attacks.base import Move, Moves, listed
from apisec_sandbox.campaigns.attacks.payloads import DEV, DEV_LINKS, DEV_PATHS, Payload, said
from apisec_sandbox.campaigns.bodies import Body, Thing
from apisec_sandbox.campaigns.operations import Compiled
from apisec_sandbox.campaigns.values import WORDS
from apisec_sandbox.campaigns.varied.campaign import Attack

MEMBERS = (
    ("is_admin", "true", "boolean"), ("isAdmin", "true", "boolean"), ("admin", "1", "integer"),
    ("role", '"admin"', "string"), ("roles", '"root"', "string"), ("verified", "true", "boolean"),
    ("kycPassed", "true", "boolean"), ("credit", "99999", "integer"), ("priceOverride", "0", "integer"),
    ("approvedBy", '"system"', "string"), ("permissions", '"all"', "string"), ("quota", "1000000", "integer"),
    ("planLevel", '"enterprise"', "string"), ("locked", "false", "boolean"),
)  # fmt: skip
PATHS = (
    *DEV_PATHS,
    *map(Payload, ("/v0/users", "/v2/internal/users", "/api/v1/debug", "/graphiql", "/openapi.yaml", "/config", "/env",
                   "/actuator/heapdump", "/api/private", "/users/password", "/metrics/prometheus", "/api/swagger-ui",
                   "/beta/orders", "/staging", "/export/all", "/api/v9/me", "/setup", "/install", "/login.action",
                   "/jolokia/list", "/trace", "/dump.sql", "/users.csv", "/api/keys", "/oauth/clients",
                   "/.well-known/jwks")),
)  # fmt: skip


def injected(attack: Attack) -> Moves:
    """Payloads in a parameter of a query or a member of a body."""
    app, rng = attack.scene.app, attack.rng
    ops = [op for kind in ("search", "list", "browse") for op in app.by_kind.get(kind, ()) if op.query]
    ops += [op for kind in ("create", "update", "coupon") for op in app.by_kind.get(kind, ()) if _texts(op)]
    if not ops:
        return
    op = rng.choice(ops)
    kind = rng.choice(("any", "sqli", "one"))
    pool = [each for each in DEV if kind != "sqli" or "sqli" in each.signals[0]]
    pool = [rng.choice(pool)] if kind == "one" else pool
    for _ in range(attack.goal):
        if rng.random() < 0.15:
            op = rng.choice(ops)
        payload = rng.choice(pool)
        status = rng.choice((0, 0, 0, 400, 500, 422))
        made = _own(attack, op)
        if op.query:
            name = rng.choice(op.query)
            pairs = [(each, quote(payload.text, safe="") if each == name else "1") for each in op.query]
            yield Move(op, made, {"query": pairs, "signals": said(payload, f"query.{name}"), "status": status})
        else:
            name = rng.choice(_texts(op))
            body = attack.filled(op, **{name: payload.text})
            if op.at == "body" and made is not None:
                body = op.naming(body, made.identity)
            yield Move(op, made, {"body": body, "signals": said(payload, f"body.{name}"), "status": status})


def _texts(op: Compiled) -> list[str]:
    return [name for name, kind in op.spec.body if kind in ("text", "prose", "code")] if not op.form else []


def _own(attack: Attack, op: Compiled) -> Thing | None:
    return attack.scene.add(attack.accounts[0], op.resource) if op.wants_id or op.kind == "create" else None


def fetched(attack: Attack) -> Moves:
    """Have the server fetch what only it can reach, between links that are in order."""
    op, rng = attack.op("fetch"), attack.rng
    name = op.body_fields[0].path
    for _ in range(attack.goal):
        payload = rng.choice(DEV_LINKS)
        body = attack.filled(op, **{name: payload.text})
        yield Move(
            op, None, {"body": body, "signals": said(payload, f"body.{name}"), "status": rng.choice((0, 0, 400, 504))}
        )


def slipped_in(attack: Attack) -> Moves:
    """Send members along that only the server may set: the same ones each time, or others until one is taken."""
    app, rng = attack.scene.app, attack.rng
    found = [
        op for kind in ("update", "create", "step") for op in app.by_kind.get(kind, ()) if op.spec.body and not op.form
    ]
    if not found:
        found = [attack.op("update", "create")]
    op = rng.choice(found)
    few = rng.sample(MEMBERS, rng.randint(1, 3))
    searching = rng.random() < 0.5
    for _ in range(attack.goal):
        who = attack.take()
        made = attack.scene.add(who, op.resource)
        more = rng.sample(MEMBERS, rng.randint(1, 3)) if searching else few
        status = rng.choice((0, 0, 0, 400)) if searching else 0
        yield Move(op, made, {**attack.with_more(op, made, more), "status": status}, account=who)


def guessed_paths(attack: Attack) -> Moves:
    """A word list of paths that should not be there, or words behind the API's own prefix."""
    rng = attack.rng
    op = attack.op("browse")
    prefix = op.spec.path.rpartition("/")[0]
    own, account = rng.random() < 0.5, rng.random() < 0.3
    for number in range(attack.goal):
        if own:
            word = f"{rng.choice(WORDS)}{rng.choice(('', '', 's', '-list'))}"
            path = Payload(f"{prefix}/{word}/{rng.choice(('config', 'all', 'debug', 'internal', 'test', 'admin'))}")
        else:
            path = PATHS[number % len(PATHS)]
        status = rng.choice((404, 404, 404, 404, 403, 405))
        options = {"path": path.text, "signals": said(path, "path"), "status": status, "anonymous": not account}
        yield Move(op, None, options, fresh=not account)


def broken_forms(attack: Attack) -> Moves:
    """Members of wrong types, unknown ones, missing ones, to see what breaks."""
    rng, app = attack.rng, attack.scene.app
    found = [op for kind in ("create", "update", "coupon", "step") for op in app.by_kind.get(kind, ()) if not op.form]
    op = rng.choice(found)
    for _ in range(attack.goal):
        if rng.random() < 0.2:
            op = rng.choice(found)
        made = _own(attack, op)
        name, limit = rng.choice(WORDS), rng.choice((-1, 0, 2**31, 10**18))
        raw, extra = rng.choice((
            (f'{{"{name}":[],"limit":{limit}}}', (("limit", "integer"),)),
            (f'{{"limit":"{name}"}}', (("limit", "string"),)),
            (f'{{"offset":{limit},"sort":"{name}"}}', (("offset", "integer"), ("sort", "string"))),
        ))  # fmt: skip
        status = rng.choice((400, 400, 422, 500, 200 if rng.random() < 0.3 else 400))
        yield Move(op, made, {"body": Body(raw, len(raw), raw), "extra": listed(extra), "status": status})


PAYLOADS = {
    "injection": (injected,),
    "ssrf": (fetched,),
    "mass_assignment": (slipped_in,),
    "reconnaissance": (guessed_paths,),
    "spec_violation": (broken_forms,),
}
