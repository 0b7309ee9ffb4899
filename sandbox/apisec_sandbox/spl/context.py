"""What a running search knows: its time range, its app and user, and the services it may call."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from apisec_sandbox.spl.errors import CancelledError
from apisec_sandbox.spl.values import Row

Fields = frozenset[str] | None  # None stands for every field
EVERY: Fields = None


@dataclass(frozen=True)
class Hints:
    """What the planner knows of the commands behind a scan."""

    ordered: bool = True  # newest first; False when no command looks at the order of rows
    numeric: frozenset[str] = frozenset()  # fields that are read as numbers only
    exact: frozenset[str] | None = None  # all that is read, where that is known: other metadata may be left out
    named: frozenset[str] = frozenset()  # default fields that the search names while it wants every field
    by_kind: bool = False  # the search depends on host, source, sourcetype and index alone: ``early`` says all of it


ANY_TIME = 2_000_000_000  # seconds; transforms.conf max_offset_secs, its default


@dataclass(frozen=True)
class TimeRule:
    """A time-based lookup: the row whose time is the last one before the event's, within the offsets, is the match."""

    column: str
    layout: str = "%s.%Q"
    least: float = 0
    most: float = ANY_TIME


class LookupTable(Protocol):
    """A lookup: a CSV file or a KV collection."""

    name: str
    case_sensitive: bool
    match_types: dict[str, str]
    max_matches: int
    min_matches: int
    default_match: str
    time: TimeRule | None
    filter: str

    def exists(self) -> bool: ...

    def columns(self) -> list[str]: ...

    def rows(self) -> list[Row]: ...

    def write(self, rows: list[Row], append: bool, key_field: str | None) -> int: ...

    def clear(self, keep: bool) -> None: ...


class Services(Protocol):
    """Everything outside the pipeline that commands reach. The splunkd side implements it."""

    def events(
        self,
        indexes: Iterable[str],
        earliest: float,
        latest: float,
        wanted: Fields,
        early: Callable[[Row], bool] | None,
        hints: Hints,
    ) -> Iterator[list[Row]]:
        """Events of these indexes as rows with their search-time fields, many together, newest first.

        ``early`` is a necessary condition on metadata and _raw, tested before fields are extracted. ``hints``
        say what may be left out.
        """

    def problems(self) -> Sequence[str]:
        """What of the configuration could not be applied to the events read until now."""

    def indexed(self, indexes: Iterable[str], earliest: float, latest: float) -> Iterator[Row]:
        """Events with their indexed fields only: what tstats sees."""

    def indexes(self) -> list[str]:
        """Names of the indexes that the user may search."""

    def default_indexes(self) -> list[str]: ...

    def macro(self, name: str, arity: int) -> tuple[str, list[str], str, str, bool] | None:
        """Definition, names of arguments, validation, error message, and whether the definition is an expression."""

    def eventtype(self, name: str) -> str | None: ...

    def tag_pairs(self, tag: str) -> list[tuple[str, str]]:
        """Field and value of everything that carries the tag."""

    def tags(self) -> Mapping[tuple[str, str], list[str]]:
        """Tags by field and value."""

    def transforms(self) -> Mapping[str, Mapping[str, str]]:
        """The stanzas of transforms.conf."""

    def lookup(self, name: str) -> LookupTable | None: ...

    def lookup_names(self) -> list[str]: ...

    def collect(self, rows: list[Row], index: str, settings: dict[str, str], context: Context) -> None: ...

    def sendalert(self, action: str, params: dict[str, str], rows: list[Row], context: Context) -> None: ...

    def rest(self, path: str, params: dict[str, str], context: Context) -> list[Row]: ...

    def custom_command(self, name: str) -> Any:
        """The custom command of this name (spl.custom.CustomSpec), or None."""

    def custom_names(self) -> list[str]: ...

    def saved_search(self, name: str) -> str | None: ...

    def data_model(self, name: str) -> tuple[Mapping[str, Any], Mapping[str, str]] | None:
        """The JSON of a data model and its settings of datamodels.conf."""

    def data_model_names(self) -> list[str]: ...


@dataclass
class Limits:
    """Splunk's own limits, limits.conf."""

    sort: int = 10_000
    subsearch: int = 10_000
    append: int = 50_000
    list_values: int = 100
    mvexpand: int = 1_000_000
    results: int = 500_000  # rows that a job keeps


@dataclass
class Context:
    """One run of a search. ``wanted_time`` is what the job asked for; the range of a scan may be narrower."""

    services: Services
    now: float
    earliest: float = float("-inf")
    latest: float = float("inf")
    app: str = "search"
    owner: str = "admin"
    sid: str = ""
    search: str = ""
    session_key: str = ""
    dispatch_dir: str = ""
    limits: Limits = field(default_factory=Limits)
    messages: list[tuple[str, str]] = field(default_factory=list)
    cancelled: Callable[[], bool] = lambda: False
    scanned: int = 0
    depth: int = 0
    delimiters: dict[str, str] = field(default_factory=dict)  # field: what joins its values in nomv

    def say(self, kind: str, text: str) -> None:
        """Add a message to the job (INFO, WARN, ERROR), once."""
        if (kind, text) not in self.messages:
            self.messages.append((kind, text))

    def check(self) -> None:
        """Raise when the job is to stop."""
        if self.cancelled():
            raise CancelledError("The search was cancelled or reached its time limit.")


@dataclass
class Stage:
    """Rows between two commands. ``header`` lists the columns in order, once a command has fixed them.

    It may grow while the rows are read. Columns that rows have beyond the header come after it.
    """

    rows: Iterable[Row]
    header: list[str] | None = None
    events: bool = False


def header_of(stage: Stage, rows: list[Row]) -> list[str]:
    """Return all columns of a stage whose rows have been read."""
    names = dict.fromkeys(stage.header or ())
    for row in rows:
        for name in row:
            if name not in names:
                names[name] = None
    return list(names)
