"""One operation under watch: which changes a window of time shows, and what has to be remembered for that.

The state is written with the operation's document, in one write: a window that is done again finds the same state, and
so the same changes with the same ids.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any, Dict, List, NamedTuple, Set, Tuple

from apisec.classification import levels
from apisec.classification.classes import PERSONAL, sensitivity
from apisec.classification.fields import OVERRIDE, Verdict, summary, verdicts
from apisec.classification.overrides import Overrides
from apisec.endpoints.changes import credentials, fields, schema, speed
from apisec.endpoints.changes.found import Found, Span
from apisec.endpoints.changes.hours import Levels
from apisec.endpoints.changes.schema import Change
from apisec.endpoints.changes.told import Told
from apisec.endpoints.changes.trials import Trial
from apisec.endpoints.inventory.fields import FieldKey
from apisec.endpoints.inventory.operation import OperationStats
from apisec.errors import DocumentError
from apisec.openapi.drift import raised

VERSION = 1
MAX_TRIALS = 200  # that an operation has at once
MAX_MISSING = 400  # fields of which it is known for how long they were missed
LONG = 500  # messages, after which a trial that shows nothing is given up
SEPARATOR = "\x1f"
_RAISES = ("sensitive_field", "data_class_new", "operation_new")  # changes that explain a higher level


class Context(NamedTuple):
    """What a window is looked at with. ``end``: the window's; ``tell``: False while the service is learned."""

    service: str
    operation: str
    end: float
    tell: bool
    overrides: Overrides
    team: str


