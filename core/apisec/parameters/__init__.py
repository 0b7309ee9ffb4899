"""What each parameter of an API usually carries, learned from its traffic without keeping a value.

``traits`` says what of a value is looked at, ``model`` holds one parameter, ``book`` all of a forwarder, and
``document`` writes them down. Used before redaction, where values still are: what is unusual becomes a signal, and a
signal where many principals ordinarily send such text loses weight.
"""

from __future__ import annotations

from apisec.parameters.book import Book, Judged, Observed
from apisec.parameters.model import DEPARTURES, Departure, Model

__all__ = ["DEPARTURES", "Book", "Departure", "Judged", "Model", "Observed"]
