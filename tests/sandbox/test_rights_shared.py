"""Who reads what lies in a closed place, results of shared reports, and roles; who runs an app's commands."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from apisec_sandbox.splunkd.acl import Metadata
from apisec_sandbox.splunkd.conffile import parse
from apisec_sandbox.splunkd.home import write_atomic
from apisec_sandbox.splunkd.indexes import Event
from apisec_sandbox.splunkd.jobs import Request

from .test_rights import PASSWORD, Client, admin

__all__ = ["admin"]
CLOSED = "access = read : [ power ], write : [ admin ]\n"
OPEN = "access = read : [ * ], write : [ admin ]\n"
# default.meta, whether a plain user and a power user see the macro ``out`` of the app.
PLACES = {
    "nothing said": ("", True, True),
    "the object": (f"[macros/out]\n{CLOSED}", False, True),
    "its kind": (f"[macros]\n{CLOSED}", False, True),
    "the app": (f"[]\n{CLOSED}", False, True),
    "its kind, and the object open": (f"[macros]\n{CLOSED}[macros/out]\n{OPEN}", False, True),
    "the app, and the object open": (f"[]\n{CLOSED}[macros/out]\n{OPEN}", False, True),
    "another kind": (f"[savedsearches]\n{CLOSED}", True, True),
}


@pytest.mark.parametrize("place", PLACES)
def test_reading_takes_the_app_its_kind_and_the_object(tmp_path: Path, place: str) -> None:
    text, plain, power = PLACES[place]
    write_atomic(tmp_path / "metadata" / "default.meta", text.encode())
    held = Metadata(tmp_path, lambda path: parse(path.read_text(), str(path)) if path.exists() else {})
    permissions = held.of("macros", "out")
    assert permissions.readable(frozenset(("user",))) is plain
    assert permissions.readable(frozenset(("power", "user"))) is power


def _report(admin: Client, dispatch_as: str, readers: str) -> None:
    """A report of the app about an index that only administrators may search."""
    splunkd = admin.splunkd
    splunkd.confs.write("indexes", "vault", {"homePath": "$SPLUNK_DB/vault/db"}, "search")
    splunkd.confs.write("authorize", "role_user", {"srchIndexesDisallowed": "vault"}, "system")
    splunkd.confs.write("authorize", "role_admin", {"importRoles": "", "search": "enabled"}, "system")
    now = splunkd.clock()
    splunkd.store.append([Event(now - 5, now, "h", "s", "t", json.dumps({"gold": 1}), {}, "vault")])
    settings = {"search": "index=vault | stats count", "dispatch.earliest_time": "-1h", "dispatchAs": dispatch_as}
    splunkd.confs.write("savedsearches", "wealth", settings, "search")
    meta = f"[savedsearches/wealth]\naccess = read : [ {readers} ], write : [ admin ]\n"
    write_atomic(splunkd.home.apps / "search" / "metadata" / "local.meta", meta.encode())


def _dispatched(client: Client) -> tuple[str, str]:
    """The sid of a run of the report, and its count."""
    status, body = client.post("/servicesNS/nobody/search/saved/searches/wealth/dispatch")
    assert status == 201, body
    client.splunkd.jobs.get(body["sid"]).finished.wait(30)
    results = client.get(f"/services/search/jobs/{body['sid']}/results")[1]["results"]
    return body["sid"], results[0]["count"]


def test_a_shared_report_runs_as_its_owner_unless_it_says_user(admin: Client) -> None:
    _report(admin, "owner", "*")
    ann = admin.as_user("ann")
    assert ann.splunkd.jobs.run(Request("search index=vault | stats count", "search", "ann")).outcome.rows == [
        {"count": 0}
    ]
    sid, count = _dispatched(ann)
    assert count == "1"
    assert ann.ask("DELETE", f"/services/search/jobs/{sid}")[0] == 403
    admin.splunkd.confs.write("savedsearches", "wealth", {"dispatchAs": "user"}, "search")
    assert _dispatched(ann)[1] == "0"


def test_results_of_a_shared_report_are_for_its_readers(admin: Client) -> None:
    _report(admin, "owner", "power")
    ann, power = admin.as_user("ann"), admin.as_user("pow")
    stanza = admin.splunkd.saved.get("wealth")
    job = admin.splunkd.saved.dispatch(stanza, admin.splunkd.saved.owner_of(stanza))
    job.finished.wait(30)
    assert power.get(f"/services/search/jobs/{job.sid}/results")[1]["results"] == [{"count": "1"}]
    assert ann.get(f"/services/search/jobs/{job.sid}/results")[0] == 404
    assert ann.get("/services/saved/searches/wealth/history")[0] == 404
    assert job.sid in power.names("/services/saved/searches/wealth/history")
    mine = admin.splunkd.saved.dispatch(stanza, "admin")
    assert power.get(f"/services/search/jobs/{mine.sid}")[0] == 404, "one that a user ran as himself is his"


def test_who_sees_which_roles(admin: Client) -> None:
    assert {"admin", "power", "user"} <= set(admin.names("/services/authorization/roles"))
    assert admin.as_user("ann").names("/services/authorization/roles") == ["user"]
    assert admin.as_user("pow").names("/services/authorization/roles") == ["power", "user"]
    assert admin.as_user("ann").get("/services/authorization/roles/admin")[0] == 404


def test_commands_of_apps_take_a_capability(admin: Client) -> None:
    settings = {"search": "enabled", "srchIndexesAllowed": "*"}
    admin.splunkd.confs.write("authorize", "role_bare", settings, "system")
    admin.splunkd.confs.write("commands", "theirs", {"chunked": "true", "filename": "theirs.py"}, "shares")
    write_atomic(admin.splunkd.home.apps / "shares" / "metadata" / "local.meta", b"[commands]\nexport = system\n")
    admin.splunkd.users.save("u", PASSWORD, ["bare"])
    status, body = admin.as_user("u").post("/services/search/jobs", search="| makeresults | theirs")
    assert status == 400
    assert "run_custom_command" in body["messages"][0]["text"]
