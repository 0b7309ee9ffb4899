"""The process that splunkd starts for each input of kind ``apisec_inventory``."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any, ClassVar

from apisec.endpoints.changes.schema import SOURCETYPE

from ..windows.script import Numbers, WindowInput, numbers_of
from .run import Refresh, Settings


class InventoryInput(WindowInput):
    """Adds each window to the inventory once, and tells changes."""

    KIND = "apisec_inventory"
    TITLE = "apisec inventory refresh"
    DESCRIPTION = "Learns the inventory of your APIs from their traffic, and tells changes"
    SOURCETYPE = SOURCETYPE
    LOG = "inventory"
    NUMBERS: ClassVar[Numbers] = {
        "lag": ("Seconds that a window ends before now", 0.0, 3600.0, 10.0),
        "learn_hours": ("Hours of history to read at first", 1.0, 720.0, 168.0),
        "quiet_hours": ("Hours of a service's traffic before its changes are told", 0.0, 720.0, 24.0),
        "retain_days": ("Days without a request after which an operation is archived", 1.0, 3650.0, 90.0),
    }

    def work(self, service: Any, parameters: Mapping[str, Any], logger: logging.Logger) -> Refresh:
        """Return a run with these parameters; ValueError as ``check``."""
        return Refresh(service, Settings(**numbers_of(parameters, self.NUMBERS)), logger)
