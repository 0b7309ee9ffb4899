"""Draws APIs: what each is about, what it offers to whom, how it authenticates and fails."""

from __future__ import annotations

from apisec_sandbox.campaigns.bodies import ACKS
from apisec_sandbox.campaigns.spec import ApiSpec, FieldSpecs
from apisec_sandbox.campaigns.values import seeded
from apisec_sandbox.campaigns.varied import words
from apisec_sandbox.campaigns.varied.draft import Draft

ERRORS = ("plain", "problem", "list", "coded", "flag", "nested", "german", "result", "bare")


def specs(seed: str, count: int) -> list[ApiSpec]:
    """Return the APIs of a seed: each with a theme of its own as far as there are enough."""
    order = list(words.THEMES)
    seeded("themes", seed).shuffle(order)
    return [Grammar(order[number % len(order)], seeded("api", seed, number)).api() for number in range(count)]


class Grammar(Draft):
    """Adds the parts of an API: catalogue, what people own and the flow, accounts, staff, extras."""

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
        self._beside_login(base, way, made.name, (member, kind), body)
        return kind, way

    def _beside_login(self, base: str, way: str, shown: str, name: tuple[str, str], body: FieldSpecs) -> None:
        """Add what stands beside a login: renewal, forgotten passwords, registering. ``name``: the account's field."""
        rng, style = self.rng, self.style
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
            self.add("forgot", "POST", style.path(rng.choice(words.RESET_PATHS)), "reset", "ack", "", (), (name,))
        if rng.random() < 0.7:
            self.add(
                "register",
                "POST",
                style.path(rng.choice(words.REGISTER_PATHS)),
                "register",
                "one",
                shown,
                (),
                body[-2:] if way == "password" else (name,),
            )

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
            tenants=rng.random() < 0.25, pace=rng.lognormvariate(2.0, 0.5),
            denied=rng.choice((404, 404, 403, 403, 401)),
            unchecked=tuple(name for name in owned if rng.random() < 0.4) or (rng.choice(owned),),
            optional=tuple(self.optional), repeated=tuple(self.repeated), soft=soft,
            page=rng.choice((5, 10, 10, 12, 20, 20, 25, 50)), limit=rng.choice((0, 0, 0, 120, 300, 600)),
            widening="" if self.shape == "graphql" else self.widening, paging=self.paging, own_logins=True,
            first=round(rng.lognormvariate(9.0, 2.0)) + 100, past=rng.choice((500, 2_000, 5_000)),
            missing=rng.choice((401, 401, 401, 400, 403, 422)), unknown=rng.choice((404, 404, 200, 200, 422, 400)),
            token=rng.choice(words.TOKENS_OF), ack=rng.choice((*ACKS, "done")),
        )  # fmt: skip
