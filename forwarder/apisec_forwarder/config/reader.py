"""Reads YAML nodes into frozen dataclasses, strictly, and keeps every error with its line.

A section is a dataclass whose fields were made by ``option``; each option names the reader of its value. Readers
never raise: they note what is wrong in ``Problems`` and return None, so that one run reports all errors.
Nothing here touches a file.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import yaml

from apisec.errors import ConfigError, did_you_mean

T = TypeVar("T")

# host:port or [v6]:port
_ADDRESS = re.compile(r"(?:\[([0-9A-Fa-f:.]{2,45})\]|([A-Za-z0-9._-]{1,253})):([0-9]{1,5})")
_SIZE = re.compile(r"([0-9]{1,15}) ?(KiB|MiB|GiB|TiB)?")
_PLAIN = {
    "int": re.compile(r"-?(0|[1-9][0-9]{0,18})"),
    "float": re.compile(r"-?(0|[1-9][0-9]{0,18})(\.[0-9]{1,18})?"),
}
_UNITS = {None: 1, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40}
_KINDS = {"int": "a whole number", "float": "a number", "bool": "true or false", "null": "nothing", "str": "text"}


@dataclasses.dataclass
class Problems:
    """Where values stand (file, folder of relative paths) and what was wrong so far."""

    name: str  # of the file, as it leads messages
    base: Path  # relative paths in the configuration are relative to this folder
    errors: list[ConfigError] = dataclasses.field(default_factory=list)

    def add(self, node: yaml.Node, message: str) -> None:
        where = f"{self.name}:{node.start_mark.line + 1}"
        self.errors.append(ConfigError(message, where=where))


Read = Callable[[yaml.Node, str, Problems], Any]
_MISSING: Any = object()


@dataclasses.dataclass(frozen=True)
class Reader:
    """Reads one value, and says in JSON Schema (draft 2020-12) what is allowed there."""

    read: Read
    schema: Mapping[str, Any]
    section: type | None = None  # of a section, or of the sections in a list

    def __call__(self, node: yaml.Node, path: str, problems: Problems) -> Any:
        return self.read(node, path, problems)


def reads(**schema: Any) -> Callable[[Read], Reader]:
    """Make a function that reads one kind of value a ``Reader``."""
    return lambda read: Reader(read, schema)


def option(read: Reader, text: str, default: Any = _MISSING, factory: Callable[[], Any] | None = None) -> Any:
    """Declare one key of a section: how it is read, what it means, and its default (none: it is required)."""
    metadata = {"read": read, "text": text, "required": default is _MISSING and factory is None}
    if factory is not None:
        return dataclasses.field(default_factory=factory, metadata=metadata)
    if default is _MISSING:
        return dataclasses.field(metadata=metadata)
    return dataclasses.field(default=default, metadata=metadata)


def options(cls: type) -> dict[str, dataclasses.Field[Any]]:
    """Return the keys that a section knows, in the order of its definition."""
    return {field.name: field for field in dataclasses.fields(cls) if "read" in field.metadata}


def read_section(cls: type[T], node: yaml.Node, path: str, problems: Problems) -> T | None:
    """Read a mapping into ``cls``; None when a key is unknown, missing, doubled or has a bad value."""
    if not isinstance(node, yaml.MappingNode):
        problems.add(node, f"{path or 'the file'} must be a mapping of keys, not {_kind(node)}")
        return None
    known = options(cls)
    before = len(problems.errors)
    values: dict[str, Any] = {}
    for key, child in node.value:
        name = key.value if isinstance(key, yaml.ScalarNode) else "?"
        full = f"{path}.{name}" if path else name
        if name not in known:
            problems.add(key, f"unknown key {full!r}{did_you_mean(name, known)}")
        elif name in values:
            problems.add(key, f"{full} is given twice; keep one")
        else:
            values[name] = known[name].metadata["read"](child, full, problems)
    for name, field in known.items():
        if field.metadata["required"] and name not in values:
            full = f"{path}.{name}" if path else name
            problems.add(node, f"{full} is missing: {field.metadata['text']}")
    return cls(**values) if len(problems.errors) == before else None


def section(cls: type[T]) -> Reader:
    """Read a nested mapping."""

    def read(node: yaml.Node, path: str, problems: Problems) -> T | None:
        return read_section(cls, node, path, problems)

    return Reader(read, {}, cls)


def sequence(item: Reader, at_least: int = 0, at_most: int = 10_000) -> Reader:
    """Read a list into a tuple."""

    def read(node: yaml.Node, path: str, problems: Problems) -> tuple[Any, ...] | None:
        if not isinstance(node, yaml.SequenceNode):
            problems.add(node, f"{path} must be a list, not {_kind(node)}: write [a, b]")
            return None
        if not at_least <= len(node.value) <= at_most:
            problems.add(node, f"{path} has {len(node.value)} entries; {at_least} to {at_most} are allowed")
            return None
        return tuple(item(child, f"{path}[{at}]", problems) for at, child in enumerate(node.value))

    schema = {"type": "array", "items": item.schema, "minItems": at_least, "maxItems": at_most}
    return Reader(read, schema, item.section)


def text(pattern: str = r"[^\x00-\x1f\x7f]+", hint: str = "text", at_most: int = 1000) -> Reader:
    """Read a string that matches ``pattern`` as a whole; ``hint`` says in words what is allowed."""
    shape = re.compile(pattern)

    def read(node: yaml.Node, path: str, problems: Problems) -> str | None:
        value = _scalar(node, "str", path, problems)
        if value is None:
            return None
        if len(value) > at_most or not shape.fullmatch(value):
            problems.add(node, f"{path}: {value[:80]!r} is not {hint}")
            return None
        return str(value)

    return Reader(read, {"type": "string", "pattern": f"^(?:{pattern})$", "maxLength": at_most})


def number(at_least: float, at_most: float, unit: str) -> Reader:
    """Read a number; ``unit`` stands in the error."""

    def read(node: yaml.Node, path: str, problems: Problems) -> float | None:
        value = _scalar(node, "float", path, problems)
        return None if value is None else _bounded(float(value), at_least, at_most, unit, node, path, problems)

    return Reader(read, {"type": "number", "minimum": at_least, "maximum": at_most})


def integer(at_least: int, at_most: int, unit: str) -> Reader:
    """Read a whole number."""

    def read(node: yaml.Node, path: str, problems: Problems) -> int | None:
        value = _scalar(node, "int", path, problems)
        return None if value is None else _bounded(int(value), at_least, at_most, unit, node, path, problems)

    return Reader(read, {"type": "integer", "minimum": at_least, "maximum": at_most})


def size(at_least: int, at_most: int) -> Reader:
    """Read a number of bytes: 65536, or 64KiB, 32MiB, 1GiB."""

    def read(node: yaml.Node, path: str, problems: Problems) -> int | None:
        found = _SIZE.fullmatch(node.value) if isinstance(node, yaml.ScalarNode) else None
        if found is None:
            problems.add(node, f"{path} must be a size in bytes, such as 65536, 64KiB, 32MiB or 1GiB")
            return None
        value = int(found[1]) * _UNITS[found[2]]
        return _bounded(value, at_least, at_most, "bytes", node, path, problems)

    plain = {"type": "integer", "minimum": at_least, "maximum": at_most}
    return Reader(read, {"anyOf": [plain, {"type": "string", "pattern": f"^{_SIZE.pattern}$"}]})


@reads(type="boolean")
def boolean(node: yaml.Node, path: str, problems: Problems) -> bool | None:
    """Read true or false."""
    value = _scalar(node, "bool", path, problems)
    return None if value is None else bool(value)


@reads(type="string", minLength=1)
def file_path(node: yaml.Node, path: str, problems: Problems) -> Path | None:
    """Read a path; a relative one is relative to the configuration's folder."""
    value = _scalar(node, "str", path, problems)
    if value is None:
        return None
    if not value or "\0" in value:
        problems.add(node, f"{path} must be a path")
        return None
    return problems.base / Path(value)


