"""The path templates of an OpenAPI document, with the base path of its servers in front."""

from __future__ import annotations

import re
from typing import Any, List, Mapping, Sequence, Tuple
from urllib.parse import urlsplit

from apisec.errors import DocumentError

MAX_SERVERS = 16
_VARIABLE = re.compile(r"\{([^{}]*)\}")


def templates(document: Mapping[str, Any], where: str = "OpenAPI document") -> Tuple[str, ...]:
    """Return the templates of all paths below every base path, in the document's order."""
    if not isinstance(document, Mapping):
        raise DocumentError("is not an object", where=where)
    if "swagger" not in document and "openapi" not in document:
        raise DocumentError("has neither 'openapi' nor 'swagger': it is no OpenAPI document", where=where)
    paths = document.get("paths")
    paths = {} if paths is None else paths
    if not isinstance(paths, Mapping):
        raise DocumentError("is not an object", where=f"{where}: paths")
    bases = _bases(document)
    found: List[str] = []
    for path, item in paths.items():
        if not isinstance(path, str) or not path.startswith("/"):
            if isinstance(path, str) and path.startswith("x-"):
                continue
            raise DocumentError("does not begin with a slash", where=f"{where}: paths.{path}")
        own = item.get("servers") if isinstance(item, Mapping) else None
        found.extend([base + path for base in (_server_paths(own) if own else bases)])
    return tuple(dict.fromkeys(found))


def base_paths(document: Mapping[str, Any], own: Any = None) -> Sequence[str]:
    """Return the base paths of an operation: of its own servers where it has some, else the document's."""
    return (_server_paths(own) if own else []) or _bases(document)


def _bases(document: Mapping[str, Any]) -> Sequence[str]:
    if "swagger" in document:
        base = document.get("basePath")
        return [base.rstrip("/") if isinstance(base, str) else ""]
    return _server_paths(document.get("servers")) or [""]


def _server_paths(servers: Any) -> List[str]:
    """Return the distinct paths of server URLs, their variables filled with the defaults."""
    found: List[str] = []
    for server in servers[:MAX_SERVERS] if isinstance(servers, list) else []:
        url = server.get("url") if isinstance(server, Mapping) else None
        if not isinstance(url, str):
            continue
        variables = server.get("variables")
        known = variables if isinstance(variables, Mapping) else {}
        try:
            path = urlsplit(_filled(url, known)).path.rstrip("/")
        except ValueError:  # brackets that hold no address
            continue
        if path not in found:
            found.append(path)
    return found


def _filled(url: str, variables: Mapping[str, Any]) -> str:
    """Put the variables' defaults into a server's URL; one without a default stands by its name."""

    def default(match: re.Match[str]) -> str:
        variable = variables.get(match.group(1))
        value = variable.get("default") if isinstance(variable, Mapping) else None
        return str(value) if value is not None else match.group(1)

    return _VARIABLE.sub(default, url)
