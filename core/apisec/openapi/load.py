"""Reading OpenAPI 2.0, 3.0 and 3.1. The caller parses JSON or YAML; documents are hostile.

What is wrong in a way that leaves the rest readable (a reference to nothing, a parameter without a name) is a warning;
what leaves nothing to compare with is a DocumentError. Both name the place by its JSON pointer.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Dict, List, Optional, Tuple

from apisec.errors import DocumentError, LimitExceeded
from apisec.openapi.model import (
    METHODS,
    Content,
    Node,
    Parameter,
    Spec,
    SpecOperation,
    followed,
    members,
    pointer,
    resolve,
)  # fmt: skip
from apisec.openapi.paths import base_paths
from apisec.openapi.walk import references

MAX_OPERATIONS = 5_000
MAX_PARAMETERS = 256  # of an operation
MAX_RESPONSES = 64
MAX_MEDIA = 32
MAX_WARNINGS = 100
_LOCATIONS = ("path", "query", "header", "cookie")
_STATUS = re.compile(r"[1-5](?:\d\d|XX)|DEFAULT")


def load(document: Any, where: str = "OpenAPI document") -> Spec:
    """Return the operations of a document. Raises DocumentError and LimitExceeded, which name the place."""
    if not isinstance(document, Mapping):
        raise DocumentError("is not an object", where=where)
    found = _format(document, where)
    named = references(document, where)
    reader = _Reader(document, found, where)
    for reference, count in named.items():
        if not reference.startswith("#"):
            reader.warn("#", f"{reference} is in another document ({count} times): bundle the parts into one")
        elif resolve(document, reference) is None:
            reader.warn("#", f"{reference} names nothing ({count} times)")
    info = members(document.get("info"))
    operations = tuple(reader.operations())
    title, version = (str(info.get(name) or "")[:200] for name in ("title", "version"))
    return Spec(title, version, found, operations, document, tuple(reader.warnings))


def _format(document: Node, where: str) -> str:
    if "swagger" in document:
        if str(document["swagger"]) in ("2.0", "2"):
            return "2.0"
        raise DocumentError(f"version {document['swagger']!r} is not known: 2.0 is", where=f"{where}#/swagger")
    named = document.get("openapi")
    if named is None:
        raise DocumentError("has neither 'openapi' nor 'swagger': it is no OpenAPI document", where=where)
    major_minor = ".".join(str(named).split(".")[:2])
    if major_minor not in ("3.0", "3.1"):
        raise DocumentError(f"version {named!r} is not known: 3.0.x and 3.1.x are", where=f"{where}#/openapi")
    return major_minor


class _Reader:
    def __init__(self, document: Node, format_: str, where: str) -> None:
        self.document = document
        self.old = format_ == "2.0"
        self.where = where
        self.warnings: List[str] = []
        components = document.get("securityDefinitions") if self.old else members(document.get("components"))
        found = components if self.old else members(components).get("securitySchemes")
        self.schemes = {name: _kind(followed(document, scheme)) for name, scheme in members(found).items()}

    def warn(self, place: str, text: str) -> None:
        if len(self.warnings) < MAX_WARNINGS:
            self.warnings.append(f"{place}: {text}")

    def operations(self) -> List[SpecOperation]:
        paths = self.document.get("paths")
        if paths is not None and not isinstance(paths, Mapping):
            raise DocumentError("is not an object", where=f"{self.where}#/paths")
        found: List[SpecOperation] = []
        for path, item in members(paths).items():
            if path.startswith("x-"):
                continue
            if not path.startswith("/"):
                self.warn(pointer("paths", path), "does not begin with a slash")
                continue
            found.extend(self._item(path, item))
            if len(found) > MAX_OPERATIONS:
                raise LimitExceeded(f"{self.where}#/paths: more than {MAX_OPERATIONS} operations")
        return found

    def _item(self, path: str, item: Any) -> List[SpecOperation]:
        own = members(followed(self.document, item))
        found = []
        for method in METHODS:
            operation = own.get(method)
            if operation is None:
                continue
            if isinstance(operation, Mapping):
                found.append(self._operation(path, method, own, operation))
            else:
                self.warn(pointer("paths", path, method), "is not an object")
        return found

    def _operation(self, path: str, method: str, item: Node, operation: Node) -> SpecOperation:
        place = pointer("paths", path, method)
        listed = self._parameters([*_list(item.get("parameters")), *_list(operation.get("parameters"))], place)
        sunset = next((str(operation[n]) for n in ("x-sunset", "x-sunset-date", "sunset") if operation.get(n)), "")
        return SpecOperation(
            method=method.upper(),
            path=path,
            bases=tuple(base_paths(self.document, operation.get("servers") or item.get("servers"))),
            pointer=place,
            parameters=tuple(self._parameter(one) for one in listed if one["in"] in _LOCATIONS),
            request=self._old_request(listed, operation) if self.old else self._request(operation),
            responses=self._responses(operation, place),
            security=self._security(operation),
            deprecated=operation.get("deprecated") is True or bool(sunset),
            sunset=sunset[:32],
        )

    def _parameters(self, listed: List[Any], place: str) -> List[Node]:
        """Return the parameters, those of the operation over those of its path."""
        found: Dict[Tuple[str, str], Node] = {}
        for index, one in enumerate(listed[:MAX_PARAMETERS]):
            node = followed(self.document, one)
            name, location = members(node).get("name"), members(node).get("in")
            if not isinstance(name, str) or not isinstance(location, str) or not name:
                self.warn(f"{place}/parameters", f"number {index + 1} has no name or no place")
                continue
            key = name.lower() if location == "header" else name
            found[key, location] = node
        return list(found.values())

    def _parameter(self, node: Node) -> Parameter:
        schema: Any = node if self.old else node.get("schema")
        content = members(node.get("content"))
        if schema is None and content:  # a parameter that is JSON inside is text outside
            schema = {"type": "string"}
        return Parameter(str(node["name"]), str(node["in"]), node.get("required") is True, schema)

    def _request(self, operation: Node) -> Content:
        body = members(followed(self.document, operation.get("requestBody")))
        return Content(self._media(body.get("content")) if body else {}, body.get("required") is True)

    def _old_request(self, listed: List[Node], operation: Node) -> Content:
        """OpenAPI 2.0 has bodies among the parameters."""
        body = next((one for one in listed if one["in"] == "body"), None)
        form = [one for one in listed if one["in"] == "formData"]
        consumes = self._listed_media(operation, "consumes")
        if body is not None:
            return Content({name: body.get("schema") for name in consumes or ["*/*"]}, body.get("required") is True)
        if not form:
            return Content({})
        schema = {
            "type": "object",
            "properties": {str(one["name"]): one for one in form},
            "required": [str(one["name"]) for one in form if one.get("required") is True],
        }
        return Content(dict.fromkeys(consumes or ["*/*"], schema))

    def _listed_media(self, operation: Node, name: str) -> List[str]:
        found = operation.get(name)
        listed = found if isinstance(found, list) else _list(self.document.get(name))
        return [one for one in listed[:MAX_MEDIA] if isinstance(one, str)]

    def _media(self, content: Any) -> Dict[str, Any]:
        return {name: members(one).get("schema") for name, one in list(members(content).items())[:MAX_MEDIA]}

    def _responses(self, operation: Node, place: str) -> Dict[str, Content]:
        found: Dict[str, Content] = {}
        listed = operation.get("responses")
        for key, one in list(listed.items())[:MAX_RESPONSES] if isinstance(listed, Mapping) else ():
            status = str(key).upper()  # YAML reads 200 as a number
            if not _STATUS.fullmatch(status):
                if not str(key).startswith("x-"):
                    self.warn(f"{place}/responses", f"{str(key)[:40]!r} is no status")
                continue
            node = followed(self.document, one)
            found[status] = self._response(members(node), operation) if node is not None else Content(None)
        return found

    def _response(self, node: Node, operation: Node) -> Content:
        if not self.old:
            return Content(self._media(node.get("content")))
        if "schema" not in node:
            return Content(None)
        produces = self._listed_media(operation, "produces")
        return Content(dict.fromkeys(produces or ["*/*"], node["schema"]))

    def _security(self, operation: Node) -> Optional[Tuple[Tuple[str, ...], ...]]:
        named = operation["security"] if "security" in operation else self.document.get("security")
        if not isinstance(named, list):
            return None
        return tuple(tuple(sorted(self.schemes.get(n, "other") for n in members(one))) for one in named[:MAX_MEDIA])


def _list(node: Any) -> List[Any]:
    return node if isinstance(node, list) else []


def _kind(scheme: Any) -> str:
    """Return a scheme's kind in the words of an event's ``auth``; "other" for what an event has no word for."""
    node = members(scheme)
    kind, place = str(node.get("type", "")).lower(), str(node.get("in", ""))
    if kind == "http":
        named = str(node.get("scheme", "")).lower()
        return named if named in ("basic", "bearer") else "other"
    if kind == "apikey":
        # A header called Authorization carries whatever the document's author put there.
        return "other" if str(node.get("name", "")).lower() == "authorization" else _KEYS.get(place, "api_key")
    return _KINDS.get(kind, "other")


_KEYS = {"cookie": "cookie"}
_KINDS = {"basic": "basic", "oauth2": "bearer", "openidconnect": "bearer", "mutualtls": "mtls"}
