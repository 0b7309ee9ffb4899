"""The bodies of one kind of messages against what is documented of them: fields that are there, are not, are others.

What a document does not name is told once, at the outermost object or list that it does not name; so is what no body
has. Sensitive data are told field by field.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from typing import Dict, List, Optional, Set, Tuple

from apisec.endpoints.inventory.fields import FieldStats
from apisec.endpoints.inventory.messages import JSON
from apisec.endpoints.inventory.tally import OTHER, names
from apisec.openapi.difference import Difference, Limits, Side
from apisec.openapi.drift import INFO, LOW, graded_by_data, is_sensitive
from apisec.openapi.expected import Found, Piece, Schemas, types

MAX_NAMED = 5  # fields that a reason names


class BodyComparison:
    """One side. ``several``: its path stands for operations that bodies name, of which no document can say much."""

    def __init__(self, schemas: Schemas, side: Side, limits: Limits, *, several: bool = False) -> None:
        self._schemas = schemas
        self._side = side
        self._limits = limits
        self._several = several
        self._known: Dict[str, Found] = {}

    def run(self) -> Iterator[Difference]:
        if self._side.content.media is None:
            return
        items = self._side.message.fields.items()
        seen = {path: stats for (location, path), stats in items if location == "body"}
        unknown: Dict[str, List[Tuple[str, FieldStats]]] = {}
        for path, stats in seen.items():
            found = self._found(path)
            if found.pieces:
                yield from () if self._several else self._type(path, stats, found)
            elif self._is_sensitive(stats):
                yield self._sensitive(path, stats, found)
            elif not found.open and not self._several:
                unknown.setdefault(self._outermost(path), []).append((path, stats))
        yield from self._undocumented(unknown)
        if seen and not self._several:
            yield from self._absent(seen, max(stats.present for stats in seen.values()))

    def _found(self, path: str) -> Found:
        """Return what the schemas of all media types say of a path."""
        known = self._known.get(path)
        if known is None:
            pieces: List[Piece] = []
            anything = False
            for schema in self._side.content.schemas:
                found = self._schemas.find(schema, path)
                pieces += found.pieces
                anything = anything or found.open
            known = self._known[path] = Found(tuple(pieces), anything)
        return known

    def _outermost(self, path: str) -> str:
        """Return the outermost object, list or field on the way to a path that the document does not name."""
        for prefix in prefixes(path):
            found = self._found(prefix)
            if not found.pieces and not found.open:
                return prefix
        return path

    # What is there and not documented

    def _is_sensitive(self, stats: FieldStats) -> bool:
        return is_sensitive(names(stats.classes)) and stats.present >= self._limits.min_sensitive

    def _sensitive(self, path: str, stats: FieldStats, found: Found) -> Difference:
        side, classes = self._side, names(stats.classes)
        text = f"{path} is in {stats.present} of {side.message.count} {side.where} and not documented"
        text += f"; it carries {', '.join(classes)}"
        text += " (the document allows anything there)." if found.open else "."
        return Difference(
            "undocumented_sensitive_field", graded_by_data(classes, LOW), text, "body", path, side.status,
            seen=", ".join(names(stats.types)), count=stats.present, messages=side.message.count, classes=classes,
        )  # fmt: skip

    def _undocumented(self, unknown: Mapping[str, List[Tuple[str, FieldStats]]]) -> Iterator[Difference]:
        side, told = self._side, 0
        for top, inside in sorted(unknown.items()):
            present = max(stats.present for _, stats in inside)
            if told >= self._limits.max_fields or not self._limits.counts(present, side.message.count):
                continue
            told += 1
            classes = sorted({name for _, stats in inside for name in names(stats.classes)})
            text = f"{top} is in {present} of {side.message.count} {side.where} and not documented"
            text += _with([path for path, _ in inside], top)
            text += f"; it carries {', '.join(classes)}." if classes else "."
            yield Difference(
                "undocumented_field", graded_by_data(classes, LOW), text, "body", top, side.status,
                seen=_kind(top, inside), count=present, messages=side.message.count, classes=classes,
            )  # fmt: skip

    def _type(self, path: str, stats: FieldStats, found: Found) -> Iterator[Difference]:
        side = self._side
        allowed: Set[str] = set()
        for piece in found.pieces:
            kinds = types(piece)
            if kinds is None:
                return
            allowed |= kinds
        if found.open or not _is_json(side):
            return
        wrong = {kind: n for kind, n in stats.types.items() if kind != OTHER and not _allows(allowed, kind)}
        times = sum(wrong.values())
        if not self._limits.counts(times, stats.present):
            return
        said, kinds_seen = "/".join(sorted(allowed)), "/".join(sorted(wrong))
        text = f"{path} is {kinds_seen} in {times} of {stats.present} {side.where}; the document says {said}."
        severity = INFO if set(wrong) == {"null"} else LOW
        yield Difference(
            "wrong_type", severity, text, "body", path, side.status, said, kinds_seen, count=times,
            messages=stats.present, classes=names(stats.classes),
        )  # fmt: skip

    # What is documented and not there

    def _absent(self, seen: Mapping[str, FieldStats], bodies: int) -> Iterator[Difference]:
        side, limits = self._side, self._limits
        whole = bodies - side.message.partial  # what was cut off may have been there
        if whole < limits.min_messages or side.message.fields.dropped or len(side.content.schemas) != 1:
            return
        ways = {prefix for path in seen for prefix in prefixes(path)}
        lacking: Dict[str, int] = {}
        for leaf in self._schemas.leaves(side.content.schemas[0]):
            if (leaf.write_only if side.status else leaf.read_only) or leaf.path == "":
                continue
            stats = seen.get(leaf.path)
            if stats is not None:
                if leaf.required:
                    present = min(stats.present, whole)
                    yield from limits.lacking("the required field", "body", leaf.path, side.status, present, whole)
                continue
            top = next((one for one in prefixes(leaf.path) if one not in ways), None)
            # A place that holds another thing than the document says was told as a wrong type.
            if top is not None and not any(one in seen for one in prefixes(leaf.path)):
                lacking[top] = lacking.get(top, 0) + 1
        for top, fields in list(lacking.items())[: limits.max_fields]:
            text = f"None of {whole} {side.where} with a body has the documented field."
            if fields > 1:
                text = f"None of {whole} {side.where} with a body has any of the {fields} documented fields there."
            yield Difference("unseen_field", INFO, text, "body", top, side.status, messages=whole)


def prefixes(path: str) -> Iterator[str]:
    """Yield the way to a path: ``a``, ``a.b``, ``a.b[]``, ``a.b[].c``."""
    way = ""
    for part in path.split("."):
        name = part
        while name.endswith("[]"):
            name = name[:-2]
        if name:
            way = f"{way}.{name}" if way else name
            yield way
        for _ in range((len(part) - len(name)) // 2):
            way += "[]"
            yield way


def _with(paths: List[str], top: str) -> str:
    inside = [path[len(top) :].lstrip(".") for path in sorted(paths) if path != top]
    if not inside:
        return ""
    more = f" and {len(inside) - MAX_NAMED} more" if len(inside) > MAX_NAMED else ""
    return f", with {', '.join(inside[:MAX_NAMED])}{more}"


def _kind(top: str, inside: List[Tuple[str, FieldStats]]) -> str:
    """Return what stands at an undocumented place."""
    own: Optional[FieldStats] = next((stats for path, stats in inside if path == top), None)
    kinds = names(own.types) if own else []
    if any(path.startswith(f"{top}[]") for path, _ in inside):
        kinds.append("array")
    if any(path.startswith(f"{top}.") for path, _ in inside):
        kinds.append("object")
    return ", ".join(kinds)


def _allows(allowed: AbstractSet[str], kind: str) -> bool:
    if kind == "integer":
        return bool(allowed & {"integer", "number"})
    return ("string" if kind == "binary" else kind) in allowed


def _is_json(side: Side) -> bool:
    """Return whether types can be told apart: in forms and XML everything is text."""
    listed = names(side.message.media) or list(side.content.media or ())
    return all(name.partition(";")[0].strip().lower().endswith(("json", "*/*")) for name in listed) or listed == [JSON]
