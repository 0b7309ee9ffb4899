"""The client behind a credential: what stays the same when versions and addresses change."""

from __future__ import annotations

import pytest

from apisec.activity.client import agent_family, client_of, network_of


@pytest.mark.parametrize(
    ("agent", "family"),
    [
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/142.0 Safari/537.36",
            "Chrome on Windows",
        ),
        ("Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/141.0 Safari/537.36 Edg/141.0", "Edge on Windows"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Safari/604.1", "Safari on iOS"),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox on Linux"),
        ("curl/8.4.0", "curl"),
        ("python-requests/2.32.3", "python-requests"),
        ("ShopApp/7.1 (Android 14; Pixel)", "shopapp on Android"),
        ("", ""),
    ],
)
def test_agent_families(agent: str, family: str) -> None:
    assert agent_family(agent) == family


def test_networks_and_clients() -> None:
    assert network_of("192.0.2.77") == "192.0.2.0/24"
    assert network_of("2001:db8:1:2::3") == "2001:db8:1::/48"
    assert network_of("~ip~0011223344556677~") == "~ip~0011223344556677~"
    phone = client_of("192.0.2.1", "curl/8", "t13a")
    assert phone == client_of("192.0.2.9", "curl/9", "t13a")
    assert phone.text == "curl from 192.0.2.0/24, JA4 t13a"
    assert client_of(None, 7, None).text == "no user agent from an unknown network"
