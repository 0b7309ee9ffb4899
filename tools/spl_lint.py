"""Check a detection's SPL without a Splunk: commands, macros, lookups, fields.

Reads enough of SPL for the detections' own style: a pipeline of the commands in vocabulary.yml. Every field that an
expression reads must be one of the event, of a lookup, of our commands, or made earlier in the pipeline.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path

import confs
import detections
from apisec.abuse import event as anomaly
from apisec.endpoints.changes import schema as changes
from apisec.model.event import FIELDS
from apisec.openapi.drift import Drift
from apisec.scoring.marks import COMPONENTS
from detections import Detection

# What every event in Splunk has.
DEFAULT_FIELDS = {"_time", "_raw", "_indextime", "index", "source", "sourcetype", "host", "linecount", "splunk_server"}
SCORE_FIELDS = {f"apisec_{name}" for name in ("score", "severity", "reasons", "evidence", "families", "campaigns")} | {
    f"apisec_{name}_score" for name in ("object", "access", "sequence", "payload", "identity", "volume")
}
