"""What a bundle would change, said as effects: ``card.number of POST /pay: pci.pan → none (lowered)``."""

from __future__ import annotations

from typing import Dict, Iterable, Iterator, List, NamedTuple, Optional, Tuple

from apisec.bundles.document import Bundle
from apisec.bundles.seen import Seen
from apisec.classification.classes import sensitivity
from apisec.classification.globs import segments
from apisec.classification.names import evidence
from apisec.classification.overrides import LOCATIONS, NONE, Override, Overrides
from apisec.dispositions.exceptions import Exemption
from apisec.model.pattern import Pattern

RAISED, LOWERED, CHANGED, ADDED, REMOVED = "raised", "lowered", "changed", "added", "removed"
ANY = "*"  # an override without operation is asked for by this one: only such overrides fit it
MIN_REASON = 10  # characters: "ok" is no reason to let a field's values through

Place = Tuple[str, str, str]  # operation, location, path; as fields are seen, or as an override selects them


class Effect(NamedTuple):
    """One change. ``subject`` and ``detail`` are for people; ``kind`` is one of the five above."""

    part: str  # overrides, ownership, specs, patterns, thresholds, exceptions
    subject: str
    before: Optional[str]
    after: Optional[str]
    kind: str
    reason: str = ""

    def line(self) -> str:
        return f"{self.subject}: {self.before or '–'} → {self.after or '–'} ({self.kind})"


def effects(before: Bundle, after: Bundle, seen: Optional[Seen] = None) -> List[Effect]:
    """Return all that changes from one bundle to the other, in a steady order."""
    service = after.service
    found = list(fields(before.overrides, after.overrides, service, seen))
    found += _ownership(before, after)
    old, new = ({one.url: one.sha256 for one in bundle.specs} for bundle in (before, after))
    found += _named("specs", old, new)
    found += _patterns({one.id: one for one in before.patterns}, {one.id: one for one in after.patterns})
    found += _thresholds(before, after)
    return found + list(exceptions(before.exceptions, after.exceptions))


def exceptions(before: Iterable[Exemption], after: Iterable[Exemption]) -> Iterator[Effect]:
    """Yield what is not found any more, what is found again, and what is hidden for another time."""
    old, new = ({one.key: one for one in listed} for listed in (before, after))
    for key in [*new, *(one for one in old if one not in new)]:
        was, now = old.get(key), new.get(key)
        one = now or was
        if one is None or (was is not None and now is not None and was.expires == now.expires):
            continue
        subject = f"findings of {one.family or 'every family'} at {one.operation or 'every operation'}"
        kind = ADDED if was is None else REMOVED if now is None else CHANGED
        texts = [None if each is None else f"hidden until {each.expires}" for each in (was, now)]
        yield Effect("exceptions", subject, texts[0], texts[1], kind, now.reason if now is not None else "")


def fields(before: Overrides, after: Overrides, service: str, seen: Optional[Seen] = None) -> Iterator[Effect]:
    """Yield the fields whose class changes; ``seen`` says what detectors find where no override speaks."""
    shown: Dict[Place, str] = {one[:3]: one.data_class for one in seen.fields} if seen is not None else {}
    done: Dict[Tuple[str, str, Optional[str], Optional[str]], List[str]] = {}
    reasons: Dict[Tuple[str, str, Optional[str], Optional[str]], str] = {}
    for operation, location, path in _places(before, after, service, shown):
        found = shown.get((operation, location, path)) or _by_name(path)
        old = before.find(service, operation, location, path) or found
        winner = after.winner(service, operation, location, path)
        new = winner.data_class if winner is not None else found
        if old != new:
            key = (operation, path, old, new)
            done.setdefault(key, []).append(location)
            reasons[key] = winner.reason if winner is not None else ""
    for (operation, path, old, new), locations in done.items():
        where = "every operation" if operation == ANY else operation
        inside = "" if len(locations) > 1 or locations == ["body"] else f" ({locations[0]})"
        key = (operation, path, old, new)
        yield Effect("overrides", f"{path}{inside} of {where}", old, new, _kind(old, new), reasons[key])


