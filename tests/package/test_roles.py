"""Who may do what with the installed app: an analyst, an administrator of the app, a user without either, over REST.

The administrator's part runs on any Splunk as the test user; the others need users that the test makes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from tests.package.fake_admin import TOKEN, FakeAdmin
from tests.support.app import ROOT
from tests.support.examples import transactions
from tests.support.splunk import INHERITED, TEST_ROLE, Splunk, SplunkError, Target, saved_path
from tests.support.splunk_standin import standin

pytestmark = pytest.mark.app
APP = "/servicesNS/nobody/apisec"
HIDDEN = re.compile(r"The lookup table '\w+' does not exist or is not available|Unable to find saved search")
SEARCH = "APISEC - API skipped step - Rule"
ROLES = {"outsider": "user", "analyst": "apisec_analyst", "manager": "apisec_admin", "root": "admin"}
PASSWORD = "a-long-password"
Attempt = Callable[[Splunk], Any]


# The pages of the app: what UCC's handlers store, and what the action finds there.


@pytest.fixture
def admin(tmp_path: Path, target: Target) -> Iterator[FakeAdmin]:
    fake = FakeAdmin(tmp_path, target.reach or "127.0.0.1")
    yield fake
    fake.close()


def on_page(splunk: Splunk, name: str, **fields: str) -> dict[str, Any]:
    """Add a forwarder as the page Configuration does; it goes when the test ends."""
    splunk.undo(lambda: splunk.rest.call("DELETE", f"{APP}/apisec_forwarder/{quote(name, safe='')}"))
    [entry] = splunk.rest.call("POST", f"{APP}/apisec_forwarder", {"name": name, **fields})["entry"]
    return dict(entry["content"])


def forwarders(splunk: Splunk) -> dict[str, dict[str, Any]]:
    return {one["name"]: one["content"] for one in splunk.rest.entries(f"{APP}/apisec_forwarder")}


def stored(splunk: Splunk, name: str) -> list[str]:
    """The names of the passwords that belong to a forwarder."""
    return [one["name"] for one in splunk.rest.entries(f"{APP}/storage/passwords") if f":{name}``" in one["name"]]


@pytest.mark.callback
def test_a_forwarder_of_the_page_is_the_one_that_the_action_calls(splunk: Splunk, admin: FakeAdmin) -> None:
    name = splunk.own("edge")
    on_page(splunk, name, url=admin.url, token=TOKEN, ca=admin.ca.read_text())
    shown = forwarders(splunk)[name]
    assert set(shown["token"]) == {"*"}, "the page never shows a token"
    assert TOKEN not in json.dumps(shown)
    stanza = splunk.rest.call("GET", f"{APP}/configs/conf-apisec_forwarder/{name}")["entry"][0]["content"]
    assert set(stanza["token"]) == {"*"}, "the file holds none"
    assert stored(splunk, name)

    splunk.send(splunk.recent(line for line in transactions("orders") if line["case"] == "walker"))
    finding = f'service="{splunk.service}" | head 1 | eval risk_object=principal, risk_message="x"'
    splunk.search(
        f"`apisec_transactions` {finding} | sendalert apisec_block param.pattern=api_object_enumeration "
        f"param.forwarder={name}"
    )
    [pattern] = admin.patterns.values()
    assert pattern["mode"] == "shadow"
    assert {path.partition(":")[0] for _, path, _ in admin.calls} == {f"/v1/patterns/{pattern['id']}"}

    splunk.rest.call("DELETE", f"{APP}/apisec_forwarder/{name}")
    assert name not in forwarders(splunk)
    assert stored(splunk, name) == [], "the token goes with its forwarder"


def test_editing_a_forwarder_keeps_its_token(splunk: Splunk) -> None:
    name = splunk.own("edge")
    on_page(splunk, name, url="https://one.example:9443", token="first")
    before = stored(splunk, name)
    path = f"{APP}/apisec_forwarder/{name}"
    splunk.rest.call("POST", path, {"url": "https://two.example:9443", "token": "******"})
    assert forwarders(splunk)[name]["url"] == "https://two.example:9443"
    assert stored(splunk, name) == before


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"url": "http://plain.example"}, "Not matching the pattern"),
        ({"url": "https://a.example/path"}, "Not matching the pattern"),
        ({"url": "https://user@a.example"}, "Not matching the pattern"),
        ({"token": ""}, "token"),
    ],
)
def test_the_page_refuses_what_the_action_could_not_use(splunk: Splunk, fields: dict[str, str], said: str) -> None:
    name = splunk.own("bad")
    with pytest.raises(SplunkError, match=said):
        on_page(splunk, name, **{"url": "https://a.example:9443", "token": "x", **fields})
    assert name not in forwarders(splunk)
    assert stored(splunk, name) == []


def test_the_same_name_twice_is_refused(splunk: Splunk) -> None:
    name = splunk.own("edge")
    on_page(splunk, name, url="https://a.example:9443", token="x")
    with pytest.raises(SplunkError, match=r"already in use|already exists"):
        on_page(splunk, name, url="https://b.example:9443", token="y")
    assert forwarders(splunk)[name]["url"] == "https://a.example:9443"


# Roles, on a stand-in where the test may make users.


@pytest.fixture(scope="module")
def users(archive: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Splunk]]:
    with standin(tmp_path_factory.mktemp("roles"), archive) as target:
        root = Splunk(target)
        root.send(root.recent(transactions("checkout")))
        for name, role in ROLES.items():
            form = {"name": name, "password": PASSWORD, "roles": role}
            root.rest.call("POST", "/services/authentication/users", form)
        yield {name: Splunk(target.as_user(name, PASSWORD)) for name in ROLES}


def post(path: str, body: Any = None, **form: str) -> Attempt:
    return lambda splunk: splunk.rest.call("POST", f"{APP}/{path}", form, body)


def get(path: str) -> Attempt:
    return lambda splunk: splunk.rest.call("GET", f"{APP}/{path}")


def document(collection: str) -> Attempt:
    return post(f"storage/collections/data/{collection}/batch_save", [{"_key": "k", "service": "s"}])


def forwarder(splunk: Splunk) -> Any:
    return on_page(splunk, splunk.own("edge"), url="https://a.example:9443", token="x")


EVERYONE, ANALYSTS, ADMINS = set(ROLES), {"analyst", "manager", "root"}, {"manager", "root"}
RIGHTS: dict[str, tuple[Attempt, set[str]]] = {
    "score": (lambda splunk: splunk.search("| makeresults | apisecscore state=off"), EVERYONE),
    "look at exceptions": (get("storage/collections/data/apisec_exceptions"), ANALYSTS),
    "look up exceptions": (lambda splunk: splunk.search("| inputlookup apisec_exceptions"), ANALYSTS),
    "run a detection": (lambda splunk: splunk.search(f'| savedsearch "{SEARCH}"'), ANALYSTS),
    "read the page's settings": (get("apisec_settings/logging"), EVERYONE),
    "read tokens": (get("storage/passwords"), ADMINS),
    "add a forwarder": (forwarder, ADMINS),
    "change the log level": (post("apisec_settings/logging", loglevel="INFO"), ADMINS),
    "tune a macro": (post("configs/conf-macros/apisec_step_skipping_min_score", definition="90"), ADMINS),
    "enable a detection": (post(saved_path(SEARCH).removeprefix(f"{APP}/"), disabled="1"), ADMINS),
    "write what was pushed": (document("apisec_patterns"), ADMINS),
    "write what was learned": (document("apisec_exceptions"), ADMINS),
}


def refused(splunk: Splunk, attempt: Attempt) -> bool:
    """Whether it was forbidden, or is not there for the user; any other error is none of rights.

    UCC's handlers hide the status in their message, and a search says only that there is no such object.
    """
    try:
        attempt(splunk)
    except SplunkError as error:
        if error.status in (403, 404) or "[403]" in str(error) or HIDDEN.search(str(error)):
            return True
        raise
    finally:
        splunk.close()
    return False


# UCC's library asks for the password store again and again, half a minute long, before it takes a 403 for an answer.
SLOW = {("add a forwarder", "outsider"), ("add a forwarder", "analyst")}
CASES = [
    pytest.param(what, who, marks=[pytest.mark.slow] if (what, who) in SLOW else [], id=f"{who}: {what}")
    for what in RIGHTS
    for who in ROLES
]


@pytest.mark.standin
@pytest.mark.parametrize(("what", "who"), CASES)
def test_each_may_what_the_page_says_and_no_more(users: dict[str, Splunk], what: str, who: str) -> None:
    attempt, allowed = RIGHTS[what]
    assert refused(users[who], attempt) is (who not in allowed)


@pytest.mark.standin
def test_an_analyst_finds_and_cannot_block(users: dict[str, Splunk]) -> None:
    analyst, manager = users["analyst"], users["manager"]
    assert len(analyst.search("`apisec_transactions` | head 3")) == 3
    dry = (
        '`apisec_transactions` operation=*confirm | head 1 | eval risk_message="x", required_operation="POST /x" '
        "| sendalert apisec_block param.pattern=api_skipped_step param.dry_run=1"
    )
    pushed = "| inputlookup apisec_patterns | stats count, values(state) AS state"
    before = manager.search(pushed)
    with pytest.raises(SplunkError, match="apisec_block"):
        analyst.search(dry)
    assert manager.search(pushed) == before
    manager.search(dry)
    assert "dry run" in str(manager.search(pushed))


@pytest.mark.standin
def test_a_user_of_other_indexes_sees_no_transaction(users: dict[str, Splunk]) -> None:
    root = users["root"]
    role = {"name": "elsewhere", "srchIndexesAllowed": "main", "capabilities": "search"}
    root.rest.call("POST", "/services/authorization/roles", role)
    root.rest.call("POST", "/services/authentication/users", {"name": "e", "password": PASSWORD, "roles": "elsewhere"})
    elsewhere = Splunk(root.target.as_user("e", PASSWORD))
    assert elsewhere.search("index=apisec | head 1") == []
    assert elsewhere.search("| tstats count where index=apisec") in ([], [{"count": "0"}])


def test_the_page_for_owners_names_every_right_of_the_test_user() -> None:
    page = (ROOT / "docs/splunk-owner.md").read_text("utf-8")
    for name in (*TEST_ROLE.imports, *TEST_ROLE.capabilities, *INHERITED):
        assert f"`{name}`" in page, name
