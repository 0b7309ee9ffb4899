"""Decoders: one family of formats a file, registered here by an explicit list that refuses duplicates.

``decode_body`` is the way in: content codings, charset, format. Whatever cannot be decoded raises, and the
caller drops the body: nothing is ever shipped raw.
"""

from __future__ import annotations

from typing import Dict, Iterable, Optional, Tuple

from apisec.decoders import charsets, codings
from apisec.decoders.base import Decoder, Document, Label, Leaf, Limits, MediaType, as_is
from apisec.decoders.form import FormDecoder
from apisec.decoders.json_text import JsonDecoder
from apisec.decoders.multipart import MultipartDecoder
from apisec.decoders.plain import TextDecoder
from apisec.decoders.xml_text import XmlDecoder
from apisec.errors import DecodeError

FORMATS: Tuple[Decoder, ...] = (JsonDecoder(), FormDecoder(), MultipartDecoder(), XmlDecoder(), TextDecoder())


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
    essence, *rest = header.split(";")
    parameters = []
    for part in rest[:8]:
        name, _, value = part.partition("=")
        parameters.append((name.strip().lower(), value.strip().strip('"')))
    return MediaType(essence.strip().lower(), tuple(parameters))


def choose(media: MediaType, text: str) -> Decoder:
    """Return the decoder for a media type, looking at the text where the type says nothing."""
    for decoder in DECODERS.values():
        if decoder.accepts(media) and not (decoder.name == "text" and media.essence == "text/plain"):
            return decoder
    head = text.lstrip()[:1]
    if head in ("{", "["):
        return DECODERS["json"]
    if head == "<" and text.lstrip()[:5] == "<?xml":
        return DECODERS["xml"]
    if media.essence in ("", "text/plain", "application/octet-stream"):
        return DECODERS["text"]
    raise DecodeError("its media type is not supported")


def decode_text(
    text: str, media: MediaType, limits: Limits, label: Label = as_is, *, truncated: bool = False
) -> Document:
    """Return the document of a text, or raise DecodeError or LimitExceeded."""
    if len(text) > limits.text:
        text, truncated = text[: limits.text], True
    decoder = choose(media, text)
    try:
        return decoder.decode(text, media, limits, label, truncated)
    except DecodeError:
        if decoder.name != "json" or media.essence not in ("", "text/plain", "application/octet-stream"):
            raise
    return DECODERS["text"].decode(text, media, limits, label, truncated)  # it only looked like JSON


def decode_body(
    data: bytes,
    content_type: Optional[str],
    content_encoding: Optional[str],
    limits: Limits,
    label: Label = as_is,
    *,
    truncated: bool = False,
) -> Document:
    """Return the document of a message body; ``truncated`` says that the copy was cut."""
    text, truncated = body_text(data, content_type, content_encoding, limits, truncated=truncated)
    return decode_text(text, media_type(content_type), limits, label, truncated=truncated)


def body_text(
    data: bytes, content_type: Optional[str], content_encoding: Optional[str], limits: Limits, *, truncated: bool
) -> Tuple[str, bool]:
    """Return the text of a body without content coding and charset, and whether some of it is missing.

    A multipart body may hold binary parts: bytes that are no UTF-8 stand in its text as surrogates.
    """
    media = media_type(content_type)
    data, truncated = codings.decode(data, content_encoding or "", limits.text, truncated=truncated)
    if media.essence.startswith("multipart/"):
        return data.decode("utf-8", "surrogateescape"), truncated
    return charsets.to_text(data, media.parameter("charset"), truncated=truncated), truncated


__all__ = [
    "DECODERS",
    "Decoder",
    "Document",
    "Label",
    "Leaf",
    "Limits",
    "MediaType",
    "as_is",
    "body_text",
    "choose",
    "decode_body",
    "decode_text",
    "media_type",
    "register",
]
