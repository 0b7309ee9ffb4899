"""Read pattern documents that people and machines send: JSON, or YAML without its surprises."""

from __future__ import annotations

import json
from typing import Any

import yaml

from apisec.errors import PatternError

MAX_BYTES = 262_144
MAX_DEPTH = 40
MAX_NUMBER = 400  # characters: Python reads long ones in quadratic time
# What PyYAML raises, also for what a tag says and a value is not: !!bool x, !!int "", !!float "".
UNREADABLE = (yaml.YAMLError, ValueError, TypeError, LookupError, AttributeError, ArithmeticError)


class Strict(yaml.SafeLoader):
    """Texts, numbers, booleans and null only: a date stays the text that it was, aliases are refused."""

    depth = 0

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.events.AliasEvent):
            raise PatternError("aliases (*name) are not supported: write the value out", where="pattern")
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise PatternError(f"nested deeper than {MAX_DEPTH}", where="pattern")
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        known: set[str] = set()
        for name in (key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode)):
            if name in known:
                raise PatternError(f"the key {name!r} stands twice", where=f"line {node.start_mark.line + 1}")
            known.add(name)
        return super().construct_mapping(node, deep=deep)

    def number(self, node: Any) -> Any:
        """Make a number, by the tag that PyYAML found for it."""
        length = len(self.construct_scalar(node))
        if length > MAX_NUMBER:
            raise yaml.constructor.ConstructorError(None, None, f"a number of {length} characters", node.start_mark)
        return yaml.SafeLoader.yaml_constructors[node.tag](self, node)


for _tag in ("tag:yaml.org,2002:int", "tag:yaml.org,2002:float"):
    Strict.add_constructor(_tag, Strict.number)
Strict.yaml_implicit_resolvers = {
    first: [(tag, shape) for tag, shape in rules if tag != "tag:yaml.org,2002:timestamp"]
    for first, rules in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) < len(pairs):
        raise PatternError("a key stands twice in one object", where="pattern")
    return result


def read(data: bytes) -> Any:
    """Return the document; PatternError names line and column of what is wrong."""
    if len(data) > MAX_BYTES:
        raise PatternError(f"a document of more than {MAX_BYTES} bytes", where="pattern")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise PatternError("not UTF-8", where="pattern") from None
    if text.lstrip().startswith("{"):
        try:
            return json.loads(text, object_pairs_hook=_no_duplicates)
        except json.JSONDecodeError as error:
            raise PatternError(error.msg, where=f"line {error.lineno}, column {error.colno}") from None
        except RecursionError:
            raise PatternError("nested too deep", where="pattern") from None
        except ValueError as error:  # Python reads no number of more than 4,300 digits
            raise PatternError(f"not JSON: {error}", where="pattern") from None
    try:
        return yaml.load(text, Loader=Strict)  # noqa: S506 - a SafeLoader
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f"line {mark.line + 1}, column {mark.column + 1}" if mark else "pattern"
        raise PatternError(f"not YAML: {error.problem}", where=where) from None
    except UNREADABLE as error:
        raise PatternError(f"not YAML: {error}", where="pattern") from None
