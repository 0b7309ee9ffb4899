"""The least that a HEC client is: for tests of the stand-in."""

from __future__ import annotations

import json
import time
import uuid
from typing import Any

import requests

from apisec_sandbox.splunkd.server import Addresses, Splunkd

from .conftest import TOKEN

Splunk = tuple[Splunkd, Addresses]
CHANNEL = str(uuid.UUID(int=7))
DEADLINE = 30.0  # seconds: the machine may be busy with other tests


def session() -> requests.Session:
    """A session that takes nothing from the environment of whoever runs the tests."""
    made = requests.Session()
    made.trust_env = False
    return made


def send(
    addresses: Addresses,
    body: bytes | str,
    path: str = "event",
    method: str = "POST",
    query: str = "",
    **headers: str | None,
) -> requests.Response:
    """One request; a header that is None is not sent, underscores are hyphens."""
    given: dict[str, str | None] = {"Authorization": f"Splunk {TOKEN}", "X-Splunk-Request-Channel": CHANNEL}
    given |= {name.replace("_", "-"): value for name, value in headers.items()}
    url = f"{addresses.hec}/services/collector/{path}".rstrip("/") + (f"?{query}" if query else "")
    data = body.encode() if isinstance(body, str) else body
    sent = {name: value for name, value in given.items() if value is not None}
    with session() as client:
        return client.request(method, url, data=data, headers=sent, timeout=DEADLINE)


def events(splunkd: Splunkd, *indexes: str) -> list[Any]:
    """What is indexed, in the order in which it came."""
    held = list(splunkd.store.scan(indexes or ("main",)))
    held.reverse()  # of one time the store gives the last first
    return sorted(held, key=lambda event: event.indextime)


def acked(addresses: Addresses, number: int, channel: str = CHANNEL) -> bool:
    """Ask until the id is acknowledged, or the deadline is over."""
    deadline = time.monotonic() + DEADLINE
    while time.monotonic() < deadline:
        answer = send(addresses, json.dumps({"acks": [number]}), "ack", X_Splunk_Request_Channel=channel).json()
        if answer["acks"][str(number)]:
            return True
        time.sleep(0.01)
    return False
