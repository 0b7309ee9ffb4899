"""The process that splunkd starts for each input of kind ``apisec_detection``."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Mapping
from typing import Any

from splunklib import modularinput as smi
from splunklib.binding import HTTPError

from apisec.abuse.event import SOURCETYPE_ANOMALY
from apisec.errors import ApisecError

from ..connection import SearchError, connect
from ..logs import apply_level, logger_of
from ..refresh.windows import StaleRunError
from .run import Detection, Settings

# name: (title, least, greatest, default)
NUMBERS = {
    "lag": ("Seconds that a window ends before now, at least", 0.0, 3600.0, 30.0),
    "history_hours": ("Hours of history to judge and learn from at first", 0.0, 720.0, 168.0),
}


def settings_of(parameters: Mapping[str, Any]) -> Settings:
    """Raises ValueError that names the parameter, its value and the limits."""
    numbers = {}
    for name, (_title, least, greatest, default) in NUMBERS.items():
        text = str(parameters.get(name) or default)
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not least <= value <= greatest:
            raise ValueError(f"{name} = {text}: give a number from {least:.0f} to {greatest:.0f}")
        numbers[name] = value
    try:
        interval = float(str(parameters.get("interval") or 300))
    except ValueError:
        interval = 300.0  # a cron expression
    return Settings(interval=interval, **numbers)


class DetectionInput(smi.Script):  # type: ignore[misc]
    """One process per input and run; splunkd starts the next at the interval."""

    def get_scheme(self) -> smi.Scheme:
        scheme = smi.Scheme("apisec detection")
        scheme.description = "Scores the behaviour of everybody who uses your APIs, and tells what is unusual"
        scheme.use_external_validation = True
        scheme.use_single_instance = False
        for name, (title, *_limits) in NUMBERS.items():
            scheme.add_argument(smi.Argument(name, title=title, required_on_create=False))
        return scheme

    def validate_input(self, definition: smi.ValidationDefinition) -> None:
        settings_of(definition.parameters)

    def stream_events(self, inputs: smi.InputDefinition, ew: smi.EventWriter) -> None:
        for stanza, parameters in inputs.inputs.items():
            self._detect(inputs, stanza, parameters, ew)

    def _detect(self, inputs: Any, stanza: str, parameters: Mapping[str, Any], writer: Any) -> None:
        logger = logger_of("detection")
        name = stanza.partition("://")[2]
        service = connect(inputs.metadata["server_uri"], inputs.metadata["session_key"])
        apply_level(service, logger)
        detection = Detection(service, settings_of(parameters), logger)
        try:
            for event in detection.run(time.time()):
                data = json.dumps(event, sort_keys=True)
                index = detection.index_of(event["team"]) or parameters.get("index", "apisec")
                when = f"{event['time']:.3f}"
                kind = SOURCETYPE_ANOMALY
                writer.write_event(smi.Event(data=data, time=when, stanza=stanza, index=index, sourcetype=kind))
        except StaleRunError as error:
            logger.info("detection %s stopped: %s", name, error)
        except (SearchError, HTTPError, OSError, ApisecError) as error:
            # Nothing was lost: the window stays open, and the next run takes the same one.
            logger.error("detection %s failed, the next run takes the same window: %s", name, error)  # noqa: TRY400
            writer.log(smi.EventWriter.ERROR, f"apisec_detection {name}: {error}")
