"""Values of shown bodies that are no whole JSON: JSON that was cut, forms, XML.

The forwarder shows a body redacted, up to its cap. What stands there is enough: nothing more has to leave it for the
shapes of such fields. Not read are multipart bodies (files), and binary formats without names of fields (protobuf):
what their numbers mean is a guess that traffic alone cannot settle.
"""

from __future__ import annotations

import json
import re
from typing import Any, List, Tuple

from apisec.errors import ApisecError

MAX_BODY = 262_144  # characters of a shown body
MAX_DECODED = 4_096  # characters of a form or of XML: the core's decoders read them value by value
MAX_VALUES = 200
MAX_DEPTH = 24
MAX_PATH = 512  # characters
MAX_OPEN = 512  # brackets that are closed again
MAX_TRIES = 4  # commas that may turn out to stand in a text
_STRING = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
_BRACKET = re.compile(r"[][{}]")
_CLOSES = {"{": "}", "[": "]"}
_FORM = "application/x-www-form-urlencoded"
_XML = re.compile(r"(?:application|text)/(?:[a-z0-9.-]{1,64}\+)?xml")


def read_cut(text: str) -> Any:
    """Return the value of a JSON text that was cut, up to its last whole element; None where none can be told."""
    end = min(len(text), MAX_BODY)
    for _ in range(MAX_TRIES):
        end = text.rfind(",", 0, end)
        if end < 0:
            return None
        outside = _STRING.sub("", text[:end])
        torn = outside.find('"')
        if torn < 0:
            return _closed(text[:end], outside)
        end -= len(outside) - torn  # the comma stands in a text: go on before it
    return None


def _closed(text: str, outside: str) -> Any:
    """Close what is open; ``outside`` is the text without its strings."""
    open_: List[str] = []
    for bracket in _BRACKET.findall(outside):
        if bracket in _CLOSES:
            open_.append(_CLOSES[bracket])
            if len(open_) > MAX_OPEN:
                return None
        elif not open_ or open_.pop() != bracket:
            return None
    try:
        return json.loads(text + "".join(reversed(open_)))
    except (ValueError, RecursionError):
        return None


def read_other(body: str, media_type: str) -> List[Tuple[str, Any]]:
    """Return paths and values of a form or of XML, by the names that the forwarder lists; empty for other bodies."""
    name = "form" if media_type == _FORM else "xml" if _XML.fullmatch(media_type) else ""
    return _decoded(body, name) if name else []


def _decoded(body: str, name: str) -> List[Tuple[str, Any]]:
    from apisec.decoders import DECODERS, Limits, MediaType  # most inventories never need them
    from apisec.redaction.redactor import label

    limits = Limits(text=MAX_DECODED, leaves=MAX_VALUES, depth=MAX_DEPTH)
    for cut in (True,) if len(body) > MAX_DECODED else (False, True):  # the forwarder's copy may have been cut, too
        try:
            document = DECODERS[name].decode(body[:MAX_DECODED], MediaType(), limits, label, cut)
        except (ApisecError, RecursionError):
            continue
        leaves = [leaf for leaf in document.leaves[:MAX_VALUES] if leaf.kind == "string" and leaf.path]
        return [(leaf.path[:MAX_PATH], scalar(leaf.value)) for leaf in leaves]
    return []


def scalar(value: str) -> Any:
    """Return the number or truth value that a parameter's text stands for, or the text."""
    if value in ("true", "false"):
        return value == "true"
    if value and len(value) <= 19 and (value[0] in "-123456789" or value == "0"):
        digits = value[1:] if value[0] == "-" else value
        if (digits.isdecimal() and digits.isascii() and digits[0] != "0") or digits == "0":
            return int(value)
        whole, point, part = digits.partition(".")
        if point and (whole + part).isdecimal() and digits.isascii() and whole and part:
            return float(value)
    return value
