"""The process that splunkd starts for each input of kind ``apisec_spec``."""

from __future__ import annotations

import json
import logging
import time
from functools import partial
from typing import Any, Callable, Dict, Optional

from splunklib import modularinput as smi
from splunklib.binding import HTTPError

from apisec.errors import ApisecError, ConfigError
from apisec.openapi.compare import Settings

from ..connection import connect
from ..kvstore import INVENTORY, SPECS, Collection
from ..logs import apply_level, logger_of
from ..teams import owners
from . import files, remote
from .drift import Noted, drifts_of, events
from .fetch import FetchError
from .parameters import ARGUMENTS, REQUIRED, Parameters, parameters_of, secrets_of, source_of
from .readings import Reading, Readings, day
from .store import Specs, title_of

SOURCETYPE = "apisec:drift"
Secrets = Callable[[], Dict[str, str]]
_EXPECTED = (HTTPError, OSError, ApisecError, FetchError, ValueError)


class SpecInput(smi.Script):  # type: ignore[misc]
    """One process per input and run; splunkd starts the next at the interval."""

    def get_scheme(self) -> smi.Scheme:
        scheme = smi.Scheme("apisec published document")
        scheme.description = "Reads an OpenAPI document of a service and tells how its traffic differs"
        scheme.use_external_validation = True
        scheme.use_single_instance = False
        for name, title in ARGUMENTS.items():
            scheme.add_argument(smi.Argument(name, title=title, required_on_create=name in REQUIRED))
        return scheme

    def validate_input(self, definition: smi.ValidationDefinition) -> None:
        parameters_of(definition.parameters)

    def stream_events(self, inputs: smi.InputDefinition, ew: smi.EventWriter) -> None:
        logger = logger_of("spec")
        uri, key = inputs.metadata["server_uri"], inputs.metadata["session_key"]
        connection = connect(uri, key)
        apply_level(connection, logger)
        for stanza, given in inputs.inputs.items():
            try:
                parameters = parameters_of(given)
                secrets = partial(secrets_of, stanza.partition("://")[2], given, uri, key)
                run = Run(connection, stanza, parameters, secrets, logger)
                run.read(ew, time.time())
                run.compare(ew, str(given.get("index") or "apisec"), time.time())
            except _EXPECTED as error:  # noqa: PERF203 - an input that fails takes no other with it
                # Nothing is lost: the version before stays in force, and the next run compares again.
                logger.error("%s failed: %s", stanza, error)  # noqa: TRY400 - the message says all
                ew.log(smi.EventWriter.ERROR, f"{stanza}: {error}")


class Run:
    """One input, once."""

    def __init__(
        self, connection: Any, stanza: str, parameters: Parameters, secrets: Secrets, logger: logging.Logger
    ) -> None:
        self.name = stanza.partition("://")[2]
        self._connection = connection
        self._stanza = stanza
        self._parameters = parameters
        self._secrets = secrets
        self._logger = logger
        self._collection = Collection(connection, SPECS)
        self._specs = Specs(self._collection)
        self._readings = Readings(self._collection)

    def read(self, writer: Any, now: float) -> None:
        """Read the document and keep it; what goes wrong is noted and told, and the comparison takes what there is."""
        given = self._parameters
        name = f"input:{self.name}" if given.url else given.file
        begun = Reading(self.name, given.service, name, given.shown, given.fingerprint)
        known = self._readings.load(begun, now)
        if now < known.next_try:
            self._logger.info("%s: not read before %s (%s)", self._stanza, day(known.next_try), known.error)
            return
        try:
            reading = self._stored(known, now)
            self._withdraw(self._readings.replaced(reading))
            self._readings.save(reading)
        except _EXPECTED as error:
            retry_after = error.retry_after if isinstance(error, FetchError) else 0.0
            # A file or a secret that is put right is read at once; a server is given time.
            own = not given.url or isinstance(error, ConfigError)
            failed = known.failed(now, 0.0 if own else given.interval, str(error), retry_after)
            age = f"what was read on {day(known.read)} stays in force" if known.read else "nothing was read so far"
            self._logger.error("%s: %s; %s", self._stanza, error, age)  # noqa: TRY400 - the message says all
            writer.log(smi.EventWriter.ERROR, f"{self._stanza}: {error}; {age}")
            self._readings.save(failed)

    def _stored(self, known: Reading, now: float) -> Reading:
        """Read the document, keep it where it is another one, and return what is to be noted."""
        given, files_known = self._parameters, known.files if self._in_force(known) else ()
        if given.url:
            text, parts = remote.read(source_of(given, self._secrets()), files_known)
        else:
            text, parts = files.document(given.file), ()
        if text is None:
            return known.succeeded(now, given.interval, known.digest, parts)
        stored, changed = self._specs.store(given.service, text, name=known.name, source=given.shown, now=now)
        if changed:
            self._logger.info("%s: stored %s, %d operations", self._stanza, title_of(stored), stored["operations"])
            for warning in stored["warnings"]:
                self._logger.warning("%s: %s", self._stanza, warning)
        return known.succeeded(now, given.interval, str(stored["digest"]), parts)

    def _withdraw(self, before: Optional[Reading]) -> None:
        """Remove what the input published when it named another file or service: nobody reads that any more."""
        for head in self._specs.heads(before.service) if before else ():
            if before and head["name"] == before.name:
                self._specs.delete(head)
                self._logger.info("%s: withdrew %s of %s", self._stanza, title_of(head), before.service)

    def _in_force(self, known: Reading) -> bool:
        """Return whether the version that was read last is the newest there: somebody may have taken it away."""
        query = {"kind": "spec", "service": known.service, "name": known.name}
        heads = self._collection.load(query, fields=("_key", "stored", "digest"))
        newest = max(heads, key=lambda one: float(one["stored"]), default=None)
        return newest is not None and newest["digest"] == known.digest

    def compare(self, writer: Any, index: str, now: float) -> None:
        """Write an event for each difference that is new, graver or resolved: into the index of the owning team.

        ``index`` is for what has no team, or one without an index. DocumentError for a team's document that cannot be
        read: then it is not guessed who may read the events.
        """
        service = self._parameters.service
        settings = Settings(now=now, orphan_days=self._parameters.orphan_days)
        found = drifts_of(self._specs, Collection(self._connection, INVENTORY), service, settings)
        noted, who = Noted(self._collection, service), owners(self._connection)
        for event in events(noted.load(), found, now):
            team = who.team_of({**event, "service": service})
            data = json.dumps({**event, "service": service, "team": team}, sort_keys=True)
            own = who.teams.index_of(team) or index
            writer.write_event(
                smi.Event(data=data, time=f"{now:.3f}", stanza=self._stanza, index=own, sourcetype=SOURCETYPE)
            )
        noted.save(found, now)  # after the events: a crash between repeats them, with equal ids, and loses none
        self._logger.info("%s: %d differences", self._stanza, len(found))
