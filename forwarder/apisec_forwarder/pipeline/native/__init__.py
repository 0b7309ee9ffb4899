"""The native engine: hyperscan says where something may stand, orjson decodes and writes, plans know the rest.

``gate``     which values need to be asked; its patterns: ``loosen``, ``cover``, ``shapes``, ``spoken``, ``assigned``
``databases``  compiled patterns, kept on disk
``plans``    what is known of places in JSON      ``walk``      a document by its plans
``bodies``   JSON bodies, their text left as it is  ``pairs``   queries and forms
``heads``    headers, cookies, who acts           ``targets``   hosts and paths
``hits``     one scan, and which values it hit    ``asking``    the core's answers, remembered
``echoes``   known values that stand elsewhere    ``work``      what is known of one transaction
``compose``  the event and its envelope           ``listed``    its lists of fields
``engine``   which way each part goes

Every decision is the core's. Raw values that are remembered stay in this process's memory, bounded in number.
"""

from __future__ import annotations

from apisec_forwarder.pipeline.native.engine import NativePipeline

__all__ = ["NativePipeline"]
