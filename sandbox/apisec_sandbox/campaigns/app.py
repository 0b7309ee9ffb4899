"""One application behind the gateway: what it answers to whom, and the line that a forwarder would ship of it."""

from __future__ import annotations

import math
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import replace

from apisec_sandbox.campaigns import ids
from apisec_sandbox.campaigns.bodies import ACKS, EMPTY, VARIANTS, Body, Listed, Records, Thing, error_body, plain
from apisec_sandbox.campaigns.operations import Compiled, filled
from apisec_sandbox.campaigns.people import Credential, Who, api_key, cookie, jwt, opaque
from apisec_sandbox.campaigns.sink import BATCH, Sink
from apisec_sandbox.campaigns.spec import ApiSpec
from apisec_sandbox.campaigns.values import LOGINS, WORDS, Tokens, seeded
from apisec_sandbox.campaigns.wire import Exchange, Wire

GATEWAY, ENV = "sim", "PROD"
RECENT = 4_000  # objects of a resource that staff and attackers can come across
PUBLIC = 300  # things in a catalogue
LATENCIES = 4_096
SPREAD = 0.45  # sigma of the log-normal latency
LOGGING = frozenset(("login", "reset", "register", "code"))  # kinds of operations that name an account
FAILURES = 0.0008  # of ordinary requests: half 500 and 502, a quarter 503 and 504 each


