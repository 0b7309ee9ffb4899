"""The families' models in use: signed ones of one's own where somebody gave them, else those that ship.

Own models lie in the collection ``apisec_bundles``, beside the keys that say whether they count. They are checked when
they are given and again at each use: a key that was revoked since, or an app that reads other models now, and detection
goes on with what ships, and says why.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Dict, Mapping, Optional

from apisec.abuse import artefact
from apisec.abuse.model import Models
from apisec.errors import DocumentError, ModelError

from ..bundles.store import BUNDLES, BundleStore
from ..kvstore import Collection

KEY = KIND = "models"
VERSION = 1


@dataclass(frozen=True)
class Own:
    """An artefact that somebody gave: ``by`` whom, ``at`` seconds since the epoch.

    ``key`` signed it; empty when ``problem`` says why it is not used.
    """

    document: Mapping[str, Any]
    by: str
    at: float
    key: str = ""
    problem: str = ""


class OwnModels:
    """``service`` is connected with splunkd's rights; splunklib's HTTPError passes through."""

    def __init__(self, service: Any) -> None:
        self._collection = Collection(service, BUNDLES)
        self._bundles = BundleStore(self._collection)

    def read(self, text: str, now: float) -> Dict[str, Any]:
        """Return the artefact of a text; ModelError when it is damaged, or signed by nobody who counts here."""
        document = artefact.read(text)
        artefact.check(document)
        self._key(document, now)
        return document

    def save(self, document: Mapping[str, Any], by: str, now: float) -> None:
        """Use an artefact that was read from the next run of detection on."""
        about = {"_key": KEY, "version": VERSION, "kind": KIND, "by": by, "updated": now}
        self._collection.save([{**about, "document": json.dumps(document)}])

    def remove(self) -> None:
        self._collection.delete(KEY)

    def held(self, now: float) -> Optional[Own]:
        """Return what was given, and whether it counts now; None for nothing. Raises nothing for what is damaged."""
        found = self._collection.get(KEY)
        if found is None:
            return None
        by, at = str(found.get("by") or ""), float(found.get("updated") or 0.0)
        try:
            document = artefact.read(str(found.get("document") or ""))
            artefact.check(document)
        except ModelError as error:
            return Own({}, by, at, problem=str(error))
        try:
            return Own(document, by, at, self._key(document, now))
        except (ModelError, DocumentError) as error:
            return Own(document, by, at, problem=str(error))

    def _key(self, document: Mapping[str, Any], now: float) -> str:
        return artefact.signed_by(document, self._bundles.trust(), self._bundles.settings().environment, now)


def models_of(own: Optional[Own]) -> Models:
    """Return the models to use: the own ones where they count. Raises ModelError for a damaged app."""
    if own is None or own.problem:
        return artefact.default_models()
    return artefact.check(own.document)
