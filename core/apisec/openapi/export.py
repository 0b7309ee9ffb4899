"""What was discovered, written down as OpenAPI 3.1: paths, parameters, bodies, answers, credentials, data classes.

What traffic cannot tell is not claimed: a field is required when every message had it and there were enough of them, a
format holds for nearly all values, an enumeration lists only values that many principals share.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping
from typing import Dict, Iterable, List, Optional, Set, Tuple

from apisec.endpoints.inventory import Inventory, OperationStats
from apisec.endpoints.inventory.messages import JSON, Message
from apisec.endpoints.inventory.tally import OTHER, names
from apisec.openapi.schemas import Schema, always, body_schema, schema_of

OPENAPI = "3.1.0"
METHODS = frozenset(("get", "put", "post", "delete", "options", "head", "patch", "trace"))
# OpenAPI 3.1, 4.8.12.1: parameters of these names are ignored, for media types and security schemes describe them.
_IGNORED_HEADERS = frozenset(("accept", "content-type", "authorization"))
_BRACES = re.compile(r"\{([^{}]*)\}")
_ODD = re.compile(r"[{}?#]")  # of a path's words: what OpenAPI would read as something else
_NOT_A_KEY = re.compile(r"[^a-zA-Z0-9._-]+")

# auth of an event: the name of the scheme, and how OpenAPI describes it.
SCHEMES: Dict[str, Schema] = {
    "basic": {"type": "http", "scheme": "basic"},
    "bearer": {"type": "http", "scheme": "bearer"},
    "digest": {"type": "http", "scheme": "digest"},
    "api_key": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
    "cookie": {"type": "apiKey", "in": "cookie", "name": "session"},
    "mtls": {"type": "mutualTLS"},
    "hmac": {"type": "apiKey", "in": "header", "name": "Signature", "description": "A signature over the message."},
    "gateway": {"type": "apiKey", "in": "header", "name": "Authorization", "description": "Checked by the gateway."},
}
_CREDENTIAL_CLASS = {"api_key": "secret.api_key", "cookie": "secret.session"}


def documents(inventory: Inventory, now: float) -> Dict[str, Schema]:
    """Return one OpenAPI document for each service; ``now`` is when, seconds since the epoch."""
    services: Dict[str, Dict[str, OperationStats]] = {}
    for (service, operation), stats in inventory.items():
        services.setdefault(service, {})[operation] = stats
    return {service: document(service, operations, now) for service, operations in sorted(services.items())}


def document(service: str, operations: Mapping[str, OperationStats], now: float) -> Schema:
    """Return the OpenAPI document of one service; operations whose method OpenAPI does not know are listed by name."""
    paths: Dict[str, Schema] = {}
    schemes: Dict[str, Schema] = {}
    left_out: List[str] = []
    taken: Dict[str, str] = {}  # templates by their shape: /a/{x} and /a/{y} are one to OpenAPI
    identifiers: Set[str] = set()
    for name, stats in sorted(operations.items()):
        method, _, template = name.partition(" ")
        path, renamed = _unique_parameters(template)
        shape = _BRACES.sub("{}", path)
        if method.lower() not in METHODS or not path.startswith("/") or taken.setdefault(shape, path) != path:
            left_out.append(name)
            continue
        identifier = _unique(_NOT_A_KEY.sub("_", name).strip("_"), identifiers)
        paths.setdefault(path, {})[method.lower()] = _operation(identifier, stats, renamed, schemes)
    made: Schema = {
        "openapi": OPENAPI,
        "info": {
            "title": service or "unassigned",
            "version": "discovered",
            "description": "Discovered from traffic by apisec: what was seen, not what was promised.",
            "x-apisec-exported": _time(now),
        },
        "servers": [{"url": url} for url in _servers(operations.values())],
        "paths": paths,
    }
    if schemes:
        made["components"] = {"securitySchemes": {key: schemes[key] for key in sorted(schemes)}}
    if left_out:
        made["x-apisec-left-out"] = left_out
    return made


def _unique(wanted: str, taken: Set[str]) -> str:
    """Return an id that no other operation has: /a/b and /a/{b} would have one."""
    name, count = wanted, 1
    while name in taken:
        count += 1
        name = f"{wanted}_{count}"
    taken.add(name)
    return name


def _servers(operations: Iterable[OperationStats]) -> List[str]:
    counts: Dict[str, int] = {}
    for stats in operations:
        for url, times in stats.servers.items():
            if url != OTHER:
                counts[url] = counts.get(url, 0) + times
    return sorted(counts, key=lambda url: (-counts[url], url))[:16] or ["/"]


def _unique_parameters(template: str) -> Tuple[str, Dict[str, List[str]]]:
    """Return the template with no parameter's name twice and no odd character in its words, and the new names."""
    used: Dict[str, int] = {}
    renamed: Dict[str, List[str]] = {}
    parts = []
    for index, part in enumerate(_BRACES.split(template)):
        if index % 2 == 0:
            parts.append(_ODD.sub(lambda found: f"%{ord(found.group()):02X}", part))
            continue
        old = part or "value"
        used[old] = used.get(old, 0) + 1
        new = old if used[old] == 1 else f"{old}_{used[old]}"
        renamed.setdefault(old, []).append(new)
        parts.append("{" + new + "}")
    return "".join(parts), renamed


