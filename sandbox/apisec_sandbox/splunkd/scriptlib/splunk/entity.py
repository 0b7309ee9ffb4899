"""splunk.entity: objects of the REST API as dictionaries."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

from . import rest


class Entity(dict):  # type: ignore[type-arg]
    """The content of an entry; ``name``, ``namespace`` and ``owner`` beside it."""

    def __init__(
        self, entityPath: Any, entityName: str, contents: Any = None, namespace: Any = None, owner: Any = None
    ) -> None:
        super().__init__(contents or {})
        self.path = _joined(entityPath)
        self.name = entityName
        self.namespace = namespace
        self.owner = owner
        self.properties = self


def _joined(path: Any) -> str:
    return path if isinstance(path, str) else "/".join(path)


def buildEndpoint(
    entityClass: Any,
    entityName: Any = None,
    namespace: Any = None,
    owner: Any = None,
    hostPath: Any = None,
    **_: Any,
) -> str:
    prefix = (
        f"/servicesNS/{quote(owner or 'nobody', safe='')}/{quote(namespace, safe='')}" if namespace else "/services"
    )
    name = "/" + quote(entityName, safe="") if entityName else ""
    return f"{prefix}/{_joined(entityClass).strip('/')}{name}"


def getEntities(entityClass: Any, namespace: Any = None, owner: Any = None, sessionKey: Any = None, **more: Any) -> Any:
    """Return the entries of a collection by name; ``count``, ``search`` … go to the endpoint."""
    uri = buildEndpoint(entityClass, namespace=namespace, owner=owner)
    arguments = {"count": 0, **{name: value for name, value in more.items() if value is not None}}
    return _read(uri, entityClass, sessionKey, arguments)


def getEntity(
    entityPath: Any, entityName: str, namespace: Any = None, owner: Any = None, sessionKey: Any = None, **_: Any
) -> Any:
    uri = buildEndpoint(entityPath, entityName, namespace, owner)
    return next(iter(_read(uri, entityPath, sessionKey, {}).values()))


def _read(uri: str, path: Any, key: Any, arguments: Any) -> dict[str, Entity]:
    _, content = rest.simpleRequest(uri, key, getargs={**arguments, "output_mode": "json"}, raiseAllErrors=True)
    return {
        entry["name"]: Entity(path, entry["name"], entry["content"], entry["acl"]["app"], entry["acl"]["owner"])
        for entry in json.loads(content)["entry"]
    }


def setEntity(entity: Entity, sessionKey: Any = None) -> bool:
    uri = buildEndpoint(entity.path, entity.name, entity.namespace, entity.owner)
    plain = {name: value for name, value in entity.items() if not name.startswith("eai:")}
    reply, _ = rest.simpleRequest(uri, sessionKey, postargs=plain, raiseAllErrors=True)
    return reply.status in (200, 201)


def deleteEntity(entityPath: Any, entityName: str, namespace: Any, owner: Any, sessionKey: Any = None) -> bool:
    uri = buildEndpoint(entityPath, entityName, namespace, owner)
    reply, _ = rest.simpleRequest(uri, sessionKey, method="DELETE", raiseAllErrors=True)
    return reply.status == 200
