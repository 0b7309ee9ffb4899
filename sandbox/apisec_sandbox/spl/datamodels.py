"""Data models: what an app's ``default/data/models/*.json`` says of datasets, and the searches that it stands for.

Source: Knowledge Manual, "About data models", "Design data models"; Search Reference, "datamodel", "tstats", "from".

A dataset's field is named by where it was defined: ``Web.status``, ``Web.Proxy.kind``. What every event has
(``_time``, ``host``, ``source``, ``sourcetype``) is inherited from BaseEvent and bears no prefix.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from apisec_sandbox.spl.errors import SplError

ROOTS = frozenset(("BaseEvent", "BaseSearch", "BaseTransaction"))
MAX_OBJECTS = 1000
MAX_DEPTH = 32
OBJECT_NAME = re.compile(r"[A-Za-z0-9_]+\Z")
FROM_BASE_EVENT = ("_time", "host", "source", "sourcetype")


@dataclass(frozen=True)
class Calculation:
    """``kind`` is Eval, Rex, Lookup or GeoIP; ``outputs`` are (column of the lookup or part, field)."""

    kind: str
    expression: str
    input: str
    lookup: str
    inputs: tuple[tuple[str, str], ...]  # (column of the lookup, field)
    outputs: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Dataset:
    """One object of a model: what it adds to its parent."""

    name: str
    parent: str
    lineage: str
    constraints: tuple[str, ...]
    base_search: str
    fields: tuple[str, ...]
    calculations: tuple[Calculation, ...]

    @property
    def prefix(self) -> str:
        return self.lineage + "."


@dataclass(frozen=True)
class DataModel:
    name: str
    datasets: dict[str, Dataset] = field(default_factory=dict)  # by name, in the order of the file

    def chain(self, name: str) -> list[Dataset]:
        """Return a dataset's ancestors from the root on, and the dataset."""
        found: list[Dataset] = []
        current: str = name
        while current not in ROOTS:
            found.append(self.datasets[current])
            current = found[-1].parent
        return found[::-1]

    def roots(self) -> list[Dataset]:
        return [one for one in self.datasets.values() if one.parent in ROOTS]

    def below(self, root: Dataset) -> list[Dataset]:
        """Return the root and all datasets that descend from it, parents first."""
        inside = [one for one in self.datasets.values() if self.chain(one.name)[0] is root]
        return sorted(inside, key=lambda one: one.lineage.count("."))

    def find(self, name: str) -> Dataset | None:
        """Find a dataset by its name or by its lineage (``Authentication.Failed_Authentication``)."""
        known = self.datasets.get(name)
        return known or next((one for one in self.datasets.values() if one.lineage == name), None)

    def columns(self, name: str) -> list[tuple[str, str]]:
        """Return (field of the event, full name) of a dataset, inherited ones first."""
        pairs = {name: name for name in FROM_BASE_EVENT}
        for one in self.chain(name):
            for part in one.fields:
                if part not in pairs:
                    pairs[part] = one.prefix + part
        return list(pairs.items())


def load(document: Mapping[str, Any], name: str = "") -> DataModel:
    """Read a model from its JSON.

    Raises:
        SplError: it has no objects, an object without parent, a circle, or a calculation of an unknown kind.
    """
    model = str(document.get("modelName") or name)
    objects = document.get("objects")
    if not isinstance(objects, list) or not objects or len(objects) > MAX_OBJECTS:
        raise SplError(f"Data model '{model}' holds no list of 1 to {MAX_OBJECTS} objects.")
    parents = {str(one.get("objectName")): str(one.get("parentName")) for one in objects}
    datasets: dict[str, Dataset] = {}
    for one in objects:
        own = str(one.get("objectName", ""))
        if not OBJECT_NAME.match(own) or own in datasets:
            raise SplError(f"Data model '{model}' has an object with the malformed or repeated name {own!r}.")
        datasets[own] = _dataset(model, one, own, _lineage(model, own, parents))
    return DataModel(model, datasets)


