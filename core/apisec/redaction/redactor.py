"""Redacts the values of one transaction: named ones whole, others by what stands in them, at any encoding.

One ``Redactor`` per transaction. It remembers what it found, so that ``echo`` can look for it elsewhere.
"""

from __future__ import annotations

import binascii
import html
import re
from bisect import bisect_left
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from functools import lru_cache
from typing import Dict, Iterator, List, NamedTuple, Optional, Set
from urllib.parse import quote, unquote

from apisec.classification.names import NOTHING, NameEvidence, evidence
from apisec.decoders import DECODERS, Document, Leaf, Limits, MediaType
from apisec.detectors.base import Match
from apisec.detectors.engine import MIN_LENGTH, scan
from apisec.errors import ApisecError
from apisec.redaction.keys import Tokenizer
from apisec.redaction.tokens import TOKEN, class_of, is_token
from apisec.redaction.values import named

MAX_REFERENCE = 64  # characters of an order number, a timestamp, a hash
MAX_WHOLE = 10**19  # card numbers have at most 19 digits
MAX_LABEL = 64  # characters of a member's name in a field's path

# Words with at most one short number, a timestamp, a UUID or hash: most values of ordinary traffic, and nothing
# can stand in them. The alternatives differ by their next character, so that failing costs linear time too.
_WORD = r"(?:[A-Z]?[a-z]{1,15}|[A-Z]{1,8})"
_SEPARATOR = r"[ ,.!?/_-]{1,2}"
_DULL = re.compile(
    rf"/?(?:{_WORD}(?:{_SEPARATOR}|\Z))*(?:\d{{1,6}}(?:{_SEPARATOR}{_WORD})*)?"
    r"|\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?(?:Z|[+-]\d\d:?\d\d)?)?"
    r"|[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}|[0-9a-f]{32}|[0-9a-f]{40}|[0-9a-f]{64}"
)
_PERCENT = re.compile(r"%[0-9A-Fa-f]{2}")
_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9A-Fa-f]{1,6}|amp|lt|gt|quot|apos|commat|nbsp|period);")
_ESCAPED = re.compile(r"\\u([0-9A-Fa-f]{4})|\\x([0-9A-Fa-f]{2})")
_BASE64 = re.compile(r"(?<![A-Za-z0-9+/_=-])[A-Za-z0-9+/_-]{8,}(?:={1,2}|(?![A-Za-z0-9+/_=-]))")
_UNPRINTABLE = bytes(set(range(32)) - {9, 10, 13}) + b"\x7f"
_URL_SAFE = bytes.maketrans(b"-_", b"+/")
_MIN_BASE64 = -(-MIN_LENGTH * 4 // 3)  # characters that the shortest value takes
_ASCII_STRETCH = re.compile(rb"[\x09\x0a\x0d\x20-\x7e]{%d,}" % MIN_LENGTH)

# name=value and name: value inside text: error messages, logs, URLs, GraphQL, broken JSON.
_ASSIGNED = re.compile(r"(?<![\w.-])([A-Za-z_][\w.-]{1,48})\\?[\"']?\]?(\s{0,2}[:=]\s{0,2})")
_VALUE = re.compile(r"\\?\"([^\"\\]{1,512})|'([^'\\]{1,512})|([^\s\"'&,;}<>)\]\\]{1,512})")
_TELLING = re.compile(
    r"(?i)pass|pw|psw|kennw|contras|senha|clave|mdp|pin|secret|token|key|auth|sess|sid|cv[vc]|csc|ssn|social|otp"
    r"|mfa|iban|account|acct|konto|card|karte|pan|code|cred|jwt|user|name|birth|dob"
)
_IN_TEXT = ("secret.", "pci.", "pii.ssn", "pii.national_id", "pii.name", "pii.dob", "fin.")

_INTEGER_LABEL = re.compile(r"\d+|[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|(?=.*\d)[0-9a-f]{16,}")


class Span(NamedTuple):
    """A part of a text and the token that replaces it."""

    start: int
    end: int
    token: str


@dataclass
class FieldSeen:
    """A field of a part: its type on the wire, and the classes of its values."""

    kind: str
    classes: Set[str] = field(default_factory=set)


@dataclass
class Part:
    """A decoded document, what replaces its leaves (by index), and its fields by path."""

    document: Document
    replacements: Dict[int, str] = field(default_factory=dict)
    fields: Dict[str, FieldSeen] = field(default_factory=dict)

    def render(self) -> str:
        return self.document.render(self.replacements)


@lru_cache(maxsize=16384)
def label(name: str) -> str:
    """Return a member's name as a path may hold it: ids become ``{id}``, sensitive names ``{class}``."""
    if len(name) < 12 and name.isidentifier() and name.isascii() and not _has_digits(name):
        return name
    if _INTEGER_LABEL.fullmatch(name):
        return "{id}"
    found = scan(name) or scan(_resolve(name)) or _hides(_resolve(name))
    if found:
        return "{" + found[0].data_class + "}"
    token = TOKEN.search(name)
    if token:
        return "{" + class_of(token.group()) + "}"
    shown = "".join([c if c.isprintable() and c not in "~.%" else "_" for c in name[:MAX_LABEL]])
    return shown if len(name) <= MAX_LABEL and not _BASE64_LONG.search(name) else "{key}"


_BASE64_LONG = re.compile(r"[A-Za-z0-9+/=_-]{24,}")


def _has_digits(name: str) -> bool:
    return sum(c.isdigit() for c in name) > 4


def _hides(name: str) -> List[Match]:
    """Return what stands in base64 inside a name."""
    for match in _BASE64.finditer(name):
        run = match.group()
        for inner in _unbase64(run):
            found = scan(_resolve(inner))
            if found:
                return found
    return []


def _resolve(text: str) -> str:
    """Undo percent-encoding twice, entities and escapes."""
    text = unquote(unquote(text)) if "%" in text else text
    text = html.unescape(text) if "&" in text else text
    return _ESCAPED.sub(_character, text) if "\\" in text else text


def _integral(number: str) -> str:
    """Return a JSON number that is a whole one in its plain notation: 4.111e15 is a number of 16 digits."""
    if len(number) > 32 or ("e" not in number.lower() and not number.endswith(".0")):
        return number
    try:
        value = Decimal(number)
        return str(int(value)) if abs(value) < MAX_WHOLE and value == int(value) else number
    except (ArithmeticError, ValueError):
        return number


def _character(match: re.Match[str]) -> str:
    return chr(int(match.group(1) or match.group(2), 16))


class Redactor:
    """State of one transaction: the tokens made so far by raw value, and the classes seen."""

    def __init__(self, tokenizer: Tokenizer, limits: Limits = Limits()) -> None:  # noqa: B008 - frozen
        self.limits = limits
        self.secrets: Dict[str, str] = {}
        self.classes: Set[str] = set()
        self._tokenizer = tokenizer
        self._seen: Optional[Set[str]] = None  # classes found by the call that is running

    def token(self, data_class: str, canonical: str, raw: Optional[str] = None) -> str:
        """Return a value's token and remember its raw form."""
        token = self._tokenizer.token(data_class, canonical)
        self.secrets.setdefault(canonical if raw is None else raw, token)
        self.classes.add(data_class)
        if self._seen is not None:
            self._seen.add(data_class)
        return token

    def identity(self, data_class: str, canonical: str) -> str:
        """Return a token that says who, without counting as sensitive data that was seen."""
        return self._tokenizer.token(data_class, canonical)

    @contextmanager
    def watching(self) -> Iterator[Set[str]]:
        """Collect the classes that are found inside the ``with`` block."""
        outer, seen = self._seen, set()  # type: Optional[Set[str]], Set[str]
        self._seen = seen
        try:
            yield seen
        finally:
            self._seen = outer
            if outer is not None:
                outer |= seen

    def part(self, document: Document) -> Part:
        """Redact all leaves of a document."""
        part = Part(document)
        self._leaves(document, part.replacements, part.fields, "", 0)
        return part

    def _leaves(
        self, document: Document, out: Dict[int, str], fields: Dict[str, FieldSeen], prefix: str, depth: int
    ) -> None:
        outer = self._seen
        for index, leaf in enumerate(document.leaves):
            seen: Set[str] = set()
            self._seen = seen
            replacement = self._leaf(leaf, fields, prefix, depth)
            if replacement is not None:
                out[index] = replacement
            if outer is not None:
                outer |= seen
            if leaf.kind != "key":
                self._note(fields, prefix + leaf.path, leaf.kind, seen)
        self._seen = outer

    @staticmethod
    def _note(fields: Dict[str, FieldSeen], path: str, kind: str, seen: Set[str]) -> None:
        known = fields.get(path)
        if known is None:
            fields[path] = FieldSeen(kind, seen)
            return
        if known.kind == "null":
            known.kind = kind
        known.classes |= seen

    def _leaf(self, leaf: Leaf, fields: Dict[str, FieldSeen], prefix: str, depth: int) -> Optional[str]:
        kind, value = leaf.kind, leaf.value
        if kind in ("boolean", "null"):
            return None
        if kind == "binary":
            return f"[binary, {len(value)} bytes]"
        if kind == "number":
            value = _integral(value)
        said = evidence(leaf.name, leaf.parent) if leaf.name else NOTHING
        if kind == "string" and len(value) > 1 and value[0] in "{[" and value[-1] in "}]":
            nested = self._nested_json(value, fields, f"{prefix}{leaf.path}.", depth)
            if nested is not None:
                return nested if nested != value else None
        if said.data_class is None and (len(value) < MIN_LENGTH or (len(value) < 12 and kind == "integer")):
            return None
        return self.value(value, said, depth)

    def value(self, value: str, said: NameEvidence = NOTHING, depth: int = 0) -> Optional[str]:
        """Return the redacted form of one decoded value, or None when nothing in it is sensitive."""
        if is_token(value):
            self._meet(value)
            return None
        data_class = said.data_class
        if data_class is not None:
            canonical = named(data_class, value)
            if canonical is not None:
                return self._named(data_class, canonical, value)
        # An order's number is digits alone; digits inside a sentence are not made harmless by their name.
        reference = said.reference and len(value) <= MAX_REFERENCE and " " not in value
        return self.text(value, reference, depth)

    def _meet(self, token: str) -> None:
        """Count the class of a token that came in: an earlier forwarder's work."""
        self.classes.add(class_of(token))
        if self._seen is not None:
            self._seen.add(class_of(token))

    def _named(self, data_class: str, canonical: str, value: str) -> str:
        """Tokenise a value whole, by the class of its shape where that says more than its name."""
        found = scan(value)
        if len(found) == 1 and (found[0].start, found[0].end) == (0, len(value)):
            shape = found[0]
            if not data_class.startswith("secret.") or shape.data_class.startswith("secret."):
                return self.token(shape.data_class, shape.canonical, value)
        return self.token(data_class, canonical, value)

    def text(self, text: str, reference: bool = False, depth: int = 0) -> Optional[str]:
        """Return a text with everything sensitive in it replaced, or None when nothing is."""
        if len(text) < MIN_LENGTH or _DULL.fullmatch(text):
            return None
        if depth < self.limits.nested:
            undone = self._undo(text, reference, depth)
            if undone is not None:
                return undone
        if "~" in text and TOKEN.search(text):
            return self._between_tokens(text, reference, depth)
        spans = [self._span(match, text) for match in scan(text, reference=reference)]
        if "=" in text or ":" in text:
            spans += list(self._assignments(text, _Taken(spans)))
        if depth < self.limits.nested:
            spans += list(self._encoded(text, _Taken(spans), depth))
        return _splice(text, spans) if spans else None

    def _span(self, match: Match, text: str) -> Span:
        raw = text[match.start : match.end]
        return Span(match.start, match.end, self.token(match.data_class, match.canonical, raw))

    def _between_tokens(self, text: str, reference: bool, depth: int) -> Optional[str]:
        """Redact what stands around tokens; a token is never matched again."""
        pieces: List[str] = []
        changed, position = False, 0
        for token in TOKEN.finditer(text):
            self._meet(token.group())
            piece = text[position : token.start()]
            redacted = self.text(piece, reference, depth)
            changed = changed or redacted is not None
            pieces += [piece if redacted is None else redacted, token.group()]
            position = token.end()
        piece = text[position:]
        redacted = self.text(piece, reference, depth)
        pieces.append(piece if redacted is None else redacted)
        return "".join(pieces) if changed or redacted is not None else None

    def _undo(self, text: str, reference: bool, depth: int) -> Optional[str]:
        """Look below one more encoding; return the redacted text in that encoding, or None."""
        if "%" in text and _PERCENT.search(text):
            inner = unquote(text)
            found = self.text(inner, reference, depth + 1) if inner != text else None
            if found is not None:
                return quote(found, safe="~/?&=:;,@+$!*'()[]")
        if "&" in text and _ENTITY.search(text):
            found = self.text(html.unescape(text), reference, depth + 1)
            if found is not None:
                return html.escape(found)
        if "\\" in text and _ESCAPED.search(text):
            return self.text(_ESCAPED.sub(_character, text), reference, depth + 1)
        return None

    def _assignments(self, text: str, taken: _Taken) -> Iterator[Span]:
        end = 0
        for name in _ASSIGNED.finditer(text):
            if name.start() < end or not _TELLING.search(name[1]):
                continue
            value = _VALUE.match(text, name.end())
            data_class = evidence(name[1]).data_class if value else None
            if value is None or data_class is None or not data_class.startswith(_IN_TEXT):
                continue
            start, end = value.span(value.lastindex or 0)
            if taken.overlaps(start, end):
                continue
            shown = text[start:end]
            prose = value.lastindex == 3 and name[2] not in ("=", ":") and shown.isalpha()
            canonical = None if prose or is_token(shown) else named(data_class, shown)
            if canonical is not None:
                yield Span(start, end, self._named(data_class, canonical, shown))

    def _encoded(self, text: str, taken: _Taken, depth: int) -> Iterator[Span]:
        """Find base64 that holds something sensitive; the whole run becomes one token."""
        for match in _BASE64.finditer(text):
            run = match.group()
            if run == run.lower() or taken.overlaps(*match.span()):
                continue
            for inner in _unbase64(run):
                found = self._decoded(inner, depth + 1)
                if found is not None:
                    token = found if is_token(found) else self._blob(found, run)
                    yield Span(match.start(), match.end(), token)
                    break

    def _decoded(self, inner: str, depth: int) -> Optional[str]:
        if inner[:1] in ("{", "["):
            nested = self._nested_json(inner, {}, "", depth)
            if nested is not None:
                return nested if nested != inner else None
        return self.text(inner, False, depth)

    def _blob(self, found: str, run: str) -> str:
        token = TOKEN.search(found)
        return self.token(class_of(token.group()) if token else "secret.token", run)

    def _nested_json(self, value: str, fields: Dict[str, FieldSeen], prefix: str, depth: int) -> Optional[str]:
        """Redact JSON inside a string; None when it is no JSON."""
        if depth >= self.limits.nested:
            return None
        try:
            document = DECODERS["json"].decode(value, MediaType(), self.limits, label, False)
        except (ApisecError, RecursionError):
            return None
        replacements: Dict[int, str] = {}
        self._leaves(document, replacements, fields, prefix, depth + 1)
        return document.render(replacements)


def _unbase64(run: str) -> Iterator[str]:
    """Yield texts that a run of base64 may hold, at each of the places where a quantum can begin.

    A run may begin with other text (``/files/`` is in the alphabet) and may hold binary data around a value:
    then the stretches of ASCII in it are yielded together.
    """
    data = run.rstrip("=").encode().translate(_URL_SAFE)
    for offset in range(4 if len(data) <= 4096 else 1):
        piece = data[offset:]
        if len(piece) < _MIN_BASE64:
            return
        if len(piece) % 4 == 1:
            piece = piece[:-1]
        try:
            decoded = binascii.a2b_base64(piece + b"=" * (-len(piece) % 4))
        except binascii.Error:
            continue
        stretches = _ASCII_STRETCH.findall(decoded)
        if not stretches:
            continue
        text = _printable(decoded)
        yield b"\n".join(stretches).decode() if text is None else text


def _printable(data: bytes) -> Optional[str]:
    """Return bytes that are all text, else None."""
    if data.translate(None, _UNPRINTABLE) != data:
        return None
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return None


class _Taken:
    """Places of a text that are replaced already; asked by bisection, since hostile text has thousands."""

    def __init__(self, spans: List[Span]) -> None:
        self._spans = sorted(spans)
        self._starts = [span.start for span in self._spans]

    def overlaps(self, start: int, end: int) -> bool:
        if not self._starts:
            return False
        after = bisect_left(self._starts, end)
        return after > 0 and self._spans[after - 1].end > start


def _splice(text: str, spans: List[Span]) -> str:
    pieces: List[str] = []
    position = 0
    for start, end, token in sorted(spans):
        pieces += [text[position:start], token]
        position = end
    return "".join([*pieces, text[position:]])


def field_list(location: str, fields: Dict[str, FieldSeen], limit: int) -> List[Dict[str, object]]:
    """Return at most ``limit`` entries of an event's request_fields or response_fields."""
    listed: List[Dict[str, object]] = []
    for path, seen in fields.items():
        if len(listed) == limit:
            break
        entry: Dict[str, object] = {"path": path or "$", "in": location, "type": seen.kind}
        if seen.classes:
            entry["classes"] = sorted(seen.classes)
        listed.append(entry)
    return listed
