"""Decoders: one family of formats a file, registered here by an explicit list that refuses duplicates.

``decode_body`` is the way in: content codings, binary formats, charset, format. Whatever cannot be
decoded raises, and the caller drops the body: nothing is ever shipped raw. Where servers may read a body in
two ways, the reading is taken in which a value can be recognised, or the body is refused.
"""

from __future__ import annotations

import re
from typing import Dict, Iterable, Iterator, Mapping, Optional, Tuple

from apisec.decoders import binary, charsets, codings, graphql
from apisec.decoders.base import Decoder, Document, Label, Leaf, Limits, MediaType, Place, as_is
from apisec.decoders.event_stream import EventStreamDecoder
from apisec.decoders.form import FormDecoder
from apisec.decoders.graphql import GraphqlDecoder
from apisec.decoders.json_text import JsonDecoder
from apisec.decoders.multipart import MultipartDecoder
from apisec.decoders.operations import json_operation, operation_hint
from apisec.decoders.plain import TextDecoder
from apisec.decoders.tokens import claims
from apisec.decoders.xml_text import XmlDecoder, declared_charset
from apisec.errors import ApisecError, DecodeError

_UNTOLD = ("", "text/plain", "application/octet-stream")  # media types that say nothing
_FORM = re.compile(r"[\w.\[\]%+-]{1,128}=[^=&\s\"'<>{}][^&\s\"'<>{}]*(?:&[\w.\[\]%+-]{1,128}=[^&\s\"'<>{}]*)*\s*")
# A form in a string: two pairs at least, and nothing that a form would have encoded.
_PAIRS = re.compile(r"[\w.\[\]%+-]{1,64}=[^&\s\"'<>{}]*(?:&[\w.\[\]%+-]{1,64}=[^&\s\"'<>{}]*)+", re.ASCII)
_BLANK = re.compile(r"[\s\ufeff]*")
_PART = re.compile(r"\s{0,8}--([^\r\n]{1,70})\r?\ncontent-disposition:", re.IGNORECASE)
_PARAMETER = re.compile(
    r";[ \t]*([\w!#$%&'*+.^`|~-]{1,64})[ \t]*=[ \t]*(?:\"((?:[^\"\\]|\\.){0,1024})\"|([^;\"]{0,1024}))"
)
_ESCAPED_QUOTE = re.compile(r"\\(.)")


class _Registry:
    """What decoders ask for texts inside their own (``base.Inner``)."""

    def embedded(self, text: str, name: str, limits: Limits, label: Label) -> Optional[Document]:
        return embedded(text, name, limits, label)

    def declared(self, text: str, media: MediaType, limits: Limits, label: Label) -> Optional[Document]:
        decoder = next((d for d in DECODERS.values() if d.accepts(media)), None)
        if decoder is None or decoder.name in ("text", *_BINARY_NAMES):
            return None
        try:
            return decoder.decode(text, media, limits, label, False)
        except DecodeError:
            return None

    def encode(self, leaf: Leaf, replacement: str) -> str:
        return DECODERS[leaf.within].encode(leaf._replace(within=""), replacement)


_INNER = _Registry()
_BINARY_NAMES = tuple(decoder.name for decoder in binary.BINARY)
FORMATS: Tuple[Decoder, ...] = (
    *binary.BINARY,
    JsonDecoder(),
    FormDecoder(),
    MultipartDecoder(_INNER),
    XmlDecoder(),
    EventStreamDecoder(_INNER),
    GraphqlDecoder(),
    TextDecoder(),
)


def register(decoders: Iterable[Decoder]) -> Dict[str, Decoder]:
    """Return the decoders by name, in the order they are asked; a second one of a name is a bug."""
    table: Dict[str, Decoder] = {}
    for decoder in decoders:
        if decoder.name in table:
            raise ValueError(f"decoder {decoder.name!r} is registered twice")
        table[decoder.name] = decoder
    return table


DECODERS: Dict[str, Decoder] = register(FORMATS)


def media_type(header: Optional[str]) -> MediaType:
    """Return the parsed Content-Type; an unreadable one is an empty MediaType."""
    if not header:
        return MediaType()
    essence, semicolon, rest = header[:2048].partition(";")
    parameters = []
    for match in _PARAMETER.finditer(semicolon + rest):
        value = match[3].strip() if match[2] is None else _ESCAPED_QUOTE.sub(r"\1", match[2])
        parameters.append((match[1].lower(), value))
    return MediaType(essence.strip().lower(), tuple(parameters[:8]))


