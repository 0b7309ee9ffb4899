"""Writes members down in every format that the decoders read: an own encoder each, that shares nothing with them."""

from __future__ import annotations

import base64
import binascii
import gzip
import json
import quopri
import struct
import zlib
from collections.abc import Callable, Sequence
from urllib.parse import quote
from xml.sax.saxutils import escape

import brotli
import zstandard

Members = Sequence[tuple[str, str]]  # names and values


def _name(name: str) -> str:
    """Return a name that any format can hold."""
    kept = "".join([c for c in name if c.isascii() and (c.isalnum() or c == "_")])
    return "x" + kept if not kept or kept[0].isdigit() else kept


def json_body(members: Members) -> bytes:
    return json.dumps({"data": dict(members), "n": 1}).encode()


def json_spaced(members: Members) -> bytes:
    return json.dumps([{"items": [{name: value} for name, value in members]}], indent=1, ensure_ascii=False).encode(
        "utf-8", "replace"
    )


def json_duplicates(members: Members) -> bytes:
    pairs = [f'"note": {json.dumps(value)}, {json.dumps(name)}: {json.dumps(value)}' for name, value in members]
    return ("{" + ", ".join(pairs) + "}").encode()


def json_in_json(members: Members) -> bytes:
    return json.dumps({"payload": json.dumps({"deep": json.dumps(dict(members))})}).encode()


def ndjson(members: Members) -> bytes:
    return "".join([json.dumps({name: value}) + "\n" for name, value in members]).encode()


def json_sequence(members: Members) -> bytes:
    return "".join(["\x1e" + json.dumps({name: value}) + "\n" for name, value in members]).encode()


def event_stream(members: Members) -> bytes:
    return "".join([f"event: m\ndata: {json.dumps({name: value})}\n\n" for name, value in members]).encode()


def form(members: Members) -> bytes:
    return "&".join([f"{quote(name)}={quote(value.encode('utf-8', 'replace'))}" for name, value in members]).encode()


def form_twice(members: Members) -> bytes:
    return form([(name, quote(value.encode("utf-8", "replace"))) for name, value in members])


def multipart(members: Members) -> bytes:
    parts = [
        f'--XX\r\nContent-Disposition: form-data; name="{_name(name)}"\r\n\r\n'.encode()
        + value.encode("utf-8", "replace")
        + b"\r\n"
        for name, value in members
    ]
    return b"".join(parts) + b"--XX--\r\n"


def multipart_json(members: Members) -> bytes:
    head = b'--XX\r\nContent-Disposition: form-data; name="doc"\r\nContent-Type: application/json\r\n\r\n'
    return head + json_body(members) + b"\r\n--XX--\r\n"


def multipart_base64(members: Members) -> bytes:
    head = b'--XX\r\nContent-Disposition: form-data; name="doc"\r\nContent-Transfer-Encoding: base64\r\n\r\n'
    return head + base64.b64encode(json_body(members)) + b"\r\n--XX--\r\n"


def multipart_printable(members: Members) -> bytes:
    head = b"--XX\r\nContent-Disposition: form-data; name=doc\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
    return head + quopri.encodestring(members[0][1].encode("utf-8", "replace")) + b"\r\n--XX--\r\n"


def multipart_nested(members: Members) -> bytes:
    inner = multipart(members).replace(b"--XX", b"--YY")
    return b"--XX\r\nContent-Type: multipart/mixed; boundary=YY\r\n\r\n" + inner + b"\r\n--XX--\r\n"


def _xml_text(value: str) -> str:
    return escape("".join([c for c in value if c >= " " and c not in "\ufffe\uffff"]))


def xml(members: Members) -> bytes:
    inner = "".join([f"<{_name(n)}>{_xml_text(v)}</{_name(n)}>" for n, v in members])
    return f"<a>{inner}</a>".encode("utf-8", "replace")


def xml_attributes(members: Members) -> bytes:
    inner = " ".join([f'x{i}="{_xml_text(v).replace(chr(34), "&quot;")}"' for i, (_, v) in enumerate(members)])
    return f"<a><b {inner}/></a>".encode("utf-8", "replace")


def xml_parted(members: Members) -> bytes:
    """Text that comments and CDATA part: a parser joins it."""
    inner = "".join([f"<n>{_xml_text(v[:5])}<!-- c --><![CDATA[{v[5:].replace(']]>', '')}]]></n>" for _, v in members])
    return f"<a>{inner}</a>".encode("utf-8", "replace")


def soap(members: Members) -> bytes:
    return b'<s:Envelope xmlns:s="u"><s:Body>' + xml(members) + b"</s:Body></s:Envelope>"


def graphql(members: Members) -> bytes:
    arguments = ", ".join([f"{_name(name)}: {json.dumps(value)}" for name, value in members])
    return f"mutation M {{ save({arguments}) {{ id }} }}".encode()


def graphql_json(members: Members) -> bytes:
    return json.dumps({"query": graphql(members).decode(), "variables": dict(members)}).encode()


def json_rpc(members: Members) -> bytes:
    return json.dumps({"jsonrpc": "2.0", "method": "m.save", "params": [dict(members)], "id": 1}).encode()


