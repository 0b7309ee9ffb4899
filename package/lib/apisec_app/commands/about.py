"""``apisecabout``: what runs here: the app, its Python, its model and whether that gives what it must; or what is kept.

The selfcheck reads it. It runs on the search head, in the same Python as the other commands.
"""

from __future__ import annotations

import platform
import time
from collections.abc import Iterator
from typing import Any, Dict, List, NamedTuple

from splunklib.binding import HTTPError
from splunklib.searchcommands import Configuration, GeneratingCommand, Option, validators

import apisec
from apisec.abuse import artefact
from apisec.errors import DocumentError, ModelError
from apisec.model.event import SCHEMA_VERSION

from .. import kvstore
from ..detection.models import OwnModels
from ..kvstore import Collection, Document

DIGEST_CHARS = 12
SHIPPED = "as the app ships it"
HIDDEN = "not yours to read: roles apisec_analyst and apisec_admin are"


class Kept(NamedTuple):
    """What a collection holds; ``needed`` that there should be some, ``fresh`` that the last should be of today."""

    noun: str
    needed: bool = False
    fresh: bool = False


COLLECTIONS: Dict[str, Kept] = {
    kvstore.INVENTORY: Kept("operations, updated ", True, True),
    kvstore.WINDOWS: Kept("windows, the last one ended ", True, True),
    kvstore.DELTAS: Kept("parts"),
    kvstore.ARCHIVE: Kept("operations"),
    kvstore.PATHS: Kept("services"),
    kvstore.SPECS: Kept("documents"),
    "apisec_path_pins": Kept("words"),
    "apisec_changes": Kept("services"),
    kvstore.TEAMS: Kept("teams"),
    "apisec_overrides": Kept("overrides"),
    "apisec_bundles": Kept("documents"),
    kvstore.CAMPAIGNS: Kept("open campaigns"),
    kvstore.PROFILES: Kept("versions of documents"),
    kvstore.DETECTION_WINDOWS: Kept("windows, the last one ended ", True, True),
    kvstore.EXCEPTIONS: Kept("exceptions"),
    kvstore.DISPOSITIONS: Kept("dispositions"),
    kvstore.PATTERNS: Kept("patterns"),
}
_WINDOWS = (kvstore.WINDOWS, kvstore.DETECTION_WINDOWS)
_FIELDS = ("_key", "kind", "updated", "start", "end", "done")
_OF_PATTERNS = (*_FIELDS, "pushed", "state", "error")


def about(service: Any = None) -> Dict[str, Any]:
    """The row; ``model_state`` is "verified", or what is wrong with the models that ship or were given."""
    row: Dict[str, Any] = {
        "app_version": apisec.__version__,
        "python_version": platform.python_version(),
        "event_schema": SCHEMA_VERSION,
        "model_version": artefact.VERSION,
        "model": "",
        "model_of": SHIPPED,
        "model_state": "verified",
    }
    try:
        document = artefact.shipped()
        row["model"] = str(document.get("sha256", ""))[:DIGEST_CHARS]
        artefact.check(document)  # its digest and its golden vectors
    except ModelError as error:
        row["model_state"] = str(error)
        return row
    return {**row, **_own(service)} if service is not None else row


def _own(service: Any) -> Dict[str, Any]:
    """Return what own models change of the row, as far as the search's user may read them."""
    try:
        own = OwnModels(service).held(time.time())
    except HTTPError as error:
        return {"model_of": HIDDEN if error.status in (403, 404) else f"splunkd answered {error.status}"}
    except DocumentError as error:
        return {"model_state": str(error)}
    if own is None:
        return {}
    if own.problem:
        return {"model_state": f"the own models of {own.by} are not used: {own.problem}"}
    found = str(own.document["sha256"])[:DIGEST_CHARS]
    return {"model": found, "model_of": f"given by {own.by}, signed by {own.key}"}


def kept(service: Any) -> List[Dict[str, Any]]:
    """One row for each collection, as far as the search's user may read it."""
    rows = []
    for name, about_it in COLLECTIONS.items():
        row: Dict[str, Any] = {"collection": name, "noun": about_it.noun, "unread": ""}
        row.update(needed=int(about_it.needed), fresh=int(about_it.fresh))
        try:
            fields = _OF_PATTERNS if name == kvstore.PATTERNS else _FIELDS
            documents = Collection(service, name).load(fields=fields)
        except HTTPError as error:
            row["unread"] = HIDDEN if error.status in (403, 404) else f"splunkd answered {error.status}"
            documents = []
        rows.append({**row, **_figures(name, documents)})
    return rows


def _figures(name: str, documents: List[Document]) -> Dict[str, Any]:
    """Return number and age of documents; of windows how many are open, of patterns what became of the last."""
    if name == kvstore.SPECS:
        documents = [one for one in documents if one.get("kind") == "spec"]
    if name in _WINDOWS:
        documents = [one for one in documents if one.get("start") is not None]
    times = [float(one.get("end") or one.get("updated") or 0) for one in documents]
    pushed = sorted(documents, key=lambda one: float(one.get("pushed") or 0)) if name == kvstore.PATTERNS else []
    return {
        "documents": len(documents),
        "last": max(times, default=None),
        "unfinished": sum(one.get("done") != 1 for one in documents) if name in _WINDOWS else 0,
        "state": pushed[-1].get("state") if pushed else "",
        "error": pushed[-1].get("error") if pushed else "",
    }


@Configuration(type="reporting")
class ApisecAboutCommand(GeneratingCommand):  # type: ignore[misc]
    """
    ##Syntax
    apisecabout (collections=<bool>)?

    ##Description
    Gives one row: the versions of the app, of its Python and of its model; or one row for each collection.

    ##Example
    | apisecabout
    """

    collections = Option(
        doc="**Syntax:** collections=<bool> **Description:** One row for each collection. Default: false.",
        default=False,
        validate=validators.Boolean(),
    )

    def generate(self) -> Iterator[Dict[str, Any]]:
        if not self.collections:
            yield about(self.service)
            return
        if self.service is None:
            raise ValueError("apisecabout needs the session of its search to read collections: run it in Splunk")
        yield from kept(self.service)
