"""Bodies of requests and responses: their text as sent and as an event shows it, and the fields that they have.

Everything that does not depend on one object is made once, for a generator of millions of events joins strings.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import NamedTuple

from apisec_sandbox.campaigns.spec import FieldSpecs, Resource
from apisec_sandbox.campaigns.values import Tokens, Value, type_of, value_of

VARIANTS = 48  # made-up contents of a resource's records

NUMERIC = frozenset(("int", "snow"))


class Body(NamedTuple):
    """``shown`` is redacted; ``size`` the bytes of ``raw``, which is kept only where it is asked for."""

    shown: str
    size: int
    raw: str


EMPTY = Body("", 0, "")


class Listed(NamedTuple):
    """One field of a message, as the event's ``request_fields`` and ``response_fields`` have it."""

    path: str
    place: str
    kind: str
    data_class: str = ""

    def text(self) -> str:
        classes = f',"classes":["{self.data_class}"]' if self.data_class else ""
        return f'{{"path":"{self.path}","in":"{self.place}","type":"{self.kind}"{classes}}}'


class Thing(NamedTuple):
    """An object of an API: its id as text, the number it was made with, whose it is and which content it has."""

    identity: str
    number: int
    owner: str
    variant: int


@dataclass(frozen=True)
class Members:
    """Members of one JSON object, nested by dots."""

    values: tuple[tuple[str, Value], ...]

    def text(self, shown: bool) -> str:
        """Return ``"a":1,"b":{"c":2}`` without the outer braces."""
        top: dict[str, list[str]] = {}
        for name, value in self.values:
            head, _, rest = name.partition(".")
            text = value.shown if shown else value.raw
            top.setdefault(head, []).append(f'"{rest}":{text}' if rest else text)
        nested = {name.partition(".")[0] for name, _ in self.values if "." in name}
        return ",".join(
            f'"{head}":{{{",".join(texts)}}}' if head in nested else f'"{head}":{texts[0]}'
            for head, texts in top.items()
        )

    def listed(self, before: str, place: str = "body") -> list[Listed]:
        return [Listed(before + name, place, type_of(value.raw), value.data_class) for name, value in self.values]


def members(specs: FieldSpecs, rng: Random, tokens: Tokens) -> Members:
    return Members(tuple((name, value_of(kind, rng, tokens)) for name, kind in specs))


class Records:
    """Records of one resource, with and without what is sensitive in them."""

    def __init__(self, resource: Resource, rng: Random, tokens: Tokens, keep_raw: bool) -> None:
        self.resource, self.keep_raw = resource, keep_raw
        contents = [members(resource.fields, rng, tokens) for _ in range(VARIANTS)]
        self.contents = contents
        self.tails = [f",{content.text(True)}}}" for content in contents]
        self.raw_tails = [f",{content.text(False)}}}" for content in contents]
        self.extra = [len(raw) - len(shown) for raw, shown in zip(self.raw_tails, self.tails, strict=True)]
        quote = "" if resource.identity in NUMERIC else '"'
        self.head = f'{{"{resource.key}":{quote}'
        self.middle = f'{quote},"{resource.owner}":"' if resource.owner and not resource.silent else quote
        self.owned = bool(resource.owner) and not resource.silent

    def body(self, things: Sequence[Thing], before: str, after: str) -> Body:
        """Return the records of things, comma-separated between two texts."""
        head, middle, tails = self.head, self.middle, self.tails
        if self.owned:
            texts = [f'{head}{thing[0]}{middle}{thing[2]}"{tails[thing[3]]}' for thing in things]
        else:
            texts = [f"{head}{thing[0]}{middle}{tails[thing[3]]}" for thing in things]
        shown = f"{before}{','.join(texts)}{after}"
        extra = self.extra
        size = len(shown) + sum([extra[thing[3]] for thing in things])
        return Body(shown, size, self._raw(things, before, after) if self.keep_raw else "")

    def _raw(self, things: Sequence[Thing], before: str, after: str) -> str:
        owner = '{}"' if self.owned else ""
        texts = [
            f"{self.head}{thing.identity}{self.middle}{owner.format(thing.owner)}{self.raw_tails[thing.variant]}"
            for thing in things
        ]
        return f"{before}{','.join(texts)}{after}"

    def listed(self, before: str) -> list[Listed]:
        """Return the fields of a record whose path starts with ``before``."""
        kind = "integer" if self.resource.identity in NUMERIC else "string"
        found = [Listed(f"{before}{self.resource.key}", "body", kind)]
        if self.owned:
            found.append(Listed(f"{before}{self.resource.owner}", "body", "string"))
        return found + self.contents[0].listed(before)


