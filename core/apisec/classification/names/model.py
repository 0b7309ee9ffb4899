"""The classifier of names that the grammar of stems does not know: one linear model a class, over hashed features.

    {"version": 1, "kind": "hashed_linear", "buckets": 32768, "classes": [...], "intercepts": [...], "scales": [...],
     "thresholds": [...], "postings": "base64 of deflate", "training": {...},
     "golden": [{"name": "...", "parent": "...", "class": "pii.email", "margin": 1.5}], "sha256": "..."}

``postings``, inflated: a byte per bucket (how many classes it speaks of), then a byte per entry (which class), then
a signed byte per entry (its weight; times the class's scale). A name's score for a class is the intercept plus the
sum of the weights of its features over the root of their number; its margin is the score over the class's threshold.
``sha256`` is over the canonical JSON of everything else.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import math
import pkgutil
import zlib
from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Dict, List, NamedTuple, Optional, Tuple

from apisec.classification.classes import BY_NAME
from apisec.classification.names.features import BUCKETS, features
from apisec.errors import ModelError

VERSION = 1
KIND = "hashed_linear"
TOLERANCE = 1e-9
MAX_BYTES = 300_000  # of the artefact
MAX_ENTRIES = 400_000
_KEYS = frozenset(
    ("version", "kind", "buckets", "classes", "intercepts", "scales", "thresholds", "postings", "training", "golden")
)


class Verdict(NamedTuple):
    """The class that a name most likely says, and by how much its score is over the class's threshold (logits)."""

    data_class: str
    margin: float


@dataclass(frozen=True)
class NameModel:
    """``starts[b]`` to ``starts[b + 1]`` are the entries of bucket b in ``which`` and ``weights``."""

    classes: Tuple[str, ...]
    intercepts: Tuple[float, ...]
    scales: Tuple[float, ...]
    thresholds: Tuple[float, ...]
    starts: Sequence[int]
    which: bytes
    weights: Sequence[int]
    training: Mapping[str, Any]
    sha256: str = ""

    def margins(self, name: str, parent: str = "") -> List[float]:
        """Return the margin of each class (logits); nothing for a name without words."""
        buckets = features(name, parent)
        if not buckets:
            return []
        totals = [0] * len(self.classes)
        starts, which, weights = self.starts, self.which, self.weights
        for bucket in buckets:
            for at in range(starts[bucket], starts[bucket + 1]):
                totals[which[at]] += weights[at]
        root = math.sqrt(len(buckets))
        return [
            intercept + total * scale / root - threshold
            for total, scale, intercept, threshold in zip(totals, self.scales, self.intercepts, self.thresholds)
        ]

    def best(self, name: str, parent: str = "") -> Optional[Verdict]:
        """Return the class with the greatest margin, over its threshold or not; None for a name without words."""
        margins = self.margins(name, parent)
        if not margins:
            return None
        margin = max(margins)
        return Verdict(self.classes[margins.index(margin)], margin)

    def says(self, name: str, parent: str = "") -> Optional[str]:
        """Return the class that a name says, or None."""
        best = self.best(name, parent)
        return best.data_class if best is not None and best.margin >= 0 else None


