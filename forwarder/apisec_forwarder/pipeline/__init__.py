"""The pipeline: one raw transaction in, one redacted event out. Never raises, reads no clock, keeps no state."""

from __future__ import annotations

from apisec_forwarder.pipeline.envelope import SOURCE, envelope
from apisec_forwarder.pipeline.pipeline import Pipeline
from apisec_forwarder.pipeline.settings import UNASSIGNED, PipelineSettings, Service

__all__ = ["SOURCE", "UNASSIGNED", "Pipeline", "PipelineSettings", "Service", "envelope"]
