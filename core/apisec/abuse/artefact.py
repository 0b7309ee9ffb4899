"""The models of the families as an artefact: JSON that ``apisec-ml train`` writes, with its proof.

    {"version": 1, "kind": "family_models",
     "families": {"scraping": {"bias": 0.0, "weights": {"records": 0.8}, "slope": 0.9,
                               "knots": [[0.0, -0.3], [4.2, -5.1]]}},
     "training": {…}, "golden": [{"family": "scraping", "features": {"records": 3.5}, "z": 2.8, "p": 4.7e-4}],
     "sha256": "…", "signatures": [{"key": "3f1c…", "signature": "<base64>"}]}

``sha256`` is over the canonical JSON (sorted keys, no spaces, ASCII) of everything but itself and ``signatures``; a
signature (Ed25519) covers the same bytes. What ships is as trustworthy as the app that holds it and needs no
signature; what comes from elsewhere is to be signed by a key that is trusted here (``signed_by``).
"""

from __future__ import annotations

import hashlib
import json
import math
import pkgutil
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Dict, List, Optional, Tuple

from apisec.abuse.base import FAMILIES
from apisec.abuse.model import FamilyModel, Models
from apisec.bundles import ed25519
from apisec.bundles.release import decoded
from apisec.bundles.trust import ANY, Trust
from apisec.errors import DocumentError, ModelError

VERSION = 1
KIND = "family_models"
TOLERANCE = 1e-9  # relative, between this and the trainer, on the golden vectors
MAX_BYTES = 1_000_000
MAX_FEATURES = 64  # of one family
MAX_KNOTS = 256
MAX_GOLDEN = 4096
MAX_SIGNATURES = 16
_KEYS = frozenset(("version", "kind", "families", "training", "golden", "sha256"))
_OPTIONAL = frozenset(("signatures",))
_FAMILY_KEYS = frozenset(("bias", "weights", "knots", "slope"))
_GOLDEN_KEYS = frozenset(("family", "features", "z", "p"))


