"""Documents that are written in several files: what they name in others, and one document made of all of them.

The other files stand whole below ``x-apisec-parts``, and references lead there. So files may name one another in
circles, and nothing is repeated.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Callable, Dict, List, Optional

from apisec.openapi.walk import objects, references

PARTS = "x-apisec-parts"
MAX_PARTS = 100

# (the file that a reference stands in, the file part of the reference) -> the file's own name, None for one that is
# not read
Beside = Callable[[str, str], Optional[str]]


def files_of(document: Any, where: str) -> List[str]:
    """Return the file parts of a document's references, sorted. LimitExceeded for a document that is too large."""
    found = {reference.partition("#")[0] for reference in references(document, where)}
    return sorted(found - {""})


def one_document(documents: Mapping[str, Any], beside: Beside) -> Any:
    """Return one document, made of the first of ``documents`` and the others, which change in place.

    A reference into a file that is not among them stays as it is: reading the document warns of it.
    """
    places = {name: f"#/{PARTS}/{number - 1}" if number else "#" for number, name in enumerate(documents)}
    for name, document in documents.items():
        for node in list(objects(document, name)):
            reference = node.get("$ref")
            if isinstance(reference, str) and isinstance(node, dict):
                node["$ref"] = _led(reference, name, places, beside)
    first, *others = documents.values()
    if not others:
        return first
    made: Dict[str, Any] = {**first, PARTS: others}
    return made


def _led(reference: str, name: str, places: Mapping[str, str], beside: Beside) -> str:
    """Return a reference as it stands in the one document."""
    file, _, fragment = reference.partition("#")
    target = beside(name, file) if file else name
    if target is None or target not in places or (fragment and not fragment.startswith("/")):
        return reference
    return places[target] + fragment
