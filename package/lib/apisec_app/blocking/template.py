"""From a pattern template and a result's row to a pattern document.

A template is a mapping: ``key`` (fields of the row that tell one pattern from another) and ``pattern`` (a document as
docs/patterns.md describes it, without id, mode and expiry). ``$result.field$`` stands for the row's value: alone in
a string it gives all values of a multivalue field as a list; inside a longer string it gives its first one.
``$result.field?$`` alone in a string may be absent: then the list or mapping around it goes without it.

The id is a UUIDv5 of template and key, so that the same finding always addresses the same pattern, whether the
detection's own alert or an analyst's ``sendalert`` on its risk event asks for it.
"""

from __future__ import annotations

import hashlib
import json
import re
import uuid
from collections.abc import Mapping
from importlib import resources
from typing import Any, Dict, List

from apisec.errors import PatternError, did_you_mean

Row = Mapping[str, Any]

# Fixed for ever: ids of patterns that are already at gateways are made with it.
NAMESPACE = uuid.UUID("0f6a2f0a-3f0c-4a63-9f7e-6d1c2d7f4b11")
_PLACEHOLDER = re.compile(r"\$result\.([A-Za-z_][A-Za-z0-9_.{}]{0,99})(\?)?\$")
_ABSENT = object()
_MAX_INLINE = 65_536  # characters of a template given in the action itself
MAX_TITLE = 256  # characters; a longer one is refused
_MAX_VALUES = 100  # of one multivalue field
_NUMBER = re.compile(r"-?\d{1,15}(?:\.\d{1,6})?\Z")


def shipped() -> Dict[str, Any]:
    """The templates that came with the detections: written by tools/render_content.py at the build."""
    text = resources.files("apisec_app").joinpath("content/patterns.json").read_text("utf-8")
    return dict(json.loads(text))


def choose(pattern: str, known: Mapping[str, Any]) -> Dict[str, Any]:
    """The template of this id, or the one written inline as JSON, with its ``id``. Raises PatternError."""
    text = pattern.strip()
    if not text:
        raise PatternError("name a template, or write one as JSON", where="param.pattern")
    if not text.startswith("{"):
        if text not in known:
            raise PatternError(f"no template {text!r}{did_you_mean(text, known)}", where="param.pattern")
        return {**known[text], "id": text}
    if len(text) > _MAX_INLINE:
        raise PatternError(f"longer than {_MAX_INLINE} characters", where="param.pattern")
    try:
        template = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise PatternError(f"not JSON: {error}", where="param.pattern") from None
    if not isinstance(template.get("pattern"), Mapping) or not isinstance(template.get("key"), list):
        raise PatternError("an inline template has 'key' (a list) and 'pattern' (a mapping)", where="param.pattern")
    canonical = json.dumps(template, sort_keys=True, separators=(",", ":"))
    return {**template, "id": "inline:" + hashlib.sha256(canonical.encode()).hexdigest()}


def values(row: Row, name: str) -> List[str]:
    """All values of a row's field; splunkd joins those of a multivalue field by line breaks."""
    found = row.get(name)
    listed = found if isinstance(found, list) else str(found if found is not None else "").split("\n")
    return [str(v) for v in listed if v != ""][:_MAX_VALUES]


def identity(template: Mapping[str, Any], row: Row) -> str:
    """The pattern's id: the same for the same template and key, whichever search head asks."""
    parts = [str(template["id"]), *("\x1f".join(sorted(values(row, name))) for name in template["key"])]
    return str(uuid.uuid5(NAMESPACE, "\x1e".join(parts)))


def escaped(value: str) -> str:
    """A value of traffic as a Sigma value: its wildcards and backslashes are plain characters."""
    return re.sub(r"([\\*?])", r"\\\1", value)


def fill(template: Mapping[str, Any], row: Row) -> Dict[str, Any]:
    """The template's document with every placeholder replaced; raises PatternError for a field without value."""
    return dict(_filled(template["pattern"], row, "pattern"))


def _filled(node: Any, row: Row, where: str) -> Any:
    if isinstance(node, Mapping):
        pairs = ((key, _filled(value, row, f"{where}.{key}")) for key, value in node.items())
        return {key: value for key, value in pairs if value is not _ABSENT}
    if isinstance(node, list):
        items = (_filled(value, row, f"{where}[{i}]") for i, value in enumerate(node))
        return [item for item in items if item is not _ABSENT]
    if not isinstance(node, str):
        return node
    alone = _PLACEHOLDER.fullmatch(node)
    if alone and alone.group(2) and not values(row, alone.group(1)):
        return _ABSENT
    # What only people read is taken as it is; in anything else a wildcard of the traffic's is no wildcard.
    plain = where.startswith(("pattern.title", "pattern.description", "pattern.apisec.reason"))
    if alone:
        found = [v if plain else _scalar(v, where) for v in _present(row, alone.group(1), where)]
        return found[0] if len(found) == 1 else found

    def one(match: re.Match[str]) -> str:
        value = _present(row, match.group(1), where)[0]
        return value if plain else escaped(value)

    return _PLACEHOLDER.sub(one, node)


def _scalar(value: str, where: str) -> Any:
    """Numbers stay numbers where a comparison needs them; anything else is an escaped text."""
    if where.endswith(("|gt", "|gte", "|lt", "|lte", ".gt", ".gte")) and _NUMBER.match(value):
        return float(value) if "." in value else int(value)
    return escaped(value)


def _present(row: Row, name: str, where: str) -> List[str]:
    found = values(row, name)
    if not found:
        raise PatternError(f"the result has no field {name!r}{did_you_mean(name, row)}", where=where)
    return found


def document(template: Mapping[str, Any], row: Row, extension: Mapping[str, Any]) -> Dict[str, Any]:
    """The whole document; ``extension`` adds to its ``apisec`` part (mode, expires, source, created_by)."""
    filled = fill(template, row)
    filled["id"] = identity(template, row)
    filled["title"] = str(filled.get("title", ""))[:MAX_TITLE]
    filled["apisec"] = {**filled.get("apisec", {}), **extension}
    return filled
