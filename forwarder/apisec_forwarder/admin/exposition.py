"""Prometheus' text exposition format, version 0.0.4."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from apisec_forwarder.admin.context import Context

_KEY = re.compile(r'\A([a-zA-Z_:][a-zA-Z0-9_:]*)(\{[a-zA-Z0-9_]+="[^"\\\n]*"(?:,[a-zA-Z0-9_]+="[^"\\\n]*")*\})?\Z')


def render(context: Context, pipeline: Mapping[str, Any] | None, now: float) -> str:
    """Return the decisions' counters, the patterns' tallies, and what the pipeline last wrote."""
    counters = context.service.counters
    lines: list[str] = []

    def family(name: str, kind: str, text: str, samples: list[tuple[str, float]]) -> None:
        lines.append(f"# HELP apisec_{name} {text}")
        lines.append(f"# TYPE apisec_{name} {kind}")
        lines.extend(f"apisec_{name}{labels} {value:g}" for labels, value in samples)

    family("call_outs_total", "counter", "Requests that Envoy asked about.", [("", counters.call_outs)])
    family("call_outs_refused_total", "counter", "Call-outs answered by a refusal.", [("", counters.refused)])
    family("call_outs_failed_total", "counter", "Call-outs undecided, and so passed.", [("", counters.failed)])
    family("call_out_seconds_total", "counter", "Seconds spent on call-outs.", [("", counters.seconds)])
    family("copies_observed_total", "counter", "Copies that reached the decisions.", [("", counters.observed)])
    family("feed_dropped_total", "counter", "Copies lost on their way to the decisions.", [("", counters.feed_dropped)])
    matched, refused, modes = [], [], []
    for record in context.registry.all():
        identity = record.pattern.id
        tally = context.tallies.open(identity, now)
        matched += [(f'{{pattern="{identity}",mode="{mode}"}}', n) for mode, n in tally.matched.items()]
        refused += [(f'{{pattern="{identity}",mode="{mode}"}}', n) for mode, n in tally.refused.items()]
        modes.append((f'{{pattern="{identity}",mode="{record.pattern.mode_at(now)}"}}', 1))
    family("pattern_matched_total", "counter", "Requests that a pattern matched.", [(k, float(n)) for k, n in matched])
    family("pattern_refused_total", "counter", "Requests that a pattern refused.", [(k, float(n)) for k, n in refused])
    family("pattern_mode", "gauge", "1 for the mode that a pattern is in.", [(k, float(n)) for k, n in modes])
    lines.extend(_pipeline(pipeline))
    return "\n".join(lines) + "\n"


def _pipeline(status: Mapping[str, Any] | None) -> list[str]:
    """Return the pipeline's own counters and gauges under the prefix ``apisec_pipeline_``."""
    families: dict[str, tuple[str, list[str]]] = {}
    for group, kind in (("counters", "counter"), ("gauges", "gauge")):
        for key, value in ((status or {}).get(group) or {}).items():
            found = _KEY.match(key)
            if found is None or isinstance(value, bool) or not isinstance(value, (int, float)):
                continue
            name = f"apisec_pipeline_{found.group(1)}"
            families.setdefault(name, (kind, []))[1].append(f"{name}{found.group(2) or ''} {value:g}")
    lines: list[str] = []
    for name, (kind, samples) in families.items():
        lines.append(f"# TYPE {name} {kind}")
        lines.extend(samples)
    return lines
