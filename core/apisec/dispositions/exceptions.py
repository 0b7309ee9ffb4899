"""Exceptions: findings that are not to be raised again, because an analyst knows why it happens.

    {"service": "shop", "principal": "~principal~0011223344556677~", "family": "scraping", "operation": "GET /items/*",
     "reason": "price comparison by contract 4711", "author": "ada@example.org", "expires": "2027-01-31"}

An exception hides findings; it never stops the counting, and what was learned stays as it is. It names at least one of
principal, family and operation beside the service, and always a day on which it ends: what is true of a partner today
hides a thief of his key in a year.
"""

from __future__ import annotations

import datetime
import hashlib
import json
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Dict, List, Optional, Tuple

from apisec.abuse.event import OWASP
from apisec.classification.globs import fits
from apisec.errors import DocumentError, did_you_mean

VERSION = 1
FAMILIES = tuple(sorted(OWASP))
MEMBERS = ("service", "operation", "principal", "family", "reason", "author", "expires")
SELECTOR = ("service", "operation", "principal", "family")
MIN_REASON = 10  # characters: "ok" is no reason to look away
MAX_TEXT = 1_000
MAX_DAYS = 366  # from the day it is made
MAX_EXCEPTIONS = 10_000  # of one service
_DATE = re.compile(r"\d{4}-\d\d-\d\d")


@dataclass(frozen=True)
class Exemption:
    """One exception. ``expires`` is the first day (UTC) on which it does not count any more."""

    service: str
    reason: str
    author: str
    expires: datetime.date
    operation: str = ""  # a glob over operations
    principal: str = ""
    family: str = ""

    @property
    def key(self) -> str:
        return key_of({name: getattr(self, name) for name in SELECTOR})

    def covers(self, family: str, operation: str, principals: Iterable[str]) -> bool:
        """Return whether a finding of the service is hidden: all of its principals have to be this one."""
        if self.family and family != self.family:
            return False
        if self.operation and not fits(self.operation, operation):
            return False
        accused = tuple(principals)
        return not self.principal or (bool(accused) and all(one == self.principal for one in accused))

    def to_document(self) -> Dict[str, str]:
        """Return the members that say something."""
        members = {name: str(getattr(self, name)) for name in MEMBERS}
        return {name: value for name, value in members.items() if value}


def key_of(entry: Mapping[str, Any]) -> str:
    """Return the id of an exception: 24 hex digits of what it is for, so that a second word replaces the first."""
    selector = [str(entry.get(name) or "") for name in SELECTOR]
    return hashlib.sha256(json.dumps(["exception", *selector]).encode()).hexdigest()[:24]


class Exemptions:
    """Exceptions by service, ready to be asked."""

    def __init__(self, entries: Iterable[Exemption] = ()) -> None:
        self.entries: Tuple[Exemption, ...] = tuple(entries)
        self._of: Dict[str, List[Exemption]] = defaultdict(list)
        for one in self.entries:
            self._of[one.service].append(one)

    def __len__(self) -> int:
        return len(self.entries)

    def on(self, today: datetime.date) -> Exemptions:
        """Return those that count on a day (UTC)."""
        return Exemptions(one for one in self.entries if today < one.expires)

    def find(self, service: str, family: str, operation: str, principals: Iterable[str]) -> Optional[Exemption]:
        """Return an exception that hides a finding, or None."""
        accused = tuple(principals)
        return next((one for one in self._of.get(service, ()) if one.covers(family, operation, accused)), None)

    def of_anomaly(self, anomaly: Mapping[str, Any]) -> Optional[Exemption]:
        """Return an exception that hides an event of sourcetype ``apisec:anomaly``, or None."""
        principal = str(anomaly.get("principal") or "")
        members = anomaly.get("members")
        accused = [principal] if principal else members if isinstance(members, (list, tuple)) else []
        # Of a campaign with more principals than its event names, the others are not known to be the excepted one.
        if not principal and int(anomaly.get("member_count") or 0) > len(accused):
            accused = [*accused, ""]
        service, family = str(anomaly.get("service") or ""), str(anomaly.get("family") or "")
        return self.find(service, family, str(anomaly.get("operation") or ""), [str(one) for one in accused])


