"""People of a directory on the admin API, by a real OpenLDAP where its server is installed (apt install slapd)."""

from __future__ import annotations

import asyncio
import base64
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from apisec_forwarder.admin import app, people
from apisec_forwarder.admin.operations import BUNDLES_READ, BUNDLES_WRITE
from apisec_forwarder.admin.tokens import Verifier, add
from apisec_forwarder.config.schema import Ldap, LdapGroup
from tests.forwarder.decisions_rig import certificate
from tests.support.processes import Process
from tests.support.waiting import free_port, listening, until

SLAPD = os.environ.get("APISEC_SLAPD") or shutil.which("slapd", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
needs_slapd = pytest.mark.skipif(SLAPD is None, reason="OpenLDAP is not installed: apt install slapd")
# ldap3 2.9 still asks pyasn1 for names that it has since renamed
pytestmark = [pytest.mark.timeout(120), pytest.mark.filterwarnings("ignore::DeprecationWarning")]

BASE = "dc=example,dc=org"
PEOPLE = {"ada": "lovelace", "fin": "ance*)(uid=*", "dup": "same"}
LDIF = f"""dn: {BASE}
objectClass: dcObject
objectClass: organization
o: example
dc: example

dn: cn=service,{BASE}
objectClass: person
cn: service
sn: service
userPassword: s3rvice

dn: ou=people,{BASE}
objectClass: organizationalUnit
ou: people

dn: ou=others,{BASE}
objectClass: organizationalUnit
ou: others
"""


def person(name: str, unit: str = "people") -> str:
    return f"""
dn: uid={name},ou={unit},{BASE}
objectClass: inetOrgPerson
uid: {name}
cn: {name}
sn: {name}
userPassword: {PEOPLE[name]}
"""


def group(name: str, *members: str) -> str:
    listed = "\n".join(f"member: uid={one},ou=people,{BASE}" for one in members)
    return f"\ndn: cn={name},{BASE}\nobjectClass: groupOfNames\ncn: {name}\n{listed}\n"


class Server:
    """slapd with TLS on ports of its own."""

    def __init__(self, folder: Path) -> None:
        assert SLAPD is not None
        self.folder = folder
        self.port, self.tls_port = free_port(), free_port()
        self.certificate, key = certificate(folder)
        root = Path(SLAPD).resolve().parents[2]
        etc = next(one for one in (root / "etc/ldap/schema", Path("/etc/ldap/schema")) if one.is_dir())
        (folder / "db").mkdir()
        configuration = folder / "slapd.conf"
        schemas = "".join(f"include {etc}/{name}.schema\n" for name in ("core", "cosine", "inetorgperson"))
        configuration.write_text(
            f"""{schemas}modulepath {root}/usr/lib/ldap
moduleload back_mdb
TLSCertificateFile {self.certificate}
TLSCertificateKeyFile {key}
pidfile {folder}/pid
disallow bind_anon
database mdb
suffix "{BASE}"
rootdn "cn=root,{BASE}"
directory {folder}/db
access to attrs=userPassword by anonymous auth by * none
access to * by users read by * none
"""
        )
        text = LDIF + person("ada") + person("fin") + person("dup") + person("dup", "others")
        text += group("commerce-developers", "ada") + group("finance-readers", "fin", "ada")
        (folder / "data.ldif").write_text(text)
        self.environment = {**os.environ}
        libraries = root / "usr/lib" / "x86_64-linux-gnu"
        if root != Path("/"):  # unpacked, not installed
            self.environment["LD_LIBRARY_PATH"] = str(libraries)
        load = [SLAPD, "-T", "add", "-f", str(configuration), "-l", str(folder / "data.ldif")]
        done = subprocess.run(load, capture_output=True, text=True, env=self.environment)
        assert done.returncode == 0, done.stderr
        urls = f"ldap://127.0.0.1:{self.port}/ ldaps://127.0.0.1:{self.tls_port}/"
        before = [f"LD_LIBRARY_PATH={libraries}"] if root != Path("/") else []
        command = ["env", *before, SLAPD, "-d", "0", "-h", urls, "-f", str(configuration)]
        self.process = Process(command, folder / "log")
        until(lambda: listening(self.tls_port), 20, "slapd listens")

    def settings(self, **changes: Any) -> Ldap:
        secret = self.folder / "bind.password"
        secret.write_text("s3rvice\n")
        secret.chmod(0o600)
        groups = (
            LdapGroup(f"cn=commerce-developers,{BASE}", ("commerce",), (BUNDLES_READ, BUNDLES_WRITE)),
            LdapGroup(f"CN=finance-readers,{BASE}", ("finance",), (BUNDLES_READ,)),
        )
        values: dict[str, Any] = {
            "url": f"ldaps://127.0.0.1:{self.tls_port}", "bind_dn": f"cn=service,{BASE}", "bind_password_file": secret,
            "base": BASE, "groups": groups, "ca_file": self.certificate,
        }  # fmt: skip
        return Ldap(**{**values, **changes})


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    made = Server(tmp_path_factory.mktemp("ldap"))
    yield made
    made.process.kill()


def directory(settings: Ldap) -> people.People:
    from apisec_forwarder.admin.directory import Directory

    return Directory(settings)


@needs_slapd
@pytest.mark.parametrize("way", ["ldaps", "StartTLS"])
def test_a_person_gets_the_teams_of_the_groups(server: Server, way: str) -> None:
    changes = {} if way == "ldaps" else {"url": f"ldap://127.0.0.1:{server.port}", "start_tls": True}
    asked = directory(server.settings(**changes))
    found = asked.groups("ada", "lovelace")
    assert found is not None
    assert people.teams(found, BUNDLES_READ) == {"commerce", "finance"}
    assert people.teams(found, BUNDLES_WRITE) == {"commerce"}, "a group's scopes count for its own teams"
    assert asked.groups("fin", PEOPLE["fin"]) is not None, "a password may hold what filters treat specially"


@needs_slapd
@pytest.mark.parametrize(
    ("name", "password"),
    [
        ("ada", "wrong"),
        ("ada", ""),  # an unauthenticated bind would succeed
        ("", "lovelace"),
        ("nobody", "lovelace"),
        ("*", "lovelace"),
        ("ada)(objectClass=*", "lovelace"),
        ("a*a", "lovelace"),
        ("ada\0", "lovelace"),
        ("dup", "same"),  # two people of one name
        ("a" * 10_000, "lovelace"),
    ],
)
def test_who_is_refused(server: Server, name: str, password: str) -> None:
    assert directory(server.settings()).groups(name, password) is None


@needs_slapd
def test_tls_is_verified_and_failures_read_alike(server: Server, tmp_path: Path) -> None:
    stranger, _ = certificate(tmp_path)
    wrong = server.folder / "wrong.password"
    wrong.write_text("x")
    wrong.chmod(0o600)
    for changes in (
        {"ca_file": stranger},
        {"ca_file": stranger, "url": f"ldap://127.0.0.1:{server.port}", "start_tls": True},
        {"url": f"ldaps://127.0.0.1:{free_port()}"},
        {"bind_password_file": wrong},
        {"user_filter": "(((uid={user})"},
    ):
        assert directory(server.settings(**changes)).groups("ada", "lovelace") is None


@needs_slapd
def test_an_answer_counts_for_a_short_time(server: Server) -> None:
    from apisec_forwarder.admin.directory import Directory

    now = [100.0]
    asked = Directory(server.settings(cache_seconds=60), lambda: now[0])
    assert asked.groups("ada", "lovelace")
    asked._password = "not any more"
    now[0] += 59
    assert asked.groups("ada", "lovelace"), "remembered"
    assert asked.groups("ada", "other") is None, "by name and password"
    now[0] += 2
    assert asked.groups("ada", "lovelace") is None, "asked again"


class Fake:
    """A directory of one person."""

    def groups(self, name: str, secret: str) -> tuple[LdapGroup, ...] | None:
        if (name, secret) != ("ada", "pässwort:1"):
            return None
        return (LdapGroup("g", ("commerce",), (BUNDLES_READ,)),)


def test_basic_on_the_admin_api(tmp_path: Path) -> None:
    tokens = tmp_path / "tokens.json"
    add(tokens, "all", ["patterns:read"], ["*"])
    context: Any = None  # refused or not found before a handler asks for it
    whole = app.build(context, Verifier(tokens), Fake())

    def ask(text: str, served: Any = whole) -> tuple[int, str]:
        async def one() -> httpx.Response:
            async with httpx.AsyncClient(transport=httpx.ASGITransport(served), base_url="https://apisec") as client:
                return await client.get("/v1/patterns", headers={"authorization": text})

        answer = asyncio.run(one())
        return answer.status_code, answer.json()["detail"]

    good = "Basic " + base64.b64encode("ada:pässwort:1".encode()).decode()
    bad = "Basic " + base64.b64encode(b"ada:x").decode()
    assert ask(good) == (403, "none of your groups gives the scope patterns:read")
    assert ask(bad) == ask("Basic " + base64.b64encode(b"eve:y").decode()) == (401, "no valid name and password")
    for odd in ("Basic", "Basic !!!", "Basic " + base64.b64encode(b"nocolon").decode(), "Basic " + "A" * 5000):
        assert ask(odd)[0] == 401
    assert ask(good, app.build(context, Verifier(tokens)))[0] == 401, "no directory: bearer tokens only"


def test_the_library_is_loaded_where_it_is_configured_only() -> None:
    code = "import sys, apisec_forwarder.control; sys.exit('ldap3' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
