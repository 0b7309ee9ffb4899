"""Lets the supervisor make a new generation when another bundle is applied."""

from __future__ import annotations

import threading
from pathlib import Path

from apisec_forwarder.bundles.store import stamp

SECONDS = 0.2  # between two looks: one stat(2) each


def watch(directory: Path, changed: threading.Event, stop: threading.Event) -> threading.Thread:
    """Set ``changed`` after each change of the store, from a thread that ends with ``stop``."""
    known = stamp(directory)

    def look() -> None:
        nonlocal known
        while not stop.wait(SECONDS):
            now = stamp(directory)
            if now != known:
                known = now
                changed.set()

    thread = threading.Thread(target=look, name="bundles", daemon=True)
    thread.start()
    return thread
