"""Headers, cookies and who acts: planned by the names of a message's headers, remembered by their values."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import orjson

from apisec.attacks.protocol import unusual
from apisec.attacks.signals import Signal, asked_name
from apisec.attacks.signals import scan as signals_of
from apisec.classification.names import evidence
from apisec.decoders import Leaf
from apisec.model.transaction import Client, Headers
from apisec.redaction.fields import FieldSeen
from apisec.redaction.redactor import label
from apisec_forwarder.pipeline.evidence import NOT_ASKED, agent_free
from apisec_forwarder.pipeline.messages import MAX_HEADER, MAX_HEADERS, ORDINARY, ForcedAt, read_headers
from apisec_forwarder.pipeline.native.asking import Asker, Bounded
from apisec_forwarder.pipeline.native.pairs import is_key
from apisec_forwarder.pipeline.native.plans import Kinds, Member, NotHere
from apisec_forwarder.pipeline.principal import Identity, cookies, identify
from apisec_forwarder.pipeline.signed import SIGNATURE_HEADERS
from apisec_forwarder.pipeline.versions import places

MAX_PLANS = 1_024
MAX_EFFECTS = 1_024
MAX_KEY = 8_192  # characters of credentials that are remembered together

# Their values decide who acts, or hold several values: read by the core, and remembered.
_CREDENTIALS = SIGNATURE_HEADERS | {"authorization", "proxy-authorization", "cookie", "set-cookie"}


class HeadPlan(NamedTuple):
    """What to do with a message's headers, by their places."""

    special: tuple[int, ...]  # read by the core
    asked: tuple[tuple[int, Member], ...]  # values that the gate is asked for
    signals: tuple[tuple[int, str], ...]  # values of ordinary headers: asked for signals only
    kinds: Kinds  # labels of the asked ones, sorted
    agent: int | None
    referer: int | None
    content_type: int | None
    content_encoding: int | None
    versions: tuple[int, ...]  # where a version of the API may stand


@dataclass(frozen=True, eq=False)
class Effect:
    """What the core found in the special headers of a message, and who acts."""

    identity: Identity | None
    who: bytes  # the identity, as members of an event
    secrets: tuple[tuple[str, str], ...]
    classes: frozenset[str]
    headers: tuple[tuple[str, FieldSeen], ...]
    cookies: tuple[tuple[str, FieldSeen], ...]
    signals: tuple[Signal, ...]
    spent: int = 0  # units of the core's work
    skipped: int = 0  # characters that it did not look at
    listed: dict[tuple[str, ...], tuple[bytes, int]] = field(default_factory=dict)  # entries beside other headers


