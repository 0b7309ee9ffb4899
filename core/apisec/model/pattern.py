"""A block pattern, parsed: a Sigma rule or correlation with the extension ``apisec``.

The document's grammar stands in ``docs/patterns.md``; ``apisec.patterns.document.parse`` makes these objects.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any, Callable, FrozenSet, Mapping, Optional, Tuple, Union

SHADOW = "shadow"  # counts, never refuses
CANARY = "canary"  # refuses a stable share of the principals
ENFORCE = "enforce"  # refuses
EXPIRED = "expired"  # past its date: never refuses; an effect, never written in a document
MODES = (SHADOW, CANARY, ENFORCE)


@dataclass(frozen=True)
class Predicate:
    """``field|modifiers: values``. ``tests`` holds one compiled test a value, in the values' order.

    The predicate holds when some value of the field passes some test; with ``every`` (modifier ``all``) when
    each test is passed by some value. ``exists`` (a boolean) replaces the tests.
    """

    field: str
    modifiers: Tuple[str, ...]
    values: Tuple[Any, ...]
    tests: Tuple[Callable[[Any], bool], ...] = dataclasses.field(default=(), compare=False, repr=False)
    every: bool = False
    exists: Optional[bool] = None


@dataclass(frozen=True)
class AllOf:
    parts: Tuple[Expression, ...]


@dataclass(frozen=True)
class AnyOf:
    parts: Tuple[Expression, ...]


@dataclass(frozen=True)
class Not:
    part: Expression


Expression = Union[Predicate, AllOf, AnyOf, Not]

# Which requests an expression can touch at all: pairs of method (upper case) and path template, None for any.
Scope = FrozenSet[Tuple[Optional[str], Optional[str]]]


@dataclass(frozen=True)
class Requirement:
    """The earlier step that a match must lack: the same group did it, successfully, at most ``timespan`` s ago."""

    name: str
    step: Expression
    group_by: Tuple[str, ...]
    timespan: float
    warmup: float  # seconds of whole observation needed before it refuses


@dataclass(frozen=True)
class Correlation:
    """A Sigma correlation over the document's own selections; ``threshold`` is inclusive."""

    kind: str  # event_count, value_count, temporal, temporal_ordered
    rules: Tuple[Tuple[str, Expression], ...]
    group_by: Tuple[str, ...]
    timespan: float
    threshold: int
    field: Optional[str] = None  # value_count: whose distinct values are counted


@dataclass(frozen=True)
class Pattern:
    """One block pattern. ``expression`` is None exactly when ``correlation`` is set."""

    id: str
    title: str
    service: str
    mode: str
    canary_percent: float
    expires: float  # seconds since the epoch
    document: Mapping[str, Any] = dataclasses.field(compare=False, repr=False)
    digest: str  # of what decides: logsource, detection, correlation, requires
    scope: Scope
    steps_scope: Scope  # requests that change its state besides: required and correlated steps
    expression: Optional[Expression] = None
    requirement: Optional[Requirement] = None
    correlation: Optional[Correlation] = None

    def mode_at(self, now: float) -> str:
        return EXPIRED if now >= self.expires else self.mode
