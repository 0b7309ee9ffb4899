"""Attacks on who somebody is: stolen passwords, made-up tokens, lists of accounts, stolen sessions."""

from __future__ import annotations

from apisec_sandbox.campaigns.attacks.base import Move, Moves
from apisec_sandbox.campaigns.operations import Compiled
from apisec_sandbox.campaigns.people import CARRIERS, NETWORKS, Who, address, jwt
from apisec_sandbox.campaigns.values import login_of, password_of
from apisec_sandbox.campaigns.varied.campaign import Attack, Soon


def _login(attack: Attack) -> Compiled:
    return attack.op("login")


def one_try_each(attack: Attack) -> Moves:
    """One pair from a leak after the other; of a thousand some open."""
    op, app, rng = _login(attack), attack.scene.app, attack.rng
    rate = rng.choice((0.001, 0.005, 0.01, 0.02))
    for _ in range(attack.goal):
        opened = rng.random() < rate
        status = 0 if opened else app.spec.missing
        yield Move(op, None, {"body": attack.login_body(op), "status": status}, fresh=True)


def spraying(attack: Attack) -> Moves:
    """A few passwords that many use, each with all accounts, under the limit at which accounts are locked."""
    op, app, rng = _login(attack), attack.scene.app, attack.rng
    names = [login_of(app.account_kind, rng) for _ in range(max(30, attack.goal // rng.choice((1, 2, 3))))]
    sent = 0
    while True:
        password = password_of(rng)
        for name in names:
            opened = rng.random() < 0.004
            yield Move(
                op,
                None,
                {"body": attack.login_body(op, password, name), "status": 0 if opened else app.spec.missing},
                fresh=True,
            )
            sent += 1
            if sent >= attack.goal:
                return


def variations(attack: Attack) -> Moves:
    """Some tries for each account: the leaked password, and with a digit more; then the lock (423 or 429)."""
    op, app, rng = _login(attack), attack.scene.app, attack.rng
    tries, lock = rng.randint(2, 5), rng.choice((0, 423, 429))
    for _ in range(max(30, attack.goal // tries)):
        name = login_of(app.account_kind, rng)
        for number in range(tries):
            status = lock if lock and number >= 3 else app.spec.missing
            status = 0 if rng.random() < 0.003 else status
            kind = Move if not number else Soon
            yield kind(op, None, {"body": attack.login_body(op, "", name), "status": status}, fresh=True)


# --- tokens ----------------------------------------------------------------------------------------------------


def random_tokens(attack: Attack) -> Moves:
    """Made-up credentials of the right form against one operation."""
    app, rng = attack.scene.app, attack.rng
    op = attack.op("me", "list")
    for number in range(attack.goal):
        who = attack.sources[(number // attack.stay) % len(attack.sources)]
        app.credential(who, attack.begin)
        yield Move(op, None, {"status": 401}, by=who)
        if rng.random() < 0.02:
            op = attack.op("me", "list")


def forged_claims(attack: Attack) -> Moves:
    """Tokens with changed claims and a signature that cannot be right: another subject, another role, no end."""
    app, rng = attack.scene.app, attack.rng
    op = attack.op("me", "list", "admin")
    if app.spec.auth != "jwt":
        yield from random_tokens(attack)
        return
    for number in range(attack.goal):
        who = attack.sources[(number // attack.stay) % len(attack.sources)]
        subject = f"u{rng.randrange(1, 400):05d}{rng.getrandbits(24):06x}" if rng.random() < 0.5 else who.subject
        who.credential = jwt(
            subject, rng.choice(("user", "admin", "root")), attack.now, rng.choice((1, 24, 87_600)), rng, app.tokens
        )
        yield Move(op, None, {"status": 401}, by=who)


def many_doors(attack: Attack) -> Moves:
    """Made-up credentials, each against another operation that needs one."""
    app, rng = attack.scene.app, attack.rng
    ops = [op for kind in ("me", "list", "desk", "admin", "export") for op in app.by_kind.get(kind, ())]
    for number in range(attack.goal):
        who = attack.sources[(number // attack.stay) % len(attack.sources)]
        app.credential(who, attack.begin)
        yield Move(rng.choice(ops), None, {"status": 401}, by=who)


# --- accounts ------------------------------------------------------------------------------------------------


def _asked(attack: Attack, kind: str, unknown: int, share: float) -> Moves:
    """Ask for the accounts of a list; ``share`` of them exist."""
    op, rng = attack.op(kind), attack.rng
    for _ in range(attack.goal):
        exists = rng.random() < share
        success = (0 if kind != "register" else 409) if exists else unknown
        yield Move(op, None, {"body": attack.login_body(op), "status": success}, fresh=True)


def forgotten(attack: Attack) -> Moves:
    """Ask for a new password for each: the status tells who has an account, or (200 for all) only the mails do."""
    yield from _asked(attack, "reset", attack.scene.app.spec.unknown, attack.rng.choice((0.02, 0.15, 0.5)))


def registered(attack: Attack) -> Moves:
    """Sign up with each: who is refused has an account."""
    yield from _asked(attack, "register", 201, attack.rng.choice((0.1, 0.4, 0.9)))


def codes_asked(attack: Attack) -> Moves:
    """Have a code sent to each: an unknown number is refused."""
    yield from _asked(attack, "code", attack.scene.app.spec.unknown, attack.rng.choice((0.1, 0.5)))


def accounts(attack: Attack) -> Moves:
    """Ask whatever tells that an account exists."""
    app = attack.scene.app
    ways = [
        way
        for kind, way in (("reset", forgotten), ("register", registered), ("code", codes_asked))
        if app.of_kind(kind)
    ]
    yield from attack.rng.choice(ways)(attack)


# --- sessions --------------------------------------------------------------------------------------------------


def _thief(attack: Attack, victim: Who, near: bool) -> Who:
    thief = attack.thief(victim)
    attack.turn += 1
    thief.name = f"{attack.name}/thief-{attack.turn}"
    if near:  # same browser, same country: a proxy that sells residential addresses
        thief.client = type(thief.client)(
            address((NETWORKS if attack.rng.random() < 0.6 else CARRIERS)[attack.split], attack.rng),
            victim.client.agent, attack.rng.randrange(30_000, 60_000), victim.client.tokens,
            "" if attack.rng.random() < 0.5 else attack.source().client.ja4,
        )  # fmt: skip
    return thief


def _stolen(attack: Attack, near: bool, each: tuple[int, int]) -> Moves:
    scene, rng, sent = attack.scene, attack.rng, 0
    while sent < attack.goal:
        holders = attack.holders()
        if not holders:
            return
        victim = rng.choice(holders)
        thief = _thief(attack, victim, near)
        for number in range(rng.randint(*each)):
            op = attack.op("me", "list", "list")
            things = scene.things(victim, op.resource)[-scene.app.spec.page :] if op.kind == "list" else []
            kind = Move if not number or rng.random() < 0.3 else Soon
            yield kind(op, None, {"things": things}, by=thief)
            sent += 1
            reads = [each for each in scene.app.by_kind["read"] if each.resource == op.resource]
            if things and reads:
                yield Soon(rng.choice(reads), rng.choice(things), by=thief)
                sent += 1


def to_a_hoster(attack: Attack) -> Moves:
    """Use victims' credentials from a hoster with a tool, while their owners go on."""
    yield from _stolen(attack, False, (5, 25))


def next_door(attack: Attack) -> Moves:
    """The same from an ordinary network with the victim's kind of browser."""
    yield from _stolen(attack, True, (5, 30))


def one_victim(attack: Attack) -> Moves:
    """One credential, used for as long as it holds."""
    yield from _stolen(attack, attack.rng.random() < 0.5, (40, 200))


IDENTITY = {
    "credential_stuffing": (one_try_each, one_try_each, spraying, variations),
    "token_guessing": (random_tokens, forged_claims, many_doors),
    "account_enumeration": (accounts,),
    "token_theft": (to_a_hoster, next_door, one_victim),
}
