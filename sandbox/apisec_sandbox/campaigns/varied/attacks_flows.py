"""Attacks on the course of business and on capacity: steps left out, flows by machine, floods."""

from __future__ import annotations

from apisec_sandbox.campaigns.attacks.base import Move, Moves
from apisec_sandbox.campaigns.bodies import Thing
from apisec_sandbox.campaigns.operations import Compiled
from apisec_sandbox.campaigns.people import Who
from apisec_sandbox.campaigns.varied.asking import paged
from apisec_sandbox.campaigns.varied.campaign import Attack, Soon
from apisec_sandbox.campaigns.varied.tempo import between


def needed(attack: Attack) -> list[Compiled]:
    """Return the steps after the first that nobody may leave out."""
    spec = attack.scene.app.spec
    return [op for op in attack.scene.app.flow[1:] if op.spec.key not in spec.optional + spec.repeated]


def _begun(attack: Attack) -> tuple[Who, Thing]:
    who = attack.take()
    return who, attack.scene.add(who, attack.scene.app.flow[0].resource)


def _steps(who: Who, made: Thing, steps: list[Compiled], pace: tuple[float, float]) -> Moves:
    for op in steps:
        status = yield Soon(op, made, {"status": op.success}, account=who, seconds=pace)
        if status == 429:
            return


def to_the_end(attack: Attack) -> Moves:
    """Begin the flow and go straight to its last step."""
    for _ in range(attack.goal):
        who, made = _begun(attack)
        yield Move(attack.scene.app.flow[0], made, account=who)
        yield from _steps(who, made, needed(attack)[-1:], (0.5, 8.0))


def one_left_out(attack: Attack) -> Moves:
    """Take every step but one: the payment, the check, the code."""
    steps = needed(attack)
    missing = attack.rng.choice(steps[:-1])
    pace = attack.rng.choice(((0.2, 1.0), (2.0, 30.0)))
    for _ in range(attack.goal):
        who, made = _begun(attack)
        yield Move(attack.scene.app.flow[0], made, account=who)
        yield from _steps(who, made, [op for op in steps if op is not missing], pace)


def old_ones(attack: Attack) -> Moves:
    """Take the last step of something begun by hand hours before, whose steps between were never taken."""
    begun = [_begun(attack) for _ in range(min(12, attack.goal))]
    for who, made in begun:
        yield Move(attack.scene.app.flow[0], made, account=who)
    for number in range(attack.goal):
        who, made = begun[number % len(begun)] if number < len(begun) else _begun(attack)
        if number >= len(begun):
            yield Move(attack.scene.app.flow[0], made, account=who)
        yield Move(needed(attack)[-1], made, {"status": 200}, account=who)


# --- flows by machine ------------------------------------------------------------------------------------------


def _whole(attack: Attack, pace: tuple[float, float], browsing: float = 0.0) -> Moves:
    """Go through the flow ``goal`` times; optional steps are left out, as a script does."""
    app, rng = attack.scene.app, attack.rng
    steps = [op for op in app.flow[1:] if op.spec.key not in app.spec.optional]
    for _ in range(attack.goal):
        who, made = _begun(attack)
        yield Move(app.flow[0], made, {"status": app.flow[0].success}, account=who)
        if rng.random() < browsing:
            browse = attack.op("browse")
            yield Soon(
                browse,
                None,
                {**paged(app, browse, rng), "things": app.catalogue[browse.resource][: app.spec.page]},
                account=who,
            )
        yield from _steps(who, made, steps, pace)


def scalping(attack: Attack) -> Moves:
    """Through the flow as fast as it goes."""
    yield from _whole(attack, (0.05, 0.6))


def scripted(attack: Attack) -> Moves:
    """Through the flow with pauses that a script sleeps, and a look at the catalogue."""
    pause = attack.rng.uniform(1.0, 12.0)
    yield from _whole(attack, (pause * 0.9, pause * 1.1), 0.3)


def hoarding(attack: Attack) -> Moves:
    """Begin flows and never end them: seats, slots and stock are held until nobody else gets any."""
    app = attack.scene.app
    for _ in range(attack.goal):
        who, made = _begun(attack)
        yield Move(app.flow[0], made, {"status": app.flow[0].success}, account=who)
        yield from _steps(who, made, app.flow[1:2], (0.2, 3.0))


def codes_tried(attack: Attack) -> Moves:
    """Try coupon after coupon; now and then one is valid."""
    app, rng = attack.scene.app, attack.rng
    op = app.of_kind("coupon")
    if op is None:
        yield from hoarding(attack)
        return
    for _ in range(attack.goal * 2):
        yield Move(op, None, {"status": 200 if rng.random() < 0.03 else rng.choice((404, 404, 422))})


def farming(attack: Attack) -> Moves:
    """Sign up, redeem what newcomers get, and begin again with the next account."""
    app = attack.scene.app
    register, coupon = app.of_kind("register"), app.of_kind("coupon")
    if register is None or coupon is None:
        yield from scripted(attack)
        return
    for number in range(attack.goal):
        source = attack.sources[number % len(attack.sources)].client
        who = attack.scene.person("intruder", source, attack.rng)
        yield Move(register, None, {"body": attack.login_body(register), "status": 201}, by=who)
        app.credential(who, attack.now)
        yield Soon(attack.op("me"), None, by=who)
        yield Soon(coupon, None, {"status": 200}, by=who)


# --- floods ----------------------------------------------------------------------------------------------------


def _flood(attack: Attack, op: Compiled, fresh: bool) -> Moves:
    """Send one operation ``goal`` times, so fast that it hurts; what suffers answers 429 or 503, or only later."""
    app, rng = attack.scene.app, attack.rng
    rate = between(3.0, 40.0, rng.random()) if attack.style != "slow" else between(0.8, 2.0, rng.random())
    attack.span = attack.goal / rate
    refused, failed = rng.choice(((0.0, 0.0), (0.3, 0.0), (0.8, 0.0), (0.0, 0.1), (0.0, 0.0)))
    things = list(app.catalogue.get(op.resource, ()))[: app.spec.page]
    term = rng.choice(("a", "e", "", "%"))
    for number in range(attack.goal):
        late = number > attack.goal * 0.1
        draw = rng.random()
        status = 429 if late and draw < refused else 503 if late and draw < failed else 0
        options = paged(app, op, rng, number if rng.random() < 0.3 else 0, term=term or str(number)) if op.query else {}
        yield Move(op, None, {**options, "things": things, "status": status, "anonymous": fresh}, fresh=fresh)
        attack.hurried = True


def hammered(attack: Attack) -> Moves:
    """The search or the catalogue, by nobody in particular."""
    yield from _flood(attack, attack.op("search", "browse"), True)


def expensive(attack: Attack) -> Moves:
    """What costs the server most, by accounts that may ask for it."""
    yield from _flood(attack, attack.op("report", "search", "list"), False)


def logins(attack: Attack) -> Moves:
    """The login, which computes a slow hash for each request."""
    app = attack.scene.app
    if app.of_kind("login") is None:
        yield from hammered(attack)
        return
    attack.span = attack.goal / between(3.0, 25.0, attack.rng.random())
    op, body = attack.op("login"), attack.login_body(attack.op("login"))
    for _ in range(attack.goal):
        yield Move(
            op, None, {"body": body, "status": attack.rng.choice((app.spec.missing, app.spec.missing, 429))}, fresh=True
        )


FLOWS = {
    "step_skipping": (to_the_end, one_left_out, one_left_out, old_ones),
    "flow_automation": (scalping, scripted, scripted, hoarding, codes_tried, farming),
    "flooding": (hammered, hammered, expensive, logins),
}
