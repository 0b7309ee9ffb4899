"""Published documents by URL, over real connections: what a server may do, and what is made of it."""

from __future__ import annotations

import gzip
import json
import ssl
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from apisec_app.specs import remote
from apisec_app.specs.fetch import Credentials, FetchError, Source
from apisec_app.specs.urls import checked
from apisec_app.specs.wire import Route

from apisec.errors import LimitExceeded
from tests.portable import spec_source
from tests.portable.spec_source import SECRET, TEXT, fetched, refused
from tests.support.published import Answering, Publisher, answer, publisher, raw, versioned

served = spec_source.served
server = spec_source.server
source = spec_source.source


# Versions


def test_what_did_not_change_is_not_sent_again(server: Publisher, source: Source) -> None:
    server.pages["/spec.yaml"] = versioned(TEXT, '"a1"')
    first = remote.read(source, ())
    assert first.text == TEXT
    assert remote.read(source, first.files) == (None, first.files)
    assert server.asked[1][1]["if-none-match"] == '"a1"'
    server.pages["/spec.yaml"] = versioned(TEXT + "x-b: 1\n", '"a2"')
    assert remote.read(source, first.files).text == TEXT + "x-b: 1\n"


def test_a_date_is_a_version_too(server: Publisher, source: Source) -> None:
    date = "Sat, 21 Nov 2026 08:00:00 GMT"
    server.pages["/spec.yaml"] = answer(200, TEXT, Last_Modified=date)
    known = fetched(source).validators
    server.pages["/spec.yaml"] = answer(304)
    assert fetched(source, known).text is None
    assert server.asked[-1][1]["if-modified-since"] == date


def test_a_304_that_nobody_asked_for_is_no_document(server: Publisher, source: Source) -> None:
    server.pages["/spec.yaml"] = answer(304)
    assert "answers 304" in refused(source)


# Credentials


@pytest.mark.parametrize(
    ("credentials", "name", "value"),
    [
        (Credentials("basic", "ann", secret="öpen:door"), "authorization", "Basic YW5uOsO2cGVuOmRvb3I="),
        (Credentials("bearer", secret=SECRET), "authorization", f"Bearer {SECRET}"),
        (Credentials("header", header="X-API-Key", secret=SECRET), "x-api-key", SECRET),
    ],
    ids=["basic", "bearer", "header"],
)
def test_credentials(server: Publisher, source: Source, credentials: Credentials, name: str, value: str) -> None:
    server.pages["/spec.yaml"] = answer(200, TEXT)
    assert fetched(replace(source, credentials=credentials)).text == TEXT
    assert server.asked[0][1][name] == value
    assert credentials.secret not in repr(replace(source, credentials=credentials))
    server.pages["/spec.yaml"] = answer(302, Location=f"/login/{value}")
    server.pages[f"/login/{value}"] = answer(302, Location=f"https://elsewhere.example/{value}")
    assert "redirects" in refused(replace(source, credentials=credentials))


def test_a_query_may_hold_a_key_and_is_not_shown(server: Publisher, source: Source) -> None:
    server.pages["/spec.yaml"] = answer(403)
    said = refused(replace(source, url=checked(f"{server.url}/spec.yaml?key={SECRET}")))
    assert "/spec.yaml?…: answers 403 Forbidden: give the input credentials that may read it" in said


# Redirects


def test_redirects_stay_on_the_server(server: Publisher, source: Source) -> None:
    server.pages["/spec.yaml"] = answer(302, Location="v2/../v3/spec.yaml")
    server.pages["/v3/spec.yaml"] = answer(307, Location=f"{server.url}/final.yaml")
    server.pages["/final.yaml"] = answer(200, TEXT)
    assert fetched(source).url.target == "/final.yaml"


@pytest.mark.parametrize(
    ("location", "said"),
    [
        ("https://other.example/spec?token=1", "redirects to https://other.example/spec?…; no other server"),
        ("http://127.0.0.1/spec", "redirects to http://127.0.0.1/spec; no other server"),
        ("file:///etc/passwd", "redirects to what is no URL"),
        ("https://user:pass@other.example/", "redirects to what is no URL"),
        ("/spec.yaml", "redirects more than 5 times"),
    ],
)
def test_redirects_that_are_not_followed(server: Publisher, source: Source, location: str, said: str) -> None:
    server.pages["/spec.yaml"] = answer(301, Location=location)
    assert said in refused(source)


# What a server may send

ZEROS = gzip.compress(bytes(40_000_000), 9)