def _lineage(model: str, name: str, parents: dict[str, str]) -> str:
    parts, current = [name], parents[name]
    while current not in ROOTS:
        if current not in parents or len(parts) > MAX_DEPTH:
            raise SplError(
                f"Data model '{model}': object '{parts[-1]}' has no parent '{current}', or is its own ancestor."
            )
        parts.append(current)
        current = parents[current]
    return ".".join(reversed(parts))


def _dataset(model: str, one: Mapping[str, Any], name: str, lineage: str) -> Dataset:
    parent = str(one.get("parentName"))
    constraints = tuple(str(part.get("search", "")) for part in one.get("constraints", ()) if _own(part, name, lineage))
    calculations = tuple(_calculation(model, part) for part in one.get("calculations", ()) if _own(part, name, lineage))
    fields = [str(part["fieldName"]) for part in one.get("fields", ()) if _own(part, name, lineage)]
    fields += [output for part in calculations for _, output in part.outputs]
    base = str(one.get("baseSearch", ""))
    return Dataset(name, parent, lineage, constraints, base, tuple(dict.fromkeys(fields)), calculations)


def _own(part: Mapping[str, Any], name: str, lineage: str) -> bool:
    """What a listing repeats from an ancestor names that one as its owner."""
    return part.get("owner", name) in (name, lineage, "")


def _calculation(model: str, part: Mapping[str, Any]) -> Calculation:
    kind = str(part.get("calculationType", ""))
    if kind not in ("Eval", "Rex", "Lookup", "GeoIP"):
        raise SplError(f"Data model '{model}' has a calculation of the unknown type {kind!r}.")
    outputs = tuple(
        (str(one.get("lookupOutputFieldName") or one.get("fieldName")), str(one.get("fieldName")))
        for one in part.get("outputFields", ())
    )
    inputs = tuple((str(one.get("lookupField")), str(one.get("inputField"))) for one in part.get("lookupInputs", ()))
    return Calculation(
        kind, str(part.get("expression", "")), str(part.get("inputField", "")), str(part.get("lookupName", "")),
        inputs, outputs,
    )  # fmt: skip


def quoted(name: str) -> str:
    """A name in double quotes, as an argument of a command."""
    escaped = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def source_search(model: DataModel, root: Dataset) -> str:
    """Return the search that brings a root dataset's events.

    Raises:
        SplError: a root transaction.
    """
    if root.parent == "BaseTransaction":
        raise SplError(f"Dataset '{root.name}' of data model '{model.name}' is a transaction: this stand-in runs none.")
    if root.parent == "BaseSearch":
        return root.base_search
    return "search " + (" ".join(f"({part})" for part in root.constraints if part.strip()) or "*")


def steps(one: Dataset) -> list[str]:
    """Return the commands that compute a dataset's calculated fields."""
    return [text for part in one.calculations if (text := _step(part))]


def _step(part: Calculation) -> str:
    if part.kind == "Eval":
        return "".join(f"eval {quoted(name)}={part.expression}" for _, name in part.outputs[:1])
    if part.kind == "Rex":
        return f"rex field={quoted(part.input)} {quoted(part.expression)}"
    if part.kind == "GeoIP":
        return f"iplocation {quoted(part.input)}"
    keys = ", ".join(f"{quoted(column)} AS {quoted(name)}" for column, name in part.inputs)
    outputs = ", ".join(f"{quoted(column)} AS {quoted(name)}" for column, name in part.outputs)
    return f"lookup {quoted(part.lookup)} {keys} OUTPUT {outputs}"


def condition(one: Dataset) -> str:
    """Return what an event needs to belong to a child dataset, in the syntax of search."""
    return " ".join(f"({part})" for part in one.constraints if part.strip())


def flat_search(model: DataModel, name: str) -> str:
    """Return the whole search that a dataset stands for, with plain names of fields: what ``flat`` shows."""
    chain = model.chain(name)
    parts = [source_search(model, chain[0]), *steps(chain[0])]
    for one in chain[1:]:
        if text := condition(one):
            parts.append(f"search {text}")
        parts += steps(one)
    return " | ".join(parts)
