"""What commands of a search reach: the store, knowledge objects, lookups, summary indexing, alert actions."""

from __future__ import annotations

import fnmatch
import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from apisec_sandbox.spl.context import Context, Fields, Hints, LookupTable
from apisec_sandbox.spl.custom import CustomSpec
from apisec_sandbox.spl.defaultfields import named_in
from apisec_sandbox.spl.errors import SplError
from apisec_sandbox.spl.knowledge import Knowledge
from apisec_sandbox.spl.scan import RowMaker, event_row
from apisec_sandbox.spl.searchexpr import parse_search
from apisec_sandbox.spl.values import Row, to_text
from apisec_sandbox.splunkd.builtin import VERSION
from apisec_sandbox.splunkd.stash import stash_event
from apisec_sandbox.splunkd.web import HttpError, Request

if TYPE_CHECKING:
    from apisec_sandbox.splunkd.server import Splunkd

KNOWLEDGE_CONFS = ("props", "transforms", "eventtypes", "tags")


class Runtime:
    """The services of one search: app and user are fixed."""

    def __init__(self, splunkd: Splunkd, app: str, user: str) -> None:
        self._splunkd = splunkd
        self._app = app
        self._user = user
        self._rights = splunkd.users.rights(user)
        self._knowledge: Knowledge | None = None
        self._filters: list[Callable[[Row], bool]] | None = None

    @property
    def knowledge(self) -> Knowledge:
        if self._knowledge is None:
            self._knowledge = Knowledge(self._conf, self.lookup, self._splunkd.clock())
        return self._knowledge

    def _conf(self, name: str) -> Mapping[str, Mapping[str, str]]:
        return {
            key: stanza.settings for key, stanza in self._splunkd.confs.stanzas(name, self._app, self._user).items()
        }

    # Events

    def events(
        self,
        indexes: Iterable[str],
        earliest: float,
        latest: float,
        wanted: Fields,
        early: Callable[[Row], bool] | None,
        hints: Hints = Hints(),  # noqa: B008 - frozen
    ) -> Iterator[list[Row]]:
        filters, earliest = self._role_filters(), self._within_window(earliest, latest)
        if filters:  # a role's filter may read any field
            named = named_in(" ".join((*self._rights.filters, *self._rights.eliminating)))
            wanted, hints = None, replace(hints, numeric=frozenset(), exact=None, named=hints.named | named)
        maker = RowMaker(self.knowledge, wanted, early, hints)
        for events in self._splunkd.store.batches(indexes, earliest, latest, hints.ordered):
            if self.ended():
                return
            rows = maker.rows(events)
            yield rows if not filters else [row for row in rows if all(test(row) for test in filters)]

    def problems(self) -> list[str]:
        return self.knowledge.problems

    def ended(self) -> bool:
        """Whether a scan is to stop and what was found until now is the result: a job that is finalized."""
        return False

    def indexed(self, indexes: Iterable[str], earliest: float, latest: float) -> Iterator[Row]:
        filters, earliest = self._role_filters(), self._within_window(earliest, latest)
        for event in self._splunkd.store.scan(indexes, earliest, latest):
            row = event_row(event)
            if all(test(row) for test in filters):
                yield row

    def _within_window(self, earliest: float, latest: float) -> float:
        """Hold srchTimeWin, counted back from the end of the search (authorize.conf.spec)."""
        window = self._rights.time_window
        return max(earliest, min(latest, self._splunkd.clock()) - window) if window else earliest

    def _role_filters(self) -> list[Callable[[Row], bool]]:
        """srchFilter of the user's roles; of several any may match (authorize.conf.spec)."""
        if self._filters is None:
            texts = self._rights.filters
            tests = [parse_search(text, 0, len(text), _FilterSurroundings(self)).test for text in texts]
            self._filters = [lambda row: any(test(row) for test in tests)] if tests else []
            for text in self._rights.eliminating:
                self._filters.append(parse_search(text, 0, len(text), _FilterSurroundings(self)).test)
        return self._filters

    def indexes(self) -> list[str]:
        return [name for name in self._splunkd.index_names() if self._rights.may_search(name)]

    def default_indexes(self) -> list[str]:
        patterns = self._rights.indexes_default or ("main",)
        names = self.indexes()
        return [
            name
            for name in names
            if any(
                fnmatch.fnmatchcase(name, pattern) and (pattern[:1] == "_" or name[:1] != "_") for pattern in patterns
            )
        ]

    # Knowledge objects

    def macro(self, name: str, arity: int) -> tuple[str, list[str], str, str, bool] | None:
        stanza = self._splunkd.confs.stanza("macros", f"{name}({arity})" if arity else name, self._app, self._user)
        if stanza is None:
            return None
        names = [part.strip() for part in stanza.get("args").split(",") if part.strip()]
        iseval = stanza.flag("iseval")
        return stanza.get("definition"), names, stanza.get("validation"), stanza.get("errormsg"), iseval

    def eventtype(self, name: str) -> str | None:
        return self.knowledge.eventtype(name)

    def tag_pairs(self, tag: str) -> list[tuple[str, str]]:
        return self.knowledge.tag_pairs(tag)

    def tags(self) -> Mapping[tuple[str, str], list[str]]:
        return self.knowledge.tags

    def transforms(self) -> Mapping[str, Mapping[str, str]]:
        return self._conf("transforms")

    def lookup(self, name: str) -> LookupTable | None:
        return self._splunkd.lookups.find(name, self._app, self._user)

    def lookup_names(self) -> list[str]:
        return self._splunkd.lookups.names(self._app)

    def saved_search(self, name: str) -> str | None:
        stanza = self._splunkd.confs.stanza("savedsearches", name, self._app, self._user)
        return stanza.get("search") if stanza else None

    def data_model(self, name: str) -> tuple[Mapping[str, Any], Mapping[str, str]] | None:
        return self._splunkd.models.find(name, self._app)

    def data_model_names(self) -> list[str]:
        return self._splunkd.models.names(self._app)

    def custom_names(self) -> list[str]:
        return [name for name in self._splunkd.confs.stanzas("commands", self._app, self._user) if name != "default"]

    def custom_command(self, name: str) -> CustomSpec | None:
        stanza = self._splunkd.confs.stanza("commands", name, self._app, self._user)
        if stanza is None or name == "default":
            return None
        if "run_custom_command" not in self._rights.capabilities:
            raise SplError(f"Error in '{name}' command: You need the capability run_custom_command.")
        if not stanza.flag("chunked"):
            raise SplError(f"Command '{name}' of app {stanza.app} is not chunked: only protocol version 2 is supported")
        runner = self._splunkd.runner
        path = runner.script(stanza.app, stanza.get("filename") or f"{name}.py")
        return CustomSpec(
            name,
            runner.argv(path, *[part for part in stanza.get("command.arg.1").split() if part]),
            runner.environment(),
            path.parent,
            stanza.app,
            runner.uri,
            VERSION,
            self._splunkd.home.log / f"searchcommand_{re.sub(r'[^A-Za-z0-9_-]', '_', name)}.log",
        )

    # Writing

    def collect(self, rows: list[Row], index: str, settings: dict[str, str], context: Context) -> None:
        """Write rows as stash events into an index (docs: collect; Knowledge Manual, "Use summary indexing")."""
        if "run_collect" not in self._rights.capabilities:
            raise SplError("Error in 'collect' command: You need the capability run_collect.")
        if index not in self._splunkd.index_names():
            raise SplError(f"Error in 'collect' command: The index '{index}' does not exist.")
        now = self._splunkd.clock()
        events = [stash_event(row, index, settings, context, now) for row in rows]
        if events:
            self._splunkd.store.append(events)

    def sendalert(self, action: str, params: dict[str, str], rows: list[Row], context: Context) -> None:
        if "run_sendalert" not in self._rights.capabilities:
            raise SplError("Error in 'sendalert' command: You need the capability run_sendalert.")
        overrides = {name: value for name, value in params.items() if name.startswith("param.")}
        outcome = self._splunkd.actions.run(action, overrides, rows, context, search_name="")
        if not outcome.ok:
            raise SplError(f"Error in 'sendalert' command: {outcome.text}")

    def rest(self, path: str, params: dict[str, str], context: Context) -> list[Row]:
        """GET the path as the user; every entry becomes a row."""
        import json

        segments = tuple(part for part in path.split("/") if part)
        query = (*params.items(), ("output_mode", "json"), *((("count", "0"),) if "count" not in params else ()))
        key = context.session_key or self._splunkd.users.open_session(self._user).key
        request = Request("GET", segments, query, {"authorization": f"Splunk {key}"}, b"")
        reply = self._splunkd.rest.handle(request)
        if reply.status != 200:
            raise SplError(f"Error in 'rest' command: {path} answered {reply.status}")
        try:
            entries = json.loads(reply.body).get("entry", [])
        except (ValueError, AttributeError) as error:
            raise HttpError(500, f"{path} is no list of entries") from error
        return [_rest_row(entry) for entry in entries]


class _FilterSurroundings:
    """The surroundings of srchFilter: no subsearches."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self.now = time.time()

    def subsearch(self, text: str, position: int) -> str:  # noqa: ARG002
        raise SplError("srchFilter cannot hold subsearches")

    def eventtype(self, name: str) -> str | None:
        return self._runtime.eventtype(name)

    def tag_pairs(self, tag: str) -> list[tuple[str, str]]:
        return self._runtime.tag_pairs(tag)


def _rest_row(entry: dict[str, Any]) -> Row:
    row: Row = {"title": entry.get("name", ""), "id": entry.get("id", ""), "author": entry.get("author", "")}
    content = {**entry.get("content", {}), **{f"eai:acl.{k}": v for k, v in entry.get("acl", {}).items()}}
    for name, value in content.items():
        if isinstance(value, bool):
            row[name] = "1" if value else "0"
        elif isinstance(value, list):
            row[name] = [to_text(item) for item in value] or None
        elif not isinstance(value, dict) and value is not None:
            row[name] = value
    return {name: value for name, value in row.items() if value is not None}
