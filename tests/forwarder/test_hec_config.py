"""What of the sections ``hec`` and ``spool`` is refused, and what their keys come to."""

from __future__ import annotations

from pathlib import Path

import pytest

from apisec_forwarder.config import Config, Hec, parse
from apisec_forwarder.config.schema import Service

CONFIG = """
gateway: {{name: edge-1, env: DEV}}
receiver: {{envoy: {{log: access.json}}}}
keys: {{file: keys.json}}
spool: {{directory: spool{spool}}}
services:
  - {{name: pay, team: payments, hosts: [pay.example], index: apisec_pay}}
  - {{name: refunds, team: payments, hosts: [refunds.example]}}
  - {{name: shop, team: commerce, hosts: [shop.example]}}
hec: {{token_file: t{hec}}}
"""


def read(hec: str = ", url: 'https://s.example:8088'", spool: str = "") -> tuple[Config | None, str]:
    config, errors = parse(CONFIG.format(hec=hec, spool=spool), Path("/etc/apisec/f.yaml"))
    return config, "\n".join(map(str, errors))


def hec(text: str) -> Hec:
    config, errors = read(text)
    assert config is not None, errors
    return config.hec


def contradictions(text: str) -> list[str]:
    config, errors = read(text)
    if config is None:
        return errors.split("\n")
    return list(config.hec.contradictions(config.services))


def test_targets_take_what_they_do_not_say() -> None:
    made = hec(
        ", ca_file: ca.pem, proxy: 'http://p.example:3128', targets: ["
        "{url: 'https://a.example:8088'}, {url: 'https://b.example:8088', ca_file: b.pem, token_file: b.token}]"
    )
    first, second = made.resolved()
    assert (first.token_file, first.ca_file, first.proxy) == (
        Path("/etc/apisec/t"),
        Path("/etc/apisec/ca.pem"),
        "http://p.example:3128",
    )
    assert (second.token_file, second.ca_file) == (Path("/etc/apisec/b.token"), Path("/etc/apisec/b.pem"))


def test_one_url_is_one_target() -> None:
    (only,) = hec(", url: 'https://a.example:8088/'").resolved()
    assert only.url == "https://a.example:8088"


def test_a_team_s_token_goes_by_its_indexes() -> None:
    made = hec(", url: 'https://a.example:8088', teams: [{team: payments, token_file: p, index: apisec_payments}]")
    services = (
        Service(name="pay", team="payments", hosts=("a",), index="apisec_pay"),
        Service(name="refunds", team="payments", hosts=("b",)),
        Service(name="shop", team="commerce", hosts=("c",)),
    )
    assert dict(made.team_routes(services)) == {"apisec_pay": "payments", "apisec_payments": "payments"}
    assert made.team_index("payments") == "apisec_payments"
    assert made.team_index("commerce") is None


URL = ", url: 'https://a.example:8088'"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "give either url or targets"),
        (URL + ", targets: [{url: 'https://b.example:8088'}]", "give either url or targets"),
        (", targets: [{url: 'https://b.example:1'}, {url: 'https://b.example:1'}]", "stands twice"),
        (URL + ", client_certificate: c.pem", "belong together"),
        (", targets: [{url: 'https://b.example:1', client_key: k.pem}]", "belong together"),
        (URL + ", teams: [{team: nobody, token_file: n}]", "would never be used"),
        (
            URL + ", teams: [{team: a, token_file: n, index: x}, {team: b, token_file: n, index: x}]",
            "goes by its index",
        ),
        (URL + ", teams: [{team: a, token_file: n, index: apisec}]", "also that of 'hec.index'"),
        (URL + ", teams: [{team: a, token_file: n, index: apisec_pay}]", "also that of 'payments'"),
        (URL + ", teams: [{team: payments, token_file: n}, {team: payments, token_file: n}]", "stands twice"),
        (URL + ", proxy: 'http://user:pw@p.example:3128'", "proxy_credentials_file"),
        (URL + ", proxy: 'https://p.example:3128'", "is not a proxy"),
        (URL + ", strategy: random", "failover or balance"),
        (", targets: [{url: 'http://b.example:1'}]", "http would send the token in clear"),
        (", targets: [{urls: 'https://b.example:1'}]", "unknown key"),
    ],
)
def test_what_is_refused(text: str, problem: str) -> None:
    assert any(problem in one for one in contradictions(text)), contradictions(text)


def test_what_is_fine() -> None:
    assert contradictions(URL + ", teams: [{team: payments, token_file: n, index: apisec_payments}]") == []


def test_overflow_is_one_of_two() -> None:
    config, _ = read(spool=", overflow: pause")
    assert config is not None
    assert config.spool.overflow == "pause"
    assert "drop_oldest or pause" in read(spool=", overflow: newest")[1]
