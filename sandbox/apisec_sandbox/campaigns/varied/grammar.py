"""Draws APIs: what each is about, how its makers name, nest, number, page, authenticate and fail."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from apisec_sandbox.campaigns.spec import ApiSpec, FieldSpecs, Operation, Resource
from apisec_sandbox.campaigns.values import seeded
from apisec_sandbox.campaigns.varied import words
from apisec_sandbox.campaigns.varied.words import Theme

IDENTITIES = ("int", "int", "int", "snow", "ord", "uuid", "uuid", "uuid", "hex", "pre", "ulid", "short", "slug", "dated",
              "pair")  # fmt: skip
ERRORS = ("plain", "problem", "list", "coded", "flag", "nested", "german", "result", "bare")
SHAPES = ("rest", "rest", "rest", "rest", "nested", "verbs", "rpc", "colon", "graphql")


def specs(seed: str, count: int) -> list[ApiSpec]:
    """Return the APIs of a seed: each with a theme of its own as far as there are enough."""
    order = list(words.THEMES)
    seeded("themes", seed).shuffle(order)
    return [Grammar(order[number % len(order)], seeded("api", seed, number)).api() for number in range(count)]


class Style:
    """How one API's makers name things."""

    def __init__(self, theme: Theme, rng: Random) -> None:
        self.rng = rng
        self.paths = rng.choice(("kebab", "kebab", "snake", "camel"))
        self.members = rng.choice(("snake", "camel", "camel"))
        self.params = rng.choice(("snake", "camel"))
        self.plural = rng.random() < 0.75
        name = theme.name if rng.random() < 0.5 else theme.name.split("-", 1)[0]
        self.prefix = rng.choice(words.PREFIXES).format(v=rng.choice("11112234"), name=name)

    @staticmethod
    def cased(style: str, text: str) -> str:
        """Return words joined by hyphens or underscores in another style."""
        parts = text.replace("_", "-").split("-")
        if style == "camel":
            return parts[0] + "".join(part[:1].upper() + part[1:] for part in parts[1:])
        return ("-" if style == "kebab" else "_").join(parts)

    def path(self, *parts: str) -> str:
        return self.prefix + "".join(f"/{part}" for part in parts if part)

    def noun(self, noun: str) -> str:
        """Return a noun as a path has it."""
        one, _, many = noun.partition("/")
        many = many or (f"{one[:-1]}ies" if one.endswith("y") and one[-2:-1] not in "aeiou" else f"{one}s")
        return self.cased(self.paths, many if self.plural else one)

    def member(self, name: str) -> str:
        return self.cased(self.members, name)

    def param(self, noun: str) -> str:
        """Return the name of a path's parameter."""
        return self.cased(self.params, f"{noun.partition('/')[0]}-id")


