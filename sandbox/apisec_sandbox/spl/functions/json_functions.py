"""JSON functions. Source: Search Reference, "JSON functions"."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from apisec_sandbox.spl.functions.registry import MANY, Call, Evaluate, function, invalid, simple
from apisec_sandbox.spl.jsonpath import change_at
from apisec_sandbox.spl.jsonpath import extract as json_path
from apisec_sandbox.spl.values import Row, collapse, to_number, to_text, values_of

MISSING = object()
Test = Callable[[Any], bool]
Change = Callable[[Any, Any], Any]


def dump(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def load(text: Any) -> Any:
    """Parse, or MISSING: ``null`` is a document too."""
    try:
        return json.loads(to_text(text))
    except (ValueError, RecursionError):
        return MISSING


def json_value(value: Any, quoted: bool = False) -> Any:
    """What a value becomes inside JSON: JSON text stays JSON, a field's number is one; quotes make a text."""
    if isinstance(value, list):
        return [json_value(item) for item in value]
    if isinstance(value, str):
        if value[:1] in ("{", "["):
            document = load(value)
            return value if document is MISSING else document
        number = None if quoted else to_number(value)
        return value if number is None else number
    return value


def _inputs(call: Call) -> Callable[[Row], list[Any]]:
    pairs = [(arg, isinstance(constant, str)) for arg, constant in zip(call.args, call.constants, strict=True)]
    return lambda row: [json_value(arg(row), quoted) for arg, quoted in pairs]


@function("json_object", 0, MANY)
def _json_object(call: Call) -> Evaluate:
    if len(call.args) % 2:
        raise invalid("json_object", "it takes pairs of a name and a value")
    names, inputs = call.args[::2], _inputs(call)

    def run(row: Row) -> str:
        keys = [name(row) for name in names]
        return dump(
            {to_text(key): value for key, value in zip(keys, inputs(row)[1::2], strict=True) if key is not None}
        )

    return run


@function("json_array", 0, MANY)
def _json_array(call: Call) -> Evaluate:
    inputs = _inputs(call)
    return lambda row: dump(inputs(row))


@simple("mv_to_json_array", 1, 2)
def _mv_to_json_array(field: Any, infer: Any = False) -> str:
    """With ``infer`` a value that is JSON itself (a number, true, an object) is taken as that."""
    values = [to_text(value) for value in values_of(field)]
    if infer is not True:
        return dump(values)
    return dump([text if (document := load(text)) is MISSING else document for text in values])


@simple("json_array_to_mv", 1, 2)
def _json_array_to_mv(text: Any, quotes: Any = False) -> Any:
    loaded = load(text)
    if not isinstance(loaded, list):
        return None
    return collapse([item if isinstance(item, str) and quotes is not True else dump(item) for item in loaded])


@function("json", 1)
def _json(call: Call) -> Evaluate:
    arg = call.args[0]
    return lambda row: value if (value := arg(row)) is not None and load(value) is not MISSING else None


