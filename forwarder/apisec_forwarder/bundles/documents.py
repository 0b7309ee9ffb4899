"""Reads the documents that belong to bundles from files: YAML for people, JSON for machines."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml

from apisec.bundles.release import MAX_BYTES
from apisec.errors import ConfigError, DocumentError
from apisec_forwarder.admin.documents import UNREADABLE, Strict


def read_file(path: Path, limit: int = MAX_BYTES) -> Any:
    """Return the document of a file; DocumentError with its line where it is neither YAML nor JSON."""
    try:
        with path.open("rb") as file:
            raw = file.read(limit + 1)
    except OSError as error:
        raise ConfigError(f"cannot be read: {error.strerror}", where=str(path)) from error
    if len(raw) > limit:
        raise DocumentError(f"is larger than {limit} bytes", where=str(path))
    return read(raw, str(path))


def read(raw: bytes, where: str) -> Any:
    """Return the document of some bytes."""
    if raw.lstrip()[:1] == b"{":
        return read_json(raw, where)
    try:
        return yaml.load(raw.decode("utf-8"), Loader=Strict)  # noqa: S506 - a SafeLoader
    except UnicodeDecodeError:
        raise DocumentError("is not UTF-8", where=where) from None
    except DocumentError as error:
        raise DocumentError(str(error), where=where) from None
    except yaml.MarkedYAMLError as error:
        line = f":{error.problem_mark.line + 1}" if error.problem_mark else ""
        raise DocumentError(f"not YAML: {error.problem}", where=where + line) from None
    except (*UNREADABLE, RecursionError) as error:
        raise DocumentError(f"not YAML: {type(error).__name__}", where=where) from None


def read_json(raw: bytes, where: str) -> Any:
    """Return a JSON document in which no key stands twice."""
    try:
        return json.loads(raw, object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:
        detail = f": {error.msg} at line {error.lineno}" if isinstance(error, json.JSONDecodeError) else ""
        raise DocumentError(f"is not JSON{detail}", where=where) from None
    except DocumentError as error:
        raise DocumentError(str(error), where=where) from None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise DocumentError("a key stands twice in one object")
    return found


def dump(document: Any) -> str:
    """Return YAML for people; the order of keys is that of the document."""
    text: str = yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=120)
    return text
