"""One run of detection: windows, what the engine says of their rows, and its state.

1. fetch: a search gives the window's rows; the same window gives the same, for its index time is over.
2. advance: the engine judges and learns, in memory, from the state that the window before committed.
3. tell: anomalies are events before the state is written. A crash repeats them with equal ids, and loses none.
4. write and commit (``state``): all of the window's documents, or none.
"""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Dict, List, Optional

from apisec.abuse.base import SLOT_SECONDS, SLOTS_PER_DAY
from apisec.abuse.engine import CAMPAIGNS, EXPECTATIONS, PROFILES, Engine
from apisec.abuse.model import Models
from apisec.abuse.state import KEEP_SLOTS
from apisec.activity import Row
from apisec.activity.renaming import relabel
from apisec.dispositions.exceptions import Exemptions
from apisec.errors import ApisecError, DocumentError
from apisec.teams import Teams

from .. import kvstore
from ..dispositions import ExceptionStore
from ..kvstore import Collection, Document
from ..pins import PATH_PINS, PathPins
from ..refresh.paths import Paths, names
from ..teams import Owners, owners
from ..windows.ledger import StaleRunError, Window, Windows
from . import rows as fetching
from .models import OwnModels, models_of
from .state import State

LONGEST = 3.0 * SLOT_SECONDS  # seconds of one window: of a long history, so much lies in memory at once
MAX_SECONDS = 1800.0  # of one run; what is left is the next run's


@dataclass(frozen=True)
class Settings:
    """``lag``: seconds a window ends before now, at least; ``history_hours`` are judged and learned from at first.

    With an ``interval`` (seconds) of a slot or more, windows end where slots do, so that a row is whole. With a shorter
    one they end with the run: rows of a part of a slot add up, and findings are told in seconds.
    """

    interval: float = 300.0
    lag: float = 30.0
    history_hours: float = 168.0


