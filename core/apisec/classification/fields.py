"""What a field is, from everything that speaks for it: traffic, its name, the form of its values, a team's override.

Counts come from the inventory (``endpoints.inventory``), one verdict a field of each message: the request, and the
answers of each status. The rules, in the order in which they decide:

1. An override is the class, whatever else speaks. What contradicts it is told as a ``Conflict``.
2. A class is *carried* when false alarms do not explain its hits (``evidence.is_chance``), or when the field's name
   says the same and a sample shows it. Otherwise it is *seen*: shown, never hidden, but it raises no level. A field of
   digits has the false alarms of a check digit, one in ten; other values one in 10,000.
3. One class in most samples is the field's class; several that are unrelated make it ``SEVERAL``, as in free text.
4. A name alone is the class while hardly a sample has been looked at.

Null and undecoded values are no samples: they show neither a class nor that there is none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Dict, List, Optional, Tuple

from apisec.classification import levels
from apisec.classification.classes import BY_NAME, PERSONAL, sensitivity
from apisec.classification.evidence import DIGITS_RATE, PROVEN_RATE, SURE, TEXT_RATE, is_chance
from apisec.classification.handling import FLAGS, Flag, OperationClass, summary
from apisec.classification.names import NameEvidence, evidence
from apisec.classification.overrides import NONE, Overrides
from apisec.classification.verdict import (
    CARRIED,
    CHANCE,
    NAME,
    OVERRIDE,
    SEEN,
    SEVERAL,
    TRAFFIC,
    Conflict,
    Shown,
    Verdict,
    related,
)
from apisec.statistics import wilson

if TYPE_CHECKING:
    from apisec.endpoints.inventory import OperationStats
    from apisec.endpoints.inventory.fields import FieldStats
    from apisec.endpoints.inventory.shapes import Shape

__all__ = [
    "CARRIED", "CHANCE", "FLAGS", "NAME", "OVERRIDE", "SEEN", "SEVERAL", "TRAFFIC", "Conflict", "Flag",
    "OperationClass", "Shown", "Verdict", "summary", "verdicts",
]  # fmt: skip

MOST = 0.5  # share of samples from which on a field is of a class, and does not only hold it now and then
# Types of the inventory that show nothing: no value, and one that could not be read.
_BLANK = ("null", "binary")
_EMAIL = "pii.email"
_PROVEN = ("secret.api_key.", "secret.jwt", "secret.private_key", "fin.iban")


def verdicts(stats: OperationStats, overrides: Overrides, service: str, operation: str) -> List[Verdict]:
    """Return a verdict for each field of an operation, by message, location and path.

    ``overrides`` are those that count today (``Overrides.on``).
    """
    return [
        _verdict(name, key, field, message.shapes.get(key), overrides.find(service, operation, *key))
        for name, message in stats.messages()
        for key, field in message.fields.items()
    ]


def _verdict(
    message: str, key: Tuple[str, str], field: FieldStats, shape: Optional[Shape], override: Optional[str]
) -> Verdict:
    location, path = key
    said = evidence(*_names(path))
    samples = max(0, field.present - sum(field.types.get(name, 0) for name in _BLANK))
    classes = _shown(field, shape, said, samples, "[]" in path)
    found = _class_of(classes, samples, said) if override is None else (override, OVERRIDE)
    data_class, source = found
    hits = _hits(classes, data_class, samples)
    sure = samples >= SURE
    return Verdict(
        message=message,
        location=location,
        path=path,
        data_class=data_class,
        confidence=1.0 if source == OVERRIDE else wilson(hits, samples)[0] if data_class else 0.0,
        samples=samples,
        hits=hits,
        sure=sure or source == OVERRIDE,
        source=source,
        level=_level(data_class, source, classes, location, sure),
        classes=classes,
        named=said.data_class or "",
        conflict=_conflict(override, classes, samples) if override is not None else None,
    )


def _names(path: str) -> Tuple[str, str]:
    """Return a field's own name and its parent's, as names are read."""
    parts = path.replace("[]", "").split(".")
    return parts[-1], parts[-2] if len(parts) > 1 else ""


# What traffic shows ---------------------------------------------------------------------------------------------------


def _shown(
    field: FieldStats, shape: Optional[Shape], said: NameEvidence, samples: int, many: bool
) -> Tuple[Shown, ...]:
    """Return the classes that traffic showed in a field, the most frequent first."""
    counts = {name: min(times, samples) for name, times in field.classes.items() if name in BY_NAME}
    clear = shape.formats.get("email", 0) if shape is not None else 0
    if clear:  # values that an override, or an earlier forwarder, let through in clear
        counts[_EMAIL] = min(samples, counts.get(_EMAIL, 0) + clear)
    rate, digits = _rate(field, shape, many)
    shown = []
    for name, hits in counts.items():
        if hits > 0:
            own = rate * PROVEN_RATE / TEXT_RATE if name.startswith(_PROVEN) else rate
            counts_itself = _agrees(said, name) or not is_chance(hits, samples, own)
            state = CARRIED if counts_itself else CHANCE if digits else SEEN
            shown.append(Shown(name, hits, *wilson(hits, samples), state))
    return tuple(sorted(shown, key=lambda one: (-one.hits, -sensitivity(one.data_class), one.data_class)))


def _rate(field: FieldStats, shape: Optional[Shape], many: bool) -> Tuple[float, bool]:
    """Return how many false alarms a sample of the field may have, and whether its values are known to be digits."""
    numbers = field.types.get("integer", 0) + field.types.get("number", 0)
    if shape is None or not shape.count:  # a body that is not shown, or no JSON: a text may be digits as well
        digits = 2 * numbers >= field.present
        return (TEXT_RATE if not digits and _reads_as_text(field) else DIGITS_RATE), digits
    clear = shape.texts + shape.integers + shape.numbers
    of_digits = shape.integers + shape.numbers + shape.formats.get("integer", 0) + shape.formats.get("decimal", 0)
    digits = of_digits > 0 and 2 * of_digits >= clear
    rate = DIGITS_RATE if digits else TEXT_RATE
    if many and field.present:  # each item of a list is one more chance
        rate = min(1.0, rate * max(1.0, shape.count / field.present))
    return rate, digits


def _reads_as_text(field: FieldStats) -> bool:
    """Whether more than one class, or one that digits cannot be, was found: then the values are no bare digits."""
    return len(field.classes) > 1 or any(name in _NO_DIGITS for name in field.classes)


_NO_DIGITS = frozenset(
    name for name in BY_NAME if name.startswith("secret.") or name in (_EMAIL, "pii.name", "pii.address", "fin.iban")
)


def _agrees(said: NameEvidence, data_class: str) -> bool:
    """Whether a field's name says a class, one above it or one below it."""
    return any(name is not None and related(name, data_class) for name in (said.data_class, said.likely))


