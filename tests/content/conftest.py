"""The app built from this checkout, and a Splunk that runs it."""

from __future__ import annotations

import sys

from tests.support import app
from tests.support.splunk_fixtures import archive, module_splunk, splunk, target

__all__ = ["archive", "module_splunk", "splunk", "target"]
sys.path[:0] = [str(app.ROOT / "tools"), str(app.ROOT / "package/lib")]
