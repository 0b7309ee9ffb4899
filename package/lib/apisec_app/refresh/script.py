"""The process that splunkd starts for each input of kind ``apisec_inventory``."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Mapping
from typing import Any

from splunklib import modularinput as smi
from splunklib.binding import HTTPError

from apisec.endpoints.changes.schema import SOURCETYPE
from apisec.errors import ApisecError

from ..connection import SearchError, connect
from ..logs import apply_level, logger_of
from .run import Refresh, Settings
from .windows import StaleRunError

KIND = "apisec_inventory"

# name: (title, least, greatest, default)
NUMBERS = {
    "lag": ("Seconds that a window ends before now", 0.0, 3600.0, 10.0),
    "learn_hours": ("Hours of history to read at first", 1.0, 720.0, 168.0),
    "quiet_hours": ("Hours of a service's traffic before its changes are told", 0.0, 720.0, 24.0),
    "retain_days": ("Days without a request after which an operation is archived", 1.0, 3650.0, 90.0),
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
    return Settings(**numbers)


class InventoryInput(smi.Script):  # type: ignore[misc]
    """One process per input and run; splunkd starts the next at the interval."""

    def get_scheme(self) -> smi.Scheme:
        scheme = smi.Scheme("apisec inventory refresh")
        scheme.description = "Learns the inventory of your APIs from their traffic, and tells changes"
        scheme.use_external_validation = True
        scheme.use_single_instance = False
        for name, (title, *_limits) in NUMBERS.items():
            scheme.add_argument(smi.Argument(name, title=title, required_on_create=False))
        return scheme

    def validate_input(self, definition: smi.ValidationDefinition) -> None:
        settings_of(definition.parameters)

    def stream_events(self, inputs: smi.InputDefinition, ew: smi.EventWriter) -> None:
        for stanza, parameters in inputs.inputs.items():
            self._refresh(inputs, stanza, parameters, ew)

    def _refresh(self, inputs: Any, stanza: str, parameters: Mapping[str, Any], writer: Any) -> None:
        logger = logger_of("inventory")
        name = stanza.partition("://")[2]
        service = connect(inputs.metadata["server_uri"], inputs.metadata["session_key"])
        apply_level(service, logger)
        refresh = Refresh(service, settings_of(parameters), logger)
        try:
            for event in refresh.run(time.time()):
                data = json.dumps(event, sort_keys=True)
                index = refresh.index_of(event["team"]) or parameters.get("index", "apisec")
                writer.write_event(
                    smi.Event(data=data, time=f"{event['time']:.3f}", stanza=stanza, index=index, sourcetype=SOURCETYPE)
                )
        except StaleRunError as error:
            logger.info("refresh of %s stopped: %s", name, error)
        except (SearchError, HTTPError, OSError, ApisecError) as error:
            # Nothing was lost: the window stays open, and the next run takes the same one.
            logger.error("refresh of %s failed, the next run takes the same window: %s", name, error)  # noqa: TRY400
            writer.log(smi.EventWriter.ERROR, f"apisec_inventory {name}: {error}")