def parse(entry: object, where: str = "exception") -> Exemption:
    """Take one exception; DocumentError with one line for each thing that is wrong, led by ``where``."""
    if not isinstance(entry, Mapping):
        raise DocumentError("must be an object with " + ", ".join(MEMBERS), where=where)
    problems = [
        f"{where}.{name}: unknown member{did_you_mean(str(name), MEMBERS)}" for name in entry if name not in MEMBERS
    ]
    texts: Dict[str, str] = {}
    for name in MEMBERS[:-1]:
        texts[name], wrong = _text(entry.get(name), name in ("service", "reason", "author"))
        problems += [f"{where}.{name}: {wrong}"] if wrong else []
    expires = _day(entry.get("expires"))
    problems += [f"{where}.{name}: {wrong}" for name, wrong in _wrong(texts, expires)]
    if problems or expires is None:
        raise DocumentError("\n".join(problems))
    return Exemption(expires=expires, **texts)


def _text(value: object, required: bool) -> Tuple[str, str]:
    """Return the text, and what is wrong with it."""
    if value is None or value == "":
        return "", "is missing" if required else ""
    if not isinstance(value, str) or not value.strip() or len(value) > MAX_TEXT or not value.isprintable():
        return "", f"must be text of 1 to {MAX_TEXT} characters in one line"
    return value.strip(), ""


def _day(value: object) -> Optional[datetime.date]:
    if isinstance(value, datetime.date) and not isinstance(value, datetime.datetime):
        return value
    if isinstance(value, str) and _DATE.fullmatch(value):
        try:
            return datetime.date(*map(int, value.split("-")))
        except ValueError:
            return None
    return None


def _wrong(texts: Mapping[str, str], expires: Optional[datetime.date]) -> Iterable[Tuple[str, str]]:
    if expires is None:
        yield "expires", "must be a date such as 2027-01-31: the first day without it"
    if texts["reason"] and len(texts["reason"]) < MIN_REASON:
        yield "reason", f"must have at least {MIN_REASON} characters: say why this is benign"
    if texts["family"] and texts["family"] not in FAMILIES:
        yield "family", f"{texts['family']!r} is none{did_you_mean(texts['family'], FAMILIES)}; see docs/behaviour.md"
    if "*" in texts["service"]:
        yield "service", "must be the name of one service: an exception is never for all"
    if "*" in texts["principal"]:
        yield "principal", "must be one principal's token; leave it out for all of them"
    if texts["operation"] and not texts["operation"].strip("* "):
        yield "operation", "names none; leave it out, or write a part of one such as GET /items/*"
    if not (texts["operation"] or texts["principal"] or texts["family"]):
        yield "service", "alone would hide everything of it; add a principal, a family or an operation"


def out_of_bounds(one: Exemption, today: datetime.date) -> str:
    """Return what is wrong with the day on which an exception that begins today ends; empty: nothing."""
    days = (one.expires - today).days
    if days < 1:
        return f"{one.expires} has passed; the first day without it is tomorrow at least"
    if days > MAX_DAYS:
        last = today + datetime.timedelta(days=MAX_DAYS)
        return f"is {days} days away, at most {MAX_DAYS} are allowed: {last} at the latest; say it again then"
    return ""


def within(one: Exemption, today: datetime.date) -> Exemption:
    """Return the exception when it begins today; DocumentError for a day that has passed or is too far away."""
    wrong = out_of_bounds(one, today)
    if wrong:
        raise DocumentError(wrong, where="expires")
    return one


def read(rows: Iterable[Mapping[str, Any]]) -> Tuple[Exemptions, List[str]]:
    """Return the exceptions of stored documents, and one line for each that is damaged: those hide nothing."""
    found: List[Exemption] = []
    problems: List[str] = []
    counts: Dict[str, int] = defaultdict(int)
    for row in rows:
        where = f"apisec_exceptions {row.get('_key')}"
        if row.get("version") != VERSION:
            problems.append(f"{where}: version {row.get('version')!r} is not known: store the exception again")
            continue
        try:
            one = parse({name: row[name] for name in MEMBERS if row.get(name) is not None}, where)
        except DocumentError as error:
            problems.append(str(error))
            continue
        counts[one.service] += 1
        if counts[one.service] <= MAX_EXCEPTIONS:
            found.append(one)
    crowded = sorted(name for name, count in counts.items() if count > MAX_EXCEPTIONS)
    problems += [f"{name}: more than {MAX_EXCEPTIONS} exceptions; the others hide nothing" for name in crowded]
    return Exemptions(found), problems