class Heads:
    """Plans and remembered effects of heads, for messages that overrides treat alike."""

    def __init__(self, asker: Asker, forced: ForcedAt) -> None:
        self._asker = asker
        self._forced = forced
        self._plans: Bounded[tuple[str, ...], HeadPlan] = Bounded(MAX_PLANS)
        self._effects: Bounded[tuple[object, ...], Effect] = Bounded(MAX_EFFECTS)

    def plan(self, headers: Headers) -> HeadPlan:
        """Return what to do with headers of these names."""
        names = tuple([name for name, _ in headers])
        known = self._plans.get(names)
        return known if known is not None else self._plans.put(names, self._plan(names))

    def _plan(self, names: tuple[str, ...]) -> HeadPlan:
        if len(names) > MAX_HEADERS:
            raise NotHere
        lower = [name.lower() for name in names]
        if unusual(lower):
            raise NotHere
        forced = self._forced("header")
        special, asked, signals = [], [], []
        for index, name in enumerate(lower):
            if name in _CREDENTIALS or is_key(name):
                special.append(index)
            elif name not in ORDINARY:
                shown = label(name)
                decided = forced(shown) if forced else None
                asked.append((index, Member(shown, name, "", evidence(name), decided, None)))
            elif name not in NOT_ASKED and name not in ("user-agent", "referer"):
                signals.append((index, f"header.{label(name)}"))
        first = {name: index for index, name in reversed(list(enumerate(lower)))}
        for name in ("content-type", "content-encoding", "user-agent", "referer"):
            if lower.count(name) > 1:
                raise NotHere
        return HeadPlan(
            tuple(special),
            tuple(asked),
            tuple(signals),
            Kinds(dict.fromkeys(sorted({member.path for _, member in asked}), "string")),
            first.get("user-agent"),
            first.get("referer"),
            first.get("content-type"),
            first.get("content-encoding"),
            places(lower),
        )

    def request(self, plan: HeadPlan, headers: Headers, client: Client, query: list[Leaf]) -> Effect:
        """Return what the special headers of a request tell, and who acts."""
        special = tuple([headers[i] for i in plan.special])
        agent = headers[plan.agent][1] if plan.agent is not None else ""
        who = (client.address, client.ja4, client.certificate_subject, _authenticated(client))
        key = (special, agent, *who, tuple([(leaf.name, leaf.value) for leaf in query]))
        known = self._effects.get(key)
        return known if known is not None else self._remember(key, self._effect(special, headers, client, query))

    def response(self, plan: HeadPlan, headers: Headers) -> Effect:
        """Return what the special headers of a response tell."""
        if not plan.special:
            return NO_EFFECT
        special = tuple([headers[i] for i in plan.special])
        known = self._effects.get((special,))
        return known if known is not None else self._remember((special,), self._effect(special, (), None, []))

    def _remember(self, key: tuple[object, ...], effect: Effect) -> Effect:
        size = len(repr(key)) + sum([len(value) for value, _ in effect.secrets])
        return self._effects.put(key, effect) if size <= MAX_KEY else effect

    def _effect(self, special: Headers, headers: Headers, client: Client | None, query: list[Leaf]) -> Effect:
        redactor = self._asker.scratch()
        headed = read_headers(special, redactor, self._forced)
        identity = identify(client, headers, query, redactor) if client is not None else None
        found = []
        if client is not None:
            for name, value in special:
                if name.lower() not in NOT_ASKED:
                    found += [Signal(d, f"header.{label(name.lower())}", score) for d, score in signals_of(value)]
            for cookie in cookies(headers):
                asked = (cookie.value, cookie.name) if asked_name(cookie.name) else (cookie.value,)
                where = f"cookie.{label(cookie.name)}"
                found += [Signal(d, where, score) for text in asked for d, score in signals_of(text)]
        return Effect(
            identity,
            _members(identity) if identity is not None else b"",
            tuple(redactor.secrets.items()),
            frozenset(redactor.classes),
            tuple(headed.headers.items()),
            tuple(headed.cookies.items()),
            tuple(found),
            redactor.spent,
            redactor.skipped,
        )


NO_EFFECT = Effect(None, b"", (), frozenset(), (), (), ())


def _members(identity: Identity) -> bytes:
    """Return who acts as members of an event."""
    found = {"principal": identity.principal, "principal_kind": identity.kind, "auth": identity.auth}
    more = {"auth_token": identity.auth_token, "session": identity.session, "user": identity.user}
    return orjson.dumps({**found, **{name: value for name, value in more.items() if value}})[1:-1]


def _authenticated(client: Client) -> str | None:
    found = getattr(client, "authenticated", None)
    return found if isinstance(found, str) else None


def agent_signals(name: str, value: str) -> list[Signal]:
    """Return the signals of a user agent or referer."""
    text = agent_free(value) if name == "user-agent" else value
    return [Signal(detector, f"header.{name}", score) for detector, score in signals_of(text)]


def too_long(headers: Headers) -> bool:
    """Return whether a header's value is longer than the core reads."""
    return any([len(value) > MAX_HEADER for _, value in headers])  # noqa: C419 - a third of a generator's time