@reads(type="string", minLength=1, maxLength=107)
def socket_path(node: yaml.Node, path: str, problems: Problems) -> Path | None:
    """Read the path of a unix socket; the kernel's sockaddr_un holds 107 bytes of it (unix(7))."""
    value: Path | None = file_path(node, path, problems)
    if value is not None and len(str(value).encode()) > 107:
        problems.add(node, f"{path}: a unix socket's path holds at most 107 bytes; choose a shorter folder")
        return None
    return value


@reads(type="string", pattern=f"^{_ADDRESS.pattern}$")
def listen_address(node: yaml.Node, path: str, problems: Problems) -> Any:
    """Read ``host:port``, ``[v6]:port``."""
    value = _scalar(node, "str", path, problems)
    if value is None:
        return None
    try:
        return parse_address(value)
    except ValueError:
        problems.add(node, f"{path} must be host:port with a port up to 65535, such as 127.0.0.1:9443")
        return None


@reads(type="string", pattern="^https?://")
def url(node: yaml.Node, path: str, problems: Problems) -> str | None:
    """Read the base URL of HEC: https, or http to this very machine."""
    value = _scalar(node, "str", path, problems)
    if value is None:
        return None
    try:
        parts = urlsplit(value)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host, parts = None, urlsplit("")
    if not host or parts.scheme not in ("http", "https") or parts.query or parts.fragment:
        problems.add(node, f"{path} must be a URL such as https://splunk.example:8088")
    elif parts.username or parts.password:
        problems.add(node, f"{path} must not hold credentials; the token stands in hec.token_file")
    elif parts.scheme == "http" and host not in ("localhost", "127.0.0.1", "::1"):
        problems.add(node, f"{path}: http would send the token in clear; use https (http only to 127.0.0.1)")
    else:
        return str(value).rstrip("/")
    return None


