"""The OpenAPI 3.1 document of a table of operations, and the same for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Dict, List, Optional

from apisec.http.problem import MEDIA_TYPE, SCHEMA
from apisec.http.table import JSON, Operation, Table

Node = Dict[str, Any]
OPENAPI = "3.1.0"
WHY: Dict[int, str] = {
    304: "The client has the present version (If-None-Match).",
    400: "The request cannot be read: a parameter or the body.",
    401: "No valid session or token.",
    403: "The caller lacks the capability.",
    404: "No such address, or no such thing among what the caller may see.",
    406: "Accept allows none of the media types that there are.",
    409: "Refused.",
    412: "If-Match or If-None-Match does not hold.",
    413: "The body is too large.",
    415: "The body is of another media type.",
    422: "The body, or a parameter that is well formed, is not acceptable; `errors` name the places.",
    428: "The change names no version that it is based on: send If-Match.",
    429: "Too many.",
    502: "Splunk refused what the operation needs of it.",
    503: "Not available now.",
}
_ETAG: Node = {"schema": {"type": "string"}, "description": "names the version; strong"}


@dataclass(frozen=True)
class About:
    """What the document says of the whole API.

    ``always`` are statuses of refusal that every operation for known callers may answer with, ``open_to_all`` those of
    an operation that is for anybody, ``bodies`` those of one that takes a body, ``outside`` those that something before
    the API may answer with, in words of its own.
    """

    title: str
    version: str
    description: str = ""
    servers: Sequence[str] = ()
    security: Mapping[str, Node] = field(default_factory=dict)
    right: str = "capability"
    always: Sequence[int] = (401, 406)
    open_to_all: Sequence[int] = (406,)
    bodies: Sequence[int] = (400, 413, 415, 422)
    outside: Sequence[int] = ()
    etags: bool = True  # GET answers with an ETag, and 304 to the client that has it
    why: Mapping[int, str] = field(default_factory=dict)


def document(table: Table, about: About) -> Node:
    """Return the document."""
    paths: Node = {}
    for operation in table.operations:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(operation, about)
    info: Node = {"title": about.title, "version": about.version}
    if about.description:
        info["description"] = about.description
    made: Node = {"openapi": OPENAPI, "info": info}
    if about.servers:
        made["servers"] = [{"url": url} for url in about.servers]
    made["paths"] = paths
    made["components"] = {
        "schemas": {**table.schemas, "Problem": table.schemas.get("Problem", SCHEMA)},
        "securitySchemes": dict(about.security),
    }
    return made


def _operation(operation: Operation, about: About) -> Node:
    node: Node = {"operationId": operation.name, "summary": operation.summary}
    text = operation.description
    if operation.capability:
        text = f"{text} Needs the {about.right} `{operation.capability}`.".strip()
    if text:
        node["description"] = text
    parameters = [_parameter(one) for one in operation.parameters] + _headers(operation)
    if parameters:
        node["parameters"] = parameters
    if operation.takes is not None:
        schema = {"$ref": f"#/components/schemas/{operation.takes}"}
        content = {media: {"schema": schema} for media in operation.consumes}
        node["requestBody"] = {"required": operation.body_required, "content": content}
    node["responses"] = responses(operation, about)
    node["security"] = [] if operation.capability is None else [{name: []} for name in about.security]
    return node


def _parameter(one: Any) -> Node:
    node: Node = {"name": one.name, "in": one.where, "required": one.required, "schema": dict(one.schema)}
    if one.description:
        node["description"] = one.description
    return node


def _headers(operation: Operation) -> List[Node]:
    if operation.changes and operation.conditional:
        text = "the ETag of the version that the change is based on; `*` for any"
        made = [{"name": "If-Match", "in": "header", "required": False, "schema": {"type": "string"}}]
        made[0]["description"] = text
        if operation.method == "PUT":
            schema = {"type": "string"}
            text = "`*`: only where there is nothing yet"
            made.append(
                {"name": "If-None-Match", "in": "header", "required": False, "schema": schema, "description": text}
            )
        return made
    return []


def statuses(operation: Operation, about: About) -> List[int]:
    """Return the statuses of refusal that an operation may answer with."""
    found = {*operation.errors, *(about.always if operation.capability is not None else about.open_to_all)}
    if operation.capability:
        found.add(403)
    if operation.names_in_path:
        found.add(404)
    if any(one.where == "query" for one in operation.parameters):
        found.add(400)
    if any(one.weighed for one in operation.parameters):
        found.add(422)
    if operation.takes is not None:
        found.update(about.bodies)
    if operation.changes and operation.conditional:
        found |= {412, 428} if operation.match_required else {412}
    return sorted(found)


def responses(operation: Operation, about: About) -> Node:
    """Return the answers of one operation."""
    made: Node = {str(operation.success): _good(operation, "Done.", about)}
    for status, text in operation.also.items():
        made[str(status)] = _good(operation, text, about)
    if operation.method == "GET" and about.etags:
        made["304"] = {"description": WHY[304]}
    problem = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    why = {**WHY, **about.why}
    for status in statuses(operation, about):
        content: Node = {} if status in about.outside else {"content": problem}
        made[str(status)] = {"description": why[status], **content}
    return made


def _good(operation: Operation, text: str, about: About) -> Node:
    good: Node = {"description": text}
    media = operation.produces.partition(";")[0]
    if operation.gives is not None:
        good["content"] = {media: {"schema": {"$ref": f"#/components/schemas/{operation.gives}"}}}
    elif media != JSON:
        good["content"] = {media: {"schema": {"type": "string"}}}
    usual = about.etags and (operation.method == "GET" or operation.conditional) and operation.method != "DELETE"
    if usual if operation.has_etag is None else operation.has_etag:
        good["headers"] = {"ETag": _ETAG}
    return good


def markdown(table: Table, about: About, introduction: str) -> str:
    """Return the reference page: one row an operation, then its parameters."""
    lines = [f"# {about.title}", "", introduction.strip(), ""]
    lines += [f"| method | path | {about.right} | what it does | answers |", "|---|---|---|---|---|"]
    for operation in table.operations:
        answers = ", ".join(sorted(responses(operation, about)))
        right: Optional[str] = f"`{operation.capability}`" if operation.capability else "–"
        lines.append(f"| {operation.method} | `{operation.path}` | {right} | {operation.summary} | {answers} |")
    lines += ["", "## Parameters", "", "| operation | parameter | in | values | meaning |", "|---|---|---|---|---|"]
    for operation in table.operations:
        for one in operation.parameters:
            values = _values(one.schema)
            lines.append(f"| {operation.name} | `{one.name}` | {one.where} | {values} | {one.description} |")
    return "\n".join(lines) + "\n"


def _values(schema: Mapping[str, Any]) -> str:
    if "enum" in schema:
        shown = ", ".join(f"`{one}`" for one in schema["enum"])
    else:
        shown = str(schema.get("type", "string"))
        low, high = schema.get("minimum"), schema.get("maximum")
        if low is not None and high is not None:
            shown += f" {low} to {high}"
        if "pattern" in schema:
            shown += " `" + str(schema["pattern"]).replace("|", "\\|") + "`"
    return f"{shown} (default `{schema['default']}`)" if "default" in schema else shown