def text(members: Members) -> bytes:
    return " ; ".join([f"{name}: {value}" for name, value in members]).encode("utf-8", "replace")


def html(members: Members) -> bytes:
    return b"<html><body><p>" + text(members) + b"</p></body></html>"


def utf16(members: Members) -> bytes:
    return json_body(members).decode().encode("utf-16")


def _varint(value: int) -> bytes:
    out = b""
    while value > 127:
        out, value = out + bytes([value & 127 | 128]), value >> 7
    return out + bytes([value])


def protobuf(members: Members) -> bytes:
    out = b""
    for number, (_, value) in enumerate(members, 1):
        data = value.encode("utf-8", "replace")
        field = _varint(number << 3 | 2) + _varint(len(data)) + data
        out += field + _varint(15 << 3 | 2) + _varint(len(field)) + field
        if value.isdigit() and int(value) < 1 << 63:
            out += _varint(16 << 3) + _varint(int(value)) + _varint(17 << 3 | 1) + struct.pack("<Q", int(value))
            out += _varint(18 << 3) + _varint(int(value) * 2)
    return out


def grpc(members: Members) -> bytes:
    message = protobuf(members)
    packed = gzip.compress(message, mtime=0)
    return b"\0" + struct.pack(">I", len(message)) + message + b"\1" + struct.pack(">I", len(packed)) + packed


def grpc_text(members: Members) -> bytes:
    return base64.b64encode(grpc(members)) + base64.b64encode(b"\x80" + struct.pack(">I", 14) + b"grpc-status: 0")


def msgpack(members: Members) -> bytes:
    out = b"\xde" + struct.pack(">H", len(members))
    for name, value in members:
        for piece in (name.encode("utf-8", "replace"), value.encode("utf-8", "replace")):
            out += b"\xda" + struct.pack(">H", len(piece)) + piece
    return out


def cbor(members: Members) -> bytes:
    out = b"\xbf"
    for name, value in members:
        for piece in (name.encode("utf-8", "replace"), value.encode("utf-8", "replace")):
            out += b"\x79" + struct.pack(">H", len(piece)) + piece
    return out + b"\xff"


def in_base64(members: Members) -> bytes:
    return json.dumps({"blob": binascii.b2a_base64(json_body(members), newline=False).decode()}).encode()


# Content types, several where servers are lenient, and what is written below them.
BODIES: tuple[tuple[str, Callable[[Members], bytes]], ...] = (
    ("application/json", json_body),
    ("application/vnd.api+json; charset=utf-8", json_spaced),
    ("application/json", json_duplicates),
    ("application/json", json_in_json),
    ("application/json", in_base64),
    ("application/json", graphql_json),
    ("application/json", json_rpc),
    ("application/json; charset=utf-16", utf16),
    ("application/x-www-form-urlencoded", json_body),
    ("text/plain", json_body),
    ("text/html", json_body),
    ("", json_body),
    ("application/x-ndjson", ndjson),
    ("application/json-seq", json_sequence),
    ("text/event-stream", event_stream),
    ("application/x-www-form-urlencoded", form),
    ("application/x-www-form-urlencoded", form_twice),
    ("text/plain;charset=UTF-8", form),
    ("multipart/form-data; boundary=XX", multipart),
    ("multipart/form-data; boundary=XX", multipart_json),
    ("multipart/form-data; boundary=XX", multipart_base64),
    ("multipart/form-data; boundary=XX", multipart_printable),
    ("multipart/mixed; boundary=XX", multipart_nested),
    ("text/plain", multipart),
    ("application/xml", xml),
    ("text/xml", xml_attributes),
    ("application/soap+xml", soap),
    ("text/xml", xml_parted),
    ("text/plain", xml),
    ("application/graphql", graphql),
    ("text/plain", text),
    ("text/html", html),
    ("application/x-protobuf", protobuf),
    ("application/grpc+proto", grpc),
    ("application/grpc-web-text+proto", grpc_text),
    ("application/msgpack", msgpack),
    ("application/cbor", cbor),
)


def _raw_deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(data) + packer.flush()


def _members(data: bytes) -> bytes:
    half = len(data) // 2
    return gzip.compress(data[:half], mtime=0) + gzip.compress(data[half:], mtime=0)


CODINGS: tuple[tuple[str, Callable[[bytes], bytes]], ...] = (
    ("", bytes),
    ("identity", bytes),
    ("gzip", lambda data: gzip.compress(data, mtime=0)),
    ("gzip", _members),
    ("", lambda data: gzip.compress(data, mtime=0)),
    ("deflate", zlib.compress),
    ("deflate", _raw_deflate),
    ("br", brotli.compress),
    ("zstd", zstandard.compress),
    ("gzip, br", lambda data: brotli.compress(gzip.compress(data, mtime=0))),
    ("gzip", bytes),
)


def chunked(data: bytes, size: int) -> bytes:
    """Return data with chunk framing, each chunk with an extension."""
    pieces = [data[i : i + size] for i in range(0, len(data), max(size, 1))]
    return b"".join([b"%x;x=1\r\n%s\r\n" % (len(piece), piece) for piece in pieces if piece]) + b"0\r\n\r\n"
