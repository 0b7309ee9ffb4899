"""Prometheus' text exposition format, version 0.0.4."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from apisec_forwarder.admin.context import Context
from apisec_forwarder.metrics import prometheus_text


def render(context: Context, pipeline: Mapping[str, Any] | None, now: float) -> str:
    """Return the decisions' counters, the patterns' tallies, and what the other processes last wrote."""
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
    return "\n".join(lines) + "\n" + prometheus_text(pipeline or {})
