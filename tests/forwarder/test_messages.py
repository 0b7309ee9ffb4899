"""Bodies as messages declare them: codings, several lines of a header, media types that disagree."""

from __future__ import annotations

import base64
import gzip
import json
import struct
from typing import Any

import brotli
import pytest
import zstandard

from apisec.model.transaction import Body, Client, Request, Response, Transaction
from apisec.redaction.keys import KeyRing, Tokenizer
from apisec_forwarder import keys
from apisec_forwarder.pipeline import Pipeline, PipelineSettings

PIPELINE = Pipeline(PipelineSettings("edge-1", "DEV", (), index="apisec"), Tokenizer(KeyRing.parse(keys.generate())))
JSON = ("content-type", "application/json")
VALUE = "ada@example.com"
TEXT = json.dumps({"user": {"mail": VALUE}, "note": "x"}).encode()


def answered(body: bytes, *headers: tuple[str, str], size: int | None = None) -> dict[str, Any]:
    response = Response(200, headers, Body(body, len(body) if size is None else size))
    found = PIPELINE.process(Transaction("id-1", 5.0, Client("192.0.2.1"), Request("GET", "/x"), response))
    assert VALUE not in json.dumps(found)
    return found


def classes(found: dict[str, Any]) -> dict[str, list[str]]:
    return {entry["path"]: entry.get("classes", []) for entry in found.get("response_fields", [])}


@pytest.mark.parametrize(
    ("coding", "data"),
    [
        ("br", brotli.compress(TEXT)),
        ("zstd", zstandard.compress(TEXT)),
        ("gzip", gzip.compress(TEXT, mtime=0)),
        ("gzip, br", brotli.compress(gzip.compress(TEXT, mtime=0))),
    ],
)
def test_codings_are_undone(coding: str, data: bytes) -> None:
    found = answered(data, JSON, ("content-encoding", coding))
    assert found["coverage"] == "complete"
    assert classes(found)["user.mail"] == ["pii.email"]


def test_codings_in_several_lines_are_one_list() -> None:
    data = brotli.compress(gzip.compress(TEXT, mtime=0))
    found = answered(data, JSON, ("content-encoding", "gzip"), ("Content-Encoding", "br"))
    assert classes(found)["user.mail"] == ["pii.email"]


def test_a_cut_body_in_a_coding_shows_what_is_whole() -> None:
    text = json.dumps([{"mail": VALUE, "at": base64.b64encode(bytes([i] * 9)).decode()} for i in range(250)]).encode()
    data = zstandard.compress(text)
    found = answered(data[:-40], JSON, ("content-encoding", "zstd"), size=len(data))
    assert found["coverage"] in ("truncated", "undecoded")  # how much a frame gives before its end is its own affair
    cut = brotli.compress(text, quality=1)
    found = answered(cut[: len(cut) * 3 // 4], JSON, ("content-encoding", "br"), size=len(cut))
    assert found["coverage"] == "truncated"
    assert classes(found)["[].mail"] == ["pii.email"]


@pytest.mark.parametrize(
    ("types", "coverage"),
    [
        (("application/json", "application/json"), "complete"),
        (("application/json", "application/json; charset=utf-8"), "complete"),
        (("application/json", "text/plain"), "undecoded"),
        (("application/json; charset=utf-8", "application/json; charset=utf-16"), "undecoded"),
    ],
)
def test_media_types_that_disagree_are_a_trick(types: tuple[str, ...], coverage: str) -> None:
    found = answered(TEXT, *[("content-type", kind) for kind in types])
    assert found["coverage"] == coverage
    assert ("response_body" in found) == (coverage == "complete")


def test_messages_of_grpc_in_a_coding_are_undone() -> None:
    message = gzip.compress(b"\x0a" + bytes([len(VALUE)]) + VALUE.encode())
    data = b"\x01" + struct.pack(">I", len(message)) + message
    found = answered(data, ("content-type", "application/grpc"), ("grpc-encoding", "gzip"))
    assert ["pii.email"] in classes(found).values()
    brotli_message = brotli.compress(b"\x0a" + bytes([len(VALUE)]) + VALUE.encode())
    data = b"\x01" + struct.pack(">I", len(brotli_message)) + brotli_message
    found = answered(data, ("content-type", "application/grpc"), ("grpc-encoding", "br"))
    assert ["pii.email"] in classes(found).values()


def test_events_of_a_stream_are_documents() -> None:
    stream = b'event: a\ndata: {"user": {"mail": "ada@example.com"}}\n\ndata: {"password": "hunter2x"}\n\n'
    found = answered(stream, ("content-type", "text/event-stream"))
    assert classes(found)["user.mail"] == ["pii.email"]
    assert classes(found)["password"] == ["secret.password"]
    assert "hunter2x" not in json.dumps(found)
