"""What an API is, as data: resources, operations, and how one line of text says each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

FieldSpecs = tuple[tuple[str, str], ...]  # (dotted name, kind or comma-separated values)

KINDS = frozenset(
    ("login", "refresh", "me", "browse", "view", "search", "list", "read", "create", "update", "step", "remove", "desk",
     "admin", "admin_write", "coupon", "register", "reset", "export", "ingest", "fetch", "health", "code", "report",
     "upload")
)  # fmt: skip
SHAPES = frozenset(("one", "many", "ack", "none", "token", "up"))


FIRST = 1_000  # number of the first object of a kind; smaller ones never existed


@dataclass(frozen=True)
class Resource:
    """``identity`` is the style of its ids; ``owner`` the field that names who it belongs to, "" for public ones.

    ``key`` is the member that holds its id; ``silent`` records do not say whose they are; ``wide`` are members that
    only a request for the whole record shows.
    """

    name: str
    identity: str
    owner: str
    fields: FieldSpecs
    key: str = "id"
    wide: FieldSpecs = ()
    silent: bool = False


@dataclass(frozen=True)
class Operation:
    """``method`` and ``path`` as documented; ``kind`` is what it is for, ``shape`` what it answers.

    ``query`` are the names of its parameters, ``body`` the members of its request, ``form``: written as a form.
    ``released`` says that it appears with the first deployment only. ``at`` names the member of the query
    (``query:order_id``) or of the body that holds the id of what is asked for, where that is not in the path.
    """

    key: str
    method: str
    path: str
    query: tuple[str, ...]
    shape: str
    resource: str
    kind: str
    body: FieldSpecs = ()
    released: bool = False
    at: str = ""
    form: bool = False


@dataclass(frozen=True)
class ApiSpec:
    """One application. ``zone``: hours from UTC; ``people`` and ``machines`` weigh who uses it.

    ``listing`` is the name of the member that holds a page's records ("" for a bare array), ``errors`` the habit in
    which it words failures, ``graphql`` the one path of a GraphQL gateway or "". ``flow``: operations in their order.
    ``pace`` is the median of seconds between two requests of a person.

    ``optional`` and ``repeated`` steps of the flow may be left out or done again. ``soft``: failures are answered with
    200 and an error in the body. ``page``: records of a page; ``limit``: requests a minute, 0 for no limit;
    ``widening`` is the parameter that asks for whole records, such as ``expand``, or "". ``own_logins``: who logs in
    names itself, and not one of a few made-up accounts. ``first``: number of the first object of each kind, ``past``
    how many there were before the first request.
    """

    name: str
    domain: str
    auth: str
    zone: int
    listing: str
    errors: str
    resources: Mapping[str, Resource]
    operations: tuple[Operation, ...]
    flow: tuple[str, ...]
    graphql: str = ""
    people: float = 1.0
    devices: float = 0.0
    partners: int = 1
    tenants: bool = False
    pace: float = 9.0
    denied: int = 404  # what another's object answers where access is checked
    unchecked: tuple[str, ...] = ()  # resources whose owner nobody checks
    optional: tuple[str, ...] = ()
    repeated: tuple[str, ...] = ()
    soft: bool = False
    page: int = 12
    limit: int = 0
    widening: str = ""
    paging: tuple[str, str, str] = ("", "", "")  # page, offset or cursor; the names of its parameters
    own_logins: bool = False
    first: int = FIRST
    past: int = 0
    missing: int = 401  # what a login of an unknown account or with a wrong password answers
    unknown: int = 404  # what a forgotten password of an unknown account answers; 200: nothing is told
    ack: str = "done"  # what a change is answered with
    token: str = "access_token"  # noqa: S105 - the member of a login's answer that holds it


def fields(text: str) -> FieldSpecs:
    """Return the fields of ``status=open,paid total=money address.street=street``."""
    pairs = [word.partition("=") for word in text.split()]
    return tuple((name, kind) for name, _, kind in pairs)


def resources(text: str) -> dict[str, Resource]:
    """Return resources, one a line: ``name identity owner | fields``; ``-`` for no owner."""
    found = {}
    for line in filter(None, map(str.strip, text.splitlines())):
        head, _, members = line.partition("|")
        name, identity, owner = head.split()
        found[name] = Resource(name, identity, "" if owner == "-" else owner, fields(members))
    return found


def operations(text: str) -> tuple[Operation, ...]:
    """Return operations, a line each: ``key METHOD /path?query shape:resource kind | body``; ``kind*``: new."""
    found = []
    for line in filter(None, map(str.strip, text.splitlines())):
        head, _, members = line.partition("|")
        key, method, target, answer, kind = head.split()
        path, _, query = target.partition("?")
        shape, _, resource = answer.partition(":")
        released, kind = kind.endswith("*"), kind.rstrip("*")
        if kind not in KINDS or shape not in SHAPES:
            raise ValueError(f"{key}: {kind!r} or {shape!r} is no kind or shape")
        names = tuple(sorted(query.split("&"))) if query else ()
        found.append(Operation(key, method, path, names, shape, resource, kind, fields(members), released))
    return tuple(found)
