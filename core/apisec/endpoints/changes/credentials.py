"""Changes of what a request needs to succeed: no credential at all, or another kind of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from apisec.endpoints.changes import schema
from apisec.endpoints.changes.found import Found, Span
from apisec.endpoints.changes.trials import Trial
from apisec.endpoints.inventory.operation import OperationStats
from apisec.endpoints.inventory.tally import OTHER

if TYPE_CHECKING:
    from apisec.endpoints.changes.watch import Watch

OPEN, SCHEME = "open", "scheme"  # of trials
MIN_BEFORE = 30  # successes, before which one cannot say what an operation asks for
LEAST = {OPEN: 5, SCHEME: 10}  # requests that surely succeeded so
SHARE = 0.05  # of successes since, at least: a stray one in a hundred is a monitor's
CLOSED = 50  # successes with a credential, one after the other, after which it is asked for again
LONG = 200  # successes, after which a trial is given up: what comes then is not mixed with what was

# Kinds of credentials by how hard they are to come by or to use for others. Between equals nothing is weakened.
STRENGTH: Mapping[str, int] = {
    "none": 0,
    "basic": 1,  # a password in every request
    "cookie": 2,  # browsers send it by themselves
    "api_key": 2,  # does not expire
    "digest": 3,
    "bearer": 4,
    "gateway": 4,
    "hmac": 5,  # no secret travels
    "mtls": 6,
}
UNKNOWN = 4  # a kind that is not in the table weakens nothing but what is stronger
USUAL = 0.2  # share of requests from which a kind of credential counts as usual
NO_CREDENTIAL = "none"


def successes(stats: OperationStats) -> int:
    """Return how many requests were answered with 2xx."""
    return sum(times for status, times in stats.statuses.items() if status[:1] == "2")


def answered(stats: OperationStats) -> int:
    """Return how many requests were answered below 400."""
    return sum(times for status, times in stats.statuses.items() if status != OTHER and 0 < int(status) < 400)


def opened(watch: Watch, before: OperationStats, part: OperationStats, span: Span) -> Iterator[Found]:
    """Yield an operation whose requests succeed without a credential, and hardly did before.

    What is redirected is not counted: a request without a session is sent to a login.
    """
    good = successes(part)
    redirected = answered(part) - good
    hits = max(0, part.open - redirected)
    if watch.lasts(OPEN, bool(hits), good, CLOSED):
        watch.closed = (before.open + part.open, successes(before) + good)
        return
    # What succeeded without a credential until it was asked for again is not what is usual.
    was_open, known = before.open - watch.closed[0], successes(before) - watch.closed[1]
    if known < MIN_BEFORE or not (hits or watch.has(OPEN, "")):
        return
    trial = watch.trial(OPEN, "", (max(0, was_open), known), span)
    trial.add(hits, good, good, span.principals)
    if trial.hits < LEAST[OPEN] or trial.least < SHARE or not trial.grown():
        watch.end_if_long(OPEN, "", LONG)
        return
    watch.end(OPEN, "")
    watch.begin(OPEN)
    times = watch.told.tell("authentication_dropped", "", span.end)
    if not times or not span.tell:
        return
    usual = usual_schemes(before)
    all_of_them = trial.least >= 0.9
    severity = schema.CRITICAL if span.sensitive else schema.HIGH
    yield Found(
        "authentication_dropped", severity, "",
        f"{', '.join(usual) or 'other'}; without in {trial.hits_before} of {known}",
        "none" if all_of_them else f"without in {trial.hits} of {trial.messages}",
        f"{{operation}} answers without a credential: {trial.hits} of {trial.messages} successful requests, "
        f"{trial.hits_before} of {known} before",
        trial, {"auth": NO_CREDENTIAL}, times,
    )  # fmt: skip


def usual_schemes(stats: OperationStats) -> list[str]:
    """Return the kinds of credentials that at least a fifth of the requests come with."""
    return sorted(
        one for one, times in stats.auth.items() if one not in (NO_CREDENTIAL, OTHER) and times >= USUAL * stats.count
    )


def schemes(watch: Watch, before: OperationStats, part: OperationStats, span: Span) -> Iterator[Found]:
    """Yield kinds of credentials that requests succeed with, and hardly came with before.

    An event of the inventory does not say which credential an answer was for: only as many are counted for a kind as
    cannot have failed, were all failures of this kind.
    """
    good, known = successes(part), successes(before)
    failed = part.count - good
    if known < MIN_BEFORE:
        return
    for one in sorted({*part.auth, *watch.waiting_subjects(SCHEME)} - {NO_CREDENTIAL, OTHER}):
        if watch.told.knows(SCHEME, one) or before.auth.get(one, 0) >= USUAL * before.count:
            continue
        hits = max(0, part.auth.get(one, 0) - failed)
        if not (hits or watch.has(SCHEME, one)):
            continue
        trial = watch.trial(SCHEME, one, (min(before.auth.get(one, 0), known), known), span)
        trial.add(hits, good, good, span.principals)
        if trial.hits < LEAST[SCHEME] or trial.least < SHARE or not trial.grown():
            watch.end_if_long(SCHEME, one, LONG)
            continue
        watch.end(SCHEME, one)
        watch.told.learn(SCHEME, one)
        if span.tell:
            yield _scheme(one, usual_schemes(before), trial, span)


def _scheme(one: str, usual: list[str], trial: Trial, span: Span) -> Found:
    strengths = [STRENGTH.get(name, UNKNOWN) for name in usual]
    weaker = bool(strengths) and STRENGTH.get(one, UNKNOWN) < min(strengths)
    severity = (schema.HIGH if span.sensitive else schema.MEDIUM) if weaker else schema.INFO
    verb = "is weaker than" if weaker else "came beside"
    before = ", ".join(usual) or NO_CREDENTIAL
    return Found(
        "authentication_weakened" if weaker else "authentication_added", severity, one, before, one,
        f"{{operation}} answers to {one}, which {verb} {before}: "
        f"at least {trial.hits} of {trial.messages} successful requests",
        trial, {"auth": one},
    )  # fmt: skip


# Words of paths that lead to what only operators should do. Whole segments: /administrators lists people.
ADMINISTRATIVE = frozenset(
    (
        "admin", "administration", "admin-api", "adminapi", "backoffice", "back-office", "internal", "private", "debug",
        "actuator", "console", "manage", "management", "ops", "operator", "root", "sudo", "superuser", "support-tools",
        "jmx", "heapdump", "env", "config", "configuration", "maintenance", "impersonate", "feature-flags", "_admin",
    )
)  # fmt: skip


def is_administrative(endpoint: str) -> bool:
    """Return whether a path has a segment that names a way in for operators."""
    return any(part.lower() in ADMINISTRATIVE for part in endpoint.split("/"))
