"""XML as fields: the paths of spath (``a.b``, ``a.b{@name}``, ``a.b{2}``).

Source: Search Reference, "spath", "Location path". An element is named by the path from the root, its attributes by
``{@name}``. Documents with a type declaration are refused: entities are the way to make a small text huge.
"""

from __future__ import annotations

import re
from typing import Any
from xml.etree import ElementTree

PART = re.compile(r"([^.{}]+)((?:\{[^{}]*\})*)(?:\.|\Z)")
MAX_DEPTH = 64


def parse(text: str) -> ElementTree.Element | None:
    """Return the root element, None when the text is not well-formed or declares a document type."""
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        return None
    try:
        return ElementTree.fromstring(text)  # noqa: S314 - no declarations, so no entities
    except (ElementTree.ParseError, ValueError):
        return None


def local(tag: str) -> str:
    """An element's name without its namespace."""
    return tag.rpartition("}")[2]


def flatten(text: str) -> dict[str, Any]:
    """Return the text of every leaf and every attribute, repeated ones as multivalues."""
    root = parse(text)
    found: dict[str, list[str]] = {}
    if root is not None:
        _element(root, local(root.tag), found, 0)
    return {name: values[0] if len(values) == 1 else values for name, values in found.items()}


def _element(element: ElementTree.Element, path: str, found: dict[str, list[str]], depth: int) -> None:
    for name, value in element.attrib.items():
        found.setdefault(f"{path}{{@{local(name)}}}", []).append(value)
    if len(element) == 0:
        if element.text and element.text.strip():
            found.setdefault(path, []).append(element.text.strip())
        return
    if depth < MAX_DEPTH:
        for child in element:
            _element(child, f"{path}.{local(child.tag)}", found, depth + 1)


def extract(text: str, path: str) -> list[str]:
    """Return what stands at a path: text of leaves, markup of elements that hold others, values of attributes."""
    root = parse(text)
    if root is None:
        return []
    holder = ElementTree.Element("holder")
    holder.append(root)
    current: list[ElementTree.Element] = [holder]
    position = 0
    while position < len(path):
        match = PART.match(path, position)
        if not match:
            return []
        current = [child for element in current for child in element if local(child.tag) == match[1]]
        for inner in re.findall(r"\{([^{}]*)\}", match[2]):
            if inner.startswith("@"):
                values = (_attribute(element, inner[1:]) for element in current)
                return [value for value in values if value is not None]
            if inner.isdigit():  # XML counts from 1
                current = current[int(inner) - 1 : int(inner)] if int(inner) else []
        position = match.end()
    return [_shown(element) for element in current]


def _attribute(element: ElementTree.Element, name: str) -> str | None:
    return next((value for key, value in element.attrib.items() if local(key) == name), None)


def _shown(element: ElementTree.Element) -> str:
    if len(element) == 0:
        return (element.text or "").strip()
    inside = (element.text or "") + "".join(ElementTree.tostring(child, encoding="unicode") for child in element)
    return inside.strip()
