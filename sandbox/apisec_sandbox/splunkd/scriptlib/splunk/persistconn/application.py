"""splunk.persistconn.application: the base of an app's handler."""

from __future__ import annotations

from typing import Any


class PersistentServerConnectionApplication:
    """One is made for the life of the process; ``handle`` answers one request each.

    Source: dev.splunk.com, "Custom REST endpoints": ``handle`` gets JSON and returns a dictionary, or JSON, with
    ``payload``, ``status`` and ``headers``.
    """

    def handle(self, in_string: Any) -> Any:
        raise NotImplementedError("PersistentServerConnectionApplication.handle")

    def handleStream(self, handle: Any, in_string: Any) -> Any:
        raise NotImplementedError("PersistentServerConnectionApplication.handleStream")

    def done(self) -> None:
        """The process ends."""
