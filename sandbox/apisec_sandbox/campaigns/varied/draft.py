"""How the makers of one API name, nest, number and page; operations are added to a draft in their way."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from apisec_sandbox.campaigns.spec import FieldSpecs, Operation, Resource
from apisec_sandbox.campaigns.varied import words
from apisec_sandbox.campaigns.varied.words import Theme

IDENTITIES = ("int", "int", "int", "snow", "ord", "uuid", "uuid", "uuid", "hex", "pre", "ulid", "short", "slug",
              "dated", "pair")  # fmt: skip
SHAPES = ("rest", "rest", "rest", "rest", "nested", "verbs", "rpc", "colon", "graphql")


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


class Draft:
    """One API in the making: what its makers are used to, and what it has so far."""

    def __init__(self, theme: Theme, rng: Random) -> None:
        self.theme, self.rng, self.style = theme, rng, Style(theme, rng)
        self.shape = rng.choice(SHAPES)
        self.verbs = rng.choice(
            (("get", "list", "create", "update", "delete"), ("fetch", "find", "add", "change", "remove"))
        )
        self.paging = rng.choice(words.PAGING)
        self.widening = rng.choice(words.WIDENING) if rng.random() < 0.5 else ""
        self.graph = rng.choice(("/graphql", "/graphql", "/api/graphql", "/query", "/gql"))
        self.variables = rng.random() < 0.5  # GraphQL: variables are named after what they identify
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
        self, verb: str, method: str, noun: str, resource: str, kind: str, shape: str, action: str = "",
        before: str = "", body: FieldSpecs = (), named: bool = True,
    ) -> Operation:  # fmt: skip
        """Add an operation about one object (``named``) or that makes one; ``action`` is the last part of its path."""
        style = self.style
        key = self.key(f"{verb}-{action}" if action and action != verb else verb, noun)
        one = noun.partition("/")[0]
        member = style.cased(style.members, f"{one}-id")
        if self.shape == "graphql":
            variable = f"variables:{member}" if named and self.variables else ""
            return self.add(key, "POST", self.graph, kind, shape, resource, at=variable)
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

    def request(self) -> FieldSpecs:
        """Return members of a request's body."""
        rng = self.rng
        found: dict[str, str] = {}
        for kind in rng.choices(("text", "int", "bool", "STATE", "CURRENCY", "money", "time"), k=rng.randint(1, 4)):
            written = words.STATES if kind == "STATE" else words.CHOICES if kind == "CURRENCY" else (kind,)
            found.setdefault(self.style.member(rng.choice(words.FIELDS[kind])), rng.choice(written))
        return tuple(found.items())
