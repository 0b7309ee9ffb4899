"""The attackers that detections are measured on: other ways to the same ends."""

from __future__ import annotations

from apisec_sandbox.campaigns.attacks.base import Campaign, Move, Moves, Tactic, listed
from apisec_sandbox.campaigns.attacks.heldout_floods import flooding
from apisec_sandbox.campaigns.attacks.heldout_payloads import HELDOUT, LINKS, PATHS
from apisec_sandbox.campaigns.attacks.payloads import said
from apisec_sandbox.campaigns.bodies import Body
from apisec_sandbox.campaigns.people import NETWORKS, address
from apisec_sandbox.campaigns.values import WORDS

SCRAPES = {"loud": (1.0, 2.5), "slow": (0.1, 1.0), "distributed": (1.0, 1.5), "mimic": (1.0, 7.5)}  # pace, size


def object_enumeration(campaign: Campaign) -> Moves:
    """Probe at random, then close in around what was found; some of it is changed, not only read."""
    app, op, rng = campaign.scene.app, campaign.target(), campaign.rng
    things = {thing.number: thing for thing in campaign.strangers(op.resource)}
    writes = [each for each in app.by_kind["update"] if each.resource == op.resource and each.spec.key in app.live]
    if not things:
        return
    low, high = min(things), max(things) + 40
    while True:
        number = rng.randrange(low, high)
        for step in range(rng.randint(1, 4)):
            found = things.get(number + step * rng.choice((-3, 2, 7)))
            guess = "" if found else app.thing(op.resource, number + step, "").identity
            if writes and found and rng.random() < 0.2:
                yield Move(writes[0], found)
            else:
                status = yield Move(op, found, {"guess": guess})
                if status in (403, 404):
                    break


def function_abuse(campaign: Campaign) -> Moves:
    """One staff operation, found by its name, on one account after the other; it answers in two of three campaigns."""
    granted = campaign.rng.random() < 0.67
    op = campaign.op("admin_write")
    listing = campaign.op("admin")
    things = list(campaign.scene.app.recent[listing.resource])
    yield Move(listing, None, {"things": things[-12:] if granted else (), "status": 200 if granted else 403})
    while things:
        yield Move(op, campaign.rng.choice(things), {"status": 200 if granted else 403})