@pytest.mark.parametrize(
    ("page", "said"),
    [
        (answer(200, "<html>", Content_Type="text/html; charset=utf-8"), "is text/html, a page perhaps"),
        (answer(200, b"\xff\xfe", Content_Type="application/json"), "is not UTF-8"),
        (answer(200, ZEROS, Content_Encoding="gzip"), "is more than 16000000 bytes when it is inflated"),
        (answer(200, ZEROS[:20_000], Content_Encoding="gzip"), "16000000 bytes when|in the middle of its gzip"),
        (answer(200, gzip.compress(TEXT.encode())[:-9], Content_Encoding="gzip"), "in the middle of its gzip"),
        (answer(200, b"no gzip", Content_Encoding="gzip"), "is no gzip, though it says so"),
        (answer(200, b"x", Content_Encoding="br"), "is encoded as br: gzip was asked for"),
        (answer(200, b"", Content_Length="99999999"), "is 99999999 bytes: 16000000 are taken"),
        (raw(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nopenapi: 3"), "broke off|ended in the middle"),
        (raw(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nopenapi: 3"), "ended in the middle of the answer|broke off"),
        (raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n40\r\nopenapi"), "IncompleteRead|in the middle"),
        (raw(b"SSH-2.0-OpenSSH_9.2\r\n"), "does not answer as HTTP does: BadStatusLine"),
        (raw(b"HTTP/1.1 200 OK\r\n" + b"X: " + b"y" * 70_000 + b"\r\n\r\n"), "not answer as HTTP does: LineTooLong"),
        (raw(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200 + b"\r\n"), "does not answer as HTTP does: HTTPException"),
        (raw(), "does not answer as HTTP does: RemoteDisconnected|ended in the middle|broke off"),
        (answer(206, TEXT), "answers 206 Partial Content"),
        (answer(204), "answers 204 No Content"),
        (answer(401), "answers 401 Unauthorized: give the input credentials that it takes"),
        (answer(404), "answers 404 Not Found: look at the URL"),
        (answer(500), "answers 500 Internal Server Error"),
    ],
)  # fmt: skip
def test_what_is_refused(server: Publisher, source: Source, page: Answering, said: str) -> None:
    server.pages["/spec.yaml"] = page
    found = refused(source)
    assert found.startswith(f"{server.url}/spec.yaml: ")
    assert any(part in found for part in said.split("|")), found


def test_chunks_without_end_are_cut(server: Publisher, source: Source) -> None:
    def pour(handler: Any) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while not server.closing.is_set():  # until the client has gone
            handler.wfile.write(b"10000\r\n" + b"x" * 0x10000 + b"\r\n")

    server.pages["/spec.yaml"] = pour
    assert "is more than 300000 bytes" in refused(replace(source, max_bytes=300_000))


def test_gzip_of_several_members_is_read(server: Publisher, source: Source) -> None:
    half = TEXT.encode()
    packed = gzip.compress(half[:20]) + gzip.compress(half[20:])
    server.pages["/spec.yaml"] = answer(200, packed, Content_Encoding="gzip", Content_Type="text/plain")
    assert fetched(source).text == TEXT


@pytest.mark.parametrize("head", [b"HTTP/1.1 200 OK\r\nX: ", b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n"])
def test_a_server_that_drips_is_left(server: Publisher, source: Source, head: bytes) -> None:
    def drip(handler: Any) -> None:
        handler.wfile.write(head)
        while not server.closing.wait(0.02):
            handler.wfile.write(b"x")
            handler.wfile.flush()

    server.pages["/spec.yaml"] = drip
    assert "took longer than 1 s" in refused(replace(source, whole_seconds=0.6))


def test_a_server_that_is_silent_is_left(server: Publisher, source: Source) -> None:
    def wait(_: Any) -> None:
        server.closing.wait(60)

    server.pages["/spec.yaml"] = wait
    silent = replace(source, route=replace(source.route, read_seconds=0.2))
    assert "sent nothing for 0 s" in refused(silent)


@pytest.mark.parametrize(
    ("value", "least", "most"),
    [("120", 120, 120), ("99999999", 86_400, 86_400), ("soon", 0, 0), ("Mon, 01 Jan 2001 00:00:00 GMT", 0, 0),
     ("Fri, 31 Dec 2099 23:59:59 GMT", 86_400, 86_400)],
)  # fmt: skip
def test_how_long_a_server_wants_to_be_left(
    server: Publisher, source: Source, value: str, least: float, most: float
) -> None:
    server.pages["/spec.yaml"] = answer(503, Retry_After=value)
    with pytest.raises(FetchError) as caught:
        fetched(source)
    assert caught.value.status == 503
    assert least <= caught.value.retry_after <= most


# Documents in several files


ROOT = {
    "openapi": "3.0.3",
    "info": {"title": "Shop", "version": "1"},
    "paths": {
        "/a": {"$ref": "paths/a.yaml"},
        "/b": {"get": {"responses": {"default": {"$ref": "common.json#/responses/Error"}}}},
    },
}
FILES = {
    "/spec.yaml": json.dumps(ROOT),
    "/paths/a.yaml": "get: {responses: {200: {$ref: '../common.json#/responses/Ok'}}}",
    "/common.json": json.dumps(
        {
            "responses": {
                "Ok": {"content": {"application/json": {"schema": {"$ref": "#/schemas/Order"}}}},
                "Error": {"description": "no"},
            },
            "schemas": {
                "Order": {"properties": {"next": {"$ref": "common.json#/schemas/Order"}, "id": {"type": "integer"}}}
            },
        }
    ),
}  # fmt: skip


def test_parts_are_read_and_asked_for_by_version(server: Publisher, source: Source) -> None:
    for path, text in FILES.items():
        server.pages[path] = versioned(text, f'"{path}"')
    first = remote.read(source, ())
    document = json.loads(first.text or "")
    assert [path for path, _ in server.asked] == ["/spec.yaml", "/common.json", "/paths/a.yaml"]
    assert document["paths"]["/b"]["get"]["responses"]["default"]["$ref"] == "#/x-apisec-parts/0/responses/Error"
    assert document["paths"]["/a"]["$ref"] == "#/x-apisec-parts/1"
    assert remote.read(source, first.files) == (None, first.files)
    server.pages["/common.json"] = versioned(FILES["/common.json"].replace("integer", "string"), '"new"')
    again = remote.read(source, first.files)
    assert json.loads(again.text or "") != document
    assert remote.read(source, again.files).text is None


def test_a_part_that_is_lacking_is_looked_for_again(server: Publisher, source: Source) -> None:
    for path in ("/spec.yaml", "/common.json"):
        server.pages[path] = versioned(FILES[path], '"1"')
    first = remote.read(source, ())
    assert json.loads(first.text or "")["paths"]["/a"] == {"$ref": "paths/a.yaml"}
    assert first.files == ()
    server.pages["/paths/a.yaml"] = answer(503)
    assert "/paths/a.yaml: answers 503" in refused(source), "a document is not taken with a hole for a while"


def test_parts_of_other_servers_are_not_read(server: Publisher, source: Source) -> None:
    for name in (
        "https://127.0.0.1:1/x.yaml",
        "http://metadata/x.yaml",
        "file:///etc/passwd",
        "//other.example/x.yaml",
    ):
        document = {**ROOT, "paths": {"/a": {"$ref": name}}}
        server.pages["/spec.yaml"] = answer(200, json.dumps(document))
        assert json.loads(remote.read(source, ()).text or "")["paths"]["/a"]["$ref"] == name
    assert {path for path, _ in server.asked} == {"/spec.yaml"}


def test_parts_are_bounded(server: Publisher, source: Source) -> None:
    server.pages["/spec.yaml"] = answer(
        200, json.dumps({**ROOT, "x-more": [{"$ref": f"{n}.json"} for n in range(200)]})
    )
    for n in range(200):
        server.pages[f"/{n}.json"] = answer(200, "{}")
    with pytest.raises(LimitExceeded, match="more than 100 other files"):
        remote.read(source, ())
    big = json.dumps({"x": "y" * 200_000})
    server.pages |= {path: answer(200, text) for path, text in FILES.items()} | {"/common.json": answer(200, big)}
    assert "is 200009 bytes" in refused(replace(source, max_bytes=200_000))


def test_a_body_that_ends_with_the_connection_is_whole_when_tls_says_so(server: Publisher, source: Source) -> None:
    def give(handler: Any) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + TEXT.encode())
        handler.close_connection = True
        handler.connection.unwrap()  # sends close_notify

    server.pages["/spec.yaml"] = give
    assert fetched(source).text == TEXT


def test_a_socket_gets_no_more_time_than_is_left(tmp_path: Path) -> None:
    """A client's certificate error and time limits leave no socket behind: warnings are errors here."""
    with publisher(tmp_path) as (server, ca):
        context = ssl.create_default_context(cadata=ca)
        none_left = Source(checked(f"{server.url}/a"), Route(context, private=True), whole_seconds=-1.0)
        assert "took longer than" in refused(none_left)
