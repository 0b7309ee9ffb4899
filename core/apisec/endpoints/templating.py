"""Path templating: which segments of a path are parameters, and what they are called.

Templates of the service's OpenAPI document come first. Without one, the shape of a segment decides: numbers,
UUIDs, hashes, dates, slugs with a number and redaction tokens are parameters, words stay. Pure and
deterministic: the same path gives the same template on every forwarder.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Dict, Iterable, List, Optional, Pattern, Sequence, Tuple

from apisec.redaction.tokens import TOKEN

MAX_SEGMENTS = 32  # beyond it the rest of a path is one parameter: {rest}
MAX_STATIC = 40  # characters; a longer segment with digits is no word
MAX_SHAPED = 128  # characters; a longer segment is not looked at
MAX_WORDS = 72  # characters of words without digits: additional-transaction-information-category

Params = Tuple[Tuple[str, str], ...]

_DATE = re.compile(r"\d{4}-\d{2}(?:-\d{2})?(?:T[\d:.]+Z?)?|\d{8}T\d{6}Z?")
# Shapes of values, the first that fits. A strong one is a value wherever it stands; those of a weak one may be fixed
# parts of a path (/v/2, /2010-04-01/accounts, /tier-1), which only traffic can tell.
_SHAPES: Tuple[Tuple[str, str], ...] = (
    ("integer", r"[+-]?\d+"),
    ("uuid", r"\{?[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}\}?"),
    ("date", _DATE.pattern),
    ("number", r"[+-]?\d+(?:[.,:_-]\d+)+"),  # versions of things, coordinates, ranges
    ("hash", r"(?=[^_.-]*\d)[0-9a-fA-F]{16,}"),  # digests, MongoDB's object ids
    ("ulid", r"[0-7][0-9A-HJKMNP-TV-Za-hjkmnp-tv-z]{25}"),
    ("coded", r"(?=[^_.-]*\d)[0-9a-fA-F]{8,}"),
    ("worded", r"[a-z]+\d?(?:[A-Z][a-z]{2,}\d?)+(?:[A-Z]{2,5}\d?)?"),  # l3FirewallRules: a word, and yet with a digit
    ("coded", r"(?=[^\d]*\d)(?=[^A-Za-z]*[A-Za-z])[\w.-]*[_.-]\d+"),  # ord-1042, red-shoes-17, user_3
    ("coded", r"\d+[_.-][\w.-]+"),  # 1042-red-shoes
    ("coded", r"[A-Za-z]{1,12}\d{3,}"),  # SKU1234
    ("coded", r"(?=\D*\d)(?=[^A-Z]*[A-Z])[A-Z0-9]{6,}"),  # AB12CD
    ("opaque", r"(?=[^\d]*\d)(?=[^a-z]*[a-z])(?=[^A-Z]*[A-Z])[\w+/=-]{10,}"),  # base64 and random ids
    ("opaque", r"(?=(?:[^\d]*\d){3})[\w-]{16,}"),
    ("opaque", r"[A-Za-z]{2,8}_(?=[^_]*\d)[A-Za-z0-9]{8,}"),  # cus_9s6XKzkNRiz8
)
_SHAPE = re.compile("|".join(f"(?P<{name}_{n}>{pattern})" for n, (name, pattern) in enumerate(_SHAPES)))
STRONG_SHAPES = frozenset(("uuid", "hash", "ulid", "opaque", "text", "token"))
_STATIC_SHAPES = frozenset(("worded",))
_STATIC_WITH_DIGITS = re.compile(
    r"[vV]\d{1,2}(?:[._-]\d{1,2}){0,2}(?:(?:alpha|beta|rc)\d{0,2})?|sha\d{1,3}|md5|base\d\d|utf-?\d{1,2}|iso-?\d{4,5}"
    r"|ipv[46]|oauth-?\d|http-?\d|[a-z]+-v\d{1,2}(?:\.\d{1,2})?|v20[0-9]{6}|x509|ed25519|web3|3ds2?"
    r"|2fa|mp[34]|h26[45]|s3|ec2|log4j|api-?\d{1,2}"
)
_WORD = re.compile(r"[A-Za-z][A-Za-z_-]*")
_WORDS = re.compile(r"\$?[A-Za-z][A-Za-z_-]*(?:\.[A-Za-z][A-Za-z_-]*)*")  # org.apache.sling too, and OData's $count
_VERB = re.compile(r"[a-z][A-Za-z]{1,39}")
_ACRONYM = re.compile(r"[A-Z]{2,4}$")  # getDealersByID
_PROSE = re.compile(r"""[ %@{}<>'"\\|,$!*()]""")
_DOTS = (".", "..")  # left after decoding: a traversal, and no two of them shall make two operations
_EXTENSION = re.compile(r"(.+)\.(json|xml|csv|pdf|html?|txt|png|jpe?g|gif|svg|zip|ya?ml|atom|rss)", re.IGNORECASE)


@dataclass(frozen=True)
class Templated:
    """``template`` is ``/orders/{order_id}``; ``params`` are names and raw values; ``source``: spec or shape."""

    template: str
    params: Params
    source: str


def is_parameter(segment: str) -> bool:
    """Return whether a decoded, redacted segment has the shape of a value."""
    return bool(shape_of(segment))


def shape_of(segment: str) -> str:
    """Return the name of the shape of a value, such as ``integer``; empty for what looks like a fixed word.

    A custom method stays beside the shape of what it acts on: ``1042:cancel`` is ``integer:cancel`` (Google's AIP-136).
    """
    return "opaque" if len(segment) > MAX_SHAPED else _shape_of(segment)


@lru_cache(maxsize=16_384)
def _shape_of(segment: str) -> str:
    if ":" in segment:
        head, _, verb = segment.rpartition(":")
        if head and _VERB.fullmatch(verb):
            shape = shape_of(head)
            return f"{shape}:{verb}" if shape else ""
    if _WORDS.fullmatch(segment):
        return "opaque" if len(segment) > MAX_WORDS or _mixed(segment) else ""
    if not segment.isascii():
        return "text"
    if "~" in segment and TOKEN.search(segment):
        return "token"
    if len(segment) > MAX_STATIC:
        return "opaque"
    if not segment[:1].isdigit() and _STATIC_WITH_DIGITS.fullmatch(segment.lower()):
        return ""
    if "." in segment:
        extension = _EXTENSION.fullmatch(segment)
        if extension:
            return shape_of(extension.group(1))
    match = _SHAPE.fullmatch(segment)
    if match is not None:
        name = str(match.lastgroup).partition("_")[0]
        return "" if name in _STATIC_SHAPES else name
    return "text" if _PROSE.search(segment) else ""


def _mixed(word: str) -> bool:
    """Tell random letters (``dGhpcyBpcyBh``) from words: case changes often, and not as in camelCase."""
    if len(word) < 12 or "-" in word or "_" in word:
        return False
    word = _ACRONYM.sub("", word)
    upper = sum(c.isupper() for c in word)
    runs = len(re.findall(r"[A-Z]{2,}|[A-Z][a-z](?=[A-Z])", word))
    return upper >= 3 and runs * 2 >= upper


def singular(word: str) -> str:
    """Return the singular of an English plural well enough for a parameter's name."""
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith(("sses", "xes", "ches", "shes")):
        return word[:-2]
    if word.endswith("s") and not word.endswith(("ss", "us", "is")) and len(word) > 3:
        return word[:-1]
    return word


def parameter_name(parent: Optional[str], segment: str, taken: Iterable[str]) -> str:
    """Return a name for a parameter after the static segment ``parent``: orders gives ``order_id``."""
    if _DATE.fullmatch(segment):
        name = "date"
    elif parent:
        words = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", parent)
        stem = re.sub(r"[^A-Za-z0-9]+", "_", words).strip("_").lower()
        name = f"{singular(stem)}_id" if stem else "id"
    else:
        name = "id"
    used, base, count = set(taken), name, 1
    while name in used:
        count += 1
        name = f"{base}_{count}"
    return name


def by_shape(segments: Sequence[str], start: int = 0) -> Templated:
    """Template the segments of a path by their shape; ``segments`` are decoded and redacted."""
    parts: List[str] = []
    params: List[Tuple[str, str]] = []
    parent: Optional[str] = None
    for index, segment in enumerate(segments):
        if index >= MAX_SEGMENTS or segment in _DOTS:
            parts.append("{rest}")
            break
        shape = shape_of(segment) if index >= start else ""
        if shape:
            method = shape.partition(":")[2]
            value = segment[: -len(method) - 1] if method else segment
            name = parameter_name(parent, value, [known for known, _ in params])
            params.append((name, value))
            parts.append("{" + name + "}" + (f":{method}" if method else ""))
        else:
            parts.append(segment)
            parent = segment if _WORD.match(segment) and not _STATIC_WITH_DIGITS.fullmatch(segment) else parent
    return Templated("/" + "/".join(parts), tuple(params), "shape")


@dataclass
class _Node:
    static: Dict[str, _Node] = field(default_factory=dict)
    mixed: List[Tuple[Pattern[str], _Node]] = field(default_factory=list)
    param: Optional[_Node] = None
    template: Optional[str] = None


_BRACES = re.compile(r"\{([^{}/]*)\}")


class Templates:
    """Templates of an OpenAPI document. Static segments win over parameters (OpenAPI 3.1, 4.8.8.2)."""

    def __init__(self, templates: Iterable[str] = ()) -> None:
        self._root = _Node()
        self.count = 0
        for template in templates:
            self._add(template)

    def _add(self, template: str) -> None:
        node = self._root
        for segment in segments_of(template):
            names = tuple(_BRACES.findall(segment))
            if not names:
                node = node.static.setdefault(segment, _Node())
            elif segment == "{" + names[0] + "}":
                node.param = node.param or _Node()
                node = node.param
            else:
                child = _Node()
                literal = "([^/]+?)".join([re.escape(part) for part in _BRACES.split(segment)[::2]])
                node.mixed.append((re.compile(literal), child))
                node = child
        if node.template is None:
            node.template = template
            self.count += 1

    def match(self, segments: Sequence[str]) -> Optional[Templated]:
        """Return the template a path's decoded segments follow, or None."""
        found = _descend(self._root, segments, 0)
        if found is None:
            return None
        template, values = found
        return Templated(template, tuple(zip(_BRACES.findall(template), values)), "spec")


def _descend(node: _Node, segments: Sequence[str], index: int) -> Optional[Tuple[str, Tuple[str, ...]]]:
    """Return the template and the values of its parameters in order."""
    if index == len(segments):
        return (node.template, ()) if node.template is not None else None
    segment = segments[index]
    child = node.static.get(segment)
    if child is not None:
        found = _descend(child, segments, index + 1)
        if found is not None:
            return found
    for pattern, mixed in node.mixed:
        match = pattern.fullmatch(segment)
        found = _descend(mixed, segments, index + 1) if match else None
        if match and found is not None:
            return found[0], match.groups() + found[1]
    if node.param is not None and segment:
        found = _descend(node.param, segments, index + 1)
        if found is not None:
            return found[0], (segment, *found[1])
    return None


def segments_of(path: str) -> List[str]:
    """Return the segments of a path; a trailing slash does not count, ``/`` has none."""
    trimmed = path.strip("/")
    return trimmed.split("/") if trimmed else []
