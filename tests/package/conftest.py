"""The built app, a stand-in for Splunk that runs it, and a forwarder's admin API on the wire."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "package/lib"))
