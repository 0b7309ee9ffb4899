"""A labelled corpus of API traffic, generated: nothing here knows the product, and the product knows nothing of it.

``development`` may be looked at while detectors are written; ``examination`` may not. They differ by seed, by the
formats of their values, by the names of their fields and by the style of their payloads (``tests/benchmarks``).
"""
