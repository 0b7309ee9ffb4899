"""The native engine: hyperscan says where something may stand, orjson decodes and writes, plans know the rest.

``loosen``   core's patterns for hyperscan        ``gate``      one scan: which values need to be asked
``plans``    decoded JSON by shapes               ``bodies``    JSON bodies, their text left as it is
``heads``    headers, cookies, who acts           ``targets``   hosts, paths and queries
``asking``   the core's answers, remembered       ``echoes``    known values that stand elsewhere too
``databases``  compiled patterns, kept on disk
``engine``   which way each part goes             ``compose``   the event and its envelope

Every decision is the core's. Raw values that are remembered stay in this process's memory, bounded in number.
"""

from __future__ import annotations

from apisec_forwarder.pipeline.native.engine import NativePipeline

__all__ = ["NativePipeline"]
