"""The spool: redacted envelopes wait on disk until Splunk has acknowledged them.

A folder (mode 700) of append-only segments ``<writer>-<number>.log`` (mode 600). A record is one line,
``<CRC-32 of the envelope, 8 hex digits> <envelope, JSON>``, so that a torn or damaged line is seen and skipped
and the next one is found again. Several processes write, each under its own writer name; one reader takes
batches and acknowledges them in order; what is acknowledged is deleted.
"""

from __future__ import annotations

from apisec_forwarder.spool.reader import Batch, Span, SpoolReader
from apisec_forwarder.spool.segments import Position
from apisec_forwarder.spool.writer import Spool, SpoolFull

__all__ = ["Batch", "Position", "Span", "Spool", "SpoolFull", "SpoolReader"]
