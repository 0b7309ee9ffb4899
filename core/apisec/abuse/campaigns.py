"""Campaigns: what belongs together becomes one finding, and nothing vanishes in a finding about others.

A weak observation (below ``FINDING_SCORE``) joins an open campaign of its service, in this order of preference:

1. the same family, and its principal is a member (until ``IDLE_HOURS`` after the campaign's last);
2. the same family and signature (``IDLE_HOURS``), or the same family on the same operation by other principals
   (``SHARED_HOURS``) at ``SHARED_SCORE``;
3. the same family at ``SHARED_SCORE``, about the service as a whole (``NEARBY_HOURS``), or one that takes no account
   (``OUTSIDERS``, while they keep coming): its principals are addresses;
4. another family, most of its principals are members, and it is about the same operation (``SHARED_HOURS``), or the
   members are few: one attack has many faces.

Otherwise it opens one, when its score is at least ``OPEN_SCORE``. A campaign is told (``new``) once: when its score
first reaches ``FINDING_SCORE``. What comes later is told as its course: when it grows, and now and then.

What is worth a finding itself joins one that was told only when that accuses its principals already, or shares
members with a crowd, or when the same family was worth a finding there and it shares the signature or the client, or
the operation (``NEXT_HOURS`` after the last who was accused), comes from outside while such keep coming, or within an
hour of the first one. What the accused go on doing makes nobody else one of them: who comes to the same operation
days later is another attacker; and what they take up more than a day after the beginning draws in nobody else. It
prefers joining to a weak campaign of its own, which is then taken in: forty sources are forty weak campaigns before
one is told.
"""

from __future__ import annotations

import math
from collections.abc import Container, Iterable, Mapping
from typing import Any, Dict, List, Tuple

from apisec.abuse.base import MAX_MEMBERS, SLOTS_PER_DAY, SLOTS_PER_HOUR, Observation
from apisec.errors import DocumentError

CAMPAIGN_VERSION = 1
JOIN_SCORE, OPEN_SCORE, FREEZE_SCORE, FINDING_SCORE = 36.0, 54.0, 72.0, 90.0  # 1e-2, 1e-3, 1e-4, 1e-5
IDLE_HOURS, SHARED_HOURS, NEARBY_HOURS = 72, 24, 6
NEXT_HOURS = 12  # from one accused to the next of the same: the pause of a night
OUTBREAK_HOURS = 1  # findings of a kind are weeks apart: what follows the first one within an hour is no chance
FIRST_GAP = SLOTS_PER_HOUR / 3  # slots from one source to the next, before any came
CROWD_SHARE = 5  # one in so many principals of a crowd makes it one that is known
SHARED_SCORE = 80.0  # of an observation that makes strangers members: weak ones are not to gather a crowd
FEW = 4  # members, beyond which a campaign is too common a name for one of them
# Who is in a campaign that was told teaches nothing; what goes on at one level for days is what is ordinary here.
FREEZE_DAYS = 3  # since the score last rose by RISE
MAX_KNOWN = 1024  # members that are known by name
MAX_OPERATIONS = 32
MAX_TARGETS = 96  # a crowd has many clients, and they are not to take the operations' places
# Whoever has no account comes by as many principals as he has addresses: what outsiders of one kind try at one service
# while they keep coming is one finding, whether that is one of them or forty.
OUTSIDERS = frozenset(("account_enumeration", "credential_stuffing", "reconnaissance", "token_guessing"))
WORST = 4  # rank of what belongs somewhere at all
RISE = 5.0  # points by which a score has to rise to be told again
ONE_BY_ONE = 8  # accused, up to which each new one is told at once; then when they double
REPEAT_SLOTS = SLOTS_PER_HOUR  # a course that neither rises nor grows is told this often at most