@dataclasses.dataclass(frozen=True)
class Address:
    """A TCP address to listen on or to connect to."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def parse_address(value: str) -> Address:
    """Read ``host:port`` or ``[v6]:port``; ValueError when it is neither."""
    found = _ADDRESS.fullmatch(value)
    if not found or int(found[3]) > 65535:
        raise ValueError(value)
    return Address(found[1] or found[2], int(found[3]))


def _scalar(node: yaml.Node, kind: str, path: str, problems: Problems) -> Any:
    """Return the plain value of a scalar node of the wanted kind; None (and a problem) otherwise."""
    tag = node.tag.rpartition(":")[2]
    if isinstance(node, yaml.ScalarNode) and (tag == kind or (kind == "float" and tag == "int")):
        if kind == "bool":
            return node.value.lower() in ("true", "yes", "on")
        if kind == "str":
            return node.value
        if _PLAIN[kind].fullmatch(node.value):
            return int(node.value) if kind == "int" else float(node.value)
        # YAML 1.1 also knows 0x1F, 017 and 1:30; a configuration has no need of them
        problems.add(node, f"{path} must be {_KINDS[kind]} in plain decimal digits")
        return None
    quote = "; put it in quotes" if kind == "str" and isinstance(node, yaml.ScalarNode) else ""
    problems.add(node, f"{path} must be {_KINDS[kind]}, not {_kind(node)}{quote}")
    return None


def _kind(node: yaml.Node) -> str:
    if isinstance(node, yaml.MappingNode):
        return "a mapping"
    if isinstance(node, yaml.SequenceNode):
        return "a list"
    return _KINDS.get(node.tag.rpartition(":")[2], "this kind of value")


N = TypeVar("N", int, float)


def _bounded(
    value: N, at_least: float, at_most: float, unit: str, node: yaml.Node, path: str, problems: Problems
) -> N | None:
    if at_least <= value <= at_most:  # also refuses NaN
        return value
    problems.add(node, f"{path} must be {at_least:g} to {at_most:g} {unit}, not {value:g}")
    return None


def reference(sections: Mapping[str, type]) -> str:
    """Return the Markdown reference of the sections: every key, its meaning and its default."""
    lines = []
    for name, cls in sections.items():
        lines += [f"### `{name}`", "", (cls.__doc__ or "").strip(), "", "| key | meaning | default |", "|---|---|---|"]
        for key, field in options(cls).items():
            lines.append(f"| `{key}` | {field.metadata['text']} | {_default(field)} |")
        lines.append("")
    return "\n".join(lines)


def _default(field: dataclasses.Field[Any]) -> str:
    if field.metadata["required"]:
        return "required"
    if field.default is dataclasses.MISSING or field.default is None:
        return "–"
    if isinstance(field.default, tuple):
        return "`[" + ", ".join(map(str, field.default)) + "]`"
    return f"`{str(field.default).lower() if isinstance(field.default, bool) else field.default}`"
