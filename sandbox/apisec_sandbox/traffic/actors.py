"""The base of all actors: identity, devices, login, and calls with the right credentials."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from random import Random

from apisec_sandbox.traffic.calls import (
    Call,
    Content,
    Plant,
    Reply,
    Rest,
    Step,
    Steps,
    UnexpectedReplyError,
    Wait,
    build,
    json_content,
    send,
)
from apisec_sandbox.traffic.clients import Client
from apisec_sandbox.traffic.texts import TEXTS, Texts
from apisec_sandbox.traffic.values import Person, Sensitive, Values

DAY = 86_400.0
EXPIRY_MARGIN = 20.0  # seconds before a token's end at which a client renews it
BRISK = 1 / 800  # live traffic shortens rests: a pause of 10 hours becomes 45 seconds
ALWAYS = (1.0,) * 24
# Relative activity in each hour of the day, UTC.
DAYTIME = (0.1, *(0.05,) * 4, 0.1, 0.3, 0.6, 0.8, *(0.9,) * 3, 1.0, 0.9, 0.8, 0.8, 0.9, *(1.0,) * 4, 0.9, 0.6, 0.3)
NIGHT = (*(1.0,) * 3, 0.9, 0.5, 0.2, *(0.05,) * 12, 0.1, 0.1, 0.2, 0.4, 0.8, 1.0)
OFFICE = (*(0.0,) * 7, 0.3, *(1.0,) * 4, 0.5, *(1.0,) * 4, 0.6, *(0.0,) * 6)


@dataclass
class Login:
    """One session on one device."""

    access: Sensitive
    refresh: Sensitive
    session: Sensitive  # the cookie
    expires: float
    last_used: float


@dataclass
class World:
    """What actors share: style, time's flow, and who is logged in (a stolen token has to come from somewhere)."""

    style: str
    natural: bool  # natural time (offline); otherwise rests are shortened and the day's rhythm is not followed
    attack_at: float  # seconds since the epoch from which attackers attack
    customers: list[Actor] = field(default_factory=list)

    @property
    def texts(self) -> Texts:
        return TEXTS[self.style]