class Campaign:
    """Times are seconds since the epoch, slots of 5 minutes. ``members`` maps principals to the slot seen last.

    ``accused`` are those of them who showed what is worth a finding, alone or as a crowd; ``targets`` say what: the
    families, each also with its operations and signatures.
    """

    __slots__ = (
        "accused",
        "arrivals",
        "count",
        "families",
        "first",
        "id",
        "last",
        "last_slot",
        "lead",
        "member_count",
        "members",
        "opened",
        "operations",
        "peak",
        "risen",
        "service",
        "signatures",
        "targets",
        "told",
        "told_accused",
        "told_members",
        "told_peak",
        "told_slot",
    )

    def __init__(self, identity: str, service: str, opened: int) -> None:
        self.id = identity
        self.service = service
        self.opened = opened
        self.families: List[str] = []
        self.lead = ""
        self.operations: List[str] = []
        self.signatures: List[str] = []
        self.targets: List[str] = []
        self.accused: Dict[str, None] = {}  # in order
        # By family that was worth a finding: whom it accused first (a count), in which slots the first and the last.
        self.arrivals: Dict[str, Tuple[int, int, int]] = {}
        self.members: Dict[str, int] = {}
        self.member_count = 0
        self.first = 0.0
        self.last = 0.0
        self.last_slot = opened
        self.peak = 0.0
        self.risen = opened  # slot in which the score last rose
        self.count = 0  # observations
        self.told = False
        self.told_slot = -1
        self.told_peak = 0.0
        self.told_accused = 0
        self.told_members = 0

    def take(self, one: Observation, slot: int) -> None:
        """Count an observation of the window that ends in ``slot``."""
        self.first = min(self.first, one.first) if self.count else one.first
        self.last = max(self.last, one.last)
        self.last_slot = max(self.last_slot, slot)
        if not self.told and one.score >= self.peak:
            self.lead = one.family
        if one.score >= self.peak + RISE:
            self.risen = slot
        self.peak = max(self.peak, one.score)
        self.count += 1
        for values, value in (
            (self.families, one.family),
            (self.operations, one.operation),
            (self.signatures, one.signature),
        ):
            _note(values, value)
        self._accuse(one, slot)
        for who in principals_of(one):
            if who not in self.members:
                self.member_count += 1
                if len(self.members) >= MAX_KNOWN:
                    del self.members[min(self.members, key=lambda known: (self.members[known], known))]
            self.members[who] = slot

    def _accuse(self, one: Observation, slot: int) -> None:
        """Note whom and what the campaign is about: what is worth a finding, and before there is any, what is near."""
        if one.score >= FINDING_SCORE:
            who = principals_of(one)
            if not self.accused:
                self.targets = []
            known = _known(who, self.accused)
            # A crowd of the last day that those accused make up accuses nobody else who did a little meanwhile.
            if len(who) == 1 or 2 * known <= len(who):
                self._arrive(one.family, len(who) - known, slot)
                self.accused.update(dict.fromkeys(who))
                for old in list(self.accused)[:-MAX_KNOWN]:
                    del self.accused[old]
        if one.score >= (FINDING_SCORE if self.accused else SHARED_SCORE):
            for target in (one.family, _on(one), _by(one), _from(one)):
                _note(self.targets, target, MAX_TARGETS)

    def _arrive(self, family: str, fresh: int, slot: int) -> None:
        """Note when somebody else came. What the accused take up days later draws in nobody who does the same."""
        count, first, last = self.arrivals.get(family, (0, slot, slot))
        face = count or not self.told or slot - self.opened <= SHARED_HOURS * SLOTS_PER_HOUR
        if face and (fresh or not count):
            self.arrivals[family] = (count + max(1, fresh), first, max(last, slot))

    def rank(self, one: Observation, slot: int) -> int:
        """Return how well the observation belongs here: 1 best, 0 not at all."""
        idle = slot - self.last_slot
        if one.service != self.service or idle > IDLE_HOURS * SLOTS_PER_HOUR:
            return 0
        if one.score >= FINDING_SCORE:
            if self.accused:
                return self._rank_of_finding(one, slot)
            found = self._rank_of_weak(one, idle)
            return found + WORST if found else 0
        return self._rank_of_weak(one, idle)

    def _rank_of_finding(self, one: Observation, slot: int) -> int:
        """Return how well what is worth a finding belongs to one that was told: it is not to vanish in it."""
        who, idle = principals_of(one), slot - self.last_slot
        recent = idle <= SHARED_HOURS * SLOTS_PER_HOUR
        here = one.operation in self.operations or self.member_count <= FEW or one.family in self.families
        if 2 * _known(who, self.accused) > len(who) and (one.family in self.arrivals or (here and recent)):
            return 1
        if len(who) > 1 and recent and one.operation in self.operations and 2 * _known(who, self.members) > len(who):
            return 2
        if one.family not in self.arrivals:
            return 0
        count, first, last = self.arrivals[one.family]
        coming = keep_coming(count, last - first, slot - last)
        near = slot - last <= NEXT_HOURS * SLOTS_PER_HOUR if one.operation or one.family not in OUTSIDERS else coming
        alike = _by(one) in self.targets or _from(one) in self.targets
        if alike or (near and _on(one) in self.targets):
            return 2
        if len(who) > 1 and CROWD_SHARE * _known(who, self.members) >= len(who):
            return 2
        outbreak = slot - first <= OUTBREAK_HOURS * SLOTS_PER_HOUR
        outside = one.family in OUTSIDERS and self.lead in OUTSIDERS
        return 3 if outbreak or (outside and coming) else 0

    def _rank_of_weak(self, one: Observation, idle: int) -> int:
        who = principals_of(one)
        known = _known(who, self.members)
        recent = idle <= SHARED_HOURS * SLOTS_PER_HOUR
        if one.family in self.families:
            if 2 * known > len(who):
                return 1
            if one.signature and one.signature in self.signatures:
                return 2
            if one.score < SHARED_SCORE:
                return 0
            if recent and _on(one) in self.targets:
                return 2
            if one.family in OUTSIDERS and self.under_way(idle):
                return 3
            whole = not one.operation and not one.signature
            return 3 if whole and idle <= NEARBY_HOURS * SLOTS_PER_HOUR else 0
        if 2 * known <= len(who):
            return 0
        if one.score >= FINDING_SCORE and self.member_count > len(who):
            return 0  # a finding does not vanish among strangers who did a little of something else
        here = one.operation in self.operations or self.member_count <= FEW
        return 4 if here and recent else 0

    def under_way(self, idle: int) -> bool:
        """Whether the next source is still to be expected, as often as they came so far."""
        return keep_coming(self.member_count, self.last_slot - self.opened, idle)

    def absorb(self, other: Campaign) -> None:
        """Take in a weak campaign of the same."""
        self.first, self.last = min(self.first, other.first), max(self.last, other.last)
        self.count += other.count
        self.opened = min(self.opened, other.opened)
        for who, slot in other.members.items():
            if who not in self.members:
                self.member_count += 1
            self.members[who] = max(slot, self.members.get(who, 0))

    def is_news(self, slot: int) -> bool:
        """Whether what was seen in ``slot`` is worth an event."""
        if self.told_slot < 0 or self.peak >= self.told_peak + RISE or self.member_count >= 2 * self.told_members:
            return True
        accused = len(self.accused)
        if accused > self.told_accused and (accused <= ONE_BY_ONE or accused >= 2 * self.told_accused):
            return True  # who is accused by joining a finding of another is to be seen as well
        return slot - self.told_slot >= REPEAT_SLOTS

    def frozen(self, slot: int) -> bool:
        return self.told and slot - self.risen <= FREEZE_DAYS * SLOTS_PER_DAY

    def to_document(self) -> Dict[str, Any]:
        document: Dict[str, Any] = {"_key": self.id, "version": CAMPAIGN_VERSION}
        document.update((name, getattr(self, name)) for name in _KINDS)
        document.update(families=list(self.families), operations=list(self.operations), members=dict(self.members))
        document.update(signatures=list(self.signatures), targets=list(self.targets), accused=list(self.accused))
        document.update(arrivals={family: list(counts) for family, counts in self.arrivals.items()})
        return document

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Campaign:
        """Raises DocumentError when it is not one of ``to_document``."""
        identity = document.get("_key")
        where = f"campaigns[{str(identity)[:64]}]"
        if document.get("version") != CAMPAIGN_VERSION or not isinstance(identity, str):
            message = f"has version {document.get('version')!r}; this apisec reads {CAMPAIGN_VERSION}: upgrade the app"
            raise DocumentError(message, where=where)
        campaign = cls(identity, "", 0)
        for name, kinds in _KINDS.items():
            value = document.get(name)
            if type(value) not in kinds:
                raise DocumentError(f"{name} is missing or of another type", where=where)
            setattr(campaign, name, value)
        members = document["members"]
        if not all(isinstance(who, str) and type(slot) is int for who, slot in members.items()):
            raise DocumentError("members are not principals with slots", where=where)
        campaign.members = dict(members)
        for name in ("families", "operations", "signatures", "targets", "accused"):
            if not all(isinstance(one, str) for one in document[name]):
                raise DocumentError(f"{name} holds something that is no text", where=where)
            setattr(campaign, name, list(document[name]))
        campaign.accused = dict.fromkeys(document["accused"])
        for family, counts in document["arrivals"].items():
            if not (isinstance(counts, list) and [type(count) for count in counts] == [int] * 3):
                raise DocumentError(f"arrivals[{family}] is not three numbers", where=where)
        campaign.arrivals = {family: (one, two, three) for family, (one, two, three) in document["arrivals"].items()}
        return campaign