def plain(value: Any) -> Any:
    """A JSON value as a field's: texts and numbers as themselves, null as null, all else as JSON."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, (str, int, float)) else None if value is None else dump(value)


def _extractor(name: str, find: Callable[[Any, str], list[Any]]) -> None:
    """With one path its value; with several an array of one value a path."""

    def build(call: Call) -> Evaluate:
        subject, paths = call.args[0], call.args[1:]

        def run(row: Row) -> Any:
            text = subject(row)
            loaded = MISSING if text is None else load(text)
            if loaded is MISSING:
                return None
            if not paths:
                return plain(loaded)
            found = [_one(find(loaded, to_text(path))) for path in (part(row) for part in paths) if path is not None]
            return plain(found[0]) if len(paths) == 1 and found else dump(found) if found else None

        return run

    function(name, 1, MANY)(build)


def _one(matches: list[Any]) -> Any:
    return None if not matches else matches[0] if len(matches) == 1 else matches


def _exact(document: Any, key: str) -> list[Any]:
    return [document[key]] if isinstance(document, dict) and key in document else []


_extractor("json_extract", json_path)
_extractor("json_extract_exact", _exact)


@simple("json_keys", 1)
def _json_keys(text: Any) -> str | None:
    loaded = load(text)
    return dump(list(loaded)) if isinstance(loaded, dict) else None


@simple("json_entries", 1)
def _json_entries(text: Any) -> str | None:
    loaded = load(text)
    if not isinstance(loaded, (dict, list)):
        return None
    pairs = loaded.items() if isinstance(loaded, dict) else enumerate(loaded)
    return dump([{"key": key, "value": value} for key, value in pairs])


@simple("json_has_key_exact", 2, boolean=True)
def _json_has_key_exact(text: Any, key: Any) -> bool:
    return bool(_exact(load(text), to_text(key)))


@simple("json_valid", 1, boolean=True)
def _json_valid(text: Any) -> bool:
    return load(text) is not MISSING


def _changer(name: str, apply: Callable[[Any, str, Any], Any]) -> None:
    """Functions of a document and pairs of a path and a value; null where it is no JSON."""

    def build(call: Call) -> Evaluate:
        if len(call.args) % 2 == 0:
            raise invalid(name, "it takes a JSON document and pairs of a path and a value")
        subject, paths, inputs = call.args[0], call.args[1::2], _inputs(call)

        def run(row: Row) -> Any:
            text = subject(row)
            document = MISSING if text is None else load(text)
            if document is MISSING:
                return None
            values = inputs(row)[2::2]
            for path, value in zip((part(row) for part in paths), values, strict=True):
                if path is None:
                    return None
                document = apply(document, to_text(path), value)
            return dump(document)

        return run

    function(name, 3, MANY)(build)


def _set(document: Any, path: str, value: Any) -> Any:
    return change_at(document, path, lambda _old: value, create=True)


def _set_exact(document: Any, key: str, value: Any) -> Any:
    return {**document, key: value} if isinstance(document, dict) else document


def _append(document: Any, path: str, value: Any) -> Any:
    return change_at(document, path, lambda old: [*old, value] if isinstance(old, list) else old)


def _extend(document: Any, path: str, value: Any) -> Any:
    more = value if isinstance(value, list) else [value]
    return change_at(document, path, lambda old: [*old, *more] if isinstance(old, list) else old)


_changer("json_set", _set)
_changer("json_append", _append)
_changer("json_extend", _extend)


@function("json_set_exact", 1, MANY)
def _json_set_exact(call: Call) -> Evaluate:
    if len(call.args) % 2 == 0:
        raise invalid("json_set_exact", "it takes a JSON document and pairs of a key and a value")
    subject, keys, inputs = call.args[0], call.args[1::2], _inputs(call)

    def run(row: Row) -> Any:
        text = subject(row)
        document = {} if text is None else load(text)
        if document is MISSING:
            return None
        for key, value in zip((part(row) for part in keys), inputs(row)[2::2], strict=True):
            if key is not None:
                document = _set_exact(document, to_text(key), value)
        return dump(document)

    return run


@simple("json_delete", 2, MANY)
def _json_delete(text: Any, *paths: Any) -> str | None:
    document = load(text)
    if document is MISSING:
        return None
    for path in paths:
        document = change_at(document, to_text(path), None)
    return dump(document)


@function("spath", 2)
def _spath(call: Call) -> Evaluate:
    subject, path = call.args

    def run(row: Row) -> Any:
        text, where = subject(row), path(row)
        if text is None or where is None:
            return None
        loaded = load(text)
        if loaded is MISSING:
            return _from_xml(to_text(text), to_text(where))
        return collapse([value for item in json_path(loaded, to_text(where)) if (value := plain(item)) is not None])

    return run


def _from_xml(text: str, path: str) -> Any:
    if not text.lstrip().startswith("<"):
        return None
    from apisec_sandbox.spl import xmlpath  # spath() of XML is rare

    return collapse(list(xmlpath.extract(text, path)))
