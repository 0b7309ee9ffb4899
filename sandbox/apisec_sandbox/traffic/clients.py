"""What a gateway sees of a client: its address, its agent, its TLS stack."""

from __future__ import annotations

import functools
import ssl
from dataclasses import dataclass
from pathlib import Path
from random import Random


@dataclass(frozen=True)
class TlsStack:
    """A TLS client's habits: ``ja4`` is what offline traffic reports; the rest shapes a live ClientHello.

    JA4 hashes the sorted cipher suites, the extensions and the signature algorithms, so a live stack gets its own
    fingerprint from its own set of suites, its extensions and its ALPN.
    """

    ja4: str
    suites: str  # OpenSSL's names of the suites below TLS 1.3
    version: str = "TLSv1.3"
    alpn: bool = True
    tickets: bool = True

    @functools.lru_cache(maxsize=64)  # noqa: B019  stacks are module constants, so the cache is bounded
    def context(self, ca_file: Path | None) -> ssl.SSLContext:
        """Return a verifying context with this stack's ClientHello."""
        context = ssl.create_default_context(cafile=str(ca_file) if ca_file else None)
        context.set_ciphers(self.suites)
        if self.version == "TLSv1.2":
            context.maximum_version = ssl.TLSVersion.TLSv1_2
        if self.alpn:
            context.set_alpn_protocols(["http/1.1"])
        if not self.tickets:
            context.options |= ssl.OP_NO_TICKET
        return context


SUITES = {
    "e128": "ECDHE-ECDSA-AES128-GCM-SHA256",
    "r128": "ECDHE-RSA-AES128-GCM-SHA256",
    "e256": "ECDHE-ECDSA-AES256-GCM-SHA384",
    "r256": "ECDHE-RSA-AES256-GCM-SHA384",
    "ecc": "ECDHE-ECDSA-CHACHA20-POLY1305",
    "rcc": "ECDHE-RSA-CHACHA20-POLY1305",
    "cbc128": "ECDHE-RSA-AES128-SHA256",
    "cbc256": "ECDHE-RSA-AES256-SHA384",
    "sha128": "ECDHE-RSA-AES128-SHA",
    "sha256": "ECDHE-RSA-AES256-SHA",
    "dhe128": "DHE-RSA-AES128-GCM-SHA256",
    "dhe256": "DHE-RSA-AES256-GCM-SHA384",
}  # short names of OpenSSL's suites below TLS 1.3


def _stack(ja4: str, suites: str, *, version: str = "TLSv1.3", alpn: bool = True, tickets: bool = True) -> TlsStack:
    return TlsStack(ja4, ":".join(SUITES[name] for name in suites.split()), version, alpn, tickets)


STACKS = {
    "chrome": _stack("t13d1516h2_8daaf6152771_02713d6af862", "e128 r128 e256 r256 ecc rcc"),
    "firefox": _stack("t13d1715h2_5b57614c22b0_3d5424432f57", "e128 r128 ecc rcc e256"),
    "safari": _stack("t13d2014h2_a09f3c656075_14788d8d241b", "e128 r128 e256 r256 cbc256", tickets=False),
    "okhttp": _stack("t13d1513h2_8daaf6152771_eca864cca44a", "e128 r128 rcc"),
    "cfnetwork": _stack("t13d2613h2_2802a3db6c62_845d286b0d67", "e128 r128 e256 cbc128"),
    "java": _stack("t13d4911h1_c866b44c5a26_b5b8faed2b99", "r256 r128 dhe256", alpn=False),
    "go": _stack("t13d1311h1_f57a46bbacb6_e7c285222651", "e128 r128 r256 sha128", alpn=False, tickets=False),
    "requests": _stack("t13d1812h1_85036bcba153_b26ce05bbdd6", "e128 r128 r256 dhe128 rcc"),
    "curl": _stack("t13d3112h1_e8f1e7e78f70_6bebaf5329ac", "e128 r128 cbc256 cbc128 sha256"),
    "edge": _stack("t13d1517h2_8daaf6152771_b0da82dd1658", "e128 r128 e256 ecc"),
    "samsung": _stack("t13d1512h2_8daaf6152771_de4a06bb82e3", "e128 r128 r256 sha256", tickets=False),
    "dart": _stack("t13d1411h1_9dc949161d3e_a7fbd4cbde9b", "e128 r128 e256", alpn=False),
    "node": _stack("t13d5213h1_b262b3658495_8e6e362c5eac", "r128 r256 dhe128 sha256"),
    "dotnet": _stack("t12d190800_d83cc789557e_7af1ed941c26", "e128 r128 e256 r256", version="TLSv1.2", alpn=False),
    "php": _stack("t12d280700_1d2c6a9f9c3b_2b729b4bf6f3", "e128 r128 sha128", version="TLSv1.2", alpn=False),
    "scanner": _stack("t13d1711h1_5f0d8c2f1f24_c1d6ab0a55a1", "rcc r256", alpn=False, tickets=False),
}

