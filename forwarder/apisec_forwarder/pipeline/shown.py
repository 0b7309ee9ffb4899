"""Small texts as events show them: methods, ids, names, addresses, and the ids of objects."""

from __future__ import annotations

import ipaddress
import re
from functools import lru_cache

from apisec.classification.names import evidence
from apisec.model.transaction import Body
from apisec.redaction.redactor import Part, Redactor, label

_METHOD = re.compile(r"[A-Z][A-Z0-9_-]{0,31}")
_ID = re.compile(r"[\w.:/+=@-]{1,200}", re.ASCII)
_NAME = re.compile(r"[\w.:-]{1,200}", re.ASCII)


def method_of(method: str) -> str:
    upper = method.upper()
    return upper if _METHOD.fullmatch(upper) else "INVALID"


def shown_text(text: str | None, redactor: Redactor) -> str | None:
    if not text:
        return None
    redacted = redactor.text(text[:8192])
    return text[:8192] if redacted is None else redacted


def identifier(value: str, redactor: Redactor) -> str:
    """Return an id that may come from outside, redacted, or a token of it when it is no id."""
    if not _ID.fullmatch(value):
        return redactor.identity("principal", value).strip("~").rpartition("~")[2]
    return redactor.text(value, reference=True) or value


def name_of(value: str, redactor: Redactor) -> str:
    """Return a short name that the gateway gives, redacted when it is none."""
    return value if _NAME.fullmatch(value) else redactor.text(value) or ""


@lru_cache(maxsize=4096)
def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def operation_shown(name: str | None, redactor: Redactor) -> str | None:
    """Return the operation that a body names; None when the name may be somebody's data, an id or a key."""
    if name is None or "{" in label(name) or name in redactor.secrets:
        return None
    return name


def address_of(text: str, redactor: Redactor) -> str:
    return text if _is_address(text) else shown_text(text, redactor) or ""


def counted_bytes(counted: int | None, body: Body) -> int:
    return counted if counted is not None else max(body.size, len(body.data))


def named_objects(part: Part) -> list[tuple[str, str]]:
    """Return the names and shown values of a part's id-like fields."""
    found: list[tuple[str, str]] = []
    for index, leaf in enumerate(part.document.leaves):
        name = object_name(leaf.name, leaf.parent) if leaf.kind in ("string", "integer") else None
        if name:
            found.append((name, part.replacements.get(index, leaf.value)))
    return found


@lru_cache(maxsize=4096)
def object_name(name: str, parent: str) -> str | None:
    """Return how an id-like field is called among object ids: ``id`` below ``order`` is ``order_id``."""
    if "id" not in name.lower() or not evidence(name, parent).identifier:  # id, ids, uuid, guid, uid
        return None
    shown = label(name)
    if name.lower() in ("id", "uuid", "guid", "ids") and parent:
        return f"{label(parent)}_{shown}"
    return shown
