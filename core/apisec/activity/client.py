"""The client behind a credential: network, TLS fingerprint, agent family; versions and addresses come and go."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple, Tuple

from apisec.baselines.values import text

# First match wins: what embeds another's name stands before it (Edge and Opera name Chrome, Chrome names Safari).
_AGENTS: Tuple[Tuple[str, str], ...] = (
    ("edg", "Edge"),
    ("opr/", "Opera"),
    ("samsungbrowser", "Samsung"),
    ("firefox", "Firefox"),
    ("fxios", "Firefox"),
    ("crios", "Chrome"),
    ("chrome", "Chrome"),
    ("safari", "Safari"),
)
_SYSTEMS: Tuple[Tuple[str, str], ...] = (
    ("iphone", "iOS"),
    ("ipad", "iOS"),
    ("android", "Android"),
    ("windows", "Windows"),
    ("mac os", "macOS"),
    ("macintosh", "macOS"),
    ("linux", "Linux"),
)


class ClientKey(NamedTuple):
    network: str  # IPv4 /24 or IPv6 /48
    agent: str  # "Firefox on Linux", "curl"
    ja4: str  # empty when the gateway gives none

    @property
    def text(self) -> str:
        tls = f", JA4 {self.ja4}" if self.ja4 else ""
        return f"{self.agent or 'no user agent'} from {self.network or 'an unknown network'}{tls}"


@lru_cache(maxsize=8192)
def agent_family(user_agent: str) -> str:
    """Return the agent without its version: browser and system, or a tool's name."""
    lower = user_agent.lower()
    system = next((name for part, name in _SYSTEMS if part in lower), "")
    if lower.startswith("mozilla/"):
        browser = next((name for part, name in _AGENTS if part in lower), "Mozilla")
        return f"{browser} on {system}" if system else browser
    product = lower.split("/", 1)[0].split(" ", 1)[0][:40]
    return f"{product} on {system}" if system else product


@lru_cache(maxsize=8192)
def network_of(address: str) -> str:
    """Return the network of an address: 192.0.2.0/24, 2001:db8:1::/48; a token stays what it is."""
    if ":" in address:
        groups = address.lower().split(":")
        return ":".join(groups[:3]) + "::/48"
    parts = address.split(".")
    return ".".join(parts[:3]) + ".0/24" if len(parts) == 4 else address


def client_of(src: object, user_agent: object, ja4: object) -> ClientKey:
    return ClientKey(network_of(text(src, 64)), agent_family(text(user_agent, 512)), text(ja4, 64))