def _family(data_class: str) -> str:
    """Return the topmost class above one: pii.national_id of pii.national_id.pl."""
    parent = data_class.rpartition(".")[0]
    return _family(parent) if parent in BY_NAME else data_class


# What that makes of the field -----------------------------------------------------------------------------------------


def _class_of(classes: Tuple[Shown, ...], samples: int, said: NameEvidence) -> Tuple[str, str]:
    """Return the field's class and what says so."""
    families: Dict[str, int] = {}
    for one in classes:
        if one.carried:
            families[_family(one.data_class)] = 0
    for name in families:
        families[name] = min(samples, sum(one.hits for one in classes if _family(one.data_class) == name))
    usual = [name for name, hits in families.items() if hits >= MOST * samples]
    if len(usual) == 1 or len(families) == 1:
        return _closest((usual or list(families))[0], classes), TRAFFIC
    if families:
        return SEVERAL, TRAFFIC
    if said.data_class is not None and wilson(0, samples)[1] > MOST:
        return said.data_class, NAME
    return "", TRAFFIC


def _closest(family: str, classes: Tuple[Shown, ...]) -> str:
    """Return the one class of a family that most of its hits are of, or the family where they differ."""
    own = [one for one in classes if _family(one.data_class) == family]
    return own[0].data_class if own[0].hits > MOST * sum(one.hits for one in own) else family


def _hits(classes: Tuple[Shown, ...], data_class: str, samples: int) -> int:
    """Return how many samples carried a class or one below it; of several classes, the most frequent one's."""
    if data_class == SEVERAL:
        return max(one.hits for one in classes)
    own = (one.hits for one in classes if f"{one.data_class}.".startswith(f"{data_class}."))
    return min(samples, sum(own))


def _level(data_class: str, source: str, classes: Tuple[Shown, ...], location: str, sure: bool) -> str:
    if source == OVERRIDE:
        return levels.PUBLIC_LEVEL if data_class == NONE else field_level(data_class, location)
    asked = [field_level(one.data_class, location) for one in classes if one.carried]
    if source == NAME:
        asked.append(field_level(data_class, location))
    if not asked and (not sure or any(one.state == SEEN for one in classes)):
        asked.append(levels.INTERNAL_LEVEL)
    return levels.highest(asked)


def field_level(data_class: str, location: str) -> str:
    """Return the level that a class asks for where it stands: a caller's own credential in a header asks for little."""
    if levels.is_own_credential(data_class, location):
        return levels.INTERNAL_LEVEL
    return levels.level(data_class)


# What contradicts an override -----------------------------------------------------------------------------------------


def _conflict(override: str, classes: Tuple[Shown, ...], samples: int) -> Optional[Conflict]:
    """Return the gravest contradiction between an override and what traffic shows, or None."""
    against = [
        one
        for one in classes
        if one.state != CHANCE
        and sensitivity(one.data_class) >= PERSONAL
        and (override == NONE or not related(override, one.data_class))
    ]
    if against:
        one = max(against, key=lambda shown: (shown.carried, sensitivity(shown.data_class), shown.hits))
        text = f"override says {override}, traffic shows {one.data_class} in {one.hits} of {samples} samples"
        return Conflict("denied" if override == NONE else "other", _grade(override, one), one.data_class, text)
    if override != NONE and samples >= SURE and not classes:
        text = f"override says {override}, and none of {samples} samples carried it"
        return Conflict("unseen", "low", override, text)
    return None


def _grade(override: str, one: Shown) -> str:
    """Return how grave it is: high where data that counts would be held less closely than it asks for."""
    lowered = override == NONE or sensitivity(override) < sensitivity(one.data_class)
    restricted = levels.level(one.data_class) == levels.RESTRICTED_LEVEL
    if not lowered:
        return "low"
    return ("high" if restricted else "medium") if one.carried else ("medium" if restricted else "low")