def digest(made: Mapping[str, Any]) -> str:
    """Return the SHA-256 (hex) of an artefact without its own ``sha256``."""
    rest = {key: value for key, value in made.items() if key != "sha256"}
    canonical = json.dumps(rest, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    return hashlib.sha256(canonical.encode("ascii")).hexdigest()


def pack(counts: bytes, which: bytes, weights: bytes) -> str:
    """Return the postings as the artefact holds them."""
    return base64.b64encode(zlib.compress(counts + which + weights, 9)).decode("ascii")


def document(model: Mapping[str, Any], golden: Sequence[Tuple[str, str, str, float]]) -> Dict[str, Any]:
    """Return an artefact: the parts of a model with golden verdicts and digest."""
    made = {"version": VERSION, "kind": KIND, "buckets": BUCKETS, **model}
    made["golden"] = [{"name": n, "parent": p, "class": c, "margin": m} for n, p, c, m in golden]
    return {**made, "sha256": digest(made)}


def parse_model(text: str) -> NameModel:
    """Read an artefact; ModelError that names what is wrong and where."""
    if len(text) > MAX_BYTES:
        raise ModelError(f"is larger than {MAX_BYTES} bytes")
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ModelError(f"is not JSON: {error}") from error
    if not isinstance(found, dict) or found.keys() != _KEYS | {"sha256"}:
        odd = ", ".join(sorted(set(found if isinstance(found, dict) else ()) ^ (_KEYS | {"sha256"})))
        raise ModelError(f"missing or unknown keys: {odd}")
    if (found["version"], found["kind"], found["buckets"]) != (VERSION, KIND, BUCKETS):
        raise ModelError(
            f"this apisec reads {KIND} version {VERSION} of {BUCKETS} buckets; train it anew", where="version"
        )
    if digest(found) != found["sha256"]:
        raise ModelError("does not fit the content", where="sha256")
    model = unverified(found)
    _verify(model, found["golden"])
    return model


def unverified(found: Mapping[str, Any]) -> NameModel:
    """Take the parts of an artefact as they are: for the trainer, which makes the golden names from it."""
    classes = found["classes"]
    if not isinstance(classes, list) or not 0 < len(classes) < 256 or not all(name in BY_NAME for name in classes):
        raise ModelError("is not a list of at most 255 classes of this apisec", where="classes")
    starts, which, weights = _postings(found["postings"], len(classes))
    return NameModel(
        classes=tuple(classes),
        intercepts=_numbers(found["intercepts"], len(classes), "intercepts"),
        scales=_numbers(found["scales"], len(classes), "scales"),
        thresholds=_numbers(found["thresholds"], len(classes), "thresholds"),
        starts=starts,
        which=which,
        weights=weights,
        training=found["training"],
        sha256=found.get("sha256", ""),
    )


def _numbers(value: object, count: int, where: str) -> Tuple[float, ...]:
    if not isinstance(value, list) or len(value) != count:
        raise ModelError(f"is not a list of {count} numbers", where=where)
    if not all(type(one) in (int, float) and math.isfinite(one) for one in value):
        raise ModelError("holds something that is not a finite number", where=where)
    return tuple(map(float, value))


def _postings(text: object, classes: int) -> Tuple[Sequence[int], bytes, Sequence[int]]:
    try:
        inflater = zlib.decompressobj()
        raw = inflater.decompress(base64.b64decode(str(text), validate=True), BUCKETS + 2 * MAX_ENTRIES)
    except (binascii.Error, zlib.error, ValueError) as error:
        raise ModelError("is not base64 of deflate", where="postings") from error
    counts = raw[:BUCKETS]
    entries = sum(counts)
    if len(counts) != BUCKETS or len(raw) != BUCKETS + 2 * entries or inflater.unconsumed_tail:
        raise ModelError("has not the length that its counts say", where="postings")
    which = raw[BUCKETS : BUCKETS + entries]
    if entries and max(which) >= classes:
        raise ModelError("speaks of a class that is not there", where="postings")
    starts = array("l", [0])
    for count in counts:
        starts.append(starts[-1] + count)
    weights = array("b")
    weights.frombytes(raw[BUCKETS + entries :])
    return starts, which, weights


def _verify(model: NameModel, golden: object) -> None:
    """Raises ModelError when a golden name does not give what the trainer gave."""
    if not isinstance(golden, list) or not golden:
        raise ModelError("is not a list of at least one golden name", where="golden")
    for index, one in enumerate(golden):
        best = model.best(str(one["name"]), str(one["parent"])) if isinstance(one, dict) and len(one) == 4 else None
        if best is None or best.data_class != one["class"] or abs(best.margin - one["margin"]) > TOLERANCE:
            raise ModelError(f"gives {best!r}", where=f"golden[{index}]")


@lru_cache(maxsize=1)
def default_model() -> NameModel:
    """Return the model that ships beside this module; read once."""
    raw = pkgutil.get_data("apisec.classification.names", "model.json")
    if raw is None:
        raise ModelError("core/apisec/classification/names/model.json is missing; install apisec anew")
    return parse_model(raw.decode("utf-8"))
