"""The process that splunkd starts for an input that goes forward by windows, and its parameters."""

from __future__ import annotations

import json
import logging
import math
import time
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Dict, Optional, Protocol

from splunklib import modularinput as smi
from splunklib.binding import HTTPError

from apisec.errors import ApisecError

from ..connection import SearchError, connect
from ..logs import apply_level, logger_of
from .ledger import StaleRunError

Numbers = Mapping[str, "tuple[str, float, float, float]"]  # name: (title, least, greatest, default)


def numbers_of(parameters: Mapping[str, Any], numbers: Numbers) -> Dict[str, float]:
    """Raises ValueError that names the parameter, its value and the limits."""
    found = {}
    for name, (_title, least, greatest, default) in numbers.items():
        text = str(parameters.get(name) or default)
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not least <= value <= greatest:
            raise ValueError(f"{name} = {text}: give a number from {least:.0f} to {greatest:.0f}")
        found[name] = value
    return found


class Work(Protocol):
    """What one run does."""

    def run(self, now: float) -> Iterator[Dict[str, Any]]:
        """Yield events to index, each with ``time`` and ``team``."""

    def index_of(self, team: str) -> Optional[str]:
        """Return the index of a team's events; None: the input's own."""


class WindowInput(smi.Script):  # type: ignore[misc]
    """One process per input and run; splunkd starts the next at the interval."""

    KIND: ClassVar[str]  # of the input
    TITLE: ClassVar[str]
    DESCRIPTION: ClassVar[str]
    SOURCETYPE: ClassVar[str]
    LOG: ClassVar[str]  # name of its log
    NUMBERS: ClassVar[Numbers]

    def work(self, service: Any, parameters: Mapping[str, Any], logger: logging.Logger) -> Work:
        """Return a run with these parameters."""
        raise NotImplementedError

    def check(self, parameters: Mapping[str, Any]) -> None:
        """Raises ValueError for parameters that it cannot go by."""
        numbers_of(parameters, self.NUMBERS)

    def get_scheme(self) -> smi.Scheme:
        scheme = smi.Scheme(self.TITLE)
        scheme.description = self.DESCRIPTION
        scheme.use_external_validation = True
        scheme.use_single_instance = False
        for name, (title, *_limits) in self.NUMBERS.items():
            scheme.add_argument(smi.Argument(name, title=title, required_on_create=False))
        return scheme

    def validate_input(self, definition: smi.ValidationDefinition) -> None:
        self.check(definition.parameters)

    def stream_events(self, inputs: smi.InputDefinition, ew: smi.EventWriter) -> None:
        for stanza, parameters in inputs.inputs.items():
            self._run(inputs, stanza, parameters, ew)

    def _run(self, inputs: Any, stanza: str, parameters: Mapping[str, Any], writer: Any) -> None:
        logger = logger_of(self.LOG)
        name = stanza.partition("://")[2]
        service = connect(inputs.metadata["server_uri"], inputs.metadata["session_key"])
        apply_level(service, logger)
        work = self.work(service, parameters, logger)
        try:
            for event in work.run(time.time()):
                data = json.dumps(event, sort_keys=True)
                index = work.index_of(event["team"]) or parameters.get("index", "apisec")
                when = f"{event['time']:.3f}"
                writer.write_event(
                    smi.Event(data=data, time=when, stanza=stanza, index=index, sourcetype=self.SOURCETYPE)
                )
        except StaleRunError as error:
            logger.info("%s %s stopped: %s", self.LOG, name, error)
        except (SearchError, HTTPError, OSError, ApisecError) as error:
            # Nothing was lost: the window stays open, and the next run takes the same one.
            logger.error("%s %s failed, the next run takes the same window: %s", self.LOG, name, error)  # noqa: TRY400
            writer.log(smi.EventWriter.ERROR, f"{self.KIND} {name}: {error}")
