"""Attacks on objects and data: other people's objects, staff's functions, more than is needed, whole catalogues."""

from __future__ import annotations

from apisec_sandbox.campaigns.attacks.base import Move, Moves
from apisec_sandbox.campaigns.bodies import NUMERIC, Thing
from apisec_sandbox.campaigns.operations import Compiled
from apisec_sandbox.campaigns.varied.asking import page_of, paged
from apisec_sandbox.campaigns.varied.campaign import Attack, Soon

COUNTABLE = NUMERIC | {"ord", "dated", "pair", "slug"}


def _reads(attack: Attack) -> Compiled:
    """Return what reads (or now and then changes or removes) one object that belongs to somebody."""
    app, rng = attack.scene.app, attack.rng
    kinds = ("read",) if rng.random() < 0.8 else ("update", "remove")
    found = [op for kind in kinds for op in app.by_kind.get(kind, ()) if op.spec.key in app.live and op.wants_id]
    weak = [op for op in found if op.resource in app.spec.unchecked]
    return rng.choice(weak if weak and rng.random() < 0.75 else found or [attack.target()])


def walk(attack: Attack) -> Moves:
    """Count up or down from an id of one's own, with a stride."""
    app, op, rng = attack.scene.app, _reads(attack), attack.rng
    if app.spec.resources[op.resource].identity not in COUNTABLE:
        yield from collected(attack)
        return
    low, high = app.spec.first, app.made[op.resource]
    step = rng.choice((1, 1, 1, -1, 2, 5, 10))
    number = rng.randint(low, high)
    for _ in range(attack.goal):
        number += step
        if not low - 50 <= number <= high + 50:
            number = rng.randint(low, high)
        yield _named(attack, op, number)


def _named(attack: Attack, op: Compiled, number: int) -> Move:
    found = attack.at(op.resource, number)
    guess = "" if found else attack.scene.app.thing(op.resource, number, "").identity
    return Move(op, found, {"guess": guess})


def ranges(attack: Attack) -> Moves:
    """Draw numbers from a range, as somebody does who wants no pattern; most name nothing where ids are not counted."""
    app, op, rng = attack.scene.app, _reads(attack), attack.rng
    low = app.spec.first
    high = app.made[op.resource] + rng.choice((0, 50, 2_000))
    if app.spec.resources[op.resource].identity not in COUNTABLE and rng.random() < 0.7:
        yield from collected(attack)
        return
    for _ in range(attack.goal):
        yield _named(attack, op, rng.randint(low, high))


def collected(attack: Attack) -> Moves:
    """Ask for ids that were collected elsewhere: a leak, a log, links that people share, a second account."""
    op = _reads(attack)
    for thing in _known(attack, op.resource):
        yield Move(op, thing)


def _known(attack: Attack, resource: str) -> list[Thing]:
    """Return other people's objects in any order, of those too who are here no more."""
    spec, rng = attack.scene.app.spec, attack.rng
    things = {thing.number: thing for thing in attack.strangers(resource)}
    for _ in range(2 * attack.goal):
        old = attack.at(resource, rng.randrange(spec.first, spec.first + spec.past))
        if old is not None:
            things.setdefault(old.number, old)
    found = list(things.values())
    rng.shuffle(found)
    return found[: attack.goal]


def aside(attack: Attack) -> Moves:
    """Use every operation that takes the id, one object after the other: read, its history, an update."""
    app = attack.scene.app
    resource = _reads(attack).resource
    ops = [
        op
        for kind in ("read", "update", "upload")
        for op in app.by_kind.get(kind, ())
        if op.resource == resource and op.wants_id
    ]
    sent = 0
    for thing in _known(attack, resource):
        for op in ops:
            yield Move(op, thing) if not sent % 3 else Soon(op, thing)
            sent += 1
        if sent >= attack.goal:
            return


# --- functions ----------------------------------------------------------------------------------------------


def _staff(attack: Attack, *kinds: str) -> list[Compiled]:
    return [op for kind in kinds for op in attack.scene.app.by_kind.get(kind, ())]


def one_function(attack: Attack) -> Moves:
    """Call one function for staff that nobody guards, page by page or object by object."""
    app, rng = attack.scene.app, attack.rng
    op = rng.choice(_staff(attack, "admin", "desk", "admin_write", "export"))
    for number in range(attack.goal):
        things = list(app.recent[op.resource])
        if op.wants_id or op.kind == "admin_write":
            yield Move(op, rng.choice(things), {"status": 200})
        else:
            page = things[(number * app.spec.page) % max(1, len(things)) :][: app.spec.page]
            yield Move(op, None, {**paged(app, op, rng, number), "things": page, "status": 200})


def every_function(attack: Attack) -> Moves:
    """Try all functions for staff; most refuse, in some APIs one answers."""
    app, rng = attack.scene.app, attack.rng
    ops = _staff(attack, "admin", "desk", "admin_write", "export")
    weak = rng.choice(ops) if rng.random() < 0.6 else None
    for _ in range(attack.goal):
        op = rng.choice(ops)
        things = list(app.recent[op.resource])[-app.spec.page :]
        status = op.success if op is weak else app.spec.denied
        if op.wants_id or op.kind == "admin_write":
            yield Move(op, rng.choice(things), {"status": status})
        else:
            yield Move(op, None, {**paged(app, op, rng), "things": things if op is weak else (), "status": status})


