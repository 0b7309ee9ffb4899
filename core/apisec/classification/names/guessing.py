"""What a name says whose words are shortened: every reading of its short words is held against the rules."""

from __future__ import annotations

from itertools import product
from typing import FrozenSet, List, Optional, Sequence, Tuple

from apisec.classification.names.abbreviations import BOLD, TAILS, TIE, Reading, is_word, pieces, readings
from apisec.classification.names.rules import Rule, last_needed, match
from apisec.classification.names.words import STEMS, UNKNOWN, meaning, meanings, split

MAX_SLOTS = 6  # words and parts of words of a name that is guessed
MAX_WAYS = 24  # ways to read a name
ALONE = 0.2  # the highest cost of a short form that says something without any other word
ALONE_LETTERS = 4

_TURNING = frozenset(("meta", "thing", "turn", "asked"))
_OWNERS = frozenset(("neutral", "person"))
_SILENT = (UNKNOWN, frozenset(("neutral",)))

# One way to read a part of a name: its cost, and the word itself.
Slot = Tuple[Reading, ...]


def guess(name: str) -> Optional[str]:
    """Return the class that a name says once its short words are read in full, where all likely ways agree; or None."""
    words = split(name)
    if not words or len(words) > MAX_SLOTS:
        return None
    slots: List[Slot] = []
    for word in words:
        slots += _slots(word)
    if len(slots) > MAX_SLOTS:
        return None
    ways = 1
    for slot in slots:
        ways *= len(slot)
    if ways > MAX_WAYS or not any(one.cost for slot in slots for one in slot):
        return None
    return _agreed(slots)


def turned(words: Sequence[str]) -> bool:
    """Return whether an unknown word, read in full, turns a name into another thing: ``phn_typ``, ``eml_stts``."""
    for word in words:
        found = () if meaning(word) else readings(word)
        if found and all(meaning(one.word) & _TURNING for one in found):
            return True
    return False


def _slots(word: str) -> List[Slot]:
    """Return the ways to read a word; several slots when it is short forms written as one."""
    if meaning(word):
        return [(Reading(0.0, word),)]
    whole = readings(word)
    if whole:
        return [whole]
    parts = pieces(word, STEMS) if len(word) > ALONE_LETTERS and word.isascii() else None
    if not parts:
        return [(Reading(0.0, word),)]
    return [
        (Reading(0.0, part),) if part in TAILS or meaning(part) else readings(part) or (Reading(0.0, part),)
        for part in parts
    ]


def _agreed(slots: Sequence[Slot]) -> Optional[str]:
    """Return the class of the likeliest ways, if they say one."""
    found: List[Tuple[float, str]] = []
    for way in product(*slots):
        data_class = _of(way)
        if data_class is not None:
            found.append((sum([one.cost for one in way]), data_class))
    if not found:
        return None
    least = min(found)[0]
    classes = {data_class for price, data_class in found if price <= least + TIE}
    return classes.pop() if len(classes) == 1 else None


def _of(way: Sequence[Reading]) -> Optional[str]:
    words = [one.word for one in way]
    concepts: List[FrozenSet[str]] = meanings(words)
    rule = match(concepts)
    if rule is None:
        return None
    said = [one for one in way if meaning(one.word) not in _SILENT or is_word(one.word)]
    if len(said) == 1 and (said[0].cost > ALONE or (len(way) > 1 and said[0].cost)):
        return None  # a single short word among unknown ones
    if any(one.cost >= BOLD for one in way) and not _agree(concepts, rule):
        return None
    behind = concepts[last_needed(concepts, rule) + 1 :]
    return rule.data_class if all(behind) else None


def _agree(concepts: Sequence[FrozenSet[str]], rule: Rule) -> bool:
    """Return whether at least two words are what the rule needs, and the others only say whose it is."""
    needed: FrozenSet[str] = frozenset().union(*rule.needed)
    rest = [known for known in concepts if not known & needed]
    return len(concepts) - len(rest) > 1 and all(known & _OWNERS for known in rest)