class Grammar:
    """One API in the making."""

    def __init__(self, theme: Theme, rng: Random) -> None:
        self.theme, self.rng, self.style = theme, rng, Style(theme, rng)
        self.shape = rng.choice(SHAPES)
        self.verbs = rng.choice(
            (("get", "list", "create", "update", "delete"), ("fetch", "find", "add", "change", "remove"))
        )
        self.paging = rng.choice(words.PAGING)
        self.widening = rng.choice(words.WIDENING) if rng.random() < 0.5 else ""
        self.graph = rng.choice(("/graphql", "/graphql", "/api/graphql", "/query", "/gql"))
        self.resources: dict[str, Resource] = {}
        self.operations: dict[str, Operation] = {}
        self.term = rng.choice(words.TERMS)
        self.put = rng.choice(("PUT", "PATCH", "PATCH", "POST"))

    # --- resources -----------------------------------------------------------------------------------------

    def contents(self, most: int, personal: float) -> FieldSpecs:
        """Return members of a record: a few plain ones, and with some chance personal ones."""
        rng = self.rng
        found: dict[str, str] = {}
        plain = list(words.FIELDS)
        for _ in range(rng.randint(2, most)):
            kind = rng.choice(plain)
            name = self.style.member(rng.choice(words.FIELDS[kind]))
            written = words.STATES if kind == "STATE" else words.CHOICES if kind == "CURRENCY" else (kind,)
            found.setdefault(name, rng.choice(written))
        kinds = [kind for kind in words.PERSONAL if rng.random() < personal]
        for kind in kinds:
            found.setdefault(self.style.member(rng.choice(words.PERSONAL[kind])), kind)
        return tuple(found.items())

    def resource(self, noun: str, owned: bool, personal: float) -> Resource:
        rng, style = self.rng, self.style
        name = noun.partition("/")[0].replace("-", "_")
        key = rng.choice(words.UNSEEN if owned and rng.random() < 0.08 else words.KEYS)
        key = style.member(key.format(noun=name))
        owner = style.member(rng.choice(words.OWNERS)) if owned else ""
        made = Resource(
            name, rng.choice(IDENTITIES), owner, self.contents(rng.choice((4, 6, 9)), personal), key,
            self.contents(12, 0.35) if self.widening else (), rng.random() < 0.3,
        )  # fmt: skip
        names = {key, owner}
        kept = tuple(pair for pair in made.fields if pair[0] not in names)
        more = tuple(pair for pair in made.wide if pair[0] not in names | dict(kept).keys())
        made = Resource(name, made.identity, owner, kept, key, more, made.silent)
        self.resources[name] = made
        return made

    # --- operations ------------------------------------------------------------------------------------------

    def add(
        self, key: str, method: str, path: str, kind: str, shape: str, resource: str = "", query: Sequence[str] = (),
        body: FieldSpecs = (), at: str = "", form: bool = False,
    ) -> Operation:  # fmt: skip
        """Add an operation; where its path is taken already, a number makes it another one."""
        taken = {(each.method, each.path) for each in self.operations.values() if each.path != self.graph}
        number = 2
        while (method, path) in taken:
            path = f"{path}{number}"
            number += 1
        while key in self.operations:
            key = f"{key}{number}"
            number += 1
        released = (kind in ("read", "update") or (kind == "view" and shape == "many")) and self.rng.random() < 0.12
        made = Operation(key, method, path, tuple(sorted(query)), shape, resource, kind, body, released, at, form)
        self.operations[key] = made
        return made

    def pages(self) -> tuple[str, ...]:
        return tuple(name for name in self.paging[1:] if name)

    def key(self, verb: str, noun: str) -> str:
        return self.style.cased("camel", f"{verb}-{noun.partition('/')[0]}")

    def listing(self, noun: str, resource: str, kind: str, before: str = "") -> Operation:
        """Add an operation that answers a page."""
        style, verb = self.style, self.verbs[1]
        key = self.key(verb if kind in ("browse", "list") else f"{kind}-all".replace("_", "-"), noun)
        if self.shape == "graphql":
            return self.add(key, "POST", self.graph, kind, "many", resource)
        if self.shape == "rpc":
            name = noun.partition("/")[0].replace("-", "_")
            body = tuple((each, "int") for each in self.pages())
            return self.add(key, "POST", style.path(before, f"{name}.{verb}"), kind, "many", resource, (), body)
        if self.shape == "verbs":
            name = style.cased("camel", f"{verb}-{noun.partition('/')[0]}s")
            return self.add(key, "GET", style.path(before, name), kind, "many", resource, self.pages())
        mine = "me" if self.shape == "nested" and kind == "list" else before
        return self.add(key, "GET", style.path(mine, style.noun(noun)), kind, "many", resource, self.pages())

    def single(
        self, verb: str, method: str, noun: str, resource: str, kind: str, shape: str, action: str = "", before: str = "",
        body: FieldSpecs = (), named: bool = True,
    ) -> Operation:  # fmt: skip
        """Add an operation about one object (``named``) or that makes one; ``action`` is the last part of its path."""
        style = self.style
        key = self.key(f"{verb}-{action}" if action and action != verb else verb, noun)
        one = noun.partition("/")[0]
        member = style.cased(style.members, f"{one}-id")
        if self.shape == "graphql":
            return self.add(key, "POST", self.graph, kind, shape, resource)
        if self.shape == "rpc":
            path = style.path(before, f"{one.replace('-', '_')}.{style.cased('camel', action or verb)}")
            return self.add(key, "POST", path, kind, shape, resource, (), body, f"body:{member}" if named else "")
        if self.shape == "verbs":
            path = style.path(before, style.cased("camel", f"{action or verb}-{one}"))
            if not named:
                return self.add(key, "POST", path, kind, shape, resource, (), body)
            place = "query" if method == "GET" else "body"
            return self.add(
                key, "GET" if method == "GET" else "POST", path, kind, shape, resource, (), body, f"{place}:{member}"
            )
        parts = [
            before or ("me" if self.shape == "nested" and kind not in ("view", "browse") else ""),
            style.noun(noun),
        ]
        if named:
            parts.append("{" + style.param(noun) + "}")
        path = style.path(*parts)
        if action:
            path += f"{':' if self.shape == 'colon' else '/'}{style.cased(style.paths, action)}"
        return self.add(key, method, path, kind, shape, resource, (), body)

    # --- the parts of an API --------------------------------------------------------------------------------

    def catalogue(self) -> None:
        rng, theme = self.rng, self.theme
        nouns = rng.sample(theme.public, rng.randint(1, min(2, len(theme.public))))
        for noun in nouns:
            made = self.resource(noun, False, 0.0)
            self.listing(noun, made.name, "browse")
            self.single(self.verbs[0], "GET", noun, made.name, "view", "one")
            if rng.random() < 0.4:
                self.single(
                    self.verbs[0], "GET", noun, made.name, "view", "many", rng.choice(("related", "reviews", "similar"))
                )
        noun = nouns[0]
        name = noun.partition("/")[0].replace("-", "_")
        query = (self.term, *self.pages()[1:])
        if self.shape == "graphql":
            self.add(self.key("search", noun), "POST", self.graph, "search", "many", name)
        elif self.shape == "colon":
            self.add(
                self.key("search", noun),
                "GET",
                f"{self.style.path(self.style.noun(noun))}:search",
                "search",
                "many",
                name,
                query,
            )
        else:
            path = (
                self.style.path("search")
                if rng.random() < 0.4
                else self.style.path(self.style.noun(noun), rng.choice(("search", "find", "query")))
            )
            self.add(self.key("search", noun), "GET", path, "search", "many", name, query)

    def request(self) -> FieldSpecs:
        """Return members of a request's body."""
        rng = self.rng
        found: dict[str, str] = {}
        for kind in rng.choices(("text", "int", "bool", "STATE", "CURRENCY", "money", "time"), k=rng.randint(1, 4)):
            written = words.STATES if kind == "STATE" else words.CHOICES if kind == "CURRENCY" else (kind,)
            found.setdefault(self.style.member(rng.choice(words.FIELDS[kind])), rng.choice(written))
        return tuple(found.items())

    def owned(self) -> tuple[str, ...]:
        """Add what belongs to people; return the keys of the flow, in their order."""
        rng, theme = self.rng, self.theme
        nouns = [theme.owned[0], *rng.sample(theme.owned[1:], rng.randint(1, len(theme.owned) - 1))]
        flow: tuple[str, ...] = ()
        for place, noun in enumerate(nouns):
            made = self.resource(noun, True, 0.25)
            self.listing(noun, made.name, "list")
            self.single(self.verbs[0], "GET", noun, made.name, "read", "one")
            if rng.random() < 0.6 or not place:
                self.single(self.verbs[3], self.put, noun, made.name, "update", "one", body=self.request())
            if rng.random() < 0.35:
                action = rng.choice(("history", "status", "events", "documents", "pdf"))
                self.single(self.verbs[0], "GET", noun, made.name, "read", "ack", action)
            if rng.random() < 0.4:
                self.single(self.verbs[4], "DELETE", noun, made.name, "remove", rng.choice(("none", "ack")))
            if not place:
                flow = self.flow(noun, made.name)
            elif rng.random() < 0.4:
                action = rng.choice(("attachment", "photo", "document"))
                self.single(
                    "upload",
                    "POST",
                    noun,
                    made.name,
                    "upload",
                    "ack",
                    action,
                    body=(("filename", "text"), ("content", "prose")),
                )
        return flow

    def flow(self, noun: str, name: str) -> tuple[str, ...]:
        rng, theme = self.rng, self.theme
        begin = self.single(
            rng.choice(theme.begin), "POST", noun, name, "create", "one", body=self.request(), named=False
        )
        needed = [step for step in theme.steps if step[-1] not in "?+"]
        keys, self.optional, self.repeated = [begin.key], [], []
        for step in theme.steps:
            bare = step.rstrip("?+")
            if len(needed) > 2 and step in needed and rng.random() < 0.15:  # this maker knows no such step
                needed.remove(step)
                continue
            if step[-1] == "?" and rng.random() < 0.4:
                continue
            made = self.single(bare, "POST", noun, name, "step", "ack", bare, body=self.request())
            keys.append(made.key)
            if step[-1] == "?":
                self.optional.append(made.key)
            elif step[-1] == "+":
                self.repeated.append(made.key)
        return tuple(keys)

    def account(self, auth: str) -> tuple[str, str]:
        """Add accounts and how people get in; return the kind of the account's name and of the way in."""
        rng, style = self.rng, self.style
        noun = self.theme.account
        made = self.resource(noun, True, 0.5)
        self.account_noun = noun
        form = rng.random() < 0.2
        if self.shape == "graphql":
            self.add("viewer", "POST", self.graph, "me", "one", made.name)
        else:
            self.add("me", "GET", style.path(rng.choice(words.ME_PATHS)), "me", "one", made.name)
        kind, member = rng.choice(words.ACCOUNTS)
        way = "none" if auth == "api_key" else rng.choices(("password", "code", "sso"), (0.72, 0.18, 0.10))[0]
        if way == "code" and kind == "member":
            kind, member = "phone", "msisdn"
        if way == "none":
            return kind, way
        body: FieldSpecs = ((member, kind), (rng.choice(words.PASSWORDS), "password"))
        base = rng.choice(words.LOGIN_PATHS)
        if way == "code":
            self.add(
                "requestCode",
                "POST",
                style.path(base, rng.choice(("code", "start", "challenge"))),
                "code",
                "ack",
                "",
                (),
                ((member, kind),),
            )
            body = ((member, kind), (rng.choice(words.CODES), "otp"))
        elif way == "sso":
            body = (("assertion", "text"), ("state", "text"))
        if form and way == "password":
            body = (("grant_type", "password,password"), *body)
        self.add("login", "POST", style.path(base), "login", "token", "", (), body, form=form)
        if rng.random() < 0.6:
            self.add(
                "refresh",
                "POST",
                style.path(base, rng.choice(("refresh", "renew", "extend"))),
                "refresh",
                "ack",
                "",
                (),
                (("grant", "refresh"),),
            )
        if way == "password":
            self.add(
                "forgot", "POST", style.path(rng.choice(words.RESET_PATHS)), "reset", "ack", "", (), ((member, kind),)
            )
        if rng.random() < 0.7:
            self.add(
                "register",
                "POST",
                style.path(rng.choice(words.REGISTER_PATHS)),
                "register",
                "one",
                made.name,
                (),
                body[-2:] if way == "password" else ((member, kind),),
            )
        return kind, way

    def staff(self) -> None:
        rng, style = self.rng, self.style
        area = rng.choice(words.STAFF)
        noun, account = self.theme.owned[0], self.account_noun
        main, people = (each.partition("/")[0].replace("-", "_") for each in (noun, account))
        self.listing(noun, main, "desk", area)
        self.listing(account, people, "admin", area)
        action = rng.choice(("role", "limit", "status", "plan", "lock"))
        self.single("set", "PUT", account, people, "admin_write", "ack", action, area, self.request())
        if self.shape == "graphql":
            self.add("exportAll", "POST", self.graph, "export", "many", main)
        else:
            self.add(
                "export",
                "GET",
                style.path(area, rng.choice(words.EXPORTS)),
                "export",
                "many",
                main,
                ("day", *self.pages()),
            )

    def extras(self) -> None:
        rng, style = self.rng, self.style
        main = self.theme.owned[0].partition("/")[0].replace("-", "_")
        if rng.random() < 0.75:
            self.add(
                "redeem",
                "POST",
                style.path(rng.choice(words.COUPONS)),
                "coupon",
                "ack",
                "",
                (),
                ((rng.choice(("voucher", "promo", "coupon", "bonus")), "code"),),
            )
        if rng.random() < 0.75:
            self.add(
                "fetch",
                "POST",
                style.path(rng.choice(words.FETCHES)),
                "fetch",
                "ack",
                "",
                (),
                ((rng.choice(words.LINKS), "link"),),
            )
        if rng.random() < 0.4:
            self.add(
                "readings",
                "POST",
                style.path(rng.choice(("telemetry", "readings", "metrics", "positions"))),
                "ingest",
                "ack",
                "",
                (),
                (("value", "money"), ("unit", "a,b")),
            )
        if self.shape != "graphql" and rng.random() < 0.6:
            self.add(
                "takeout",
                "GET",
                style.path(
                    "me" if self.shape == "nested" else "", rng.choice(("takeout", "data-export", "my-data", "auszug"))
                ),
                "report",
                "many",
                main,
            )
        self.add(
            "health",
            "GET",
            "/" + rng.choice(words.HEALTH_PATHS) if rng.random() < 0.5 else style.path(rng.choice(words.HEALTH_PATHS)),
            "health",
            "up",
        )

    def api(self) -> ApiSpec:
        """Return the whole."""
        rng = self.rng
        auth = rng.choices(("jwt", "bearer", "cookie", "api_key"), (0.45, 0.2, 0.22, 0.13))[0]
        self.catalogue()
        flow = self.owned()
        self.account(auth)
        self.staff()
        self.extras()
        owned = [name for name, each in self.resources.items() if each.owner]
        soft = rng.random() < 0.12
        return ApiSpec(
            self.theme.name.replace("_", "-"), f"{rng.choice(('example.com', 'example.net', 'example.org'))}", auth,
            rng.choice((-8, -6, -5, -3, 0, 1, 1, 2, 3, 5, 8, 9, 11)), rng.choice(words.LISTINGS),
            rng.choice([each for each in ERRORS if each != "bare"] if soft else ERRORS), self.resources,
            tuple(self.operations.values()), flow, self.graph if self.shape == "graphql" else "",
            people=rng.lognormvariate(-0.1, 0.45), devices=rng.uniform(0.1, 0.8), partners=rng.choice((0, 1, 2, 3, 6)),
            tenants=rng.random() < 0.25, pace=rng.lognormvariate(2.0, 0.5), denied=rng.choice((404, 404, 403, 403, 401)),
            unchecked=tuple(name for name in owned if rng.random() < 0.4) or (rng.choice(owned),),
            optional=tuple(self.optional), repeated=tuple(self.repeated), soft=soft,
            page=rng.choice((5, 10, 10, 12, 20, 20, 25, 50)), limit=rng.choice((0, 0, 0, 120, 300, 600)),
            widening="" if self.shape == "graphql" else self.widening, paging=self.paging, own_logins=True,
            missing=rng.choice((401, 401, 401, 400, 403, 422)), unknown=rng.choice((404, 404, 200, 200, 422, 400)),
            token=rng.choice(words.TOKENS_OF),
        )  # fmt: skip
