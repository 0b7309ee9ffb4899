"""Models as a document: versioned, bounded, and read with suspicion although only this user may write it.

Masks and counts are hex, pairs of characters base64. Values are in it as 32 keyed bits only; names of parameters and
operations are as events have them.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from typing import Any, Dict, List, Mapping, Optional

from apisec.errors import DocumentError
from apisec.parameters.book import MAX_MODELS, MAX_PLACES, MAX_TABLES, Book, Table
from apisec.parameters.model import GROUPS, MAX_VALUES, Model
from apisec.parameters.traits import CLASSES, KIND_NAMES, LENGTHS, PAIRS

VERSION = 1
MAX_NAME = 1_024  # characters of a name
MAX_CARRIED = 64  # families and departures of one model
_MASK = (1 << GROUPS) - 1


def dump(book: Book) -> Dict[str, Any]:
    """Return a book as JSON."""
    tables = [
        {
            "service": service,
            "operation": operation,
            "day": table.day,
            "parameters": {where: _model(model) for where, model in table.models.items()},
        }
        for (service, operation), table in book.tables.items()
        if table.models
    ]
    return {"version": VERSION, "salt": salt_id(book.salt), "operations": tables}


def load(document: Any, book: Book) -> None:
    """Merge a document into a book. DocumentError names what is wrong; nothing was merged then."""
    if not isinstance(document, Mapping) or document.get("version") != VERSION:
        raise DocumentError(f"is no document of models of version {VERSION}", where="parameters")
    same = document.get("salt") == salt_id(book.salt)
    read = Book(book.salt)
    for number, each in enumerate(_list(document.get("operations"), MAX_TABLES, "operations")):
        where = f"operations[{number}]"
        if not isinstance(each, Mapping):
            raise DocumentError("is no object", where=where)
        parameters = each.get("parameters")
        if not isinstance(parameters, Mapping) or len(parameters) > MAX_PLACES:
            raise DocumentError(f"is no object of at most {MAX_PLACES} members", where=f"{where}.parameters")
        table = Table()
        table.day = _whole(each.get("day"), 1 << 32, f"{where}.day")
        for name, model in parameters.items():
            table.models[_name(name, where)] = _read(model, f"{where}.parameters", same)
        key = _name(each.get("service"), where), _name(each.get("operation"), where)
        read.tables[key] = table
    if sum([len(table.models) for table in read.tables.values()]) > MAX_MODELS:
        raise DocumentError(f"has more than {MAX_MODELS} models", where="parameters")
    book.merge(read)


def salt_id(salt: bytes) -> str:
    """Return what tells salts apart, and nothing about them."""
    return hashlib.sha256(b"apisec parameters\0" + salt).hexdigest()[:16]


def _model(model: Model) -> Dict[str, Any]:
    return {
        "groups": f"{model.groups:x}",
        "days": f"{model.days:x}",
        "kinds": [f"{mask:x}" for mask in model.kinds],
        "classes": [f"{mask:x}" for mask in model.classes],
        "lengths": [f"{mask:x}" for mask in model.lengths],
        "pairs": base64.b64encode(bytes(model.pairs)).decode(),
        "values": None if model.values is None else {f"{value:x}": f"{mask:x}" for value, mask in model.values.items()},
        "taught": model.taught.hex(),
        "seen": model.seen.hex(),
        "carried": {name: counts.hex() for name, counts in model.carried.items()},
        "carried_on": {name: f"{days:x}" for name, days in model.carried_on.items()},
    }


def _read(document: Any, where: str, same_salt: bool) -> Model:
    if not isinstance(document, Mapping):
        raise DocumentError("is no object", where=where)
    model = Model()
    model.groups = _hex(document.get("groups"), _MASK, f"{where}.groups")
    model.days = _hex(document.get("days"), (1 << 32) - 1, f"{where}.days")
    model.kinds = _masks(document.get("kinds"), len(KIND_NAMES), f"{where}.kinds")
    model.classes = _masks(document.get("classes"), len(CLASSES), f"{where}.classes")
    model.lengths = _masks(document.get("lengths"), LENGTHS, f"{where}.lengths")
    model.pairs = _pairs(document.get("pairs"), f"{where}.pairs")
    model.values = _values(document.get("values"), f"{where}.values") if same_salt else {}
    if document.get("values") is None:
        model.values = None
    model.taught = _counts(document.get("taught"), f"{where}.taught")
    model.seen = _counts(document.get("seen"), f"{where}.seen")
    carried = document.get("carried")
    if not isinstance(carried, Mapping) or len(carried) > MAX_CARRIED:
        raise DocumentError(f"is no object of at most {MAX_CARRIED} members", where=f"{where}.carried")
    model.carried = {_name(name, where): _counts(counts, f"{where}.carried") for name, counts in carried.items()}
    on = document.get("carried_on")
    if not isinstance(on, Mapping) or not set(on) <= set(carried):
        raise DocumentError("is no object of days for what is carried", where=f"{where}.carried_on")
    model.carried_on = {name: _hex(days, (1 << 32) - 1, f"{where}.carried_on") for name, days in on.items()}
    return model


def _name(value: Any, where: str) -> str:
    if not isinstance(value, str) or len(value) > MAX_NAME:
        raise DocumentError(f"has a name that is no text of at most {MAX_NAME} characters", where=where)
    return value


def _list(value: Any, most: int, where: str) -> List[Any]:
    if not isinstance(value, list) or len(value) > most:
        raise DocumentError(f"is no array of at most {most}", where=where)
    return value


def _whole(value: Any, most: int, where: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= most:
        raise DocumentError(f"is no number up to {most}", where=where)
    return value


def _hex(value: Any, most: int, where: str) -> int:
    try:
        number = int(value, 16) if isinstance(value, str) and len(value) <= 16 else -1
    except ValueError:
        number = -1
    if not 0 <= number <= most:
        raise DocumentError("is no mask in hex", where=where)
    return number


def _masks(value: Any, size: int, where: str) -> List[int]:
    found = [_hex(mask, _MASK, where) for mask in _list(value, size, where)]
    if len(found) != size:
        raise DocumentError(f"has {len(found)} masks and not {size}", where=where)
    return found


def _counts(value: Any, where: str) -> bytearray:
    try:
        counts = bytes.fromhex(value) if isinstance(value, str) else b""
    except ValueError:
        counts = b""
    if len(counts) != GROUPS:
        raise DocumentError(f"is no hex of {GROUPS} counts", where=where)
    return bytearray(counts)


def _pairs(value: Any, where: str) -> bytearray:
    try:
        pairs = base64.b64decode(value, validate=True) if isinstance(value, str) and len(value) <= 2 * PAIRS else b""
    except (binascii.Error, ValueError):
        pairs = b""
    if len(pairs) != PAIRS:
        raise DocumentError(f"is no base64 of {PAIRS} masks", where=where)
    return bytearray(pairs)


def _values(value: Any, where: str) -> Optional[Dict[int, int]]:
    if value is None:
        return None
    if not isinstance(value, Mapping) or len(value) > MAX_VALUES:
        raise DocumentError(f"is no object of at most {MAX_VALUES} members", where=where)
    return {_hex(name, (1 << 32) - 1, where): _hex(mask, _MASK, where) for name, mask in value.items()}
