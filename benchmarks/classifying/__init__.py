"""Parts of ``benchmarks.classify``: fields whose truth is known, and log lines."""
