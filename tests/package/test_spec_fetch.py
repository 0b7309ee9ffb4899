"""Published documents by URL, over real connections: what a server may do, and where an input may not go."""

from __future__ import annotations

import gzip
import json
import socket
import ssl
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from apisec_app.specs import addresses, remote
from apisec_app.specs.fetch import Credentials, Fetcher, FetchError, Source, Validators
from apisec_app.specs.urls import checked, joined
from apisec_app.specs.wire import Proxy, Route

from apisec.errors import LimitExceeded
from tests.support.proxy import Proxy as ProxyServer
from tests.support.published import Answering, Publisher, answer, publisher, raw, versioned

TEXT = "openapi: 3.0.3\ninfo: {title: Shop, version: '7'}\npaths: {}\n"
SECRET = "s3cr3t-that-nobody-sees"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Publisher, Source]]:
    with publisher(tmp_path_factory.mktemp("tls")) as (server, ca):
        context = ssl.create_default_context(cadata=ca)
        yield server, Source(checked(f"{server.url}/spec.yaml"), Route(context, private=True))


@pytest.fixture
def server(served: tuple[Publisher, Source]) -> Publisher:
    served[0].reset()
    return served[0]


@pytest.fixture
def source(served: tuple[Publisher, Source]) -> Source:
    return served[1]


def fetched(source: Source, known: Validators = Validators()) -> Any:  # noqa: B008 - a constant
    return Fetcher(source).get(source.url, known)


def refused(source: Source) -> str:
    with pytest.raises(FetchError) as caught:
        remote.read(source, ())
    assert SECRET not in str(caught.value)
    return str(caught.value)


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
        (raw(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nopenapi: 3"), "ended in the middle of the answer"),
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


# Where an input goes


def test_a_certificate_of_nobody_known(server: Publisher, source: Source) -> None:
    stranger = replace(source, route=replace(source.route, context=ssl.create_default_context()))
    said = refused(stranger)
    assert "does not verify" in said
    assert "set the CA certificate in the input" in said
    server.pages["/spec.yaml"] = answer(200, TEXT)
    assert fetched(replace(source, url=checked(f"https://localhost:{server.port}/spec.yaml"))).text == TEXT


def test_a_name_that_the_certificate_does_not_have(
    server: Publisher, source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(addresses, "_resolved", lambda *_: ["127.0.0.1"])
    assert "does not verify" in refused(replace(source, url=checked(f"https://shop.example:{server.port}/spec.yaml")))


@pytest.mark.parametrize(
    ("address", "private", "said"),
    [
        ("169.254.169.254", True, "metadata"),
        ("::ffff:169.254.169.254", True, "metadata"),
        ("fe80::1", True, "metadata"),
        ("fe80::1%eth0", True, "metadata"),
        ("64:ff9b::a9fe:a9fe", True, "metadata"),
        ("2002:a9fe:a9fe::1", True, "metadata"),
        ("fd00:ec2::254", True, "metadata"),
        ("168.63.129.16", True, "metadata"),
        ("100.100.100.200", True, "metadata"),
        ("0.0.0.0", True, "one host"),
        ("::", True, "one host"),
        ("224.0.0.1", True, "one host"),
        ("255.255.255.255", True, "one host"),
        ("127.0.0.1", False, "no public address"),
        ("::1", False, "no public address"),
        ("::127.0.0.1", False, "no public address"),
        ("10.1.2.3", False, "no public address"),
        ("::ffff:10.1.2.3", False, "no public address"),
        ("100.64.0.1", False, "no public address"),
        ("fd12:3456::1", False, "no public address"),
        ("10.1.2.3", True, ""),
        ("::1", True, ""),
        ("8.8.8.8", False, ""),
        ("2606:4700::1111", False, ""),
    ],
)
def test_addresses(address: str, private: bool, said: str) -> None:
    found = addresses.refusal(address, private=private)
    assert said in found
    assert bool(found) == bool(said)


@pytest.mark.parametrize(
    ("host", "private", "said"),
    [
        ("localhost", False, "no public"), ("a.localhost.", False, "no public"), ("2130706433", False, "no public"),
        ("0x7f.1", False, "no public"), ("0xa9fea9fe", True, "metadata"), ("metadata", True, "metadata"),
        ("fe80::1", True, "metadata"), ("localhost", True, ""), ("specs.example", False, ""),
    ],
)  # fmt: skip
def test_what_a_proxy_is_not_asked_for(host: str, private: bool, said: str) -> None:
    found = addresses.literal_refusal(host, private=private)
    assert said in found
    assert bool(found) == bool(said)


def test_private_addresses_need_the_setting(server: Publisher, source: Source) -> None:
    public = replace(source, route=replace(source.route, private=False))
    assert "is no public address: allow private addresses in the input" in refused(public)
    named = replace(public, url=checked(f"https://localhost:{server.port}/spec.yaml"))
    assert "localhost is 127.0.0.1, no public address" in refused(named) or "localhost is ::1" in refused(named)
    assert server.asked == []


def resolving(*answers: list[str]) -> tuple[Callable[..., Any], list[str]]:
    """A resolver that gives these answers, one a question and the last for ever, and what it was asked."""
    asked: list[str] = []

    def getaddrinfo(host: str, port: int, **_: Any) -> Any:
        asked.append(host)
        found = answers[min(len(asked), len(answers)) - 1]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, port)) for one in found]

    return getaddrinfo, asked


