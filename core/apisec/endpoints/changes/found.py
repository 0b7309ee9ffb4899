"""What a rule of changes is given of a window, and what it gives back."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Callable, Dict

from apisec.endpoints.changes.trials import Trial

Carried = Callable[[str, str, str, str], bool]


@dataclass(frozen=True)
class Span:
    """A window of time, as one operation saw it.

    ``end`` is the window's (seconds since the epoch), ``since`` its first request's. ``principals`` acted in it,
    ``usual_principals`` did so before. ``tell`` is False while the service is learned. ``sensitive``: the operation
    handles data that is. ``carried`` says whether a field surely carries data of a family of classes: message (request,
    response, error), location, path, family.
    """

    end: float
    since: float
    principals: int
    usual_principals: int
    tell: bool
    sensitive: bool
    carried: Carried


@dataclass(frozen=True)
class Found:
    """A change that is not named yet: ``{operation}`` in its reason is the operation's name."""

    kind: str
    severity: str
    subject: str
    before: str
    after: str
    reason: str
    trial: Trial
    details: Dict[str, Any] = field(default_factory=dict)
    times: int = 1
