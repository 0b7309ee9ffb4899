"""Lines of logs as they stand in other sourcetypes: access, JSON, Java, syslog; one in ten carries personal data."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator

START = 1_700_000_000
WORDS = """
error warn request took done cache user session order failed ok retry backend shard node worker queue flushed started
stopped client closed timeout while reading response from upstream connection reset by peer
""".split()  # noqa: SIM905
AGENTS = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0 Safari/537.36",
    "okhttp/4.12.0",
    "curl/8.5.0",
)
KINDS = ("access", "json", "java", "syslog")


class Lines:
    """Lines of each kind, the same for the same seed."""

    def __init__(self, seed: int = 1) -> None:
        self._chance = random.Random(seed)

    def records(self, count: int, kind: str) -> Iterator[tuple[str, str]]:
        """Yield time and text of lines of one kind."""
        make = getattr(self, kind)
        for n in range(count):
            yield str(START + n), make(self._chance.random() < 0.1)

    def access(self, personal: bool) -> str:
        c = self._chance
        query = f"?email=u{c.randrange(9999)}%40example.org" if personal else f"?page={c.randrange(9)}"
        return (
            f"10.0.{c.randrange(256)}.{c.randrange(256)} - - [21/Nov/2026:12:{c.randrange(60):02d}:10 +0000] "
            f'"GET /orders/{c.randrange(10**6)}/items{query} HTTP/1.1" 200 {c.randrange(9999)} "-" '
            f'"{c.choice(AGENTS)}" rt=0.{c.randrange(999):03d}'
        )

    def json(self, personal: bool) -> str:
        c = self._chance
        who = {"email": f"u{c.randrange(9999)}@example.org", "tier": "gold"} if personal else {"tier": "gold"}
        made = {
            "ts": f"2026-11-21T12:00:{c.randrange(60):02d}Z",
            "level": "info",
            "msg": " ".join(c.choices(WORDS, k=8)),
            "order_id": c.randrange(10**9),
            "trace": f"{c.getrandbits(128):032x}",
            "ms": round(c.random() * 100, 3),
            "customer": who,
        }
        return json.dumps(made)

    def java(self, personal: bool) -> str:
        c = self._chance
        who = " card 4111 1111 1111 1111" if personal else ""
        return (
            f"2026-11-21 12:00:{c.randrange(60):02d},{c.randrange(999):03d} INFO [worker-{c.randrange(9)}] "
            f"com.example.orders.Service - {' '.join(c.choices(WORDS, k=14))}{who} id={c.randrange(10**7)} status=200"
        )

    def syslog(self, personal: bool) -> str:
        c = self._chance
        user = f"ada.{c.randrange(99)}@example.org" if personal else f"svc{c.randrange(99)}"
        return (
            f"<134>Nov 21 12:00:{c.randrange(60):02d} host{c.randrange(5)} app[{c.randrange(9999)}]: user={user} "
            f"action=login src=10.1.2.{c.randrange(255)} result=success session={c.getrandbits(128):032x}"
        )