def test_a_name_that_answers_otherwise_the_next_time_leads_nowhere(
    server: Publisher, source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The connection goes to the address that was looked at; the name is asked once."""
    server.pages["/spec.yaml"] = answer(200, TEXT)
    real = socket.getaddrinfo
    found, asked = resolving(["127.0.0.1"], ["169.254.169.254"])
    only = lambda host, *given, **more: (found if host == "localhost" else real)(host, *given, **more)  # noqa: E731
    monkeypatch.setattr(socket, "getaddrinfo", only)
    named = replace(source, url=checked(f"https://localhost:{server.port}/spec.yaml"))
    assert fetched(named).text == TEXT
    assert asked == ["localhost"]
    assert "localhost is 169.254.169.254, a link-local or metadata address, which is never asked" in refused(named)


def test_a_name_with_several_addresses_leads_to_the_good_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", resolving(["169.254.169.254", "127.0.0.1"])[0])
    assert addresses.allowed("x.example", 443, private=True, seconds=30) == ["127.0.0.1"]


def test_a_name_without_an_address(source: Source) -> None:
    assert "has no address" in refused(replace(source, url=checked("https://specs.invalid/a.yaml")))


def test_a_server_that_is_not_there(source: Source) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    assert "cannot be reached" in refused(replace(source, url=checked(f"https://127.0.0.1:{port}/a.yaml")))


# Proxies


def test_a_proxy_is_used_when_it_is_named_and_only_then(
    server: Publisher, source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.pages["/spec.yaml"] = answer(200, TEXT)
    with ProxyServer() as proxy:
        for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        assert fetched(source).text == TEXT
        assert proxy.heads == []
        route = replace(source.route, proxy=Proxy("127.0.0.1", proxy.port, "ann", SECRET))
        assert fetched(replace(source, route=route)).text == TEXT
        [head] = proxy.heads
        assert head.startswith(f"CONNECT 127.0.0.1:{server.port} HTTP/1.1\r\n")
        assert "Proxy-Authorization: Basic YW5uOnMzY3IzdC10aGF0LW5vYm9keS1zZWVz\r\n" in head
        proxy.refuse = True
        assert f"is behind the proxy 127.0.0.1:{proxy.port}, which answered 407" in refused(
            replace(source, route=route)
        )
        inside = replace(route, private=False)
        assert "no public address" in refused(replace(source, route=inside))
        assert len(proxy.heads) == 2, "what is refused is not asked for"


def test_plain_http_through_a_proxy_names_the_whole_url() -> None:
    with publisher(None) as (proxy, _):
        proxy.pages["http://specs.example/a.yaml"] = answer(200, TEXT)
        route = Route(None, private=False, proxy=Proxy("127.0.0.1", proxy.port))
        assert fetched(Source(checked("http://specs.example/a.yaml"), route)).text == TEXT
        assert proxy.asked[0][1]["host"] == "specs.example"


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


# URLs


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("ftp://a.example/x", "give https://"), ("https:///x", "give https://"), ("a.yaml", "give https://"),
        ("https://ann:pw@a.example/", "credentials"), ("https://a.example:99999/", "host or port"),
        ("https://a.example:0/", "port is 0"), ("https://a.example/\r\nX: y", "printable"), ("https://ä.de/", "xn--"),
        ("https://a.example\\@b.example/", "printable"), ("https://[::1/", "host or port"), ("", "printable"),
        ("https://a b.example/", "printable"), ("https://a.example/" + "x" * 2000, "2000"),
        ("https://[fe80::1%25e]/", "give"),
    ],
)  # fmt: skip
def test_urls_that_are_refused(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said) as caught:
        checked(text)
    assert "pw" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("HTTPS://A.Example:443", "https://a.example/"),
        ("https://[2001:DB8::1]:8443/x?k=v#f", "https://[2001:db8::1]:8443/x?…"),
        ("http://a.example:80/x", "http://a.example/x"),
    ],
)
def test_urls(text: str, shown: str) -> None:
    assert checked(text).shown == shown


def test_references_beside_a_url() -> None:
    base = checked("https://a.example/v1/spec.yaml?key=1")
    assert joined(base, "../common.yaml#/x").text == "https://a.example/common.yaml"
    assert joined(base, "//b.example/c").host == "b.example"
    assert not base.same_origin(joined(base, "https://a.example:444/v1"))


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
