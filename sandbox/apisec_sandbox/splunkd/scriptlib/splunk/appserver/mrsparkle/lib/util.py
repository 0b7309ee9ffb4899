"""splunk.appserver.mrsparkle.lib.util: paths, under their old address."""

from __future__ import annotations

from ....clilib.bundle_paths import make_splunkhome_path

__all__ = ["make_splunkhome_path"]