def listed_text(name: str, fields: Iterable[Listed]) -> str:
    """Return an event's member that lists fields, or nothing when there are none."""
    found = ",".join(field.text() for field in fields)
    return f',"{name}":[{found}]' if found else ""


def plain(text: str) -> Body:
    """Return a body without anything to redact."""
    return Body(text, len(text.encode()), text)


ERRORS: Mapping[str, str] = {
    "plain": '{{"error":"{slug}","message":"{words}"}}',
    "problem": '{{"title":"{words}","status":{status},"type":"{slug}"}}',
    "list": '{{"errors":[{{"kind":"{slug}","detail":"{words}"}}]}}',
    "coded": '{{"fault":{{"number":{status},"hint":"{words}"}}}}',
    "flag": '{{"success":false,"msg":"{words}"}}',
    "nested": '{{"error":{{"status":"{slug}","message":"{words}"}}}}',
    "german": '{{"fehler":"{slug}","meldung":"{words}"}}',
    "result": '{{"result":"error","reason":"{slug}"}}',
    "bare": "",
}
ERROR_FIELDS: Mapping[str, tuple[tuple[str, str], ...]] = {
    "plain": (("error", "string"), ("message", "string")),
    "problem": (("status", "integer"), ("title", "string"), ("type", "string")),
    "list": (("errors[].detail", "string"), ("errors[].kind", "string")),
    "coded": (("fault.hint", "string"), ("fault.number", "integer")),
    "flag": (("msg", "string"), ("success", "boolean")),
    "nested": (("error.message", "string"), ("error.status", "string")),
    "german": (("fehler", "string"), ("meldung", "string")),
    "result": (("reason", "string"), ("result", "string")),
    "bare": (),
}
ACKS: Mapping[str, tuple[str, tuple[tuple[str, str], ...]]] = {  # what a change is answered with; {state}: its kind
    "done": ('{{"done":true,"state":"{state}"}}', (("done", "boolean"), ("state", "string"))),
    "ok": ('{{"ok":true}}', (("ok", "boolean"),)),
    "status": ('{{"status":"{state}-accepted"}}', (("status", "string"),)),
    "result": (
        '{{"result":"success","warnings":0,"info":{{"took":12,"phase":"{state}"}}}}',
        (("info.phase", "string"), ("info.took", "integer"), ("result", "string"), ("warnings", "integer")),
    ),
    "german": ('{{"erfolg":true,"vorgang":"{state}"}}', (("erfolg", "boolean"), ("vorgang", "string"))),
}
REASONS: Mapping[int, tuple[str, str]] = {
    400: ("bad_request", "the request is not valid"),
    401: ("unauthorized", "please sign in"),
    402: ("declined", "the payment was declined"),
    403: ("forbidden", "this is not allowed"),
    404: ("not_found", "there is no such thing"),
    405: ("not_allowed", "not in this way"),
    409: ("conflict", "a step is missing or was done already"),
    415: ("unsupported", "this type is not understood"),
    422: ("invalid", "some members are not valid"),
    423: ("locked", "too many attempts"),
    429: ("too_many", "slow down please"),
    500: ("internal", "something went wrong"),
    502: ("bad_gateway", "the service behind did not answer well"),
    503: ("unavailable", "please try again later"),
    504: ("timeout", "the service behind took too long"),
}


def error_body(habit: str, status: int) -> Body:
    slug, words = REASONS[status]
    return plain(ERRORS[habit].format(slug=slug, words=words, status=status))


def error_fields(habit: str) -> list[Listed]:
    return [Listed(path, "body", kind) for path, kind in ERROR_FIELDS[habit]]
