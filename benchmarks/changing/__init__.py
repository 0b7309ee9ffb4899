"""Simulated traffic of ``benchmarks.changes``: latency by the hour; fields, callers and credentials of operations."""