def _operation(
    identifier: str, stats: OperationStats, renamed: Mapping[str, List[str]], schemes: Dict[str, Schema]
) -> Schema:
    made: Schema = {"operationId": identifier, "responses": _responses(stats)}
    parameters = _parameters(stats, renamed)
    if parameters:
        made["parameters"] = parameters
    body = _request_body(stats.request)
    if body:
        made["requestBody"] = body
    made["security"] = _security(stats, schemes)
    made["x-apisec-volume"] = {
        "count": stats.count,
        "principals": stats.principals.estimate(),
        "first-seen": _time(stats.first_seen),
        "last-seen": _time(stats.last_seen),
    }
    classes = names(stats.classes)
    if classes:
        made["x-apisec-classes"] = classes
    versions = [version for version, _ in stats.timing.named_versions() if version != OTHER]
    if versions:
        made["x-apisec-versions"] = versions
    return made


def _time(seconds: float) -> str:
    try:
        moment = datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc)
    except (OverflowError, ValueError, OSError):
        return ""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _parameters(stats: OperationStats, renamed: Mapping[str, List[str]]) -> List[Schema]:
    message = stats.request
    made: List[Schema] = []
    fields = message.fields.stats
    for old, new in renamed.items():
        key = ("path", old)
        for name in new:
            schema = schema_of(fields.get(key), message.shapes.get(key)) or {"type": "string"}
            schema.pop("x-apisec-presence", None)
            made.append({"name": name, "in": "path", "required": True, "schema": schema})
    for (location, path), field in message.fields.items():
        # a credential is a security scheme, and a claim inside of one is no parameter
        if location not in ("query", "header", "cookie") or (location == "header" and path.lower() in _IGNORED_HEADERS):
            continue
        if ".claims." in path or any(one.startswith("secret.") for one in field.classes):
            continue
        schema = schema_of(field, message.shapes.get((location, path))) or {"type": "string"}
        made.append({"name": path, "in": location, "required": always(field.present, message.count), "schema": schema})
    return _without_repeats(made)


def _without_repeats(parameters: List[Schema]) -> List[Schema]:
    """Names of headers do not differ by case."""
    seen = set()
    kept = []
    for parameter in parameters:
        key = (parameter["in"], parameter["name"].lower() if parameter["in"] == "header" else parameter["name"])
        if key not in seen and parameter["name"]:
            seen.add(key)
            kept.append(parameter)
    return kept


def _request_body(message: Message) -> Optional[Schema]:
    schema = body_schema(message)
    if schema is None:
        return None
    media = names(message.media) or [JSON]
    return {"content": {name: {"schema": schema} for name in media}}


def _responses(stats: OperationStats) -> Dict[str, Schema]:
    made: Dict[str, Schema] = {}
    for status, message in sorted(stats.responses.items()):
        key = "default" if status == OTHER else status if re.fullmatch(r"[1-5]\d\d", status) else ""
        if not key:
            continue
        response: Schema = {"description": f"Seen {message.count} times."}
        schema = body_schema(message)
        media = names(message.media) or ([JSON] if schema else [])
        if media:
            response["content"] = {name: {"schema": schema} if schema else {} for name in media}
        headers = _headers(message)
        if headers:
            response["headers"] = headers
        made[key] = response
    return made or {"default": {"description": "No answer was seen."}}


def _headers(message: Message) -> Dict[str, Schema]:
    return {
        path: {"schema": schema_of(field, None) or {"type": "string"}}
        for (location, path), field in message.fields.items()
        if location == "header" and path and path.lower() not in _IGNORED_HEADERS and ".claims." not in path
    }


def _security(stats: OperationStats, schemes: Dict[str, Schema]) -> List[Schema]:
    """Return the credentials that were seen as alternatives; the empty one when the operation answered without any."""
    made: List[Schema] = []
    for auth in stats.auth_seen():
        if auth == "none" or auth == OTHER:
            continue
        key, scheme = _scheme(auth, stats)
        schemes.setdefault(key, scheme)
        made.append({key: []})
    if stats.open or not made:
        made.append({})
    return made


def _scheme(auth: str, stats: OperationStats) -> Tuple[str, Schema]:
    """Return a key and a scheme; a credential's own header, cookie or parameter where the fields name it."""
    scheme = dict(SCHEMES.get(auth, {"type": "apiKey", "in": "header", "name": "Authorization"}))
    wanted = _CREDENTIAL_CLASS.get(auth)
    if not wanted:
        return _NOT_A_KEY.sub("_", auth), scheme
    for (location, path), field in stats.request.fields.items():
        place = location in ("header", "query", "cookie") and (location == "cookie") == (auth == "cookie")
        if place and any(one == wanted or one.startswith(wanted + ".") for one in field.classes):
            scheme.update({"in": location, "name": path})
            return _NOT_A_KEY.sub("_", f"{auth}_{path}"), scheme
    return auth, scheme