def _candidates(media: MediaType, text: str) -> Iterator[Tuple[Decoder, MediaType]]:
    """Yield the decoders to try, in turn: what a lenient server may see in the text goes first."""
    declared = next((decoder for decoder in DECODERS.values() if decoder.accepts(media)), None)
    if declared is None and media.essence in _UNTOLD:
        declared = DECODERS["text"]
    blank = _BLANK.match(text)
    begin = blank.end() if blank else 0
    head = text[begin : begin + 1]
    if declared is None or declared.name in ("text", "form"):
        if head in ("{", "["):
            yield DECODERS["json"], media
        if head == "<" and (media.essence in _UNTOLD or declared is not DECODERS["text"]):
            yield DECODERS["xml"], media
    if media.essence in _UNTOLD:
        part = _PART.match(text) if head == "-" else None
        if part is not None:
            yield DECODERS["multipart"], MediaType("multipart/form-data", (("boundary", part[1].rstrip()),))
        if head != "{" and graphql.looks_like(text):
            yield DECODERS["graphql"], media
        if _FORM.fullmatch(text):
            yield DECODERS["form"], media
    if declared is not None:
        yield declared, media
    if declared is DECODERS["graphql"]:
        yield DECODERS["text"], media


def choose(media: MediaType, text: str) -> Decoder:
    """Return the decoder that is tried first, or raise DecodeError."""
    for decoder, _ in _candidates(media, text):
        return decoder
    raise DecodeError("its media type is not supported")


def decode_text(
    text: str, media: MediaType, limits: Limits, label: Label = as_is, *, truncated: bool = False
) -> Document:
    """Return the document of a text, or raise DecodeError or LimitExceeded."""
    if len(text) > limits.text:
        text, truncated = text[: limits.text], True
    failure = DecodeError("its media type is not supported")
    for decoder, read_as in _candidates(media, text):
        try:
            return decoder.decode(text, read_as, limits, label, truncated)
        except DecodeError as error:  # noqa: PERF203 - at most five turns
            failure = error
    raise failure


def embedded(text: str, name: str, limits: Limits, label: Label = as_is, *, forms: bool = False) -> Optional[Document]:
    """Return the document of a value that holds a text with a format: JSON, GraphQL or XML in a string.

    ``name`` is the member's name. ``forms``: a form counts too; of a value whose name says what it is (a session, say)
    the whole is sensitive, and no form. None when the value is just a value; a cheap look at its ends comes first.
    """
    head, tail = text[:1], text[-1:]
    if head.isspace() or tail.isspace():
        stripped = text.strip()
        head, tail = stripped[:1], stripped[-1:]
    tries = []
    if (head, tail) in (("{", "}"), ("[", "]")) or (head == tail == '"' and "\\" in text):
        tries.append("json")
    if tail == "}" and len(text) > 3 and (name in ("query", "data", "mutation") or head != "{"):
        tries += ["graphql"] if graphql.looks_like(text) else []
    if head == "<" and tail == ">" and len(text) > 6:
        tries.append("xml")
    if forms and "=" in text and "&" in text and _PAIRS.fullmatch(text):
        tries.append("form")
    for decoder in tries:
        try:
            return DECODERS[decoder].decode(text, MediaType(), limits, label, False)
        except (ApisecError, RecursionError):  # noqa: PERF203 - at most three turns
            continue
    return None


def decode_body(
    data: bytes,
    content_type: Optional[str],
    content_encoding: Optional[str],
    limits: Limits,
    label: Label = as_is,
    *,
    truncated: bool = False,
    message_coding: str = "",
    table: Mapping[str, codings.Undo] = codings.CODINGS,
) -> Document:
    """Return the document of a message body; the keywords are those of ``body_text``."""
    text, truncated = body_text(
        data,
        content_type,
        content_encoding,
        limits,
        truncated=truncated,
        message_coding=message_coding,
        table=table,
    )
    return decode_text(text, media_type(content_type), limits, label, truncated=truncated)


def body_text(
    data: bytes,
    content_type: Optional[str],
    content_encoding: Optional[str],
    limits: Limits,
    *,
    truncated: bool,
    message_coding: str = "",
    table: Mapping[str, codings.Undo] = codings.CODINGS,
) -> Tuple[str, bool]:
    """Return the text of a body without content coding and charset, and whether some of it is missing.

    ``truncated`` says that the copy was cut, ``message_coding`` is the header grpc-encoding, ``table`` what undoes
    content codings. A multipart body may hold binary parts:
    bytes that are no UTF-8 stand in its text as surrogates. The text of a binary format is its JSON.
    """
    media = media_type(content_type)
    data, truncated = codings.decode(data, content_encoding or "", limits.text, truncated=truncated, table=table)
    packed = binary.find(media)
    if packed is not None:
        return binary.to_json(data, packed, media, limits, truncated, message_coding, table)
    if media.essence.startswith("multipart/"):
        return data.decode("utf-8", "surrogateescape"), truncated
    charset = media.parameter("charset")
    inside = declared_charset(data)
    if inside and not charsets.known(inside):
        raise DecodeError("its charset is not known")
    return charsets.to_text(data, charset or inside, truncated=truncated), truncated


__all__ = [
    "DECODERS",
    "Decoder",
    "Document",
    "Label",
    "Leaf",
    "Limits",
    "MediaType",
    "Place",
    "as_is",
    "body_text",
    "choose",
    "claims",
    "decode_body",
    "decode_text",
    "embedded",
    "json_operation",
    "media_type",
    "operation_hint",
    "register",
]
