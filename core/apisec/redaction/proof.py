"""What a value under a telling name is by its own shape: proof of the name's class, or of another that says more."""

from __future__ import annotations

from typing import Optional

from apisec.detectors import DETECTORS
from apisec.detectors.base import Match
from apisec.detectors.engine import find, hinted

# The detector that proves a class alone where it takes the whole value: no other could say more.
_PROOF = {
    "pii.email": DETECTORS["email"],
    "pii.phone": DETECTORS["phone.international"],
    "pii.ssn": DETECTORS["ssn.written"],
    "pci.pan": DETECTORS["pan.within"],
    "fin.iban": DETECTORS["iban"],
    "secret.jwt": DETECTORS["jwt"],
    "pii.address": DETECTORS["address.english"],
}


def proved(data_class: str, value: str) -> Optional[Match]:
    """Return the value as the detector of its class finds it, where that takes the whole of it; None otherwise."""
    detector = _PROOF.get(data_class)
    found = next(find(detector, value), None) if detector is not None else None
    return found if found is not None and (found.start, found.end) == (0, len(value)) else None


def says_more(found: Match, data_class: str) -> bool:
    """Return whether the class of a value's own shape says more than the one that its name and value gave it."""
    if found.data_class.startswith("secret."):
        return True
    if data_class.startswith("secret."):
        return False
    return found.data_class.startswith(f"{data_class}.") or DETECTORS[found.detector].confidence != "context"


def spoken(text: str, hint: Optional[str]) -> bool:
    """Return whether a detector that a field's name speaks for finds something."""
    return hint is not None and any(next(find(detector, text), None) is not None for detector in hinted(hint))
