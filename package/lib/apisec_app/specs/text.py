"""A document's text, JSON or YAML, as objects of JSON. The text is hostile: it comes from whoever publishes it."""

from __future__ import annotations

import json
import math
from typing import Any

import yaml

from apisec.errors import DocumentError, LimitExceeded
from apisec.openapi.load import load
from apisec.openapi.walk import MAX_NODES, objects

MAX_JSON = 16_000_000  # characters
MAX_YAML = 4_000_000  # PyYAML reads about 200 kB a second
# What PyYAML raises, also for what a tag says and a value is not: !!bool x, !!int "", !!timestamp x.
_UNREADABLE = (yaml.YAMLError, ValueError, TypeError, LookupError, AttributeError, ArithmeticError)


MAX_NUMBER = 400  # characters: Python reads long ones in quadratic time


class _Loader(yaml.SafeLoader):
    """Safe: it makes no objects but those of JSON and dates. Merged keys are counted, for they multiply.

    ``12:30`` stays a text, as OpenAPI's YAML 1.2 has it: YAML 1.1 takes it for a number to the base of 60.
    """

    merged = 0

    def number(self, node: Any) -> Any:
        """Make a number, by the tag that PyYAML found for it."""
        text = str(self.construct_scalar(node))
        if len(text) > MAX_NUMBER:
            said = f"a number of {len(text)} characters"
            raise yaml.constructor.ConstructorError(None, None, said, node.start_mark)
        value = text if ":" in text else yaml.SafeLoader.yaml_constructors[node.tag](self, node)
        return text if isinstance(value, float) and not math.isfinite(value) else value

    def flatten_mapping(self, node: Any) -> None:
        super().flatten_mapping(node)
        self.merged += len(node.value)
        if self.merged > MAX_NODES:
            raise LimitExceeded(f"more than {MAX_NODES} keys, merged ones (<<) included")


for _tag in ("tag:yaml.org,2002:int", "tag:yaml.org,2002:float"):
    _Loader.add_constructor(_tag, _Loader.number)


def parse(text: str, where: str) -> Any:
    """Return the document, checked and with text for every key. DocumentError and LimitExceeded name the place."""
    document = _parsed(text.lstrip("\ufeff"), where)
    load(document, where)  # before anything writes it out again: aliases would be written out each time
    return _plain(document, where)


def parse_part(text: str, where: str) -> Any:
    """The same for a file that a document names, which is any JSON."""
    document = _parsed(text.lstrip("\ufeff"), where)
    if not isinstance(document, (dict, list)):
        raise DocumentError("is neither an object nor a list", where=where)
    for _ in objects(document, where):
        pass  # LimitExceeded
    return _plain(document, where)


def _plain(document: Any, where: str) -> Any:
    try:
        return json.loads(json.dumps(document, default=str, allow_nan=False))
    except (TypeError, ValueError, RecursionError) as error:
        raise DocumentError(f"cannot be written as JSON: {error}", where=where) from error


def _parsed(text: str, where: str) -> Any:
    is_json = text[:64].lstrip()[:1] in ("{", "[")
    limit = MAX_JSON if is_json else MAX_YAML
    if len(text) > limit:
        raise LimitExceeded(f"{where}: longer than {limit} characters")
    try:
        if is_json:
            try:
                return json.loads(text, parse_constant=str)
            except ValueError:
                if len(text) > MAX_YAML:
                    raise
        return yaml.load(text, Loader=_Loader)  # noqa: S506 - it is a SafeLoader
    except RecursionError as error:
        raise LimitExceeded(f"{where}: nested too deep") from error
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        place = f"{where}:{mark.line + 1}:{mark.column + 1}" if mark else where
        raise DocumentError(f"is neither JSON nor YAML: {error.problem or error.context}", where=place) from error
    except _UNREADABLE as error:
        raise DocumentError(f"is neither JSON nor YAML: {str(error)[:200]}", where=where) from error