class Watch:
    """What was told of an operation, what it is known by, and the evidence that does not suffice yet."""

    def __init__(self) -> None:
        self.alive = False  # it answered below 400
        self.level = ""  # of sensitivity; empty for not known yet
        self.team = ""
        self.windows = 0  # of time, that were looked at
        self.closed = (0, 0)  # successes without a credential, and all, until one was asked for again
        self.looked = 0  # the hour since the epoch at which latency was looked at last
        self.told = Told()
        self.levels = Levels()
        self._trials: Dict[Tuple[str, str], Trial] = {}
        self._missing: Dict[Tuple[str, str, str], fields.Missing] = {}
        self._lost: Set[Tuple[str, str, str]] = set()
        self._lasting: Dict[str, float] = {}  # what was told and lasts, by kind: a count, or how bad it was

    # What a window shows

    def observe(self, before: OperationStats, part: OperationStats, context: Context) -> List[Change]:
        """Return the changes that a window's part shows against what was known before it.

        ``before`` must not hold the part yet. Latency and levels follow with ``conclude``.
        """
        span = _span(before, part, context)
        found: List[Found] = []
        if self._appears(part):
            self._learn_fields(part)
            if context.tell:
                found.append(_new(part, span))
        for rule in (fields.sensitive, fields.types, fields.gone, credentials.opened, credentials.schemes):
            found += rule(self, before, part, span)
        found += self._classes(before, part, span)
        self.windows += 1
        return [_named(one, part.latest[1], context) for one in found]

    def conclude(
        self, after: OperationStats, part: OperationStats, context: Context, told: List[Change]
    ) -> List[Change]:
        """Return what only the whole shows, once the part is merged: regressions, and a higher level of sensitivity.

        ``told`` is what ``observe`` gave: it comes first, with the level that the operation has now.
        """
        span = _span(after, part, context)
        was, said = self.level, self._find_level(after, context)
        found = list(speed.regressions(self, after, span))
        if said and not any(one.kind in _RAISES for one in told):
            found += self._raised(was, after, span)
        with_level = [_leveled(one, was, self.level) if one.kind in _RAISES else one for one in told]
        return [*with_level, *(_named(one, after.latest[1], context) for one in found)]

    def _find_level(self, after: OperationStats, context: Context) -> bool:
        """Find the level of sensitivity; returns whether a team's override says so.

        What traffic shows raises it without a word: a field that is new is told by itself, and one that was rare all
        along is no change.
        """
        if not after.classes and not context.overrides:
            self.level = self.level or levels.INTERNAL_LEVEL
            return False
        found = verdicts(after, context.overrides, context.service, context.operation)
        self.level = summary(found).level
        return any(one.source == OVERRIDE and one.level == self.level for one in found)

    def _appears(self, part: OperationStats) -> bool:
        if self.alive or not credentials.answered(part):
            return False
        self.alive = True
        return True

    def _learn_fields(self, part: OperationStats) -> None:
        """Take the classes of a new operation's first messages for known: its own event names them."""
        for name in (fields.REQUEST, fields.RESPONSE, fields.ERROR):
            for key, field in fields.group(part, name).fields.items():
                for one in fields.families(field):
                    self.told.learn(fields.DATA, fields.subject_of(name, *key, one))
                    self.told.learn("class", one)

    def _classes(self, before: OperationStats, part: OperationStats, span: Span) -> Iterator[Found]:
        """Yield classes of data that no field is known to carry: in a path, in text that is not listed."""
        for name in sorted({*part.classes, *self.waiting_subjects("class")}):
            one = fields.family(name)
            if sensitivity(name) < PERSONAL or one.startswith("secret.") or self.told.knows("class", one):
                continue
            if any(
                self.has(fields.DATA, subject) and subject.endswith(SEPARATOR + one)
                for subject in self._subjects(fields.DATA)
            ):
                continue
            known = min(before.count, before.classes.get(name, 0))
            trial = self.trial("class", name, (known, before.count), span)
            trial.add(part.classes.get(name, 0), part.count, part.count, span.principals)
            if trial.hits < fields.SEVERAL or not trial.grown():
                self.end_if_long("class", name)
                continue
            self.end("class", name)
            self.told.learn("class", one)
            if span.tell and before.count >= fields.YOUNG:
                yield Found(
                    "data_class_new", fields.grade(name), one,
                    f"in {trial.hits_before} of {trial.messages_before}", name,
                    f"{{operation}} now handles {name}: {trial.hits} of {trial.messages} requests, "
                    f"{trial.hits_before} of {trial.messages_before} before",
                    trial, {"data_class": name, "data_classes": [name]},
                )  # fmt: skip

    def _raised(self, was: str, after: OperationStats, span: Span) -> Iterator[Found]:
        """Yield that a team's word makes an operation more sensitive than it was held to be."""
        now = self.level
        if not was or not span.tell or levels.rank(now) <= max(levels.rank(was), levels.rank(levels.INTERNAL_LEVEL)):
            return
        times = self.told.tell("level", now, span.end)
        if times:
            yield Found(
                "sensitivity_raised",
                schema.HIGH if now == levels.RESTRICTED_LEVEL else schema.MEDIUM,
                now,
                was,
                now,
                f"{{operation}} was {was} and is {now}: a team's override says what a field carries",
                Trial(0, 0, span.since, after.count, after.count),
                {"level_before": was, "level": now},
                times,
            )

    # What the rules remember

    def trial(self, kind: str, subject: str, before: Tuple[int, int], span: Span) -> Trial:
        """Return the trial of a subject, which may begin now; ``before``: messages that showed it, of how many."""
        found = self._trials.get((kind, subject))
        if found is None:
            found = Trial(min(before), before[1], span.since, spans_before=self.windows)
            if len(self._trials) >= MAX_TRIALS:
                least = min(self._trials, key=lambda key: (self._trials[key].hits, key))
                del self._trials[least]
            self._trials[kind, subject] = found
        return found

    def has(self, kind: str, subject: str) -> bool:
        return (kind, subject) in self._trials

    def end(self, kind: str, subject: str) -> None:
        self._trials.pop((kind, subject), None)

    def end_if_long(self, kind: str, subject: str, long: int = LONG) -> None:
        trial = self._trials.get((kind, subject))
        if trial is not None and (trial.messages >= long or not trial.hits):
            del self._trials[kind, subject]

    def _subjects(self, kind: str) -> List[str]:
        return [subject for one, subject in self._trials if one == kind]

    def waiting(self, kind: str, message: str) -> List[Tuple[str, str, str]]:
        """Return location, path and class of the trials of fields of a message."""
        parts = (subject.split(SEPARATOR) for subject in self._subjects(kind))
        return [(one[1], one[2], one[3]) for one in parts if one[0] == message and len(one) == 4]

    def waiting_types(self, message: str, key: FieldKey) -> List[str]:
        return [one for where, path, one in self.waiting(fields.TYPE, message) if (where, path) == key]

    def waiting_subjects(self, kind: str) -> List[str]:
        return self._subjects(kind)

    def missing(self, status: str, key: FieldKey) -> fields.Missing:
        return self._missing.get((status, *key), fields.Missing(0, 0, 0.0, 0))

    def set_missing(self, status: str, key: FieldKey, one: fields.Missing) -> None:
        if not (one.run or one.worst):
            self._missing.pop((status, *key), None)
        elif (status, *key) in self._missing or len(self._missing) < MAX_MISSING:
            self._missing[(status, *key)] = one

    def lost(self, status: str, key: FieldKey) -> None:
        """Remember that a field was told to be gone, until it is back."""
        self._lost.add((status, *key))

    def is_lost(self, status: str, key: FieldKey) -> bool:
        return (status, *key) in self._lost

    def returned(self, status: str, key: FieldKey) -> None:
        """A field is there; when it was gone, it has to be missed much longer before that is told again."""
        if (status, *key) in self._lost:
            self._lost.discard((status, *key))
            held = self.missing(status, key)
            self.set_missing(status, key, fields.Missing(0, max(held.run, held.worst), 0.0, 0))

    def begin(self, kind: str) -> None:
        """Something was told that lasts until it is seen to be over."""
        self._lasting[kind] = 0

    def lasts(self, kind: str, shown: bool, messages: int, least: int) -> bool:
        """Return whether something that was told lasts; it is over after ``least`` messages that did not show it."""
        if kind not in self._lasting:
            return False
        self._lasting[kind] = 0 if shown else self._lasting[kind] + messages
        if self._lasting[kind] < least:
            return True
        del self._lasting[kind]
        return False

    def worse(self, kind: str, value: float, by: float, now: float) -> int:
        """Return how often a regression is told with this time, or 0: it lasts, and is not much worse than it was."""
        if kind in self._lasting and value < self._lasting[kind] + by:
            return 0
        self._lasting[kind] = value
        return self.told.tell(kind, "", now)

    def better(self, kind: str) -> None:
        self._lasting.pop(kind, None)

    def merge(self, other: Watch) -> None:
        """Take over what is known of an operation that went into this one; its hours come with its counts."""
        self.alive = self.alive or other.alive
        self.told.merge(other.told)
        if other.level:
            self.level = levels.highest([self.level or other.level, other.level])

    def to_state(self) -> Dict[str, Any]:
        return {
            "v": VERSION,
            "alive": self.alive,
            "level": self.level,
            "team": self.team,
            "closed": list(self.closed),
            "windows": self.windows,
            "looked": self.looked,
            "told": self.told.to_state(),
            "hours": self.levels.to_state(),
            "trials": [[*key, trial.to_state()] for key, trial in sorted(self._trials.items())],
            "missing": [[*key, *one] for key, one in sorted(self._missing.items())],
            "lost": sorted(list(key) for key in self._lost),
            "lasting": dict(sorted(self._lasting.items())),
        }

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Watch:
        """Raises DocumentError when the state is not one of ``to_state``."""
        watch = cls()
        try:
            if state["v"] != VERSION:
                raise DocumentError(f"version {state['v']!r} of a watch is not known", where="watch")
            watch.alive, watch.level, watch.team = bool(state["alive"]), str(state["level"]), str(state["team"])
            watch.looked, watch.windows = int(state["looked"]), int(state["windows"])
            was_open, successes = state["closed"]
            watch.closed = (int(was_open), int(successes))
            watch.told = Told.from_state(state["told"])
            watch.levels = Levels.from_state(state["hours"])
            for kind, subject, trial in state["trials"]:
                watch._trials[str(kind), str(subject)] = Trial.from_state(trial)
            for status, where, path, run, worst, since, principals in state["missing"]:
                watch._missing[str(status), str(where), str(path)] = fields.Missing(
                    int(run), int(worst), float(since), int(principals)
                )
            watch._lost = {(str(status), str(where), str(path)) for status, where, path in state["lost"]}
            watch._lasting = {str(kind): float(value) for kind, value in state["lasting"].items()}
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            if isinstance(error, DocumentError):
                raise
            raise DocumentError("not the state of a watch", where="watch") from error
        return watch

    @classmethod
    def of(cls, stats: OperationStats) -> Watch:
        """Return a watch over an operation that the inventory knows already, from before it was watched."""
        watch = cls()
        watch.alive = credentials.answered(stats) > 0
        watch._learn_fields(stats)
        for name in stats.classes:
            watch.told.learn("class", fields.family(name))
        return watch


