"""The attackers that detections are developed on."""

from __future__ import annotations

from urllib.parse import quote

from apisec_sandbox.campaigns.attacks.base import Campaign, Move, Moves, Tactic, listed
from apisec_sandbox.campaigns.attacks.payloads import DEV, DEV_LINKS, DEV_PATHS, said
from apisec_sandbox.campaigns.bodies import NUMERIC, Body
from apisec_sandbox.campaigns.values import WORDS

COUNTABLE = NUMERIC | {"ord"}
# Pace and size of scrapers, of each style: less than 250 things is no attack that anybody could find.
SCRAPES = {"loud": (1.0, 2.3), "slow": (0.12, 1.0), "distributed": (1.0, 1.2), "mimic": (0.2, 6.0)}


def object_enumeration(campaign: Campaign) -> Moves:
    """Count up where ids can be counted; else ids collected from somewhere, in the order they were made."""
    app, op = campaign.scene.app, campaign.target()
    things = {thing.number: thing for thing in campaign.strangers(op.resource)}
    if not things:
        return
    if app.spec.resources[op.resource].identity in COUNTABLE:
        number = min(things) + campaign.rng.randrange(max(1, len(things) // 2))
        while True:
            found = things.get(number)
            guess = "" if found else app.thing(op.resource, number, "").identity
            yield Move(op, found, {"guess": guess})
            number += 1
    for number in sorted(things):
        yield Move(op, things[number])


def function_abuse(campaign: Campaign) -> Moves:
    """Call what is for staff; in half of the campaigns it answers."""
    granted = 200 if campaign.rng.random() < 0.5 else 0
    while True:
        op = campaign.op("admin", "desk", "admin_write", "export")
        things = list(campaign.scene.app.recent[op.resource])[-12:]
        if op.wants_id:
            yield Move(op, campaign.rng.choice(things), {"status": granted or 403})
        else:
            yield Move(op, None, {"status": granted, "things": things})


def excess_data(campaign: Campaign) -> Moves:
    """Ask one's own lists for far more than a page, and get everybody's."""
    op = campaign.op("list")
    everything = list(campaign.scene.app.recent[op.resource])
    while True:
        size = campaign.rng.randint(50, 90)
        at = campaign.rng.randrange(max(1, len(everything) - size))
        yield Move(op, None, {"things": everything[at : at + size], "values": ["100"] * len(op.query)})


def scraping(campaign: Campaign) -> Moves:
    """Take the whole catalogue, page by page and thing by thing, without an account."""
    campaign.pace, campaign.size = SCRAPES[campaign.style]
    app = campaign.scene.app
    browse, view = campaign.op("browse"), campaign.op("view")
    shelf = app.catalogue[browse.resource]
    while True:
        for first in range(0, len(shelf), 25):
            page = shelf[first : first + 25]
            yield Move(browse, None, {"things": page, "anonymous": True}, fresh=True)
            for thing in page:
                yield Move(view, thing, {"anonymous": True}, fresh=True)


def credential_stuffing(campaign: Campaign) -> Moves:
    """One pair of name and password after the other; one in a hundred opens."""
    op = campaign.op("login")
    while True:
        opened = campaign.rng.random() < 0.01
        yield Move(op, None, {"body": campaign.login_body(op), "status": 0 if opened else 401}, fresh=True)


def token_guessing(campaign: Campaign) -> Moves:
    """Made-up credentials against one operation."""
    app, op = campaign.scene.app, campaign.op("me")
    while True:
        who = campaign.rng.choice(campaign.sources)
        app.credential(who, campaign.begin)
        yield Move(op, None, {"status": 401}, by=who)


def account_enumeration(campaign: Campaign) -> Moves:
    """Ask for a new password for each address of a list: the status tells which ones have an account."""
    op = campaign.op("reset")
    while True:
        status = 0 if campaign.rng.random() < 0.15 else 404
        yield Move(op, None, {"body": campaign.login_body(op), "status": status}, fresh=True)


def token_theft(campaign: Campaign) -> Moves:
    """Use victims' credentials from a hoster with a tool, while their owners go on."""
    scene = campaign.scene
    while True:
        holders = campaign.holders()
        if not holders:
            return
        victim = campaign.rng.choice(holders)
        thief = campaign.thief(victim)
        for _ in range(campaign.rng.randint(6, 20)):
            listing = campaign.op("list")
            things = scene.things(victim, listing.resource)[-12:]
            yield Move(listing, None, {"things": things}, by=thief)
            if things:
                reads = [op for op in scene.app.by_kind["read"] if op.resource == listing.resource]
                yield Move(reads[0], campaign.rng.choice(things), by=thief)


def step_skipping(campaign: Campaign) -> Moves:
    """Begin the business flow and go straight to its last step."""
    first, last = campaign.scene.app.flow[0], campaign.scene.app.flow[-1]
    while True:
        who = campaign.take()
        made = campaign.scene.add(who, first.resource)
        yield Move(first, made, account=who)
        yield Move(last, made, {"status": 200}, account=who)


def flow_automation(campaign: Campaign) -> Moves:
    """Go through the whole flow again and again, as scalpers do."""
    while True:
        who, flow = campaign.take(), campaign.scene.app.flow
        made = campaign.scene.add(who, flow[0].resource)
        for op in flow:
            yield Move(op, made, {"status": 201 if op.kind == "create" else 200}, account=who)


def flooding(campaign: Campaign) -> Moves:
    """Hammer the search with one query; a mimic asks for other words and turns pages, too."""
    search, mimic = campaign.op("search"), campaign.style == "mimic"
    while True:
        op, word = (campaign.op("search", "browse"), campaign.rng.choice(WORDS)) if mimic else (search, "a")
        status = 0 if campaign.rng.random() < 0.8 else 429
        yield Move(op, None, {"status": status, "values": [word] * len(op.query), "anonymous": True}, fresh=True)


def injection(campaign: Campaign) -> Moves:
    """Payloads in the search's parameters."""
    op = campaign.op("search")
    if not op.query:
        op = campaign.op("list")
    while op.query:
        payload = campaign.rng.choice(DEV)
        values = [quote(payload.text, safe=""), *["1"] * (len(op.query) - 1)]
        status = campaign.rng.choice((0, 0, 0, 400, 500))
        yield Move(op, None, {"values": values, "signals": said(payload, f"query.{op.query[0]}"), "status": status})


def ssrf(campaign: Campaign) -> Moves:
    """Have the server fetch what only it can reach."""
    op = campaign.op("fetch")
    name = op.body_fields[0].path
    while True:
        payload = campaign.rng.choice(DEV_LINKS)
        body = campaign.filled(op, **{name: payload.text})
        yield Move(op, None, {"body": body, "signals": said(payload, f"body.{name}")})


def mass_assignment(campaign: Campaign) -> Moves:
    """Send members along that only the server may set."""
    op = campaign.op("update", "create")
    more = (("is_admin", "true", "boolean"), ("role", '"admin"', "string"), ("verified", "true", "boolean"))
    while True:
        who = campaign.take()
        made = campaign.scene.add(who, op.resource)
        yield Move(op, made, campaign.with_more(op, made, more), account=who)


def reconnaissance(campaign: Campaign) -> Moves:
    """A word list of paths that should not be there."""
    op = campaign.op("browse")
    while True:
        for path in DEV_PATHS:
            options = {"path": path.text, "signals": said(path, "path"), "status": 404, "anonymous": True}
            yield Move(op, None, options, fresh=True)


def spec_violation(campaign: Campaign) -> Moves:
    """Members of wrong types and unknown ones, to see what breaks."""
    op = campaign.op("create", "update", "coupon")
    while True:
        made = campaign.scene.add(campaign.accounts[0], op.resource) if op.wants_id else None
        raw = f'{{"{campaign.rng.choice(WORDS)}":[],"limit":-1}}'
        status = campaign.rng.choice((400, 422, 500))
        extra = listed((("limit", "integer"),))  # an empty list has no fields
        yield Move(op, made, {"body": Body(raw, len(raw), raw), "extra": extra, "status": status})


TACTICS: dict[str, Tactic] = {
    each.__name__: each
    for each in (
        object_enumeration, function_abuse, excess_data, scraping, credential_stuffing, token_guessing,
        account_enumeration, token_theft, step_skipping, flow_automation, flooding, injection, ssrf, mass_assignment,
        reconnaissance, spec_violation,
    )
}  # fmt: skip