def promoted(attack: Attack) -> Moves:
    """Change accounts with the function that only administrators should have: one's own, then those of others."""
    app, rng = attack.scene.app, attack.rng
    op = _staff(attack, "admin_write")[0]
    for _ in range(attack.goal):
        things = list(app.recent[op.resource]) or [app.make(op.resource, attack.accounts[0].owner)]
        yield Move(op, rng.choice(things[-60:]), {"status": 200})


# --- data ---------------------------------------------------------------------------------------------------


def _lists(attack: Attack) -> Compiled:
    app = attack.scene.app
    return attack.rng.choice([op for op in app.by_kind["list"] if op.spec.key in app.live])


def big_pages(attack: Attack) -> Moves:
    """Ask one's own list for pages of hundreds, and get everybody's."""
    app, op, rng = attack.scene.app, _lists(attack), attack.rng
    size = app.spec.page * rng.choice((5, 10, 20))
    for number in range(attack.goal):
        things = list(app.recent[op.resource])
        at = number * size % max(1, len(things))
        yield Move(op, None, {**paged(app, op, rng, number, size), "things": things[at : at + size]})


def all_pages(attack: Attack) -> Moves:
    """Turn the pages of a list that forgot whose it is, in pages of the ordinary size."""
    app, op, rng = attack.scene.app, _lists(attack), attack.rng
    for number in range(attack.goal * 3):
        things = list(app.recent[op.resource])
        at = number * app.spec.page % max(1, len(things))
        yield Move(op, None, {**paged(app, op, rng, number), "things": things[at : at + app.spec.page]})


def whole_records(attack: Attack) -> Moves:
    """Ask for whole records, with all that hangs on them, where people see a few members."""
    app, op, rng = attack.scene.app, _lists(attack), attack.rng
    if not app.spec.widening or op.method != "GET":
        yield from big_pages(attack)
        return
    size = app.spec.page * rng.choice((1, 2, 4))
    for number in range(attack.goal * 2):
        things = list(app.recent[op.resource])
        at = number * size % max(1, len(things))
        yield Move(op, None, {**paged(app, op, rng, number, size, wide=True), "things": things[at : at + size]})


def takeouts(attack: Attack) -> Moves:
    """Draw the report that people ask for once a year, again and again, with other people's data in it."""
    app, rng = attack.scene.app, attack.rng
    op = app.of_kind("report")
    if op is None:
        yield from big_pages(attack)
        return
    for _ in range(attack.goal):
        things = list(app.recent[op.resource])
        size = rng.randint(30, 250)
        at = rng.randrange(max(1, len(things) - size))
        yield Move(op, None, {"things": things[at : at + size]})


# --- scraping ----------------------------------------------------------------------------------------------


def _shelf(attack: Attack) -> tuple[Compiled, list[Compiled], list[Thing], bool]:
    app, rng = attack.scene.app, attack.rng
    browse = attack.op("browse")
    views = [op for op in app.by_kind["view"] if op.resource == browse.resource and op.shape == "one"]
    # Most catalogues are open; who needs an account takes those of the campaign.
    return browse, views, list(app.catalogue[browse.resource]), rng.random() < 0.7


def pages_and_things(attack: Attack) -> Moves:
    """All pages and all that they name, in their order or shuffled."""
    app, rng = attack.scene.app, attack.rng
    browse, views, shelf, fresh = _shelf(attack)
    size, mixed, sent = app.spec.page, rng.random() < 0.5, 0
    while sent < attack.goal:
        numbers = list(range(len(shelf) // size + 1))
        if mixed:
            rng.shuffle(numbers)
        for number in numbers:
            page = page_of(shelf, number, size)
            yield Move(
                browse, None, {**paged(app, browse, rng, number), "things": page, "anonymous": fresh}, fresh=fresh
            )
            for thing in page:
                yield Move(views[0], thing, {"anonymous": fresh}, fresh=fresh)
            sent += 1 + len(page)


def things_only(attack: Attack) -> Moves:
    """One thing after the other, from a sitemap or by its number; lists are never asked for."""
    rng = attack.rng
    _, views, shelf, fresh = _shelf(attack)
    if rng.random() < 0.5:
        rng.shuffle(shelf)
    for number in range(attack.goal):
        yield Move(views[0], shelf[number % len(shelf)], {"anonymous": fresh}, fresh=fresh)


def searches(attack: Attack) -> Moves:
    """The alphabet through the search, and every hit opened."""
    app, rng = attack.scene.app, attack.rng
    op = attack.op("search")
    views = [each for each in app.by_kind["view"] if each.resource == op.resource and each.shape == "one"]
    shelf, fresh, sent = list(app.catalogue[op.resource]), rng.random() < 0.7, 0
    while sent < attack.goal:
        term = "".join(rng.choice("abcdefghijklmnoprstuvw") for _ in range(rng.choice((1, 2, 3))))
        found = rng.sample(shelf, rng.randint(0, app.spec.page))
        options = {**paged(app, op, rng, term=term), "things": found, "anonymous": fresh}
        yield Move(op, None, options, fresh=fresh)
        sent += 1
        for thing in found if views and rng.random() < 0.7 else ():
            yield Move(views[0], thing, {"anonymous": fresh}, fresh=fresh)
            sent += 1


OBJECTS = {
    "object_enumeration": (walk, walk, ranges, collected, aside),
    "function_abuse": (one_function, one_function, every_function, promoted),
    "excess_data": (big_pages, all_pages, whole_records, takeouts),
    "scraping": (pages_and_things, things_only, searches),
}
