"""The process that splunkd starts for each input of kind ``apisec_detection``."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any, ClassVar

from apisec.abuse.event import SOURCETYPE_ANOMALY

from ..windows.script import Numbers, WindowInput, numbers_of
from .run import Detection, Settings


class DetectionInput(WindowInput):
    """Judges each window of activity once, and tells anomalies."""

    KIND = "apisec_detection"
    TITLE = "apisec detection"
    DESCRIPTION = "Scores the behaviour of everybody who uses your APIs, and tells what is unusual"
    SOURCETYPE = SOURCETYPE_ANOMALY
    LOG = "detection"
    NUMBERS: ClassVar[Numbers] = {
        "lag": ("Seconds that a window ends before now, at least", 0.0, 3600.0, 30.0),
        "history_hours": ("Hours of history to judge and learn from at first", 0.0, 720.0, 168.0),
    }

    def work(self, service: Any, parameters: Mapping[str, Any], logger: logging.Logger) -> Detection:
        """Return a run with these parameters; ValueError as ``check``."""
        try:
            interval = float(str(parameters.get("interval") or 300))
        except ValueError:
            interval = 300.0  # a cron expression
        return Detection(service, Settings(interval=interval, **numbers_of(parameters, self.NUMBERS)), logger)
