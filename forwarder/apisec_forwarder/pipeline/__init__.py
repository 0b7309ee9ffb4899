"""The pipeline: one raw transaction in, one redacted event out. Never raises, reads no clock, keeps no state."""

from __future__ import annotations

from apisec_forwarder.pipeline.engines import ENGINES, Engine, engine, missing
from apisec_forwarder.pipeline.envelope import SOURCE, envelope
from apisec_forwarder.pipeline.pipeline import Pipeline
from apisec_forwarder.pipeline.settings import UNASSIGNED, PipelineSettings, Service

__all__ = [
    "ENGINES",
    "SOURCE",
    "UNASSIGNED",
    "Engine",
    "Pipeline",
    "PipelineSettings",
    "Service",
    "engine",
    "envelope",
    "missing",
]
