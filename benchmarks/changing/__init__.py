"""Simulated traffic for ``benchmarks.changes``: latency by the hour, and operations with fields, callers and credentials."""