_NUMBER = (int, float)
_KINDS: Dict[str, Tuple[type, ...]] = {
    "service": (str,),
    "opened": (int,),
    "families": (list,),
    "lead": (str,),
    "operations": (list,),
    "signatures": (list,),
    "targets": (list,),
    "accused": (list,),
    "arrivals": (dict,),
    "members": (dict,),
    "member_count": (int,),
    "first": _NUMBER,
    "last": _NUMBER,
    "last_slot": (int,),
    "peak": _NUMBER,
    "risen": (int,),
    "count": (int,),
    "told": (bool,),
    "told_slot": (int,),
    "told_peak": _NUMBER,
    "told_accused": (int,),
    "told_members": (int,),
}


def keep_coming(sources: int, span: int, idle: int) -> bool:
    """Whether one more source is to be expected ``idle`` slots after the last, when ``sources`` came within ``span``.

    Sources come at a rate that is not known (exponential, with a gamma prior of one gap): the chance that none comes
    for ``idle`` slots is (span / (span + idle)) ^ sources, and in one campaign of ten one such gap is let pass. Within
    ``NEARBY_HOURS`` pauses are no end, for people sleep and tools wait.
    """
    if idle <= NEARBY_HOURS * SLOTS_PER_HOUR:
        return True
    if idle > SHARED_HOURS * SLOTS_PER_HOUR:
        return False
    sources = max(1, sources)
    return idle <= (span + FIRST_GAP) * (math.pow(10.0 * sources, 1.0 / sources) - 1.0)


def principals_of(one: Observation) -> Tuple[str, ...]:
    return (one.principal,) if one.principal else one.members


def _on(one: Observation) -> str:
    """Return the family with its operation, or with none for what is about the service as a whole."""
    return f"{one.family} {one.operation or 'on all'}"


def _by(one: Observation) -> str:
    return f"{one.family} by {one.signature}" if one.signature else ""


def _from(one: Observation) -> str:
    return f"{one.family} from {one.client}" if one.client else ""


def _note(values: List[str], value: str, most: int = MAX_OPERATIONS) -> None:
    if value and value not in values and len(values) < most:
        values.append(value)


def _known(who: Iterable[str], known: Container[str]) -> int:
    return sum(principal in known for principal in who)


def members_shown(campaign: Campaign) -> List[str]:
    """Return the members to name: those seen last."""
    ordered = sorted(campaign.members, key=lambda who: (-campaign.members[who], who))
    return ordered[:MAX_MEMBERS]
