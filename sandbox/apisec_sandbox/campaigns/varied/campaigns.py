"""Plans the campaigns of split varied: family, style, strategy, how much, how long, from when."""

from __future__ import annotations

from typing import TYPE_CHECKING

from apisec_sandbox.campaigns.attacks.base import Tactic
from apisec_sandbox.campaigns.scene import Scene
from apisec_sandbox.campaigns.values import LOGINS, seeded
from apisec_sandbox.campaigns.varied.attacks_flows import FLOWS
from apisec_sandbox.campaigns.varied.attacks_identity import IDENTITY
from apisec_sandbox.campaigns.varied.attacks_objects import OBJECTS
from apisec_sandbox.campaigns.varied.attacks_payloads import PAYLOADS
from apisec_sandbox.campaigns.varied.campaign import Attack
from apisec_sandbox.campaigns.varied.tempo import FLOODS, TEMPOS, between

if TYPE_CHECKING:
    from apisec_sandbox.campaigns.run import Settings

STRATEGIES: dict[str, tuple[Tactic, ...]] = {**OBJECTS, **IDENTITY, **FLOWS, **PAYLOADS}  # type: ignore[dict-item]

# Requests (of flows: rounds) of a campaign: the least that reaches an attacker's aim, and the most that is drawn.
GOALS = {
    "object_enumeration": (25, 600),
    "function_abuse": (8, 150),
    "excess_data": (15, 150),
    "scraping": (250, 3_000),
    "credential_stuffing": (60, 2_500),
    "token_guessing": (40, 1_000),
    "account_enumeration": (60, 1_500),
    "token_theft": (12, 200),
    "step_skipping": (8, 80),
    "flow_automation": (40, 400),
    "flooding": (2_500, 20_000),
    "injection": (12, 300),
    "ssrf": (8, 80),
    "mass_assignment": (8, 80),
    "reconnaissance": (40, 800),
    "spec_violation": (25, 300),
}
PATIENT = 5.0  # a slow or mimicking campaign has at most so many times the least


def possible(scene: Scene, family: str) -> bool:
    """Whether the application has what a family attacks."""
    app = scene.app
    if family == "credential_stuffing":
        login = app.of_kind("login")
        return login is not None and any(kind in LOGINS for _, kind in login.spec.body)
    if family == "account_enumeration":
        return any(app.of_kind(kind) for kind in ("reset", "register", "code"))
    if family == "ssrf":
        return app.of_kind("fetch") is not None
    if family in ("mass_assignment", "spec_violation"):
        return not app.spec.graphql
    return True


def plan(scene: Scene, settings: Settings, begin: float) -> list[Attack]:
    """Return the campaigns of one application: its part of a round through all families and styles.

    The applications of a seed share the round, so that all of them together have each family about as often.
    """
    count = round(settings.attacks * settings.weeks)
    families = list(settings.families)
    if not any(possible(scene, family) for family in families):
        return []
    seeded("round", settings.seed).shuffle(families)
    found: list[Attack] = []
    turn = scene.app.index * count
    while len(found) < count:
        lap, place = divmod(turn, len(families))
        turn += 1
        family, style = families[place], settings.styles[(place + lap) % len(settings.styles)]
        if possible(scene, family):
            found.append(attack(scene, settings, begin, family, style, f"{scene.app.name}-c{len(found) + 1:03}"))
    return found


def attack(scene: Scene, settings: Settings, begin: float, family: str, style: str, name: str) -> Attack:
    """Draw one campaign; it begins so early that it can end."""
    rng = seeded("campaign", settings.seed, name)
    tempos, shortest, longest = TEMPOS[style]
    room = scene.end - begin
    span = min(between(shortest, longest, rng.random()), 0.7 * room)
    least, most = GOALS[family]
    if style in ("slow", "mimic"):
        most = min(most, round(least * PATIENT))
    goal = round(between(least, most, rng.random()))
    tactic = rng.choice(STRATEGIES[family])
    tempo = rng.choice(FLOODS if family == "flooding" else tempos)
    start = begin + rng.random() * max(0.0, room - 1.3 * span)
    return Attack(name, family, style, scene, rng, start, tactic, tempo, goal=goal, span=span, strategy=tactic.__name__)  # type: ignore[arg-type]
