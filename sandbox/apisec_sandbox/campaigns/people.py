"""Who sends requests: clients with an address, credentials as the event shows them, and principals with both."""

from __future__ import annotations

import base64
import json
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random

from apisec_sandbox.campaigns.bodies import Body, Listed, Thing
from apisec_sandbox.campaigns.sink import Sink, Tally
from apisec_sandbox.campaigns.values import Tokens, email_of, password_of
from apisec_sandbox.campaigns.varied import clients

NOTHING = '"campaign":null,"family":null,"style":null'
AGENTS: dict[str, Mapping[str, tuple[str, ...]]] = {
    "dev": {
        "browser": (
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0",
            "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Version/18.1 Safari/605.1.15",
            "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/142.0.0.0 Safari/537.36",
        ),
        "phone": ("AppClient/7.4 (iPhone; iOS 18.2)", "AppClient/7.4 (Android 15)", "AppClient/7.3 (Android 14)"),
        "machine": ("Apache-HttpClient/5.4 (Java/21)", "go-resty/2.16", "batch-runner/3.1"),
        "tool": ("python-requests/2.32", "curl/8.11", "Go-http-client/2.0"),
        "crawler": ("FriendlyBot/2.1 (+https://bot.example.com)",),
    },
    "heldout": {
        "browser": (
            "Mozilla/5.0 (iPad; CPU OS 17_6 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148 Safari/604.1",
            "Mozilla/5.0 (Windows NT 11.0; Win64; x64) AppleWebKit/537.36 Edg/144.0.0.0",
            "Mozilla/5.0 (X11; Fedora; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0",
        ),
        "phone": ("mobile/1204 CFNetwork/1568 Darwin/24.2", "okhttp/5.0.0 build 1204", "okhttp/4.12.0 build 1177"),
        "machine": ("Java-http-client/21.0.5", "axios/1.8.1", "guzzle/7"),
        "tool": ("aiohttp/3.13", "Wget/1.24", "node-fetch/3.3"),
        "crawler": ("indexing-agent/0.9 (+https://index.example.net)",),
    },
    "varied": clients.AGENTS,
}
NETWORKS: dict[str, tuple[str, ...]] = {
    "dev": ("91.12", "84.150", "95.33", "62.156", "79.204", "188.99"),
    "heldout": ("73.44", "24.18", "203.63", "126.70", "177.40", "109.166"),
    "varied": clients.NETWORKS,
}
HOSTERS: dict[str, tuple[str, ...]] = {
    "dev": ("45.9", "185.220", "141.98"),
    "heldout": ("5.188", "104.248", "194.26"),
    "varied": clients.HOSTERS,
}
CARRIERS: dict[str, tuple[str, ...]] = {
    "dev": ("80.187", "89.15"),
    "heldout": ("166.137", "107.77"),
    "varied": clients.CARRIERS,
}


def address(networks: tuple[str, ...], rng: Random) -> str:
    network = rng.choice(networks)
    if ":" in network:
        return f"{network}:{rng.randrange(1, 65_536):x}:{rng.randrange(1, 65_536):x}::{rng.randrange(2, 65_536):x}"
    return f"{network}.{rng.randrange(1, 255)}.{rng.randrange(1, 255)}"


def fingerprint(agent: str, variety: int = 3) -> str:
    """Return a JA4 of an agent's TLS stack: one agent has few of them, and two agents none in common."""
    rng = Random(f"ja4 {agent} {variety}")  # noqa: S311
    return f"t13d{rng.randrange(10, 18)}{rng.randrange(10, 18)}h2_{rng.getrandbits(48):012x}_{rng.getrandbits(48):012x}"


class Client:
    """One program on one machine; ``address`` may change, its TLS stack and agent do not."""

    __slots__ = ("address", "agent", "anonymous", "ja4", "network", "port", "source", "tls", "tokens")

    def __init__(self, source: str, agent: str, port: int, tokens: Tokens, ja4: str = "") -> None:
        self.agent, self.port, self.tokens = agent, port, tokens
        self.ja4 = ja4 or fingerprint(agent)
        self.tls = f',"tls_version":"TLSv1.3","ja4":"{self.ja4}"'
        self.move(source)

    def move(self, source: str) -> None:
        """Continue from another address."""
        self.address = source
        self.source = f',"src":"{source}","src_port":{self.port},"http_user_agent":"{self.agent}"'
        self.anonymous = ""

    def identity(self) -> str:
        """Return who acts without a credential: address, TLS stack and agent together."""
        if not self.anonymous:
            who = self.tokens("principal", f"anonymous\0{self.address}\0{self.ja4}\0{self.agent}")
            self.anonymous = f',"principal":"{who}","principal_kind":"anonymous","auth":"none"'
        return self.anonymous


class Credential:
    """What a principal shows: ``text`` as the event has it, ``headers`` as sent. ``principal`` is the token."""

    __slots__ = ("fields", "headers", "issued", "kind", "principal", "raw", "text", "used")

    def __init__(self, kind: str, raw: str, headers: tuple[tuple[str, str], ...], issued: float) -> None:
        self.kind, self.raw, self.headers, self.issued = kind, raw, headers, issued
        self.fields: tuple[Listed, ...] = ()
        self.used = False  # has been shown at all: what never travelled cannot have been stolen on its way
        self.principal = self.text = ""


