"""Operations of one application with everything about them that no request changes."""

from __future__ import annotations

from random import Random

from apisec_sandbox.campaigns.bodies import Body, Listed, members
from apisec_sandbox.campaigns.spec import ApiSpec, Operation
from apisec_sandbox.campaigns.values import Tokens

BODIES = 24  # made-up request bodies an operation
OPEN_KINDS = frozenset(("login", "register", "reset", "refresh", "health", "browse", "view", "search"))
STAFF_KINDS = {
    "desk": ("desk", "admin"),
    "admin": ("admin",),
    "admin_write": ("admin",),
    "export": ("admin", "machine"),
}
SLOW = {"export": 6.0, "search": 2.5, "login": 4.0, "step": 1.8, "fetch": 8.0}


class Compiled:
    """``scale`` is the factor that a deployment has put on its latency; ``staff`` are the roles that may call it."""

    __slots__ = (
        "after",
        "before",
        "bodies",
        "body_fields",
        "graphql",
        "head",
        "id_name",
        "kind",
        "median",
        "method",
        "number",
        "open",
        "query",
        "resource",
        "scale",
        "shape",
        "spec",
        "staff",
        "success",
    )

    def __init__(self, number: int, spec: Operation, api: ApiSpec, tokens: Tokens, rng: Random) -> None:
        self.number, self.spec, self.method = number, spec, spec.method
        self.kind, self.shape, self.resource, self.query = spec.kind, spec.shape, spec.resource, spec.query
        self.graphql = bool(api.graphql) and spec.path == api.graphql
        before, opened, rest = spec.path.partition("{")
        self.id_name, _, self.after = rest.partition("}")
        self.before = before if opened else spec.path
        self.head = f',"http_method":"{spec.method}","endpoint":"{spec.path}","operation":"{spec.method} {spec.path}"'
        if self.graphql:
            self.head += f',"body_operation":"{spec.key}"'
        self.median = rng.uniform(6.0, 40.0) * SLOW.get(spec.kind, 1.0)
        self.scale = 1.0
        self.success = 201 if spec.kind in ("create", "register") and not self.graphql else 200
        if spec.shape == "none" and not self.graphql:
            self.success = 204
        self.open = spec.kind in OPEN_KINDS
        self.staff = STAFF_KINDS.get(spec.kind, ())
        made = [members(spec.body, rng, tokens) for _ in range(BODIES)] if spec.body else []
        self.body_fields = made[0].listed("") if made else []
        self.bodies = [
            Body(f"{{{each.text(True)}}}", len(f"{{{each.text(False)}}}"), f"{{{each.text(False)}}}") for each in made
        ]

    @property
    def wants_id(self) -> bool:
        return bool(self.id_name) or (self.graphql and self.kind in ("view", "read", "update", "step", "remove"))

    def sent_fields(self, named: bool) -> list[Listed]:
        """Return the fields of the body that the operation itself sends; ``named``: with an id."""
        if not self.graphql:
            return self.body_fields
        names = ["operationName", "query", *(["variables.id"] if named else [])]
        return [Listed(name, "body", "string") for name in names]