def covered(document: Mapping[str, Any]) -> bytes:
    """Return the bytes that digest and signatures cover; raises ModelError for what is no JSON."""
    rest = {key: value for key, value in document.items() if key not in ("sha256", "signatures")}
    try:
        text = json.dumps(rest, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise ModelError(f"cannot be digested: {error}") from error
    return text.encode("ascii")


def digest(document: Mapping[str, Any]) -> str:
    return hashlib.sha256(covered(document)).hexdigest()


def document_of(
    families: Mapping[str, FamilyModel], training: Mapping[str, Any], golden: Sequence[Mapping[str, Any]]
) -> Dict[str, Any]:
    """Return the artefact of some models, without signatures."""
    document: Dict[str, Any] = {
        "version": VERSION,
        "kind": KIND,
        "families": {
            name: {
                "bias": model.bias,
                "weights": dict(sorted(model.weights.items())),
                "knots": [list(knot) for knot in model.knots],
                "slope": model.slope,
            }
            for name, model in sorted(families.items())
        },
        "training": dict(training),
        "golden": [dict(one) for one in golden],
    }
    return {**document, "sha256": digest(document)}


def read(text: str) -> Dict[str, Any]:
    """Read an artefact's text, unchecked (``check`` does); raises ModelError."""
    if len(text) > MAX_BYTES:
        raise ModelError(f"is larger than {MAX_BYTES} bytes")
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ModelError(f"is not JSON: {error}") from error
    if not isinstance(document, dict):
        raise ModelError("is not a JSON object")
    return document


def check(document: Mapping[str, Any]) -> Models:
    """Return the models of an artefact; ModelError when it is not one, was changed, or is not read as it was meant."""
    odd = ", ".join(sorted((document.keys() ^ _KEYS) - _OPTIONAL))
    if odd:
        raise ModelError(f"missing or unknown keys: {odd}")
    if document["version"] != VERSION or document["kind"] != KIND:
        raise ModelError(f"this apisec reads {KIND} version {VERSION}; train the models anew", where="version")
    if digest(document) != document["sha256"]:
        raise ModelError("does not fit the content: the artefact was changed", where="sha256")
    if not isinstance(document["training"], Mapping):
        raise ModelError("is not an object", where="training")
    families = document["families"]
    if not isinstance(families, Mapping) or not families.keys() <= set(FAMILIES):
        raise ModelError(f"is not an object of families of this apisec: {', '.join(FAMILIES)}", where="families")
    models = Models({name: _family(entry, f"families.{name}") for name, entry in families.items()})
    _verify(models, document["golden"])
    return models


def _family(entry: Any, where: str) -> FamilyModel:
    if not isinstance(entry, Mapping) or entry.keys() != _FAMILY_KEYS:
        raise ModelError(f"is not an object of {', '.join(sorted(_FAMILY_KEYS))}", where=where)
    weights = entry["weights"]
    if not isinstance(weights, Mapping) or len(weights) > MAX_FEATURES:
        raise ModelError(f"is not an object of at most {MAX_FEATURES} features", where=f"{where}.weights")
    taken = {str(name): _number(value, f"{where}.weights.{name}") for name, value in weights.items()}
    if any(value < 0 for value in taken.values()):
        raise ModelError("holds a negative weight: one evidence would buy off another", where=f"{where}.weights")
    slope = _number(entry["slope"], f"{where}.slope")
    if slope <= 0:
        raise ModelError("is not positive", where=f"{where}.slope")
    return FamilyModel(_number(entry["bias"], f"{where}.bias"), taken, _knots(entry["knots"], f"{where}.knots"), slope)


def _knots(value: Any, where: str) -> Tuple[Tuple[float, float], ...]:
    if not isinstance(value, list) or not 0 < len(value) <= MAX_KNOTS:
        raise ModelError(f"is not a list of 1 to {MAX_KNOTS} knots", where=where)
    knots: List[Tuple[float, float]] = []
    for index, one in enumerate(value):
        at = f"{where}[{index}]"
        if not isinstance(one, list) or len(one) != 2:
            raise ModelError("is not a pair of z and log10 p", where=at)
        knot = (_number(one[0], at), _number(one[1], at))
        if knot[1] > 0 or (knots and (knot[0] <= knots[-1][0] or knot[1] > knots[-1][1])):
            raise ModelError("z has to rise, and log10 p to fall from at most 0", where=at)
        knots.append(knot)
    return tuple(knots)


def _number(value: Any, where: str) -> float:
    if type(value) not in (int, float) or not math.isfinite(value):
        raise ModelError("is not a finite number", where=where)
    return float(value)


def _verify(models: Models, golden: Any) -> None:
    """Raises ModelError when a golden vector does not give what the trainer gave."""
    if not isinstance(golden, list) or not 0 < len(golden) <= MAX_GOLDEN:
        raise ModelError(f"is not a list of 1 to {MAX_GOLDEN} golden vectors", where="golden")
    for index, one in enumerate(golden):
        where = f"golden[{index}]"
        if not isinstance(one, Mapping) or one.keys() != _GOLDEN_KEYS or not isinstance(one["features"], Mapping):
            raise ModelError(f"is not an object of {', '.join(sorted(_GOLDEN_KEYS))}", where=where)
        features = {str(name): _number(value, where) for name, value in one["features"].items()}
        model = models.get(str(one["family"]))
        for found, expected in ((model.z(features), one["z"]), (model.p_value(features), one["p"])):
            if not math.isclose(found, _number(expected, where), rel_tol=TOLERANCE, abs_tol=1e-15):
                raise ModelError(f"gives {found!r}, not {expected!r}", where=where)


def signed_by(document: Mapping[str, Any], trust: Trust, environment: str, now: float) -> str:
    """Return the id of the trusted key that signed the artefact; ModelError that says why no signature counts.

    Models judge the traffic of every team, so the key has to be one that may sign for all teams.
    """
    signatures = document.get("signatures")
    if not isinstance(signatures, list) or not 0 < len(signatures) <= MAX_SIGNATURES:
        raise ModelError("has no signature; sign it with: apisec-ml sign", where="signatures")
    message, why = covered(document), []
    for index, one in enumerate(signatures):
        found = _refusal(one, trust, message, environment, now)
        if found is None:
            return str(one["key"])
        why.append(f"signatures[{index}]: {found}")
    raise ModelError("; ".join(why))


def _refusal(one: Any, trust: Trust, message: bytes, environment: str, now: float) -> Optional[str]:
    """Return why a signature does not count, None when it does."""
    if not isinstance(one, Mapping) or not isinstance(one.get("key"), str):
        return "is not an object of key and signature"
    key = trust.keys.get(one["key"])
    if key is None:
        return f"key {one['key'][:32]} is not trusted here"
    try:
        signature = decoded(str(one.get("signature")), ed25519.SIGNATURE_BYTES)
    except DocumentError as error:
        return str(error)
    if not ed25519.verify(key.public, message, signature):
        return f"the signature of key {key.id} does not fit: the artefact was changed after it was signed"
    return key.refuses((ANY,), environment, now)


def shipped() -> Dict[str, Any]:
    """Return the artefact that ships with apisec (``model.json`` beside this file), unchecked; raises ModelError."""
    data = pkgutil.get_data("apisec.abuse", "model.json")
    if data is None:
        raise ModelError("model.json is missing from apisec.abuse; install apisec again")
    return read(data.decode("utf-8"))


@lru_cache(maxsize=1)
def default_models() -> Models:
    """Return the models that ship with apisec; raises ModelError."""
    return check(shipped())


def parse_models(text: str) -> Models:
    """Return the models of an artefact's text; ModelError names what is wrong and where."""
    return check(read(text))
