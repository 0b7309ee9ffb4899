"""One difference between what is published and what happens, with a grade by what it means for security."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass
from typing import Any, Dict, Tuple

from apisec.classification.classes import PERSONAL, RESTRICTED, sensitivity

CRITICAL, HIGH, MEDIUM, LOW, INFO = "critical", "high", "medium", "low", "info"
SEVERITIES = (CRITICAL, HIGH, MEDIUM, LOW, INFO)

KINDS: Dict[str, str] = {
    "shadow": "An operation that answers and is in no published document.",
    "zombie": "An operation that is deprecated, or gone from the newest document, and still called.",
    "orphan": "A documented operation that nobody called for long.",
    "undocumented_parameter": "A query parameter that the document does not name.",
    "unseen_parameter": "A documented parameter that nobody sends.",
    "undocumented_field": "A field of a body that the document does not name.",
    "unseen_field": "A documented field that no body has.",
    "undocumented_sensitive_field": "A field with sensitive data that the document does not name.",
    "missing_required": "A field or parameter that the document calls required, and messages lack.",
    "wrong_type": "Values of another type than the document says.",
    "undocumented_status": "A status that the document does not name.",
    "unseen_status": "A documented status that was never answered.",
    "undocumented_content_type": "A media type that the document does not name.",
    "unseen_content_type": "A documented media type that was never sent.",
    "missing_authentication": "An operation that demands credentials by its document, and answered without any.",
    "other_authentication": "Credentials of a kind that the document does not name.",
    "stale_document": "A document that could not be read again for long: what differs may be its age.",
}


@dataclass(frozen=True)
class Drift:
    """``id`` stays the same from run to run. ``count`` of ``messages`` show it; times in seconds since the epoch."""

    id: str
    kind: str
    severity: str
    service: str
    team: str
    operation: str
    location: str  # body, query, path, header, cookie; empty where the operation itself drifts
    field: str
    status: str
    reason: str
    expected: str
    seen: str
    count: int
    messages: int
    first_seen: float
    last_seen: float
    spec: str
    pointer: str
    data_classes: Tuple[str, ...] = ()

    def row(self) -> Dict[str, Any]:
        return {**asdict(self), "data_classes": list(self.data_classes)}


def drift_id(*parts: str) -> str:
    """Return an id made of what a difference is about, and of nothing that a later run may count differently."""
    return hashlib.blake2b("\x1f".join(parts).encode("utf-8", "replace"), digest_size=12).hexdigest()


def worst(classes: Any) -> int:
    """Return the highest sensitivity among classes of data, 0 without any."""
    return max((sensitivity(name) for name in classes), default=0)


def is_sensitive(classes: Any) -> bool:
    return worst(classes) >= PERSONAL


def raised(base: str, *reasons: bool) -> str:
    """Return a severity that is one step higher for each reason that holds."""
    return SEVERITIES[max(0, SEVERITIES.index(base) - sum(reasons))]


def graded_by_data(classes: Any, least: str) -> str:
    """Return a severity by the data that are at stake."""
    level = worst(classes)
    return HIGH if level >= RESTRICTED else MEDIUM if level >= PERSONAL else least