class Detection:
    """``service`` is connected in the app's namespace."""

    def __init__(self, service: Any, settings: Settings, logger: logging.Logger) -> None:
        self._service = service
        self._settings = settings
        self._logger = logger
        self._windows = Windows(Collection(service, kvstore.DETECTION_WINDOWS), LONGEST)
        self._state = State(Collection(service, kvstore.PROFILES), secrets.token_hex(6))
        self._campaigns = Collection(service, kvstore.CAMPAIGNS)
        pins = PathPins(Collection(service, PATH_PINS))
        self._paths = Paths(Collection(service, kvstore.PATHS), Collection(service, kvstore.DELTAS), pins)
        self._owners: Optional[Owners] = None
        self._engine: Optional[Engine] = None
        self._engine_through = -1

    def index_of(self, team: str) -> Optional[str]:
        """Return the index for anomalies about a team; None where the input's is."""
        return self._owned().teams.index_of(team)

    def _owned(self) -> Owners:
        """Who owns what, as it was when the run began; as stamped where a document of a team cannot be read."""
        if self._owners is None:
            try:
                self._owners = owners(self._service)
            except ApisecError as error:
                self._logger.error("teams cannot be read, anomalies go to the input's index: %s", error)  # noqa: TRY400
                self._owners = Owners(Teams(), self._service)
        return self._owners

    def _with_owner(self, anomaly: Dict[str, Any]) -> Dict[str, Any]:
        """Name the team that owns the operation by rule, where there are rules; else it is as stamped."""
        held = self._owned()
        if not any(team.owns for team in held.teams):
            return anomaly
        team = held.of(anomaly["service"], anomaly["operation"].partition("#")[0])
        return {**anomaly, "team": team or anomaly["team"]}

    def run(self, now: float) -> Iterator[Dict[str, Any]]:
        """Give anomalies; the state of their window is written once they are taken.

        Raises StaleRunError when others went on meanwhile.
        """
        began = time.monotonic()
        whole = SLOT_SECONDS if self._settings.interval >= SLOT_SECONDS else 1
        until = float(int(now - self._settings.lag) // whole * whole)
        while time.monotonic() - began < MAX_SECONDS:
            span = self._windows.next(lambda: self._first(now), until)
            if span is None:
                break
            yield from self._window(span)

    def _first(self, now: float) -> float:
        """Return where the first window starts: where the state ends, else as far back as history is judged."""
        self._state.refresh()
        start = int(now - self._settings.history_hours * 3600) // SLOT_SECONDS * SLOT_SECONDS
        return float(self._state.through or start)

    def _window(self, span: Window) -> Iterator[Dict[str, Any]]:
        self._state.refresh()
        if self._state.through >= span.end:  # whoever committed it died before the rest
            self._campaigns.replace(_published(self._state.load(CAMPAIGNS)))
            if self._state.committed(span.end):
                self._state.settle(span.end, time.time())
            self._windows.done(span, time.time())
            return
        rows = fetching.fetch(self._service, span)
        self._name(rows, span)
        if rows:
            yield from self._judge(span, rows)
        self._windows.done(span, time.time())

    def _name(self, rows: List[Row], span: Window) -> None:
        """Give operations the names that the inventory learned for them."""
        try:
            model = self._paths.load(span.start, span.end, {row.service for row in rows})
        except (DocumentError, KeyError) as error:
            self._logger.error("operations keep their stamped names, learned paths cannot be read: %s", error)  # noqa: TRY400
            return
        rename = names(model)
        for row in rows:
            relabel(row, rename)

    def _judge(self, span: Window, rows: List[Row]) -> Iterator[Dict[str, Any]]:
        engine = self._ready(rows)
        told = [one for end, some in fetching.steps(rows, span) for one in engine.advance(some, end)]
        # Others may have committed the window while this run read what they replaced.
        if self._state.committed(span.end):
            raise StaleRunError(f"the window from {span.key} was done by others")
        yield from map(self._with_owner, told)
        documents, gone = engine.documents(), engine.gone()
        written = self._state.write(span.end, documents, gone)
        if not self._state.commit(span.end, time.time()):
            raise StaleRunError(f"the window from {span.key} was done by others")
        self._campaigns.save(_published(documents[CAMPAIGNS]))
        self._campaigns.delete_all(gone.get(CAMPAIGNS, []))
        engine.saved()
        engine.release(0)
        self._engine_through = self._state.through
        self._forget(span)
        self._state.clear(span.end, time.time())
        requests = sum(row.requests for row in rows)
        self._logger.info(
            "detection through=%.0f rows=%d requests=%d anomalies=%d documents=%d",
            span.end, len(rows), requests, len(told), written,
        )  # fmt: skip

    def _ready(self, rows: Iterable[Row]) -> Engine:
        """Return the engine with what it knows of these rows' principals, operations and services."""
        if self._engine is None or self._engine_through != self._state.through:
            self._engine = self._begun({kind: self._state.load(kind) for kind in (CAMPAIGNS, EXPECTATIONS)})
            self._engine_through = self._state.through
        found = self._state.find(Engine.keys(rows))
        try:
            self._engine.load(found)
        except DocumentError:
            self._engine.load(one for one in found if self._is_readable(PROFILES, one))
        return self._engine

    def _begun(self, documents: Dict[str, List[Document]]) -> Engine:
        exceptions, models = self._exceptions(), self._models()
        try:
            return Engine(documents, models=models, exceptions=exceptions)
        except DocumentError:
            readable = {kind: [one for one in some if self._is_readable(kind, one)] for kind, some in documents.items()}
            return Engine(readable, models=models, exceptions=exceptions)

    def _is_readable(self, kind: str, document: Document) -> bool:
        """Whether a document can be read; if not it begins anew, for one of them must not stop detection."""
        try:
            Engine({kind: [document]})
        except DocumentError as error:
            self._logger.error("what is known of %s begins anew: %s", document.get("_key"), error)  # noqa: TRY400
            return False
        return True

    def _models(self) -> Models:
        """Return the models to use: what somebody gave, where it counts."""
        own = OwnModels(self._service).held(time.time())
        if own is not None and own.problem:
            self._logger.error("own models of %s are not used, those that ship are: %s", own.by, own.problem)
        return models_of(own)

    def _exceptions(self) -> Exemptions:
        found, problems = ExceptionStore(Collection(self._service, kvstore.EXCEPTIONS)).readable(time.time())
        for problem in problems:
            self._logger.warning("an exception hides nothing, for it cannot be read: %s", problem)
        return found

    def _forget(self, span: Window) -> None:
        """Once a day, forget whom nobody has seen for long."""
        slot = int(span.end) // SLOT_SECONDS
        if int(span.start) // SLOT_SECONDS // SLOTS_PER_DAY == slot // SLOTS_PER_DAY:
            return
        for scope, keep in KEEP_SLOTS.items():
            self._state.forget(PROFILES, scope, slot - keep)


def _published(campaigns: Iterable[Document]) -> Iterator[Document]:
    """Open campaigns as others read them: members are a list, for a name of a member is no good name of a field."""
    for one in campaigns:
        yield {**one, "members": sorted(one["members"])}
