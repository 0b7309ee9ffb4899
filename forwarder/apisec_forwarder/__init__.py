"""The forwarder: copies of API traffic in, redacted events out, block patterns enforced at the gateway."""

from __future__ import annotations

__version__ = "0.1.0"
