"""One authenticated REST call, and what handlers share."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from apisec_sandbox.splunkd.atom import Entry, Feed, feed_reply, message_reply
from apisec_sandbox.splunkd.auth import Session
from apisec_sandbox.splunkd.confs import is_true
from apisec_sandbox.splunkd.web import HttpError, Reply, Request

if TYPE_CHECKING:
    from apisec_sandbox.splunkd.server import Splunkd

CONTROL = frozenset(("output_mode", "count", "offset", "search", "sort_key", "sort_dir", "sort_mode", "f", "summarize"))
MAX_COUNT = 50_000


@dataclass(frozen=True)
class Call:
    """``owner`` and ``app`` are those of /servicesNS, ``-`` for all, empty for /services."""

    splunkd: Splunkd
    request: Request
    session: Session
    owner: str
    app: str

    @property
    def params(self) -> Mapping[str, str]:
        return self.request.params

    @property
    def json(self) -> bool:
        return wants_json(self.request)

    @property
    def target_app(self) -> str:
        """Where new things go."""
        return self.app if self.app not in ("", "-", "system") else "search"

    @property
    def context_app(self) -> str | None:
        """Whose layers win when reading, None for the global context."""
        return self.app if self.app not in ("", "-") else None

    def may(self, *capabilities: str) -> bool:
        held = self.splunkd.users.rights(self.session.user).capabilities
        return any(name in held for name in capabilities)

    def require(self, *capabilities: str) -> None:
        """Raise 403 unless the user holds one of them."""
        if not self.may(*capabilities):
            raise HttpError(
                403,
                f"insufficient permission to access this resource (requires capability: {' or '.join(capabilities)})",
            )

    def needed(self, name: str) -> str:
        value = self.params.get(name, "")
        if not value:
            raise HttpError(400, f"The following required arguments are missing: {name}.")
        return value

    def settings(self, *leave_out: str) -> dict[str, str]:
        """The fields of a form; of the query those that control no listing."""
        query = {name: value for name, value in self.request.query if name not in CONTROL}
        form = {**query, **dict(self.request.form)}
        return {name: value for name, value in form.items() if name not in ("output_mode", *leave_out)}

    # Replies

    def feed(self, title: str, entries: Sequence[Entry], status: int = 200) -> Reply:
        """A list, after ``search``, ``sort_key``, ``count`` and ``offset``."""
        chosen = self._chosen(entries)
        count, offset = self.whole("count", 30), self.whole("offset", 0)
        page = chosen[offset : offset + count] if count > 0 else chosen[offset:]
        base = "/" + "/".join(self.request.segments)
        return feed_reply(Feed(title, page, base, len(chosen), offset, count), self.json, status)

    def one(self, title: str, entry: Entry, status: int = 200) -> Reply:
        base = "/" + "/".join(self.request.segments)
        return feed_reply(Feed(title, [entry], base), self.json, status)

    def empty(self, title: str, status: int = 200) -> Reply:
        base = "/" + "/".join(self.request.segments)
        return feed_reply(Feed(title, [], base), self.json, status)

    def message(self, status: int, kind: str, text: str) -> Reply:
        return message_reply(status, [(kind, text)], self.json)

    def whole(self, name: str, default: int) -> int:
        text = self.params.get(name)
        if text is None or text == "":
            return default
        try:
            return min(int(text), MAX_COUNT)
        except ValueError as error:
            raise HttpError(400, f"Invalid value {text!r} for {name}: a whole number is needed") from error

    def flag(self, name: str, default: bool = False) -> bool:
        value = self.params.get(name)
        return default if value is None else is_true(value)

    def _chosen(self, entries: Sequence[Entry]) -> list[Entry]:
        chosen = list(entries)
        for term in self.request.all("search"):
            chosen = [entry for entry in chosen if _matches(entry, term)]
        key = self.params.get("sort_key")
        if key and key != "name":
            chosen.sort(key=lambda entry: str(entry.content.get(key, "")).lower())
        if self.params.get("sort_dir") == "desc":
            chosen.reverse()
        return chosen


def wants_json(request: Request) -> bool:
    return request.params.get("output_mode", "") == "json"


def _matches(entry: Entry, term: str) -> bool:
    """``field=value`` with wildcards, or a text found in the name or any value."""
    from fnmatch import fnmatchcase

    name, equals, value = term.partition("=")
    if equals and name in ("name", "title", "eai:acl.app", *entry.content):
        held = {"name": entry.name, "title": entry.name, "eai:acl.app": entry.app}.get(name)
        text = str(entry.content.get(name, "")) if held is None else held
        return fnmatchcase(text.lower(), value.strip('"').lower())
    folded = term.lower().strip('"*')
    return folded in entry.name.lower() or any(folded in str(held).lower() for held in entry.content.values())


Handler = Callable[..., Reply]


@dataclass(frozen=True)
class Route:
    """``path`` with ``{name}`` for one segment; ``open`` needs no session."""

    method: str
    path: str
    handler: Handler
    open: bool = False

    @property
    def parts(self) -> tuple[str, ...]:
        return tuple(self.path.split("/"))
