"""Clients and networks of split varied: browsers, phones and programs as they are met, made-up providers."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random

_SYSTEMS = (
    "Windows NT 10.0; Win64; x64", "Macintosh; Intel Mac OS X 10_15_7", "X11; Linux x86_64",
    "X11; CrOS x86_64 14541.0.0",
    "iPhone; CPU iPhone OS 18_3 like Mac OS X", "Linux; Android 15; Pixel 9", "Linux; Android 13; SM-A546B",
)  # fmt: skip
_ENGINES = (
    "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{v}.0.0.0 Safari/537.36",
    "Gecko/20100101 Firefox/{v}.0",
    "AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.{m} Safari/605.1.15",
    "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{v}.0.0.0 Safari/537.36 Edg/{v}.0.0.0",
)
_APPS = (
    "Mobile/{n}.{m} CFNetwork/1{n}0 Darwin/24.{m}", "okhttp/4.{m}.0", "App/{n}.{m} (iPhone; iOS 18.{m})",
    "App/{n}.{m} (Android 1{m}; SDK 3{m})", "Dart/3.{m} (dart:io)",
)  # fmt: skip
_MACHINES = (
    "Apache-HttpClient/4.5.14 (Java/17)", "axios/1.7.9", "GuzzleHttp/7", "python-httpx/0.27", "Go-http-client/1.1",
    "okhttp/4.9.3", "node-fetch/2.7", "libwww-perl/6.77", "RestSharp/112", "Ruby/3.3", "ERP-Connector/8.1",
)  # fmt: skip
_TOOLS = (
    "python-requests/2.31.0", "curl/7.88.1", "Go-http-client/2.0", "aiohttp/3.9", "Scrapy/2.11", "node", "Java/1.8",
    "HeadlessChrome/131.0",
)  # fmt: skip
_CRAWLERS = ("Mozilla/5.0 (compatible; Seekbot/2.1; +https://seek.example.com/bot)", "ArchiveWalker/1.3")

_RNG = Random("varied clients")  # noqa: S311 - the same for all seeds: the world has one population of browsers


def _browser(rng: Random) -> str:
    engine = rng.choice(_ENGINES).format(v=rng.randrange(128, 146), m=rng.randrange(7))
    return f"Mozilla/5.0 ({rng.choice(_SYSTEMS)}) {engine}"


_BROWSERS = tuple(_browser(_RNG) for _ in range(28))
AGENTS: Mapping[str, tuple[str, ...]] = {
    "browser": _BROWSERS,
    "phone": tuple(_RNG.choice(_APPS).format(n=_RNG.randrange(3, 9), m=_RNG.randrange(6)) for _ in range(14)),
    "machine": _MACHINES,
    "tool": (*_TOOLS, *_BROWSERS[:10]),  # a tool may say that it is a browser
    "crawler": _CRAWLERS,
}
_PREFIXES = tuple(f"{_RNG.randrange(24, 95)}.{_RNG.randrange(1, 255)}" for _ in range(90))
_SIX = tuple(f"2a{_RNG.randrange(1, 16):02x}:{_RNG.randrange(256, 65_536):x}" for _ in range(16))
NETWORKS, CARRIERS, HOSTERS = _PREFIXES[:60] + _SIX[:8], _PREFIXES[60:70] + _SIX[8:13], _PREFIXES[70:] + _SIX[13:]
