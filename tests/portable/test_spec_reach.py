"""Where an input that fetches goes, and where not: addresses, names, certificates, proxies, URLs."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from apisec_app.specs import addresses
from apisec_app.specs.fetch import Source
from apisec_app.specs.urls import checked, joined
from apisec_app.specs.wire import Proxy, Route

from tests.portable import spec_source
from tests.portable.spec_source import SECRET, TEXT, fetched, refused
from tests.support.proxy import Proxy as ProxyServer
from tests.support.published import Publisher, answer, publisher

served = spec_source.served
server = spec_source.server
source = spec_source.source


# Where an input goes


def test_a_certificate_of_nobody_known(server: Publisher, source: Source) -> None:
    stranger = replace(source, route=replace(source.route, context=ssl.create_default_context()))
    said = refused(stranger)
    assert "does not verify" in said
    assert "set the CA certificate in the input" in said
    server.pages["/spec.yaml"] = answer(200, TEXT)
    assert fetched(replace(source, url=checked(f"https://localhost:{server.port}/spec.yaml"))).text == TEXT


def test_a_server_without_tls(source: Source) -> None:
    with publisher(None) as (plain, _):
        assert "fails in TLS: " in refused(replace(source, url=checked(f"https://127.0.0.1:{plain.port}/spec.yaml")))


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
        ("64:ff9b:1::a9fe:a9fe", True, "metadata"),
        ("64:ff9b:1::808:808", False, "private"),
        ("::ffff:0:169.254.169.254", True, "metadata"),
        ("::ffff:0:10.0.0.1", False, "private"),
        ("fec0::1", False, "private"),
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
