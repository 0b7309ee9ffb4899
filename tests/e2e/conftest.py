"""The Splunk to test on."""

from __future__ import annotations

from tests.support.splunk_fixtures import archive, splunk, target

__all__ = ["archive", "splunk", "target"]