def _span(before: OperationStats, part: OperationStats, context: Context) -> Span:
    sensitive = any(sensitivity(name) >= PERSONAL for name in (*before.classes, *part.classes) if name[:7] != "secret.")

    @lru_cache(maxsize=1)
    def known() -> List[Verdict]:
        return [
            one
            for stats in (part, before)
            for one in verdicts(stats, context.overrides, context.service, context.operation)
        ]

    def carried(message: str, where: str, path: str, family: str) -> bool:
        return any(
            (one.location, one.path) == (where, path)
            and fields.group_of(one.message) == message
            and any(fields.family(name) == family for name in one.carried)
            for one in known()
        )

    return Span(
        context.end,
        min(context.end, part.first_seen),
        part.principals.estimate(),
        before.principals.estimate(),
        context.tell,
        sensitive,
        carried,
    )


def _new(part: OperationStats, span: Span) -> Found:
    classes = sorted(name for name in part.classes if sensitivity(name) >= PERSONAL and not name.startswith("secret."))
    admin = credentials.is_administrative(part.latest[2])
    base = schema.MEDIUM if admin else schema.LOW
    exposed = part.open > 0
    severity = raised(base, bool(classes), exposed and (admin or bool(classes)))
    statuses = sorted(part.statuses)
    said = f", with {', '.join(classes[:5])}" if classes else ""
    without = ", also without a credential" if exposed else ""
    trial = Trial(0, 0, span.since, credentials.answered(part), part.count)
    return Found(
        "operation_new", severity, "", "", ", ".join(statuses[:5]),
        f"{{operation}} is new{said}{without}: {trial.hits} of {trial.messages} requests were answered below 400",
        trial,
        {"administrative": admin or None,
         "data_classes": classes[: schema.MAX_LISTED], "statuses": statuses[: schema.MAX_LISTED],
         "principals": span.principals, "auth": ", ".join(sorted(part.auth)), "first_seen": part.first_seen},
    )  # fmt: skip


def _leveled(change: Change, before: str, now: str) -> Change:
    known = {"level_before": before, "level": now} if before else {"level": now}
    return replace(change, details={**change.details, **known})


def _named(one: Found, stamped: str, context: Context) -> Change:
    """Return a change with its names and its evidence."""
    trial = one.trial
    details = {
        "messages": trial.messages or None,
        "count_before": trial.hits_before if trial.messages_before else None,
        "messages_before": trial.messages_before or None,
        **one.details,
    }
    return Change(
        kind=one.kind,
        severity=one.severity,
        subject=one.subject,
        before=one.before,
        after=one.after,
        reason=one.reason.replace("{operation}", context.operation).replace("{since}", schema.clock(trial.since)),
        since=trial.since,
        until=context.end,
        count=details.pop("count", trial.hits),
        times=one.times,
        service=context.service,
        operation=context.operation,
        team=context.team or stamped,
        details=details,
    )
