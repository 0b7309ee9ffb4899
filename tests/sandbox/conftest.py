"""A running stand-in, and splunk-sdk's client against it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import splunklib
import splunklib.client as client

from apisec_sandbox.splunkd.apps import install
from apisec_sandbox.splunkd.home import Home
from apisec_sandbox.splunkd.server import Addresses, Options, Splunkd, running

TOKEN = "11111111-2222-3333-4444-555555555555"
FIXTURES = Path(__file__).parent / "fixtures"


@pytest.fixture(scope="session")
def testapp(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny app of the fixtures, with splunklib copied in as an app's build would."""
    folder = tmp_path_factory.mktemp("app") / "testapp"
    shutil.copytree(FIXTURES / "testapp", folder)
    source = Path(splunklib.__file__).parent
    shutil.copytree(source, folder / "lib" / "splunklib", ignore=shutil.ignore_patterns("__pycache__"))
    return folder


@pytest.fixture
def splunk(tmp_path: Path, testapp: Path) -> Iterator[tuple[Splunkd, Addresses]]:
    """A stand-in with the test app, not running anything on schedule."""
    home = tmp_path / "home"
    install(testapp, Home(home))
    with running(home, Options(with_tls=False, schedule=False)) as (splunkd, addresses):
        splunkd.ensure_token("gw", TOKEN)
        yield splunkd, addresses


def connect(addresses: Addresses, **more: object) -> client.Service:
    scheme, _, rest = addresses.mgmt.partition("://")
    host, _, port = rest.partition(":")
    settings: dict[str, object] = {
        "host": host,
        "port": int(port),
        "scheme": scheme,
        "username": "admin",
        "password": addresses.admin_password_file.read_text(),
        **more,
    }
    return client.connect(**settings)


@pytest.fixture
def service(splunk: tuple[Splunkd, Addresses]) -> client.Service:
    return connect(splunk[1])
