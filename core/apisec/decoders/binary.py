"""Binary bodies, shown as the JSON of what they hold: Protocol Buffers, gRPC, MessagePack and CBOR.

``to_json`` turns bytes into that text before charsets are asked; each decoder then reads its own JSON.
"""

from __future__ import annotations

from typing import List, Mapping, Optional, Tuple

from apisec.decoders import cbor, codings, grpc, msgpack, protobuf
from apisec.decoders.base import Limits, MediaType
from apisec.decoders.json_text import JsonDecoder
from apisec.decoders.tree import write


class BinaryDecoder(JsonDecoder):
    """Reads the JSON that ``to_json`` made of a body of these media types."""

    def __init__(self, name: str, essences: Tuple[str, ...], prefixes: Tuple[str, ...] = (), suffix: str = "") -> None:
        self.name = name
        self._essences = essences
        self._prefixes = prefixes
        self._suffix = suffix

    def accepts(self, media: MediaType) -> bool:
        """Return whether the media type is of this family."""
        essence = media.essence
        if essence in self._essences or (self._suffix and essence.endswith(self._suffix)):
            return True
        return bool(self._prefixes) and essence.startswith(self._prefixes)


BINARY: Tuple[BinaryDecoder, ...] = (
    BinaryDecoder("grpc", (), ("application/grpc", "application/connect+")),
    BinaryDecoder(
        "protobuf",
        (
            *("application/x-protobuf", "application/protobuf", "application/vnd.google.protobuf"),
            *("application/proto", "application/x-google-protobuf"),
        ),
    ),
    BinaryDecoder("msgpack", ("application/msgpack", "application/x-msgpack", "application/vnd.msgpack")),
    BinaryDecoder("cbor", ("application/cbor", "application/cbor-seq"), suffix="+cbor"),
)


def find(media: MediaType) -> Optional[str]:
    """Return the name of the binary format of a media type, or None."""
    return next((decoder.name for decoder in BINARY if decoder.accepts(media)), None)


def to_json(
    data: bytes,
    name: str,
    media: MediaType,
    limits: Limits,
    truncated: bool,
    message_coding: str = "",
    table: Mapping[str, codings.Undo] = codings.CODINGS,
) -> Tuple[str, bool]:
    """Return the JSON of a binary body, and whether its end is missing. Raises DecodeError or LimitExceeded."""
    if name == "grpc":
        return grpc.to_json(data, media, limits, truncated, message_coding, table)
    if name == "protobuf":
        tree, missing = protobuf.to_tree(data, limits, truncated)
        return write(tree), missing
    trees, missing = (msgpack if name == "msgpack" else cbor).to_tree(data, limits, truncated)
    lines: List[str] = [write(tree) for tree in trees]
    return "\n".join(lines), missing
