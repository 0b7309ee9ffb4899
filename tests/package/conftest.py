"""The app's own modules and the build tools, importable as they are in their places; and the Splunk to test on."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.support.splunk_fixtures import archive, module_splunk, splunk, target, unpacked

__all__ = ["archive", "module_splunk", "splunk", "target", "unpacked"]
ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tools"), str(ROOT / "package/lib")]
