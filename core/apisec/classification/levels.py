"""How closely data has to be held: four levels, and which level each data class asks for.

``docs/reference/classes.md`` is generated from here; a test holds it.
"""

from __future__ import annotations

from typing import Iterable, Mapping

from apisec.classification.classes import (
    CLASSES,
    CRITICAL,
    IDENTITY,
    INTERNAL,
    PERSONAL,
    RESTRICTED,
    SENSITIVITY_NAMES,
    sensitivity,
)

PUBLIC_LEVEL, INTERNAL_LEVEL, CONFIDENTIAL_LEVEL, RESTRICTED_LEVEL = LEVELS = (
    "public",
    "internal",
    "confidential",
    "restricted",
)
TEXTS: Mapping[str, str] = {
    PUBLIC_LEVEL: "nothing sensitive, in enough samples or by a team's word",
    INTERNAL_LEVEL: "says little about a person, or is not known well enough to be called public",
    CONFIDENTIAL_LEVEL: "identifies or describes a person",
    RESTRICTED_LEVEL: "regulated, or usable for fraud: card data, numbers of persons, health, credentials",
}

# By the sensitivity of a class. Tokens of identities say who acts; alone they open nothing.
OF_SENSITIVITY: Mapping[int, str] = {
    IDENTITY: INTERNAL_LEVEL,
    INTERNAL: INTERNAL_LEVEL,
    PERSONAL: CONFIDENTIAL_LEVEL,
    RESTRICTED: RESTRICTED_LEVEL,
    CRITICAL: RESTRICTED_LEVEL,
}
_RANK = {name: rank for rank, name in enumerate(LEVELS)}


def level(data_class: str) -> str:
    """Return the level that a class asks for; an unknown class counts as personal."""
    return OF_SENSITIVITY[sensitivity(data_class)]


def rank(name: str) -> int:
    """Return a level's place, 0 (public) to 3 (restricted)."""
    return _RANK[name]


def highest(names: Iterable[str]) -> str:
    """Return the highest of some levels; public of none."""
    return max(names, key=rank, default=PUBLIC_LEVEL)


def is_own_credential(data_class: str, location: str) -> bool:
    """Whether a class is what a caller proves himself with, where that belongs.

    Nearly every request carries one, and every login sets one: it says nothing of the data that an operation handles.
    """
    return data_class.startswith("secret.") and location in ("header", "cookie")


def reference() -> str:
    """Return ``docs/reference/classes.md``."""
    lines = [
        "# Data classes",
        "",
        "Generated from `core/apisec/classification/classes.py` and `levels.py` by `python tools/reference.py`.",
        "A redacted value stands in an event as `~class~16 hex digits~`. *Echo*: a value found once is redacted",
        "wherever else it stands in the same request and response.",
        "",
        "| class | what it is | sensitivity | level | echo |",
        "|---|---|---|---|---|",
    ]
    for c in CLASSES:
        shown = f"{c.sensitivity} ({SENSITIVITY_NAMES[c.sensitivity]})"
        lines.append(f"| `{c.name}` | {c.text} | {shown} | {level(c.name)} | {'yes' if c.echo else 'no'} |")
    lines += ["", "## Levels", "", "| level | what it means | asked for by the sensitivities |", "|---|---|---|"]
    for name in LEVELS:
        asked = [f"{n} ({SENSITIVITY_NAMES[n]})" for n, given in OF_SENSITIVITY.items() if given == name]
        lines.append(f"| `{name}` | {TEXTS[name]} | {', '.join(asked)} |")
    return "\n".join(lines) + "\n"
