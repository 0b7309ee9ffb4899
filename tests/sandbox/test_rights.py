"""Users, roles, capabilities; who sees and changes whose objects; what a role may search."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from apisec_sandbox.splunkd.apps import install
from apisec_sandbox.splunkd.home import Home, write_atomic
from apisec_sandbox.splunkd.indexes import Event
from apisec_sandbox.splunkd.jobs import Request
from apisec_sandbox.splunkd.server import Options, Splunkd, running
from apisec_sandbox.splunkd.web import HttpError

from .conftest import FIXTURES

PASSWORD = "a-good-password"


class Client:
    def __init__(self, splunkd: Splunkd, base: str) -> None:
        self.splunkd = splunkd
        self.base = base
        self.http = requests.Session()
        self.http.trust_env = False
        self.user = ("admin", splunkd.password_file.read_text())

    def as_user(self, name: str) -> Client:
        other = Client(self.splunkd, self.base)
        other.user = (name, PASSWORD)
        return other

    def ask(self, method: str, path: str, **data: Any) -> tuple[int, Any]:
        where = {"params": data} if method == "GET" else {"data": {**data, "output_mode": "json"}}
        url = f"{self.base}{path}{'&' if '?' in path else '?'}output_mode=json"
        reply = self.http.request(method, url, auth=self.user, timeout=30, **where)  # type: ignore[arg-type]
        return reply.status_code, reply.json()

    def get(self, path: str, **data: Any) -> tuple[int, Any]:
        return self.ask("GET", path, **data)

    def post(self, path: str, **data: Any) -> tuple[int, Any]:
        return self.ask("POST", path, **data)

    def names(self, path: str) -> list[str]:
        status, body = self.get(path, count=0)
        assert status == 200, body
        return [entry["name"] for entry in body["entry"]]


@pytest.fixture
def admin(tmp_path: Path) -> Iterator[Client]:
    home = tmp_path / "home"
    install(FIXTURES / "restapp", Home(home))
    macros = "[out]\ndefinition = {}\n[hidden]\ndefinition = h\n"
    for name, meta in (("shares", "[macros/out]\nexport = system\n[macros/hidden]\nexport = none\n"), ("other", "")):
        folder = home / "etc" / "apps" / name
        write_atomic(folder / "default" / "app.conf", b"[launcher]\nversion = 1\n")
        write_atomic(folder / "default" / "macros.conf", macros.format(name).encode())
        write_atomic(folder / "metadata" / "default.meta", meta.encode())
    with running(home, Options(with_tls=False, schedule=False)) as (splunkd, addresses):
        for user, role in (("ann", "user"), ("bob", "user"), ("pow", "power")):
            splunkd.users.save(user, PASSWORD, [role])
        yield Client(splunkd, addresses.mgmt)


def content(answer: tuple[int, Any]) -> Any:
    assert answer[0] in (200, 201), answer
    return answer[1]["entry"][0]["content"]


def test_users(admin: Client) -> None:
    made = content(admin.post("/services/authentication/users", name="Carl", password=PASSWORD, roles="user"))
    assert (made["roles"], made["email"], made["password"], made["defaultApp"]) == (
        ["user"],
        None,
        "********",
        "launcher",
    )
    assert admin.get("/services/authentication/users/CARL")[1]["entry"][0]["name"] == "carl"
    for bad, word in (
        ({"name": "carl", "password": PASSWORD, "roles": "user"}, "already exists"),
        ({"name": "dora", "password": PASSWORD}, "roles"),
        ({"name": "dora", "password": "short", "roles": "user"}, "complexity"),
        ({"name": "dora", "password": PASSWORD, "roles": "nothing"}, "Role=nothing does not exist"),
        ({"name": "d ora", "password": PASSWORD, "roles": "user"}, "Invalid user name"),
        ({"name": "dora", "password": PASSWORD, "roles": "user", "color": "red"}, '"color" is not supported'),
    ):
        status, body = admin.post("/services/authentication/users", **bad)
        assert (status, word in body["messages"][0]["text"]) == (400, True), body
    changed = content(
        admin.post("/services/authentication/users/carl", email="c@x", defaultApp="search", roles=["power", "user"])
    )
    assert (changed["email"], changed["defaultApp"], changed["roles"]) == ("c@x", "search", ["power", "user"])
    assert admin.ask("DELETE", "/services/authentication/users/carl")[0] == 200
    assert admin.ask("DELETE", "/services/authentication/users/carl")[0] == 400
    assert admin.get("/services/authentication/users/carl")[0] == 404


def test_who_may_not_edit_users(admin: Client) -> None:
    ann = admin.as_user("ann")
    assert ann.names("/services/authentication/users") == ["ann"]
    assert ann.get("/services/authentication/users/bob")[0] == 404
    assert ann.post("/services/authentication/users", name="x", password=PASSWORD, roles="admin")[0] == 403
    assert ann.post("/services/authentication/users/ann", roles="admin")[0] == 403
    assert ann.post("/services/authentication/users/ann", password="another-one", oldpassword="wrong")[0] == 400
    assert ann.post("/services/authentication/users/ann", password="another-one", oldpassword=PASSWORD)[0] == 200
    assert ann.get("/services/server/info")[0] == 401
    assert admin.as_user("bob").post("/services/authorization/roles", name="mine")[0] == 403


def test_roles(admin: Client) -> None:
    made = content(admin.post("/services/authorization/roles", name="Watcher"))
    assert (made["capabilities"], made["srchJobsQuota"], made["imported_roles"]) == ([], 3, [])
    values = {"imported_roles": ["user"], "srchJobsQuota": "7", "srchFilter": "host=a", "capabilities": "rtsearch"}
    changed = content(admin.post("/services/authorization/roles/watcher", **values))
    assert (changed["imported_roles"], changed["srchJobsQuota"], changed["capabilities"]) == (["user"], 7, ["rtsearch"])
    assert "search" in changed["imported_capabilities"]
    again = content(admin.post("/services/authorization/roles/watcher", capabilities="schedule_search"))
    assert again["capabilities"] == ["schedule_search"]
    for bad, word in (
        ({"capabilities": "fly"}, "Capability=fly"),
        ({"imported_roles": "watcher"}, "imports watcher itself"),
        ({"srchJobsQuota": "many"}, "whole number"),
        ({"color": "red"}, "not supported"),
    ):
        status, body = admin.post("/services/authorization/roles/watcher", **bad)
        assert (status, word in body["messages"][0]["text"]) == (400, True), body
    assert admin.post("/services/authorization/roles", name="watcher")[0] == 409
    assert admin.ask("DELETE", "/services/authorization/roles/admin")[0] == 400
    assert admin.ask("DELETE", "/services/authorization/roles/watcher")[0] == 200
    assert admin.get("/services/authorization/roles/watcher")[0] == 404


SCHEDULED = {"name": "s", "search": "search a", "is_scheduled": "1", "cron_schedule": "* * * * *"}
GUARDED = [
    ("GET", "/services/storage/passwords", {}),
    ("POST", "/services/storage/passwords", {"name": "n", "password": "p"}),
    ("POST", "/services/data/indexes", {"name": "fresh"}),
    ("POST", "/servicesNS/nobody/system/configs/conf-server/general", {"x": "y"}),
    ("POST", "/servicesNS/nobody/search/configs/conf-inputs", {"name": "http://x", "token": "t"}),
    ("POST", "/servicesNS/nobody/search/configs/conf-authorize", {"name": "role_x"}),
    ("POST", "/services/data/inputs/http", {"name": "t"}),
    ("POST", "/servicesNS/bob/search/configs/conf-macros", {"name": "m"}),
    ("GET", "/servicesNS/bob/search/configs/conf-macros", {}),
    ("POST", "/services/sandbox/hec_overload", {"code": "9"}),
    (
        "POST",
        "/services/saved/searches",
        {"name": "s", "search": "search a", "is_scheduled": "1", "cron_schedule": "* * * * *"},
    ),
]


@pytest.mark.parametrize(("method", "path", "data"), GUARDED, ids=[f"{m} {p}" for m, p, _ in GUARDED])
def test_a_capability_guards(admin: Client, method: str, path: str, data: dict[str, str]) -> None:
    assert admin.as_user("ann").ask(method, path, **data)[0] == 403
    assert admin.ask(method, path, **data)[0] in (200, 201)


def test_private_objects_stay_private(admin: Client) -> None:
    ann, bob = admin.as_user("ann"), admin.as_user("bob")
    macros = "/servicesNS/-/-/configs/conf-macros"
    made = ann.post("/services/configs/conf-macros", name="mine", definition="1")[1]["entry"][0]
    assert (made["acl"]["sharing"], made["acl"]["owner"], made["acl"]["perms"]) == ("user", "ann", None)
    assert "/servicesNS/ann/search/" in made["id"]
    assert "mine" in ann.names("/services/configs/conf-macros")
    assert "mine" in ann.names("/servicesNS/ann/search/configs/conf-macros")
    assert "mine" not in ann.names("/servicesNS/nobody/search/configs/conf-macros")
    assert "mine" not in ann.names("/servicesNS/ann/other/configs/conf-macros")
    assert "mine" not in bob.names(macros)
    assert bob.get("/servicesNS/-/-/configs/conf-macros/mine")[0] == 404
    assert "mine" in admin.names(macros)
    job = admin.splunkd.jobs.run(Request("| makeresults | eval a=`mine`", "search", "ann"))
    assert job.outcome.rows[0]["a"] == 1
    with pytest.raises(Exception, match="mine"):
        admin.splunkd.jobs.run(Request("| makeresults | eval a=`mine`", "search", "bob"))


def test_sharing_by_acl(admin: Client) -> None:
    ann, bob, power = (admin.as_user(name) for name in ("ann", "bob", "pow"))
    mine, shared = (f"/servicesNS/{user}/search/configs/conf-macros" for user in ("pow", "nobody"))
    assert power.post(mine, name="mine", definition="1")[0] == 201
    assert power.post(mine + "/mine/acl", sharing="app")[0] == 400
    status, body = power.post(mine + "/mine/acl", sharing="app", owner="pow", **{"perms.write": "pow"})
    assert (status, "Role 'pow' does not exist" in body["messages"][0]["text"]) == (400, True)
    perms = {"perms.read": "power", "perms.write": "admin"}
    status, body = power.post(mine + "/mine/acl", sharing="app", owner="pow", **perms)
    acl = body["entry"][0]["acl"]
    assert (acl["sharing"], acl["owner"], acl["perms"]) == ("app", "pow", {"read": ["power"], "write": ["admin"]})
    admin.splunkd.users.save("pow2", PASSWORD, ["power"])
    other = admin.as_user("pow2")
    assert "mine" in other.names(shared)
    assert "mine" not in bob.names(shared)
    assert other.post(shared + "/mine", definition="2")[0] == 403
    assert power.post(shared + "/mine", definition="2")[0] == 200  # the owner may
    assert "mine" not in other.names("/servicesNS/nobody/other/configs/conf-macros")
    assert admin.post(shared + "/mine/acl", sharing="global", owner="pow", **{"perms.read": "*"})[0] == 200
    assert "mine" in bob.names("/servicesNS/nobody/other/configs/conf-macros")
    assert admin.post(shared + "/mine/acl", sharing="user", owner="pow")[0] == 200
    assert "mine" not in other.names(shared)
    assert "mine" in power.names(mine)
    # Who may not write in the app cannot share there either.
    assert ann.post("/services/configs/conf-macros", name="own", definition="1")[0] == 201
    assert ann.post("/servicesNS/ann/search/configs/conf-macros/own/acl", sharing="app", owner="ann")[0] == 403


def test_the_same_name_in_several_places(admin: Client) -> None:
    ann = admin.as_user("ann")
    for user in ("ann", "nobody"):
        who = ann if user == "ann" else admin
        assert who.post(f"/servicesNS/{user}/search/configs/conf-macros", name="twin", definition=user)[0] == 201
    assert ann.post("/servicesNS/ann/search/configs/conf-macros", name="twin", definition="x")[0] == 409
    entries = ann.get("/servicesNS/-/-/configs/conf-macros/twin")[1]["entry"]
    assert sorted(entry["content"]["definition"] for entry in entries) == ["ann", "nobody"]
    assert content(ann.get("/servicesNS/ann/search/configs/conf-macros/twin"))["definition"] == "ann"
    assert content(ann.get("/servicesNS/nobody/search/configs/conf-macros/twin"))["definition"] == "nobody"


def test_what_apps_export(admin: Client) -> None:
    held = admin.names("/servicesNS/nobody/search/configs/conf-macros")
    assert "out" in held
    assert "hidden" not in held
    assert content(admin.get("/servicesNS/nobody/other/configs/conf-macros/out"))["definition"] == "other"
    assert content(admin.get("/servicesNS/nobody/search/configs/conf-macros/out"))["definition"] == "shares"
    assert admin.post("/servicesNS/nobody/shares/configs/conf-macros/out/move", app="other")[0] == 400
    assert admin.post("/servicesNS/nobody/shares/configs/conf-macros", name="loose", definition="1")[0] == 201
    assert admin.post("/servicesNS/nobody/shares/configs/conf-macros/loose/move", app="other")[0] == 200
    assert "loose" in admin.names("/servicesNS/nobody/other/configs/conf-macros")


def test_event_types_and_lookup_definitions(admin: Client) -> None:
    made = content(admin.post("/services/saved/eventtypes", name="bad logins", search="status=401", priority="3"))
    assert (made["search"], made["priority"], made["disabled"]) == ("status=401", "3", False)
    assert content(admin.post("/services/saved/eventtypes/bad%20logins/disable"))["disabled"] is True
    assert admin.post("/services/saved/eventtypes", name="piped", search="| stats count")[0] == 400
    assert admin.post("/services/saved/eventtypes", name="none")[0] == 400
    assert admin.ask("DELETE", "/services/saved/eventtypes/bad%20logins")[0] == 200
    assert admin.get("/services/saved/eventtypes/bad%20logins")[0] == 404
    made = content(admin.post("/servicesNS/nobody/search/data/transforms/lookups", name="l", filename="l.csv"))
    assert made["filename"] == "l.csv"


def test_what_a_role_may_search(admin: Client) -> None:
    splunkd = admin.splunkd
    now = splunkd.clock()
    for name in ("red", "blue"):
        splunkd.confs.write("indexes", name, {"homePath": f"$SPLUNK_DB/{name}/db"}, "search")
    splunkd.store.append(
        Event(now - age, now, host, "s", "t", json.dumps({"age": age}), {}, index)
        for index in ("red", "blue")
        for host in ("a", "b")
        for age in (10, 5000)
    )

    def count(user: str, text: str = "index=*") -> int:
        job = splunkd.jobs.run(Request(f"search {text} | stats count", "search", user))
        assert job.state == "DONE", job.error
        return int(job.outcome.rows[0]["count"])

    def role(name: str, **settings: str) -> None:
        splunkd.confs.write(
            "authorize", f"role_{name}", {"search": "enabled", "srchIndexesAllowed": "*", **settings}, "system"
        )

    role("plain")
    role("no_red", srchIndexesDisallowed="r*")
    role("only_a", srchFilter="host=a")
    role("only_b", srchFilter="host=b")
    role("not_b", srchFilter="host!=b", srchFilterSelecting="false")
    role("late", srchTimeWin="600")
    for user, roles in (
        ("u1", ["plain"]),
        ("u2", ["plain", "no_red"]),
        ("u3", ["only_a"]),
        ("u4", ["only_a", "only_b"]),
        ("u5", ["only_a", "only_b", "not_b"]),
        ("u6", ["late"]),
    ):
        splunkd.users.save(user, PASSWORD, roles)
    assert [count(f"u{number}") for number in range(1, 7)] == [8, 4, 4, 8, 4, 4]
    assert count("u2", "index=red") == 0


def test_jobs_of_others_are_hidden(admin: Client) -> None:
    ann, bob = admin.as_user("ann"), admin.as_user("bob")
    sid = ann.post("/services/search/jobs", search="| makeresults", exec_mode="blocking")[1]["sid"]
    assert bob.get(f"/services/search/jobs/{sid}")[0] == 404
    assert ann.get(f"/services/search/jobs/{sid}")[0] == 200
    assert admin.get(f"/services/search/jobs/{sid}")[0] == 200


def test_lookups_follow_their_permissions(admin: Client) -> None:
    splunkd = admin.splunkd
    apps = splunkd.home.apps
    for app, meta in (("shares", "[lookups]\nexport = system\n"), ("other", "[lookups]\nexport = none\n")):
        write_atomic(apps / app / "lookups" / f"{app}.csv", b"a,b\n1,2\n")
        write_atomic(apps / app / "metadata" / "local.meta", meta.encode())
    write_atomic(apps / "shares" / "default" / "collections.conf", b"[kept]\n")
    transforms = b"[kept]\nexternal_type = kvstore\ncollection = kept\nfields_list = _key, a\n"
    write_atomic(apps / "shares" / "default" / "transforms.conf", transforms)

    def run(user: str, app: str, search: str) -> str:
        try:
            job = splunkd.jobs.run(Request(search, app, user))
        except HttpError as error:
            return error.text
        return job.error or str(len(job.outcome.rows))

    assert run("ann", "search", "| inputlookup shares.csv") == "1"
    assert run("ann", "search", "| inputlookup other.csv") != "1"
    assert run("ann", "other", "| inputlookup other.csv") == "1"
    assert "insufficient privileges" in run("ann", "other", "| inputlookup other.csv | outputlookup other.csv")
    assert run("pow", "other", "| inputlookup other.csv | outputlookup other.csv") == "1"
    assert run("ann", "search", "| makeresults | eval a=1 | table a | outputlookup mine.csv") == "1"
    assert "insufficient privileges" in run("ann", "shares", "| makeresults | eval a=1 | outputlookup kept")
    assert run("admin", "shares", "| makeresults | eval a=1 | table a | outputlookup kept") == "1"
    assert run("ann", "shares", "| inputlookup kept") == "1"
