"""What paths of services say about their templates: counted where events are, merged, decided, and named.

model = PathModel()
model.add_event(event)                       # on forwarders or indexers
model.merge(other)                           # in any order; a named source counts once, however often it comes
model.decide(now)                            # grows the trees; returns merges and splits
model.rename("shop", "GET /users/alice")     # "GET /users/{user_id}"
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Dict, List, Optional, Tuple
from urllib.parse import unquote

from apisec.baselines.values import mappings, text, texts, whole
from apisec.endpoints.learning.answers import fingerprint
from apisec.endpoints.learning.known import KnownIds
from apisec.endpoints.learning.registry import Change, Registry
from apisec.endpoints.learning.tree import Branch, Grower, Pins, Resolved, Skeleton, resolve, templates
from apisec.endpoints.learning.trie import MAX_SHARED_ANSWERS, NO_ANSWER, Trie
from apisec.endpoints.templating import segments_of, shape_of
from apisec.errors import DocumentError

STATE_VERSION = 1
MAX_SERVICES = 1_000
MAX_SOURCES = 64  # that a service learns from; settle() makes room
MAX_FIELDS = 200  # of an answer
MAX_PATH = 4_096  # characters
TELLING = frozenset((402, 409, 422, 423, 429))  # of the 4xx: somebody knew the path

Operation = Tuple[str, Skeleton]


class Part:
    """What one source saw of a service."""

    __slots__ = ("known", "trie")

    def __init__(self) -> None:
        self.trie = Trie()
        self.known = KnownIds()

    def merge(self, other: Part) -> None:
        self.trie.merge(other.trie)
        self.known.merge(other.known)


class ServicePaths:
    """One service: its parts by source, the tree decided last, and its operations' ids and history."""

    def __init__(self, service: str) -> None:
        self.parts: Dict[str, Part] = {}
        self.registry = Registry(service)
        self.tree: Optional[Branch] = None

    def part(self, source: str) -> Part:
        found = self.parts.get(source)
        if found is None:
            if len(self.parts) >= MAX_SOURCES:
                self.settle()
            found = self.parts[source] = Part()
        return found

    def whole(self) -> Part:
        """Return all that all sources saw."""
        if len(self.parts) == 1:
            return next(iter(self.parts.values()))
        total = Part()
        for _, part in sorted(self.parts.items()):
            total.merge(part)
        return total

    def settle(self) -> None:
        """Count all sources as one, which is added to ever after."""
        self.parts = {"": self.whole()}

    def merge(self, other: ServicePaths) -> None:
        for source, part in other.parts.items():
            mine = self.parts.get(source)
            if source and mine is not None:
                if part.trie.root.count > mine.trie.root.count:  # a later state of the same source
                    self.parts[source] = _copy(part)
            else:
                self.part(source).merge(part)
        if other.registry.records and not self.registry.records:
            self.registry = Registry.from_state(self.registry.service, other.registry.to_state())
            self.tree = None

    def decide(self, now: float, spec: Sequence[str]) -> List[Change]:
        part = self.whole()
        self.tree = Grower(part.trie, self.registry.pins, part.known.__contains__, spec).grow()
        return self.registry.update(self.tree, now)

    def to_state(self) -> Dict[str, Any]:
        parts = {s: {"trie": p.trie.to_state(), "known": p.known.to_state()} for s, p in sorted(self.parts.items())}
        return {"parts": parts, "registry": self.registry.to_state()}

    @classmethod
    def from_state(cls, service: str, state: Mapping[str, Any]) -> ServicePaths:
        found = cls(service)
        found.registry = Registry.from_state(service, state["registry"])
        for source, stored in list(dict(state["parts"]).items())[:MAX_SOURCES]:
            part = found.parts[str(source)] = Part()
            part.trie = Trie.from_state(stored["trie"])
            part.known = KnownIds(stored["known"][:MAX_SHARED_ANSWERS])
        return found


def _copy(part: Part) -> Part:
    fresh = Part()
    fresh.merge(part)
    return fresh