def excess_data(campaign: Campaign) -> Moves:
    """Turn the pages of a list that a filter should have narrowed, at an ordinary page's size but without end."""
    op = campaign.op("list")
    everything = [thing for thing in campaign.scene.app.recent[op.resource] if thing.owner]
    at = 0
    while everything:
        page = everything[at % len(everything) :][:25]
        yield Move(op, None, {"things": page, "values": [str(at // 25 + 1)] * len(op.query)})
        at += 25


def scraping(campaign: Campaign) -> Moves:
    """Search for words and take what is found, logged in, each thing once: most of the catalogue."""
    campaign.pace, campaign.size = SCRAPES[campaign.style]
    app, rng = campaign.scene.app, campaign.rng
    search, view = campaign.op("search"), campaign.op("view")
    shelf = list(app.catalogue[search.resource])
    rng.shuffle(shelf)
    while True:
        for first in range(0, len(shelf), 6):
            found = shelf[first : first + 6]
            yield Move(search, None, {"things": found, "values": [rng.choice(WORDS)] * len(search.query)})
            for thing in found:
                yield Move(view, thing)


def credential_stuffing(campaign: Campaign) -> Moves:
    """Two tries an account; what opens is looked into and, sometimes, locked by the server."""
    op, me = campaign.op("login"), campaign.op("me")
    while True:
        body = campaign.login_body(op)
        who = campaign.rng.choice(campaign.sources)
        for attempt in range(2):
            opened = campaign.rng.random() < 0.02
            yield Move(op, None, {"body": body, "status": 0 if opened else 423 if attempt else 401}, by=who)
            if opened:
                yield Move(me, None, by=who)
                break


def token_guessing(campaign: Campaign) -> Moves:
    """Made-up credentials, each against another operation; now and then one that is refused as not enough."""
    app, rng = campaign.scene.app, campaign.rng
    while True:
        who = rng.choice(campaign.sources)
        app.credential(who, campaign.begin)
        op = campaign.op("list", "me")
        yield Move(op, None, {"status": 403 if rng.random() < 0.1 else 401}, by=who)


def account_enumeration(campaign: Campaign) -> Moves:
    """Sign up with each address of a list: what is taken is refused, and looked at again by a forgotten password."""
    rng, register, reset = campaign.rng, campaign.op("register"), campaign.op("reset")
    while True:
        taken = rng.random() < 0.25
        body = campaign.login_body(register)
        yield Move(register, None, {"body": body, "status": 409 if taken else 422}, fresh=True)
        if taken:
            yield Move(reset, None, {"body": campaign.login_body(reset)}, fresh=True)


def token_theft(campaign: Campaign) -> Moves:
    """Use one victim's credential from the same country with the same agent on another TLS stack; read and change."""
    scene, rng = campaign.scene, campaign.rng
    while True:
        holders = [who for who in campaign.holders() if who.persona != "office"]
        if not holders:
            return
        victim = rng.choice(holders)
        thief = campaign.thief(victim, victim.client.agent, address(NETWORKS[campaign.split], rng))
        yield Move(campaign.op("me"), None, by=thief)
        for _ in range(rng.randint(10, 40)):
            op = campaign.op("read", "update")
            things = scene.things(victim, op.resource)
            if things:
                yield Move(op, rng.choice(things), by=thief)
            else:
                yield Move(campaign.op("me"), None, by=thief)


def step_skipping(campaign: Campaign) -> Moves:
    """Leave out one step in the middle, another one each time, and take the last step again for older objects."""
    flow, rng = campaign.scene.app.flow, campaign.rng
    while True:
        who = campaign.take()
        made = campaign.scene.add(who, flow[0].resource)
        left_out = rng.randrange(1, len(flow) - 1)
        for number, op in enumerate(flow):
            if number != left_out:
                yield Move(op, made, {"status": 201 if op.kind == "create" else 200}, account=who)


def flow_automation(campaign: Campaign) -> Moves:
    """Mass registration, or guessing at codes that are worth money: what the application offers of the two."""
    rng = campaign.rng
    registers = campaign.scene.app.by_kind.get("register", [])
    guesses = rng.random() < 0.5 or not registers
    op = campaign.op("coupon") if guesses else registers[0]
    while True:
        if guesses:
            code = f"{rng.choice(WORDS)}{rng.randrange(100, 1000)}"
            status = 0 if rng.random() < 0.01 else 404
            yield Move(op, None, {"body": campaign.filled(op, **{op.body_fields[0].path: code}), "status": status})
        else:
            yield Move(op, None, {"body": campaign.login_body(op)}, fresh=True)


def injection(campaign: Campaign) -> Moves:
    """Payloads in members of bodies, between harmless ones; a probe is repeated when the answer was an error."""
    ops = [op for op in campaign.scene.app.by_kind["create"] + campaign.scene.app.by_kind["coupon"] if op.bodies]
    rng = campaign.rng
    while ops:
        op = rng.choice(ops)
        name = op.body_fields[0].path
        payload = rng.choice(HELDOUT)
        status = 0
        for _ in range(rng.randint(1, 3)):
            made = campaign.scene.add(campaign.accounts[0], op.resource) if op.kind == "create" else None
            extra = tuple(sorted({*op.body_fields[1:], *listed(((name, "string"),))}))
            options = {"body": campaign.filled(op, **{name: payload.text}), "extra": extra}
            status = yield Move(
                op, made, {**options, "signals": said(payload, f"body.{name}"), "status": rng.choice((0, 0, 400, 500))}
            )
            if status < 500:
                break


def ssrf(campaign: Campaign) -> Moves:
    """Odd spellings of inner addresses, between links that are fine."""
    op, rng = campaign.op("fetch"), campaign.rng
    name = op.body_fields[0].path
    while True:
        if rng.random() < 0.3:
            yield Move(op, None)
        payload = rng.choice(LINKS)
        body = campaign.filled(op, **{name: payload.text})
        yield Move(
            op, None, {"body": body, "signals": said(payload, f"body.{name}"), "status": rng.choice((0, 400, 504))}
        )


def mass_assignment(campaign: Campaign) -> Moves:
    """One member more at a time, each with a name that the responses have shown."""
    app, rng = campaign.scene.app, campaign.rng
    op = campaign.op("create", "update")
    owner = app.spec.resources[op.resource].owner
    members = ((owner, '"u00001"', "string"), ("approved", "true", "boolean"), ("discount", "99", "integer"))
    while True:
        who = campaign.take()
        made = campaign.scene.add(who, op.resource)
        yield Move(op, made, campaign.with_more(op, made, (rng.choice(members),)), account=who)


def reconnaissance(campaign: Campaign) -> Moves:
    """Paths that releases leave behind, with an account, in random order between ordinary requests."""
    rng = campaign.rng
    while True:
        op = campaign.op("browse")
        if rng.random() < 0.3:
            yield Move(op, None, {"things": campaign.scene.app.catalogue[op.resource][:12]})
        path, status = rng.choice(PATHS), rng.choice((404, 404, 403, 405))
        yield Move(op, None, {"path": path.text, "signals": said(path, "path"), "status": status})


def spec_violation(campaign: Campaign) -> Moves:
    """Known members with values of other types, one after the other."""
    rng = campaign.rng
    op = campaign.op("create", "coupon")
    while op.body_fields:
        field = rng.choice(op.body_fields)
        made = campaign.scene.add(campaign.accounts[0], op.resource) if op.wants_id else None
        raw = f'{{"{field.path}":{{"a":true}}}}'
        extra = listed(((f"{field.path}.a", "boolean"),))
        yield Move(op, made, {"body": Body(raw, len(raw), raw), "extra": extra, "status": rng.choice((400, 415, 422))})


TACTICS: dict[str, Tactic] = {
    each.__name__: each
    for each in (
        object_enumeration, function_abuse, excess_data, scraping, credential_stuffing, token_guessing,
        account_enumeration, token_theft, step_skipping, flow_automation, flooding, injection, ssrf, mass_assignment,
        reconnaissance, spec_violation,
    )
}  # fmt: skip
