"""splunk.persistconn.packet: how splunkd and a handler's process talk.

A request: one byte of flags; in the first packet the number of command pieces and each of them, then an argument;
a block when flagged. Numbers are decimal with a line break, texts are a number of bytes and the bytes. A reply is
one text.
"""

from __future__ import annotations

from typing import Any

MAX_TEXT = 256 * 1024 * 1024  # bytes


class PersistentServerConnectionProtocolException(Exception):
    """What came is no packet."""


class PersistentServerConnectionRequestPacket:
    OPCODE_REQUEST_INIT = 0x01
    OPCODE_REQUEST_BLOCK = 0x02
    OPCODE_REQUEST_END = 0x04
    OPCODE_REQUEST_ALLOW_STREAM = 0x08

    def __init__(self) -> None:
        self.opcode = 0
        self.command: Any = None
        self.command_arg: Any = None
        self.block: Any = None

    def is_first(self) -> bool:
        return bool(self.opcode & self.OPCODE_REQUEST_INIT)

    def is_last(self) -> bool:
        return bool(self.opcode & self.OPCODE_REQUEST_END)

    def has_block(self) -> bool:
        return bool(self.opcode & self.OPCODE_REQUEST_BLOCK)

    def allow_stream(self) -> bool:
        return bool(self.opcode & self.OPCODE_REQUEST_ALLOW_STREAM)

    def read(self, handle: Any) -> bool:
        """Fill this packet from a stream; False at its end."""
        flags = handle.read(1)
        while flags == b"\n":
            flags = handle.read(1)
        if not flags:
            return False
        self.opcode = flags[0]
        if self.is_first():
            self.command = [self._text(handle).decode() for _ in range(self._number(handle))]
            self.command_arg = self._text(handle).decode()
        if self.has_block():
            self.block = self._text(handle)
        return True

    @staticmethod
    def _number(handle: Any) -> int:
        line = handle.readline(20)
        if not line.endswith(b"\n") or not line.strip().isdigit():
            raise PersistentServerConnectionProtocolException(f"expected a number, got {line!r}")
        return int(line)

    @classmethod
    def _text(cls, handle: Any) -> bytes:
        size = cls._number(handle)
        if size > MAX_TEXT:
            raise PersistentServerConnectionProtocolException(f"a text of {size} bytes is too long")
        content = bytes(handle.read(size))
        if len(content) < size:
            raise PersistentServerConnectionProtocolException("the stream ended within a text")
        return content


def write_reply(handle: Any, content: bytes) -> None:
    handle.write(f"{len(content)}\n".encode() + content)
    handle.flush()
