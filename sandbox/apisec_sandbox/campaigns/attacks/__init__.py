"""Attack campaigns: 16 families in four styles, of which each split has implementations of its own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from apisec_sandbox.campaigns.attacks import dev, floods, heldout, heldout_floods, heldout_tempo, tempo
from apisec_sandbox.campaigns.attacks.base import Campaign, Tactic
from apisec_sandbox.campaigns.calendar import DAY
from apisec_sandbox.campaigns.scene import Scene
from apisec_sandbox.campaigns.values import seeded

if TYPE_CHECKING:
    from apisec_sandbox.campaigns.run import Settings

__all__ = ["FAMILIES", "STYLES", "Campaign", "plan"]

TACTICS = {"dev": dev.TACTICS, "heldout": heldout.TACTICS}
TEMPOS = {"dev": tempo.TEMPOS, "heldout": heldout_tempo.TEMPOS}
FLOODS = {"dev": floods.FLOODS, "heldout": heldout_floods.FLOODS}
CROWDS = {"dev": floods.CROWDS, "heldout": heldout_floods.CROWDS}
FAMILIES = tuple(dev.TACTICS)
STYLES = ("loud", "slow", "distributed", "mimic")
NEEDS = {  # kinds of operations without which a family has nothing to attack
    "credential_stuffing": ("login",),
    "account_enumeration": ("reset", "register"),
    "function_abuse": ("admin", "admin_write"),
    "token_theft": ("me",),
    "ssrf": ("fetch",),
}
LENGTHS = {
    "flooding": floods.LASTS,
    "scraping": 4 * DAY,
}  # of families of which less than a certain amount is no attack


def possible(scene: Scene, family: str) -> bool:
    return all(scene.app.of_kind(kind) for kind in NEEDS.get(family, ()))


def combinations(settings: Settings) -> Iterator[tuple[str, str]]:
    """Yield family and style for ever, each pair as often as any other."""
    while True:
        for turn in range(len(settings.styles)):
            for number, family in enumerate(settings.families):
                yield family, settings.styles[(number + turn) % len(settings.styles)]


def plan(scene: Scene, settings: Settings, begin: float) -> list[Campaign]:
    """Return the campaigns of one application, spread over the time from ``begin`` on."""
    count = round(settings.attacks * settings.weeks)
    if count < 1 or not settings.families:
        return []
    rng = seeded("campaigns", settings.seed, scene.app.name)
    pairs = combinations(settings)
    # Applications begin at different places of the cycle, so that a few of them together have all pairs.
    for _ in range(rng.randrange(len(settings.families) * len(settings.styles))):
        next(pairs)
    found: list[Campaign] = []
    while len(found) < count:
        family, style = next(pairs)
        if not possible(scene, family):
            if all(not possible(scene, each) for each in settings.families):
                break
            continue
        number = len(found) + 1
        room = scene.end - begin
        latest = min(0.9 * room, max(0.5 * room, room - LENGTHS.get(family, 0.0)))  # to begin, so that it can end
        starts = begin + latest * (number - rng.random()) / count
        name = f"{scene.app.name}-c{number:03}"
        own = seeded("campaign", settings.seed, name)
        tactic: Tactic = TACTICS[settings.split][family]
        if family == "flooding":
            crowd = CROWDS[settings.split].get(style, (1, 1))
            when, shortest = FLOODS[settings.split][style], floods.SHORTEST
            made = Campaign(name, family, style, scene, own, starts, tactic, when, crowd=crowd, shortest=shortest)
        else:
            made = Campaign(name, family, style, scene, own, starts, tactic, TEMPOS[settings.split][style])
        found.append(made)
    return found
