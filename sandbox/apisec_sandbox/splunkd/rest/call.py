"""One authenticated REST call, and what handlers share."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from urllib.parse import quote

from apisec_sandbox.splunkd.atom import Attributes, Entry, Feed, feed_reply, message_reply
from apisec_sandbox.splunkd.auth import Session
from apisec_sandbox.splunkd.confs import is_true
from apisec_sandbox.splunkd.rest import attributes, filters
from apisec_sandbox.splunkd.web import HttpError, Reply, Request

if TYPE_CHECKING:
    from apisec_sandbox.splunkd.server import Splunkd

PAGING = ("count", "offset", "search", "sort_key", "sort_dir", "sort_mode")
CONTROL = frozenset((*PAGING, "output_mode", "f", "summarize", "listDefaultMode"))
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
                f"You (user={self.session.user}) do not have permission to perform this operation "
                f"(requires capability: {' OR '.join(capabilities)}).",
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

    @property
    def host(self) -> str:
        """Scheme and authority that the client used: Atom's ids are whole addresses."""
        runner = self.splunkd.runner
        return f"{runner.scheme}://{self.request.headers.get('host') or f'127.0.0.1:{runner.mgmt_port}'}"

    @property
    def base(self) -> str:
        return "/" + "/".join(quote(segment, safe="-") for segment in self.request.segments)

    def feed(
        self, title: str, entries: Sequence[Entry], status: int = 200, order: str = "", per_page: int = 30
    ) -> Reply:
        """A list, after ``search``, ``sort_key``, ``f``, ``count`` and ``offset``.

        ``order`` names the field of the collection's own order, descending; without it the name decides.
        ``per_page`` is the count without ``count``; 0 is all.
        """
        chosen = self._chosen(entries, order)
        count, offset = self.whole("count", per_page), max(0, self.whole("offset", 0))
        page = chosen[offset : offset + count] if count > 0 else chosen[offset:]
        feed = Feed(title, [self._narrowed(entry) for entry in page], self.base, len(chosen), offset, max(0, count))
        return feed_reply(replace(feed, host=self.host), self.json, status)

    def one(self, title: str, entry: Entry, status: int = 200) -> Reply:
        if entry.attributes == Attributes():
            entry.attributes = attributes.of(title)
        feed = Feed(title, [self._narrowed(entry)], self.base, host=self.host, single=True)
        return feed_reply(feed, self.json, status)

    def empty(self, title: str, status: int = 200) -> Reply:
        return feed_reply(Feed(title, [], self.base, host=self.host), self.json, status)

    def _narrowed(self, entry: Entry) -> Entry:
        patterns = [part for value in self.request.all("f") for part in value.split(",")]
        return replace(entry, content=filters.narrowed(entry.content, patterns)) if patterns else entry

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

    def _chosen(self, entries: Sequence[Entry], order: str) -> list[Entry]:
        chosen = list(entries)
        for text in self.request.all("search"):
            test = filters.compile_search(text)
            chosen = [entry for entry in chosen if test(entry)]
        key, mode = self.params.get("sort_key") or order or "name", self.params.get("sort_mode") or "auto"
        direction = self.params.get("sort_dir") or ("desc" if order else "asc")
        if direction not in ("asc", "desc"):
            raise HttpError(400, f"Invalid sort_dir {direction!r}; known: asc, desc")
        return filters.ordered(chosen, key, mode, direction == "desc")


def wants_json(request: Request) -> bool:
    return request.params.get("output_mode", "") == "json"


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
