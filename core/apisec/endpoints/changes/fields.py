"""Changes of fields: data of a class that was not there, values of another type, fields that are gone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Dict, List, NamedTuple, Optional, Tuple

from apisec.classification.classes import CRITICAL, PERSONAL, RESTRICTED, sensitivity
from apisec.classification.levels import is_own_credential
from apisec.endpoints.changes import schema
from apisec.endpoints.changes.found import Found, Span
from apisec.endpoints.changes.trials import MANY_PRINCIPALS, Trial
from apisec.endpoints.inventory.fields import FieldKey, FieldStats
from apisec.endpoints.inventory.messages import Message
from apisec.endpoints.inventory.operation import OperationStats
from apisec.endpoints.performance import share_bounds
from apisec.openapi.drift import raised

if TYPE_CHECKING:
    from apisec.endpoints.changes.watch import Watch

REQUEST, RESPONSE, ERROR = "request", "response", "error"
DATA, TYPE = "data", "type"  # of trials

FEW, SEVERAL = 5, 20  # messages that show it: of what is plain, of what could be chance
WINDOWS = 3  # that show data which is not grave
CROWD = 3  # principals in one window, before such data is told within a day
YOUNG = 50  # messages, until which a kind of messages is not known well enough to compare with
MIN_BEFORE = 100  # messages of a field before one can say what it usually is
MOSTLY = 0.5  # share that a new type has to have, at least
HARDLY = 0.1  # share that it may have had
ALWAYS = 0.9  # share of messages that a field has to stand in before it can be gone
LEAST_GONE = 50  # messages without it
LONGER = 5  # times as long as it was ever missing
NEARLY = 0.5  # of what is needed, for fields that went together with one that is told
MIN_GONE = 600.0  # seconds that it is missed for: one batch of unusual requests is over by then
DAY = 86_400.0  # what few users have, or clients send, has to be seen for one: others come at night than by day

_GRADES = ((CRITICAL, schema.CRITICAL), (RESTRICTED, schema.HIGH), (PERSONAL, schema.MEDIUM))


class Group(NamedTuple):
    """Messages that are looked at together: how many, and their fields."""

    messages: int
    fields: Dict[FieldKey, FieldStats]


def group(stats: OperationStats, name: str) -> Group:
    """Return the messages of a name: requests, answers below 400, or all others."""
    messages = [message for one, message in stats.messages() if group_of(one) == name]
    if len(messages) == 1:
        return Group(messages[0].count, messages[0].fields.stats)
    total: Dict[FieldKey, FieldStats] = {}
    for message in messages:
        for key, field in message.fields.stats.items():
            total.setdefault(key, FieldStats()).merge(field)
    return Group(sum(message.count for message in messages), total)


def group_of(name: str) -> str:
    if name == REQUEST:
        return REQUEST
    return RESPONSE if name[:1] in ("1", "2", "3") else ERROR


def family(data_class: str) -> str:
    """Return what a class is told as: a number that fits two countries is not two findings."""
    return ".".join(data_class.split(".")[:2])


def families(field: FieldStats) -> Dict[str, int]:
    """Return in how many messages a field carried data of each family that is sensitive."""
    found: Dict[str, int] = {}
    for name, times in field.classes.items():
        if sensitivity(name) >= PERSONAL:
            found[family(name)] = found.get(family(name), 0) + times
    return {name: min(times, field.present) for name, times in found.items()}


def grade(data_class: str) -> str:
    """Return how grave it is that data of a class, which is sensitive, is there."""
    return next(severity for least, severity in _GRADES if sensitivity(data_class) >= least)


def subject_of(*parts: str) -> str:
    return "\x1f".join(parts)


def sensitive(watch: Watch, before: OperationStats, part: OperationStats, span: Span) -> Iterator[Found]:
    """Yield fields that carry sensitive data which they did not carry."""
    for name in (REQUEST, RESPONSE, ERROR):
        now = group(part, name)
        if not now.messages:
            continue
        was = group(before, name)
        hits = {
            (*key, one): (times, field.present)
            for key, field in now.fields.items()
            for one, times in families(field).items()
            if not is_own_credential(one, key[0])
        }
        waiting = watch.waiting(DATA, name)
        for where, path, one in sorted({*hits, *waiting}):
            subject = subject_of(name, where, path, one)
            if watch.told.knows(DATA, subject):
                continue
            times, present = hits.get((where, path, one), (0, 0))
            known = was.fields.get((where, path), FieldStats())
            trial = watch.trial(DATA, subject, (families(known).get(one, 0), was.messages), span)
            trial.add(times, now.messages, present, span.principals)
            told = _judged(trial, one, span)
            if told is None or (told and not span.carried(name, where, path, one)):
                if span.end - trial.since >= DAY or not trial.hits:
                    watch.end_if_long(DATA, subject)
                continue
            watch.told.learn(DATA, subject)
            watch.told.learn("class", one)
            watch.end(DATA, subject)
            if told and span.tell:
                yield _data_found(trial, (name, where, path, one), now.fields.get((where, path)), part)


def _judged(trial: Trial, data_class: str, span: Span) -> Optional[bool]:
    """Return whether to tell it (True), to take it for known (False), or to wait (None)."""
    grave = sensitivity(data_class) >= RESTRICTED
    if trial.hits < (FEW if grave or trial.consistent() else SEVERAL):
        return None
    if trial.messages_before < YOUNG:
        return grave
    if trial.grown():
        return True if grave or _widely(trial, span) else None
    return True if grave and not trial.hits_before else None


def _widely(trial: Trial, span: Span) -> bool:
    """Return whether more than chance brought data that few users have: they come in bursts, and alone at night."""
    several = span.usual_principals < MANY_PRINCIPALS or trial.principals >= 2
    crowd = span.usual_principals < MANY_PRINCIPALS or trial.principals >= CROWD
    at_once = trial.least >= MOSTLY and not trial.hits_before and crowd
    long = at_once or span.end - trial.since >= DAY
    return several and long and trial.windows >= WINDOWS and trial.spread()


def _data_found(trial: Trial, about: Tuple[str, ...], field: Optional[FieldStats], part: OperationStats) -> Found:
    message, where, path, one = about
    shown = max((c for c in field.classes if family(c) == one), key=lambda c: field.classes[c]) if field else one
    severity = grade(shown)
    if message == REQUEST:
        severity = schema.SEVERITIES[min(len(schema.SEVERITIES) - 1, schema.SEVERITIES.index(severity) + 1)]
    severity = raised(severity, message != REQUEST and part.open > 0)
    verb = "takes" if message == REQUEST else "returns"
    open_text = ", also without a credential" if part.open and message != REQUEST else ""
    return Found(
        "sensitive_field",
        severity,
        subject_of(message, where, path, one),
        f"in {trial.hits_before} of {trial.messages_before}",
        shown,
        f"{{operation}} now {verb} {shown} in {where}.{path}{open_text}: "
        f"{trial.hits} of {trial.messages} messages, {trial.hits_before} of {trial.messages_before} before",
        trial,
        {"message": message, "location": where, "field": path, "data_class": shown, "data_classes": [shown]},
    )


def types(watch: Watch, before: OperationStats, part: OperationStats, span: Span) -> Iterator[Found]:
    """Yield fields whose values are of another type now; null says nothing of a type."""
    for name in (REQUEST, RESPONSE):
        now, was = group(part, name), group(before, name)
        for key, field in sorted(now.fields.items()):
            known = was.fields.get(key)
            if known is None or known.present < MIN_BEFORE:
                continue
            odd = {
                t: n for t, n in field.types.items() if t != "null" and known.types.get(t, 0) < HARDLY * known.present
            }
            for kind in sorted({*odd, *watch.waiting_types(name, key)}):
                yield from _type(watch, (name, key, kind), known, field, span)


def _type(
    watch: Watch, about: Tuple[str, FieldKey, str], known: FieldStats, field: FieldStats, span: Span
) -> Iterator[Found]:
    name, (where, path), kind = about
    subject = subject_of(name, where, path, kind)
    if watch.told.knows(TYPE, subject) or _widened(kind, known.types):
        return
    trial = watch.trial(TYPE, subject, (min(known.present, known.types.get(kind, 0)), known.present), span)
    times = min(field.present, field.types.get(kind, 0))
    trial.add(times, field.present, field.present, span.principals)
    alone = span.usual_principals >= MANY_PRINCIPALS and trial.principals < 2
    short = name == REQUEST and span.end - trial.since < DAY
    if trial.hits < SEVERAL or alone or short or trial.least < MOSTLY or trial.most_before > HARDLY:
        watch.end_if_long(TYPE, subject)
        return
    watch.told.learn(TYPE, subject)
    watch.end(TYPE, subject)
    usual = ", ".join(sorted(t for t, n in known.types.items() if t != "null" and n >= HARDLY * known.present))
    if span.tell:
        yield Found(
            "type_changed", schema.MEDIUM if name == RESPONSE else schema.LOW, subject, usual or "null", kind,
            f"{where}.{path} in the {name} of {{operation}} was {usual or 'null'} and is {kind}: "
            f"{trial.hits} of {trial.messages} messages, {trial.hits_before} of {trial.messages_before} before",
            trial, {"message": name, "location": where, "field": path},
        )  # fmt: skip


def _widened(kind: str, known: Mapping[str, int]) -> bool:
    """Return whether values were numbers and are: 10 and 10.5 are of one type to whoever reads them."""
    return {kind} <= {"integer", "number"} and not {"integer", "number"}.isdisjoint(known)


class Missing(NamedTuple):
    """A field that is missed: for how many messages, how many at most before, since when, by how many principals."""

    run: int
    worst: int
    since: float
    principals: int


def gone(watch: Watch, before: OperationStats, part: OperationStats, span: Span) -> Iterator[Found]:
    """Yield statuses whose answers have lost fields: one event for all that went together."""
    for status, now in sorted(part.responses.items()):
        was = before.responses.get(status)
        if status[:1] != "2" or was is None or was.count < MIN_BEFORE or _unread(now) > _unread(was) + HARDLY:
            continue
        missing = _missed(watch, status, was, now, span)
        told = [key for key, one in missing.items() if _is_gone(one, span, 1.0)]
        if not told:
            continue
        lost = sorted(key for key, one in missing.items() if _is_gone(one, span, NEARLY))
        for key in lost:
            watch.lost(status, key)
        if span.tell:
            yield _gone_found(status, lost, {key: missing[key] for key in lost}, was)


def _unread(message: Message) -> float:
    """Return the share of messages that were not analysed whole: a field that was not seen there may have been."""
    return message.partial / max(1, message.count)


def _missed(watch: Watch, status: str, was: Message, now: Message, span: Span) -> Dict[FieldKey, Missing]:
    """Count on for how long each field is missed that usually stands there; return those that are."""
    found: Dict[FieldKey, Missing] = {}
    present = now.fields.stats
    for key, field in was.fields.stats.items():
        if field.present < ALWAYS * was.count or watch.is_lost(status, key):
            continue
        here = present[key].present if key in present else 0
        held = watch.missing(status, key)
        if here:
            worst = max(held.run, held.worst, now.count - here)
            watch.set_missing(status, key, Missing(0, worst, 0.0, 0))
        else:
            since = held.since or span.since
            one = Missing(held.run + now.count, held.worst, since, max(held.principals, span.principals))
            watch.set_missing(status, key, one)
            found[key] = one
    for key in present:
        watch.returned(status, key)
    return found


def _is_gone(one: Missing, span: Span, share: float) -> bool:
    alone = span.usual_principals >= MANY_PRINCIPALS and one.principals < 2
    enough = max(LEAST_GONE, LONGER * one.worst) * share
    return one.run >= enough and not alone and span.end - one.since >= MIN_GONE


def _gone_found(status: str, lost: List[FieldKey], missing: Mapping[FieldKey, Missing], was: Message) -> Found:
    names = [f"{where}.{path}" for where, path in lost]
    run = min(one.run for one in missing.values())
    stood = min(was.fields.stats[key].present for key in lost)
    trial = Trial(stood, was.count, min(one.since for one in missing.values()), 0, run)
    rest = f" and {len(names) - 1} more fields" if len(names) > 1 else ""
    share = share_bounds(stood, was.count).value
    return Found(
        "field_gone", schema.MEDIUM, subject_of(status, names[0]), f"in {stood} of {was.count}", f"in 0 of {run}",
        f"{names[0]}{rest} stood in {share:.0%} of the answers {status} of {{operation}}, "
        f"and in none of the last {run}",
        trial,
        {"message": status, "location": lost[0][0], "field": lost[0][1],
         "fields": names[: schema.MAX_LISTED], "count": len(names)},
    )  # fmt: skip
