"""What the paths of each service look like: one document a service, learned window by window like the inventory.

The decisions (which segments are parameters) that count for a window are those of the windows before it. So a window
that is done again gives operations the same names as the first time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Dict, List, Optional, Tuple

from apisec.endpoints.learning import PathModel

from ..kvstore import Collection, Document
from ..pins import PathPins

VERSION = 1
KIND = "paths"
MIN_REQUESTS = 500  # of a service before its operations get learned names: fewer teach too little


def requests_of(model: PathModel, service: str) -> int:
    """Return how many requests of a service a model has learned from."""
    paths = model.services.get(service)
    return int(paths.whole().trie.root.count) if paths is not None else 0


def names(model: PathModel) -> Callable[[str, str], str]:
    """Return what gives operations the names that a model decided on; others keep theirs."""
    ready: Dict[str, bool] = {}

    def rename(service: str, operation: str) -> str:
        if service not in ready:
            ready[service] = requests_of(model, service) >= MIN_REQUESTS
        return model.rename(service, operation) if ready[service] else operation

    return rename


def deltas(new: PathModel, end: float, now: float) -> Iterator[Document]:
    """Yield what a window taught of each service as a document."""
    for part in new.split():
        (service,) = part.services
        yield {
            "_key": f"{end:.0f}|{KIND}|{service}",
            "version": VERSION,
            "kind": KIND,
            "end": end,
            "noted": now,
            "of": service,
            "service": service,
            "state": part.to_state(),
        }


class Paths:
    """The documents of services' paths, and the deltas on their way."""

    def __init__(self, collection: Collection, noted: Collection, pins: PathPins) -> None:
        self._collection = collection
        self._noted = noted
        self._pins = pins

    def load(self, now: float, end: float, services: Optional[Iterable[str]] = None) -> PathModel:
        """Return the model with the decisions that follow from what it holds, and from what was said up to ``end``.

        It is of all services, or of these alone.

        What is said later counts in later windows, so that one that is done again has the same names.
        """
        model = PathModel()
        known = self._collection.load() if services is None else self._collection.find(sorted(set(services)))
        for document in known:
            model.merge(PathModel.from_state(str(document["state"])))
        self._follow(model, end)
        model.decide(now)
        return model

    def _follow(self, model: PathModel, end: float) -> None:
        """Make a model follow what people said of its paths up to the end of a window."""
        for service, said in self._pins.load(model.services).items():
            said.apply(model.services[service].registry, end)

    def settle(self, now: float) -> Iterator[Tuple[str, List[Dict[str, Any]]]]:
        """Merge deltas that documents do not hold yet, decide anew; yield services and what became of their paths.

        The document is written when the next one is asked for.
        """
        waiting: Dict[str, List[Document]] = {}
        for head in self._noted.load({"kind": KIND}, fields=("_key", "end", "of")):
            waiting.setdefault(str(head["of"]), []).append(head)
        held = {str(d["_key"]): d for d in self._collection.find(sorted(waiting))}
        for service, heads in sorted(waiting.items()):
            before = held.get(service)
            through = float(before["through"]) if before else 0.0
            newer = sorted((float(d["end"]), str(d["_key"])) for d in heads if float(d["end"]) > through)
            if newer:
                model = PathModel()
                if before:
                    model.merge(PathModel.from_state(str(before["state"])))
                for part in self._noted.find([key for _, key in newer]):
                    model.merge(PathModel.from_state(str(part["state"])))
                self._follow(model, newer[-1][0])
                yield service, [change.row() for change in model.decide(newer[-1][0]).get(service, [])]
                model.settle()
                self._save(service, model, newer[-1][0], now)

    def _save(self, service: str, model: PathModel, end: float, now: float) -> None:
        document = {"_key": service, "version": VERSION, "service": service, "through": end, "updated": now}
        operations = len(model.operations(service))
        self._collection.save([{**document, "operations": operations, "state": model.to_state()}])