_MOZILLA, _WEBKIT = "Mozilla/5.0 ", "AppleWebKit/537.36 (KHTML, like Gecko) "
CHROME = _MOZILLA + "(Windows NT 10.0; Win64; x64) " + _WEBKIT + "Chrome/{0}.0.0.0 Safari/537.36"
ANDROID = (
    _MOZILLA + "(Linux; Android 14; SM-S918B) " + _WEBKIT + "SamsungBrowser/{0}.0 Chrome/121.0.0.0 Mobile Safari/537.36"
)
FIREFOX = _MOZILLA + "(X11; Linux x86_64; rv:{0}.0) Gecko/20100101 Firefox/{0}.0"
SAFARI = (
    _MOZILLA + "(Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/{0}.5 Safari/605.1.15"
)
EDGE = CHROME + " Edg/{0}.0.2535.67"


@dataclass(frozen=True)
class Kind:
    """A sort of client software: its stack and its agent, whose version varies from one installation to another."""

    stack: str
    agent: str
    versions: tuple[int, ...]
    browser: bool


KINDS = {
    "train": {
        "browser": (
            Kind("chrome", CHROME, (134, 135, 136), True),
            Kind("firefox", FIREFOX, (137, 138), True),
            Kind("safari", SAFARI, (17, 18), True),
        ),
        "app": (
            Kind("okhttp", "ShopApp/4.{0} (Android 15; okhttp/4.12.0)", (2, 3, 7), False),
            Kind("cfnetwork", "ShopApp/4.{0} CFNetwork/1568.200.51 Darwin/24.1.0", (2, 3, 7), False),
        ),
        "batch": (Kind("java", "Apache-HttpClient/5.{0} (Java/21.0.3)", (3, 4), False),),
        "service": (Kind("go", "Go-http-client/1.{0}", (1,), False),),
        "tool": (
            Kind("requests", "python-requests/2.{0}.3", (31, 32), False),
            Kind("curl", "curl/8.{0}.1", (4, 9), False),
        ),
    },
    "heldout": {
        "browser": (
            Kind("edge", EDGE, (133, 137), True),
            Kind("samsung", ANDROID, (24, 25), True),
            Kind("firefox", FIREFOX, (128, 139), True),
        ),
        "app": (
            Kind("dart", "Dart/3.{0} (dart:io)", (4, 5), False),
            Kind("okhttp", "com.example.shop/51{0} okhttp/5.0.0-alpha.14", (3, 4), False),
        ),
        "batch": (Kind("dotnet", "PartnerSync/2.{0} (.NET 8.0)", (0, 1), False),),
        "service": (Kind("node", "axios/1.{0}.2", (6, 7), False),),
        "tool": (
            Kind("scanner", CHROME, (140,), True),  # pretends to be a browser; its handshake does not
            Kind("php", "GuzzleHttp/7", (0,), False),
        ),
    },
}


@dataclass(frozen=True)
class Client:
    """One installation on one network.

    ``address`` is the loopback source address that live traffic binds; ``public`` stands for it offline.
    """

    address: str
    stack_name: str
    agent: str
    browser: bool
    language: str = "en"

    @property
    def stack(self) -> TlsStack:
        return STACKS[self.stack_name]

    @property
    def public(self) -> str:
        return public_address(self.address)

    def moved_to(self, address: str) -> Client:
        """The same device on another network."""
        return Client(address, self.stack_name, self.agent, self.browser, self.language)

    def headers(self) -> list[tuple[str, str]]:
        accept = "application/json, text/plain, */*" if self.browser else "application/json"
        return [
            ("user-agent", self.agent),
            ("accept", accept),
            ("accept-language", self.language),
            ("accept-encoding", "gzip, deflate" if self.browser else "gzip"),
        ]


def public_address(loopback: str) -> str:
    """Return what offline traffic reports for 127.a.b.c: an address of 20–59.a.b.c, chosen by a."""
    _, second, third, fourth = loopback.split(".")
    return f"{20 + int(second) % 40}.{second}.{third}.{fourth}"


class Networks:
    """Hands out loopback addresses; every network is a /24 of its own."""

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self._next = rng.randrange(2_000, 20_000)

    def address(self) -> str:
        self._next += self._rng.randint(1, 7)
        second, third = divmod(self._next, 250)
        return f"127.{1 + second % 250}.{third}.{self._rng.randint(2, 250)}"


def draw_client(style: str, role: str, address: str, rng: Random) -> Client:
    """Return a client of ``role`` (browser, app, batch, service, tool) in the style's population."""
    kind = rng.choice(KINDS[style][role])
    language = rng.choice(("en-GB,en;q=0.8", "en-US,en;q=0.9", "de-DE,de;q=0.9,en;q=0.5", "es-ES,es;q=0.9"))
    return Client(address, kind.stack, kind.agent.format(rng.choice(kind.versions)), kind.browser, language)