@dataclass(frozen=True)
class Rhythm:
    """How often an actor visits: a Poisson process thinned by the hour of the day (UTC)."""

    visits_per_day: float
    hours: Sequence[float] = ALWAYS

    def gap(self, now: float, rng: Random, natural: bool) -> float:
        """Return seconds until the next visit."""
        peak = max(self.hours)
        rate = self.visits_per_day * peak * 24 / sum(self.hours) / DAY
        elapsed = 0.0
        for _ in range(1000):
            elapsed += rng.expovariate(rate)
            if not natural or rng.random() * peak < self.hours[int((now + elapsed) // 3600) % 24]:
                break
        return elapsed


class Actor:
    """One principal with its devices and habits; subclasses say what a visit is."""

    persona = "actor"
    rhythm = Rhythm(2, DAYTIME)

    def __init__(
        self, name: str, world: World, devices: Sequence[Client], person: Person, values: Values, rng: Random
    ) -> None:
        self.name, self.world, self.person, self.values, self.rng = name, world, person, values, rng
        self.devices = list(devices)
        self.device = self.devices[0]
        self.now = 0.0  # seconds since the epoch; the stage sets it before it resumes the actor
        self.registered = False
        self.logins: dict[str, Login] = {}  # by the device's agent
        self.surprises = 0  # visits cut short by a reply nobody expects

    @property
    def login(self) -> Login | None:
        return self.logins.get(self.device.agent)

    @property
    def latest_login(self) -> Login | None:
        return max(self.logins.values(), key=lambda login: login.last_used, default=None)

    def steps(self) -> Steps[None]:
        """Visit and rest, for ever."""
        while True:
            yield Rest(self.rhythm.gap(self.now, self.rng, self.world.natural))
            try:
                yield from self.visit()
            except UnexpectedReplyError:
                self.surprises += 1
                yield self.think(2, 6)

    def visit(self) -> Steps[None]:
        raise NotImplementedError

    def think(self, low: float, high: float) -> Step:
        """Think time: log-uniform, so that short pauses are common and long ones happen."""
        return Wait(float(low * (high / low) ** self.rng.random()))

    def chance(self, probability: float) -> bool:
        return self.rng.random() < probability

    # Calls

    def call(
        self,
        operation: str,
        *,
        path: Mapping[str, str] | None = None,
        raw_path: str | None = None,
        query: Mapping[str, str] | None = None,
        headers: Sequence[tuple[str, str]] = (),
        content: Content = Content(),  # noqa: B008  frozen
        attack: str | None = None,
        anonymous: bool = False,
    ) -> Steps[Reply]:
        """Send one call from the current device, with its credentials unless ``anonymous``."""
        credentials: tuple[tuple[str, str], ...] = ()
        plants: tuple[Plant, ...] = ()
        if not anonymous:
            credentials, plants = self.credentials()
        call: Call = build(
            self.device,
            operation,
            path=path,
            raw_path=raw_path,
            query=query,
            headers=(*credentials, *headers),
            header_plants=plants,
            content=content,
            attack=attack,
        )
        reply = yield from send(call)
        if reply.status == 401 and not anonymous:
            self.logins.pop(self.device.agent, None)
        return reply

    def credentials(self) -> tuple[tuple[tuple[str, str], ...], tuple[Plant, ...]]:
        """Return the headers that authenticate the current device, and what they give away."""
        login = self.login
        if login is None:
            return (), ()
        login.last_used = self.now
        sent = [("authorization", f"Bearer {login.access}")]
        plants = [Plant(str(login.access), "secret.jwt", "request.header.authorization")]
        if self.device.browser:
            sent.append(("cookie", f"theme=light; sid={login.session}"))
            plants.append(Plant(str(login.session), "secret.session", "request.header.cookie"))
        return tuple(sent), tuple(plants)

    # Logging in

    def ensure_login(self, fresh: bool = False) -> Steps[None]:
        """Register once, then log in or renew the token; ``fresh`` forces a new login."""
        if not self.registered:
            yield from self.register()
        login = self.login
        if login and not fresh:
            if login.expires - EXPIRY_MARGIN > self.now:
                return
            yield from self.renew(login)
            if self.login:
                return
        yield from self.log_in()

    def register(self) -> Steps[None]:
        person = self.person
        body = {"email": person.email, "password": person.password, "full_name": person.full_name}
        reply = yield from self.call("POST /auth/register", content=json_content(body), anonymous=True)
        if not reply.ok and reply.status != 409:
            raise UnexpectedReplyError("no account")
        self.registered = True
        yield self.think(1, 4)

    def log_in(self) -> Steps[None]:
        body = {"email": self.person.email, "password": self.person.password}
        reply = yield from self.call("POST /auth/login", content=json_content(body), anonymous=True)
        self._accept(reply)
        yield self.think(0.3, 2)

    def renew(self, login: Login) -> Steps[None]:
        body = {"refresh_token": login.refresh}
        reply = yield from self.call("POST /auth/refresh", content=json_content(body), anonymous=True)
        if reply.ok:
            self._accept(reply)
        else:
            self.logins.pop(self.device.agent, None)
        yield self.think(0.1, 0.5)

    def _accept(self, reply: Reply) -> None:
        access = Sensitive(reply.need("access_token"), "secret.jwt")
        refresh = Sensitive(reply.need("refresh_token"), "secret.bearer")
        known = self.login
        cookie = reply.header("set-cookie")
        session = cookie[4:].partition(";")[0] if cookie.startswith("sid=") else (known.session if known else "")
        expires = self.now + float(reply.need("expires_in"))
        self.logins[self.device.agent] = Login(access, refresh, Sensitive(session, "secret.session"), expires, self.now)
