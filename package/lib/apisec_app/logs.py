"""Logs of the app: $SPLUNK_HOME/var/log/splunk/apisec_<part>.log, which Splunk itself indexes into _internal."""

from __future__ import annotations

import json
import logging
import logging.handlers
import os
from pathlib import Path
from typing import Any

from splunklib.binding import HTTPError

_MAX_BYTES = 10_000_000
_SETTINGS = "/servicesNS/nobody/apisec/configs/conf-apisec_settings/logging"
_FORMAT = "%(asctime)s %(levelname)s pid=%(process)d %(message)s"


def logger_of(part: str) -> logging.Logger:
    """The logger of one part of the app; to standard error where there is no SPLUNK_HOME to write in."""
    logger = logging.getLogger(f"apisec_{part}")
    if logger.handlers:
        return logger
    handler: logging.Handler = logging.StreamHandler()
    home = os.environ.get("SPLUNK_HOME")
    folder = Path(home) / "var/log/splunk" if home else None
    if folder is not None and os.access(folder, os.W_OK):
        handler = logging.handlers.RotatingFileHandler(
            folder / f"apisec_{part}.log", maxBytes=_MAX_BYTES, backupCount=5, encoding="utf-8"
        )
    handler.setFormatter(logging.Formatter(_FORMAT))
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    logger.propagate = False
    return logger


def apply_level(service: Any, logger: logging.Logger) -> None:
    """Take over the level of the page Configuration, Logging; where it cannot be read, INFO stays."""
    try:
        answer = service.get(_SETTINGS, output_mode="json")
        name = json.loads(answer.body.read())["entry"][0]["content"].get("loglevel", "")
    except (HTTPError, OSError, ValueError, KeyError, IndexError):
        return
    level = logging.getLevelName(str(name).upper())
    if isinstance(level, int):
        logger.setLevel(level)