def _part(document: dict[str, object]) -> str:
    return base64.urlsafe_b64encode(json.dumps(document, separators=(",", ":")).encode()).rstrip(b"=").decode()


JWT_HEAD = _part({"alg": "RS256", "typ": "JWT"})
CLAIMS = tuple(
    Listed(f"authorization.claims.{name}", "header", kind, data_class)
    for name, kind, data_class in (
        ("exp", "integer", ""),
        ("role", "string", ""),
        ("sid", "string", "secret.session"),
        ("sub", "string", ""),
    )
)


def jwt(subject: str, role: str, now: float, hours: float, rng: Random, tokens: Tokens) -> Credential:
    sid = f"{rng.getrandbits(64):016x}"
    raw = f"{JWT_HEAD}.{_part({'sub': subject, 'sid': sid, 'role': role, 'exp': int(now + hours * 3600)})}"
    raw += f".{rng.getrandbits(128):032x}"
    made = Credential("jwt", raw, (("authorization", f"Bearer {raw}"),), now)
    made.fields = (Listed("authorization", "header", "string", "secret.jwt"), *CLAIMS)
    made.principal = tokens("principal", f"jwt\0\0{subject}")
    made.text = (
        f',"principal":"{made.principal}","principal_kind":"jwt","auth":"bearer"'
        f',"auth_token":"{tokens("secret.jwt", raw)}","session":"{tokens("secret.session", sid)}"'
        f',"user":"{tokens("user", subject)}"'
    )
    return made


def opaque(now: float, rng: Random, tokens: Tokens) -> Credential:
    raw = f"{rng.getrandbits(160):040x}"
    made = Credential("bearer", raw, (("authorization", f"Bearer {raw}"),), now)
    made.fields = (Listed("authorization", "header", "string", "secret.bearer"),)
    made.principal = tokens("principal", f"bearer\0{raw}")
    made.text = (
        f',"principal":"{made.principal}","principal_kind":"session","auth":"bearer"'
        f',"auth_token":"{tokens("secret.bearer", raw)}"'
    )
    return made


def cookie(now: float, rng: Random, tokens: Tokens) -> Credential:
    raw = f"{rng.getrandbits(128):032x}"
    token = tokens("secret.session", raw)
    made = Credential("cookie", raw, (("cookie", f"session={raw}"),), now)
    made.fields = (Listed("session", "cookie", "string", "secret.session"),)
    made.principal = tokens("principal", f"session\0{raw}")
    made.text = (
        f',"principal":"{made.principal}","principal_kind":"session","auth":"cookie"'
        f',"auth_token":"{token}","session":"{token}"'
    )
    return made


def api_key(now: float, rng: Random, tokens: Tokens) -> Credential:
    raw = f"ak{rng.getrandbits(120):030x}"
    made = Credential("api_key", raw, (("x-api-key", raw),), now)
    made.fields = (Listed("x-api-key", "header", "string", "secret.api_key"),)
    made.principal = tokens("principal", f"key\0{raw}")
    made.text = (
        f',"principal":"{made.principal}","principal_kind":"api_key","auth":"api_key"'
        f',"auth_token":"{tokens("secret.api_key", raw)}"'
    )
    return made


@dataclass(slots=True)
class Who:
    """A principal of the simulation. ``owner`` is what its objects carry: a person's subject, or its tenant's.

    ``seen`` are ids that responses issued to it, by resource, newest last.
    """

    name: str
    persona: str
    role: str  # user, desk, admin, machine
    subject: str
    owner: str
    client: Client
    credential: Credential | None = None
    seen: dict[str, deque[Thing]] = field(default_factory=dict)
    profile: Thing | None = None  # its own account, as the API shows it
    email: str = ""
    password: str = ""
    lifetime: float = 12 * 3600.0  # seconds that its credential holds
    tag: str = ""  # the end of its line in the labels
    tally: Tally | None = None  # where its requests are counted
    forms: dict[str, Body] = field(default_factory=dict)  # what it logs in with, by operation
    login: str = ""  # the name of its account

    def mark(self, sink: Sink, campaign: str = "", family: str = "", style: str = "", cover: bool = False) -> None:
        """Say in the labels what it does from now on: a campaign's attack, its cover, or ("") nothing but its own."""
        said = f'"campaign":"{campaign}","family":"{family}","style":"{style}"' if campaign else NOTHING
        role = f',"cover":{"true" if cover else "false"}' if campaign else ""
        self.tag = f',"actor":"{self.name}","persona":"{self.persona}",{said}{role}}}\n'
        self.tally = sink.tally(self.persona, campaign)

    def identify(self, rng: Random) -> None:
        """Give it what it logs in with."""
        self.email, self.password = email_of(rng), password_of(rng)

    def remember(self, resource: str, things: list[Thing]) -> None:
        kept = self.seen.get(resource)
        if kept is None:
            kept = self.seen[resource] = deque(maxlen=40)
        kept.extend(things)