def unreasoned(found: Iterable[Effect]) -> List[Effect]:
    """Return the lowered classes that no override of the new bundle explains in at least MIN_REASON characters."""
    return [one for one in found if one.part == "overrides" and one.kind == LOWERED and len(one.reason) < MIN_REASON]


def _places(before: Overrides, after: Overrides, service: str, shown: Iterable[Place]) -> List[Place]:
    """Return the fields seen and those that overrides select, each once; a glob stands for itself."""
    found = dict.fromkeys(shown)
    for one in (*after.entries, *before.entries):
        if one.service in (service, ANY):
            found.update(dict.fromkeys(_selected(one)))
    return list(found)


def _selected(one: Override) -> Iterator[Place]:
    for location in (one.location,) if one.location is not None else LOCATIONS:
        yield one.operation or ANY, location, one.path


def _by_name(path: str) -> Optional[str]:
    """Return the class that a field's name says, as the redactor takes it where no override speaks."""
    names = [name.replace("[]", "") for name in segments(path)]
    if not names or ANY in names[-1]:
        return None
    parent = names[-2] if len(names) > 1 and ANY not in names[-2] else ""
    return evidence(names[-1], parent).data_class


def _rank(data_class: Optional[str]) -> int:
    return 0 if data_class in (None, NONE) else sensitivity(data_class or "")


def _kind(before: Optional[str], after: Optional[str]) -> str:
    if before is None:
        return ADDED if after == NONE else RAISED
    difference = _rank(after) - _rank(before)
    return RAISED if difference > 0 else LOWERED if difference < 0 else CHANGED


def _named(part: str, before: Dict[str, str], after: Dict[str, str]) -> Iterator[Effect]:
    for name in sorted({*before, *after}):
        old, new = before.get(name), after.get(name)
        if old != new:
            kind = ADDED if old is None else REMOVED if new is None else CHANGED
            yield Effect(part, name, old, new, kind)


def _ownership(before: Bundle, after: Bundle) -> Iterator[Effect]:
    old, new = _owned(before), _owned(after)
    yield from _named("ownership", old, new)


def _owned(bundle: Bundle) -> Dict[str, str]:
    owner = bundle.ownership
    found = {"team": owner.team}
    found.update({f"hosts ({name})": ", ".join(hosts) for name, hosts in owner.hosts.items() if hosts})
    if owner.paths:
        found["paths"] = ", ".join(owner.paths)
    if owner.gateways:
        found["gateways"] = ", ".join(owner.gateways)
    return found


def _patterns(before: Dict[str, Pattern], after: Dict[str, Pattern]) -> Iterator[Effect]:
    for identity in [*after, *(one for one in before if one not in after)]:
        old, new = before.get(identity), after.get(identity)
        if old is None or new is None or old.document != new.document:
            title = (new or old).title  # type: ignore[union-attr]
            kind = ADDED if old is None else REMOVED if new is None else CHANGED
            yield Effect("patterns", f"pattern {title!r} ({identity})", _shape(old), _shape(new), kind)


def _shape(pattern: Optional[Pattern]) -> Optional[str]:
    return f"{pattern.mode} {pattern.digest[:12]}" if pattern is not None else None


def _thresholds(before: Bundle, after: Bundle) -> List[Effect]:
    found = []
    if before.limit != after.limit:
        old, new = (f"{one.limit:g}" if one.limit is not None else None for one in (before, after))
        found.append(Effect("thresholds", "false_positive_limit", old, new, CHANGED))
    if before.mode != after.mode:
        kind = LOWERED if before.mode == "strict" else RAISED if after.mode == "strict" else CHANGED
        found.append(Effect("thresholds", "redaction", before.mode, after.mode, kind))
    return found