class App:
    """State and answers of one application. ``rng`` is its own: an application's traffic is the same in any shard."""

    def __init__(self, spec: ApiSpec, name: str, seed: object, tokens: Tokens, sink: Sink, index: int) -> None:
        self.spec, self.name, self.tokens, self.sink = spec, name, tokens, sink
        self.rng = rng = seeded("app", seed, name)
        self.host = f"{name}.{spec.domain}"
        self.team = f"team-{spec.name}"
        self.index, self.prefix, self.count = index, f"{index:02x}", 0
        self.made: dict[str, int] = dict.fromkeys(spec.resources, spec.first + spec.past)
        self.records = {
            resource: Records(each, seeded("records", seed, name, resource), tokens, sink.wants_raw)
            for resource, each in spec.resources.items()
        }
        if spec.widening:
            for resource, each in spec.resources.items():
                whole = replace(each, fields=each.fields + each.wide)
                rng_of = seeded("records", seed, name, resource)
                self.records[f"{resource}+"] = Records(whole, rng_of, tokens, sink.wants_raw)
        self.recent: dict[str, deque[Thing]] = {each: deque(maxlen=RECENT) for each in spec.resources}
        self.operations = {each.key: Compiled(n, each, spec, tokens, rng) for n, each in enumerate(spec.operations)}
        self.by_kind: dict[str, list[Compiled]] = {}
        for op in self.operations.values():
            self.by_kind.setdefault(op.kind, []).append(op)
        self.flow = [self.operations[key] for key in spec.flow]
        self.public = [resource for resource, each in spec.resources.items() if not each.owner]
        self.catalogue = {each: [self.make(each, "") for _ in range(PUBLIC)] for each in self.public}
        self.latencies = [math.exp(SPREAD * rng.gauss(0.0, 1.0)) for _ in range(LATENCIES)]
        frame = f',"gateway":"{GATEWAY}","env":"{ENV}","service":"{name}","team":"{self.team}","app":"{name}"'
        frame += f',"action":"allowed","key_id":"{tokens.key_id}","dest":"{self.host}","dest_port":443'
        self.wire = Wire(spec, self.host, self.records, frame)
        self.rotated = -1.0  # when all credentials became void
        self.live: set[str] = {each.key for each in spec.operations if not each.released}
        self.load = 1.0  # factor on latency
        self.down = (0.0, 0.0, 0.0)  # an outage: from, until, the share of requests that it meets
        self.unmade = self._past(seed)
        # What accounts are called here.
        named = [kind for said in spec.operations for _, kind in said.body if said.kind in LOGGING]
        self.account_kind = next((kind for kind in named if kind in LOGINS), "email")
        self.minute, self.spent = 0, Counter[str]()  # requests of the running minute, where there is a limit

    # --- what there is ----------------------------------------------------------------------------------

    def _past(self, seed: object) -> dict[str, list[int]]:
        """Return the numbers of objects that were there before, in any order; whose each is turns out when needed."""
        found = {}
        for resource, each in self.spec.resources.items():
            numbers = list(range(self.spec.first, self.spec.first + self.spec.past)) if each.owner else []
            seeded("past", seed, self.name, resource).shuffle(numbers)
            found[resource] = numbers
        return found

    def make(self, resource: str, owner: str, old: bool = False) -> Thing:
        """Make an object; ``old``: it is one of those that were there before."""
        if old and self.unmade[resource]:
            number = self.unmade[resource].pop()
        else:
            number = self.made[resource]
            self.made[resource] = number + 1
        thing = self.thing(resource, number, owner)
        self.recent[resource].append(thing)
        return thing

    def thing(self, resource: str, number: int, owner: str) -> Thing:
        style = self.spec.resources[resource].identity
        key = f"{self.name}-{resource}" if style != "pre" else f"{resource}-{self.name}"
        return Thing(ids.identity(style, key, number), number, owner, number % VARIANTS)

    def of_kind(self, kind: str, resource: str = "") -> Compiled | None:
        """Return a live operation of a kind, of a resource where one is named."""
        for each in self.by_kind.get(kind, ()):
            if each.spec.key in self.live and (not resource or each.resource == resource):
                return each
        return None

    def need(self, kind: str) -> Compiled:
        """Return a live operation of a kind that every API has."""
        found = self.of_kind(kind)
        assert found is not None, f"{self.name} has nothing to {kind}"
        return found

    def credential(self, who: Who, now: float) -> Credential:
        """Give a principal what this application wants to see."""
        kind = self.spec.auth
        if kind == "jwt":
            made = jwt(who.subject, who.role, now, who.lifetime / 3600.0, self.rng, self.tokens)
        elif kind == "cookie":
            made = cookie(now, self.rng, self.tokens)
        elif kind == "bearer":
            made = opaque(now, self.rng, self.tokens)
        else:
            made = api_key(now, self.rng, self.tokens)
        who.credential = made
        return made

    # --- what it answers --------------------------------------------------------------------------------

    def verdict(self, now: float, who: Who, op: Compiled, thing: Thing | None) -> int:
        """Return the status of a well-formed request."""
        if self.spec.limit and self._over(now, who):
            return 429
        if not op.open:
            credential = who.credential
            if credential is None or now > credential.issued + who.lifetime or credential.issued < self.rotated <= now:
                return 401
            if op.staff and who.role not in op.staff:
                return 403
        if op.wants_id:
            if thing is None:
                return 404
            foreign = thing.owner and thing.owner != who.owner and who.role == "user"
            if foreign and op.resource not in self.spec.unchecked:
                return self.spec.denied
        return 0

    def _over(self, now: float, who: Who) -> bool:
        """Whether who acts has used up what it may ask for in a minute."""
        minute = int(now // 60)
        if minute != self.minute:
            self.minute = minute
            self.spent.clear()
        key = who.credential.principal if who.credential else who.client.address
        self.spent[key] += 1
        return self.spent[key] > self.spec.limit

    def request(
        self, now: float, who: Who, op: Compiled, thing: Thing | None = None, *, guess: str = "",
        things: Sequence[Thing] = (), status: int = 0, values: Sequence[str] = (), body: Body | None = None,
        extra: Sequence[Listed] = (), signals: str = "", path: str = "", anonymous: bool = False,
        query: Sequence[tuple[str, str]] = (), wide: bool = False,
    ) -> int:  # fmt: skip
        """Send one request and return the status. ``guess`` is an id that names nothing, ``things`` what a list holds.

        ``body`` with its ``extra`` fields stands in for the operation's own, ``values`` for those of its query, and
        ``query`` for all of it. ``status`` overrules the verdict; ``path`` is of no documented operation;
        ``anonymous``: without credential; ``wide``: whole records are answered.
        """
        if self.down[0] <= now < self.down[1] and self.rng.random() < self.down[2]:
            status = 503
        status = status or self.verdict(now, who, op, thing)
        if not status and self.rng.random() < FAILURES:
            status = self.rng.choice((500, 500, 502, 502, 503, 504))
        status = status or op.success
        shown = anonymous or op.kind in ("login", "register", "reset", "health", "code")
        credential = None if shown else who.credential
        if body is None:
            body = EMPTY if path else self.sent(op, thing, guess, who)
            named = True
        else:
            named = not (op.graphql or op.at == "body") or f'"{op.at_name or "id"}":' in body.raw or op.form
        if status < 300:
            shape, reply = self._reply(op, who, thing, things, now, wide)
        else:
            shape, reply = "error", error_body(self.spec.errors, status)
        written = 200 if self.spec.soft and 400 <= status < 500 and status != 429 and not path else status
        if credential:
            credential.used = True
        self.count += 1
        identity = (thing.identity if thing else guess) if op.wants_id and named else ""
        names, asked = self._asked(op, values, query, identity) if not path else ((), "")
        exchange = Exchange(
            f"{self.prefix}-{self.count:08x}", now, who, credential, op, path, identity,
            asked, names, body, extra, written, shape, reply,
            self.latencies[int(self.rng.random() * LATENCIES)] * op.median * op.scale * self.load, signals,
        )  # fmt: skip
        self._write(exchange)
        return status

    def _asked(
        self, op: Compiled, values: Sequence[str], query: Sequence[tuple[str, str]], identity: str
    ) -> tuple[tuple[str, ...], str]:
        """Return the names of the query's parameters, and its text."""
        names, text = op.query, self._query(op, values) if op.query and not query else ""
        if query:
            names = tuple([name for name, _ in query])
            text = "&".join([f"{name}={value}" for name, value in query])
        if op.at == "query" and identity:
            names = (op.at_name, *names)
            text = f"{op.at_name}={identity}&{text}" if text else f"{op.at_name}={identity}"
        return names, text

    def _query(self, op: Compiled, values: Sequence[str]) -> str:
        if not values:
            rng = self.rng
            values = [rng.choice(WORDS) if op.kind == "search" else str(rng.randrange(1, 9)) for _ in op.query]
        return "&".join([f"{name}={value}" for name, value in zip(op.query, values, strict=False)])

    def _write(self, exchange: Exchange) -> None:
        sink, who = self.sink, exchange.who
        events, transactions, labels = sink.lines
        if sink.wants_events:
            events.append(self.wire.event(exchange))
        if sink.wants_raw:
            transactions.append(self.wire.transaction(exchange))
        labels.append(f'{{"id":"{exchange.identity}"{who.tag}')
        assert who.tally is not None, f"{who.name} was never marked"
        principal = exchange.credential.principal if exchange.credential else who.client.identity()
        who.tally.add(exchange.now, exchange.status, principal, who.client.address)
        sink.total += 1
        if len(labels) >= BATCH:
            sink.flush()

    def sent(self, op: Compiled, thing: Thing | None, guess: str = "", who: Who | None = None) -> Body:
        """Return the body that the operation itself sends."""
        if who is not None and self.spec.own_logins and op.kind in LOGGING and op.bodies:
            return self.login_form(op, who)
        if op.graphql:
            identity = (thing.identity if thing else guess) if op.wants_id else ""
            return op.document({op.at_name or "id": identity} if identity else {})
        body = self.rng.choice(op.bodies) if op.bodies else EMPTY
        identity = (thing.identity if thing else guess) if op.at == "body" else ""
        return op.naming(body, identity) if identity else body

    def login_form(self, op: Compiled, who: Who) -> Body:
        """Return what a principal logs in with, which is the same each time."""
        found = who.forms.get(op.spec.key)
        if found is None:
            kinds = dict(op.spec.body)
            values = {name: who.password if kind == "password" else who.login for name, kind in kinds.items()
                      if kind == "password" or kind in LOGINS}  # fmt: skip
            found = who.forms[op.spec.key] = filled(op, self.rng, self.tokens, values)
        return found

    def _reply(
        self, op: Compiled, who: Who, thing: Thing | None, things: Sequence[Thing], now: float, wide: bool
    ) -> tuple[str, Body]:
        """Return the shape's name and the body of a success; what it issues is remembered."""
        shape, resource = op.shape, op.resource
        more = "+" if wide and self.spec.widening else ""
        before, after = (f'{{"data":{{"{op.spec.key}":', "}}") if op.graphql else ("", "")
        if shape == "many":
            if things:
                who.remember(resource, list(things))
            listing = self.spec.listing
            if op.graphql or not listing:
                before, after = before + "[", "]" + after
            else:
                before, after = f'{{"{listing}":[', f'],"total":{len(things)}}}'
            records = self.records[resource + more]
            return (f"many{more}" if things else "empty"), records.body(things, before, after)
        if shape == "one":
            if op.kind == "me":
                thing = who.profile = who.profile or self.make(resource, who.owner)
            elif thing is None:
                thing = self.make(resource, who.owner)
            who.remember(resource, [thing])
            return f"one{more}", self.records[resource + more].body((thing,), before, after)
        if shape == "token":
            return self._token(who, now)
        if shape == "none":
            return "none", EMPTY
        return ("ack", plain(f"{before}{ACKS[self.spec.ack][0].format(state=op.kind)}{after}"))

    def _token(self, who: Who, now: float) -> tuple[str, Body]:
        made = self.credential(who, now)
        if made.kind == "cookie":
            return "cookie", plain('{"done":true}')
        data_class = "secret.jwt" if made.kind == "jwt" else "secret.token"
        head, tail = f'{{"{self.spec.token}":"', '","expires_in":43200}'
        raw = f"{head}{made.raw}{tail}"
        return f"token.{made.kind}", Body(f"{head}{self.tokens(data_class, made.raw)}{tail}", len(raw), raw)
