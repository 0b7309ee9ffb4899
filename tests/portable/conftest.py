"""The app's own modules, importable as they are in their place. Runs on Splunk's Pythons too: nothing from outside."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "package/lib"))
