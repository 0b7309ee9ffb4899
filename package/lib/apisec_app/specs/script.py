"""The process that splunkd starts for each input of kind ``apisec_spec``."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Mapping
from typing import Any, NamedTuple

from splunklib import modularinput as smi
from splunklib.binding import HTTPError

from apisec.errors import ApisecError
from apisec.openapi.compare import Settings

from ..connection import connect
from ..kvstore import INVENTORY, SPECS, Collection
from ..logs import apply_level, logger_of
from . import files
from .drift import Noted, drifts_of, events
from .store import Specs, title_of

KIND = "apisec_spec"
SOURCETYPE = "apisec:drift"
ARGUMENTS = {
    "service": "Service whose document it is, as its events name it",
    "file": "Name of a .json, .yaml or .yml file in local/specs of the app",
    "orphan_days": "Days without a request after which a documented operation is an orphan",
}
REQUIRED = ("service", "file")
MAX_SERVICE = 200


class Parameters(NamedTuple):
    """Of one input."""

    service: str
    file: str
    orphan_days: float


def parameters_of(given: Mapping[str, Any]) -> Parameters:
    """Raises ValueError that names the parameter, its value and what it may be."""
    service, file = (str(given.get(name) or "").strip() for name in REQUIRED)
    if not 0 < len(service) <= MAX_SERVICE:
        raise ValueError(f"service = {service[:40]}: give 1 to {MAX_SERVICE} characters, the service of its events")
    text = str(given.get("orphan_days") or 30)
    try:
        days = float(text)
    except ValueError:
        days = math.nan
    if not 1 <= days <= 3650:
        raise ValueError(f"orphan_days = {text}: give a number from 1 to 3650")
    return Parameters(service, files.checked_name(file), days)


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
        connection = connect(inputs.metadata["server_uri"], inputs.metadata["session_key"])
        apply_level(connection, logger)
        for stanza, given in inputs.inputs.items():
            self._try(connection, stanza, given, ew, logger)

    def _try(self, connection: Any, stanza: str, given: Mapping[str, Any], writer: Any, logger: Any) -> None:
        try:
            self._run(connection, stanza, given, writer, logger)
        except (HTTPError, OSError, ApisecError, ValueError) as error:
            # Nothing is lost: the version before stays in force, and the next run compares again.
            logger.error("%s failed: %s", stanza, error)  # noqa: TRY400 - the message says all
            writer.log(smi.EventWriter.ERROR, f"{stanza}: {error}")

    def _run(self, connection: Any, stanza: str, given: Mapping[str, Any], writer: Any, logger: Any) -> None:
        parameters = parameters_of(given)
        now = time.time()
        collection = Collection(connection, SPECS)
        specs = Specs(collection)
        text = files.read(parameters.file)
        stored, changed = specs.store(
            parameters.service, text, name=parameters.file, source=f"local/specs/{parameters.file}", now=now
        )
        if changed:
            logger.info("%s: stored %s, %d operations", stanza, title_of(stored), stored["operations"])
            for warning in stored["warnings"]:
                logger.warning("%s: %s", stanza, warning)
        settings = Settings(now=now, orphan_days=parameters.orphan_days)
        found = drifts_of(specs, Collection(connection, INVENTORY), parameters.service, settings)
        noted = Noted(collection, parameters.service)
        index = given.get("index", "apisec")
        for event in events(noted.load(), found, now):
            data = json.dumps({**event, "service": parameters.service}, sort_keys=True)
            writer.write_event(
                smi.Event(data=data, time=f"{now:.3f}", stanza=stanza, index=index, sourcetype=SOURCETYPE)
            )
        noted.save(found, now)  # after the events: a crash between repeats them, with equal ids, and loses none
        logger.info("%s: %d differences", stanza, len(found))