class PathModel:
    """Paths of all services. ``source`` names who counts here; the counts of nameless ones are added up at merges."""

    def __init__(self, source: str = "") -> None:
        self.source = source
        self.services: Dict[str, ServicePaths] = {}
        self._answers: Dict[Tuple[str, ...], str] = {}
        self._renamed: Dict[Tuple[str, str], str] = {}

    def _service(self, service: str) -> Optional[ServicePaths]:
        found = self.services.get(service)
        if found is None and len(self.services) < MAX_SERVICES:
            found = self.services[service] = ServicePaths(service)
        return found

    def add(
        self, service: str, method: str, segments: Sequence[str], answer: str = NO_ANSWER, ids: Iterable[str] = ()
    ) -> None:
        """Count a request; ``segments`` are decoded and redacted, ``ids`` values that it named outside of its path."""
        paths = self._service(service)
        if paths is None:
            return
        part = paths.parts.get(self.source) or paths.part(self.source)
        part.trie.add(method, segments, answer)
        for value in ids:
            if not shape_of(value):  # what its shape tells needs no other hint
                part.known.add(value)

    def add_event(self, event: Mapping[str, Any]) -> None:
        """Count an event of the schema; one whose answer does not say that the path exists is left out."""
        status = whole(event.get("status"))
        path = text(event.get("uri_path"), MAX_PATH + 1)
        refused = status == 0 or (400 <= status < 500 and status not in TELLING)
        if refused or not path or len(path) > MAX_PATH or event.get("action") == "blocked":
            return
        answer = self._answer(event.get("response_fields")) if status < 400 else NO_ANSWER
        segments = path_segments(path)
        stated = event.get("object_ids")
        named = [pair.partition("=")[2] for pair in texts(stated)] if stated else ()
        ids = [value for value in named if value and value not in segments]
        self.add(text(event.get("service")), text(event.get("http_method"), 32), segments, answer, ids)

    def _answer(self, fields: Any) -> str:
        """Return the fingerprint of an event's fields, most of which have been seen together before."""
        try:
            paths = tuple([field["path"] for field in fields[:MAX_FIELDS] if field["in"] == "body"])
            found = self._answers.get(paths)
        except (KeyError, TypeError):
            paths, found = (), None
        if found is None:
            told = [text(f.get("path")) for f in mappings(fields, MAX_FIELDS) if f.get("in") == "body"]
            if len(self._answers) > MAX_SHARED_ANSWERS:
                self._answers.clear()
            found = fingerprint(told)
            if paths:
                self._answers[paths] = found
        return found

    def merge(self, other: PathModel) -> None:
        """Add what another model counted: commutative, associative, and idempotent for named sources."""
        for service, paths in other.services.items():
            mine = self._service(service)
            if mine is not None:
                mine.merge(paths)
        self._renamed.clear()

    def settle(self) -> None:
        """Count all sources as one: call it once what was merged is stored, or sources pile up."""
        for paths in self.services.values():
            paths.settle()

    def decide(self, now: float, specs: Optional[Mapping[str, Sequence[str]]] = None) -> Dict[str, List[Change]]:
        """Decide what is a parameter, by the templates of ``specs`` (by service) first; return merges and splits."""
        self._renamed.clear()
        known = specs or {}
        return {service: paths.decide(now, known.get(service, ())) for service, paths in sorted(self.services.items())}

    def resolve(self, service: str, segments: Sequence[str]) -> Resolved:
        """Return the template of a path by the last decision; by shape for what is not known."""
        paths = self.services.get(service)
        return resolve(paths.tree if paths and paths.tree else Branch(), segments)

    def rename(self, service: str, operation: str) -> str:
        """Return the operation that a stamped one (``GET /users/alice``) is by the last decision, often itself."""
        key = (service, operation)
        found = self._renamed.get(key)
        if found is None:
            if len(self._renamed) > MAX_SHARED_ANSWERS:
                self._renamed.clear()
            found = self._renamed[key] = self._rename(service, operation)
        return found

    def _rename(self, service: str, operation: str) -> str:
        method, _, template = operation.partition(" ")
        stamped = segments_of(template)
        resolved = self.resolve(service, stamped)
        same = all(
            shown == before or (before[:1] == "{" and shown[:1] == "{")
            for shown, before in zip(resolved.segments, stamped)
        )
        return operation if same and len(stamped) == len(resolved.segments) else f"{method} {resolved.template}"

    def operations(self, service: str) -> List[Dict[str, Any]]:
        """Return the decided operations: id, method, template, requests, and why it has the parameters that it has."""
        paths = self.services.get(service)
        if paths is None or paths.tree is None:
            return []
        return [
            {
                "id": paths.registry.id_of(method, skeleton),
                "http_method": method,
                "endpoint": resolve(paths.tree, skeleton).template,
                "evidence": evidence_of(paths.tree, skeleton),
            }
            for method, skeleton in sorted(templates(paths.tree))
        ]

    def split(self) -> List[PathModel]:
        """Return one model for each service: rows of a map phase, or documents of a KV store."""
        found = []
        for service, paths in sorted(self.services.items()):
            one = PathModel(self.source)
            one.services[service] = paths
            found.append(one)
        return found

    def to_state(self) -> str:
        """Return JSON that ``from_state`` reads on another machine. The tree is not in it: decide again."""
        services = {service: paths.to_state() for service, paths in sorted(self.services.items())}
        return json.dumps(
            {"version": STATE_VERSION, "source": self.source, "services": services}, separators=(",", ":")
        )

    @classmethod
    def from_state(cls, state: str) -> PathModel:
        """Raises DocumentError when the state is not one of ``to_state`` or of another version."""
        try:
            document = json.loads(state)
            version = document["version"]
            if version != STATE_VERSION:
                raise DocumentError(
                    f"version {version!r} of the state is not known; learn the paths anew", where="paths"
                )
            model = cls(str(document["source"]))
            for service, stored in list(dict(document["services"]).items())[:MAX_SERVICES]:
                model.services[str(service)] = ServicePaths.from_state(str(service), stored)
        except (KeyError, TypeError, ValueError, IndexError, RecursionError, AttributeError) as error:
            raise DocumentError("not the state of learned paths", where="paths") from error
        return model


def path_segments(path: str) -> List[str]:
    """Return the decoded segments of an event's path, without matrix parameters."""
    plain = [part.partition(";")[0] for part in segments_of(path)]
    return [unquote(part) if "%" in part else part for part in plain]


def evidence_of(tree: Branch, skeleton: Skeleton) -> List[Dict[str, Any]]:
    """Return why each parameter of an operation is one."""
    found: List[Dict[str, Any]] = []
    branch: Optional[Branch] = tree
    for at, segment in enumerate(skeleton):
        if branch is None:
            break
        if segment[:2] != "{}":
            branch = branch.fixed.get(segment)
            continue
        verb = segment[3:]
        known = branch.evidence.get(verb)
        if known is not None:
            row = {"segment": at, "values": known.values, "requests": known.requests}
            found.append({**row, "probability": round(known.probability, 4), "why": list(known.reasons)})
        branch = branch.parameters.get(verb)
    return found


__all__ = ["PathModel", "Pins", "path_segments"]
