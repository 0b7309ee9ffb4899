"""Knowledge objects, users, roles, secrets and the KV store through splunk-sdk, as its classes document them."""

from __future__ import annotations

import datetime
import itertools
import json
import time

import pytest
import splunklib.client as client
from splunklib.binding import HTTPError

from apisec_sandbox.splunkd.server import Addresses, Splunkd

from .conftest import connect

Splunk = tuple[Splunkd, Addresses]
SAVED = """alert.expires alert.severity alert.track alert_type dispatch.buckets dispatch.lookups dispatch.max_count
dispatch.max_time dispatch.reduce_freq dispatch.spawn_process dispatch.time_format dispatch.ttl max_concurrent
realtime_schedule restart_on_searchpeer_add run_on_startup search action.email action.populate_lookup action.rss
action.script action.summary_index is_scheduled is_visible"""


@pytest.fixture
def saved(service: client.Service) -> client.SavedSearch:
    return service.saved_searches.create("mine", "search index=_internal | head 3")


def test_a_saved_search_has_its_documented_fields(saved: client.SavedSearch) -> None:
    content = saved.refresh().content
    assert not [name for name in SAVED.split() if name not in content]
    assert (saved.suppressed, content["is_scheduled"]) == (0, "0")


def test_a_saved_search_is_edited_but_not_renamed(service: client.Service, saved: client.SavedSearch) -> None:
    saved.update(is_visible=False, description="new").refresh()
    assert (saved["is_visible"], saved["description"]) == ("0", "new")
    with pytest.raises(client.IllegalOperationException):
        saved.update(name="other")
    with pytest.raises(HTTPError) as twice:
        service.saved_searches.create("mine", "search *")
    assert twice.value.status == 409
    service.saved_searches.delete("mine")
    assert "mine" not in service.saved_searches
    with pytest.raises(HTTPError):
        saved.refresh()


def test_a_saved_search_is_dispatched_and_remembers_it(service: client.Service, saved: client.SavedSearch) -> None:
    assert saved.history() == []
    jobs = [saved.dispatch(**{"dispatch.buckets": 100}) for _ in range(4)]
    assert {job.sid for job in saved.history(count=0)} == {job.sid for job in jobs}
    assert len(saved.history(count=3)) == 3
    assert all(job.sid in service.jobs for job in jobs)


def test_a_schedule_is_told_in_advance(saved: client.SavedSearch) -> None:
    saved.update(cron_schedule="*/5 * * * *", is_scheduled=True)
    times = saved.scheduled_times()
    assert len(times) > 2
    assert {later - earlier for earlier, later in itertools.pairwise(times)} == {datetime.timedelta(minutes=5)}


def test_suppression_is_set_and_lifted(saved: client.SavedSearch) -> None:
    saved.suppress(100)
    assert 0 < saved["suppressed"] <= 100
    saved.unsuppress()
    assert saved["suppressed"] == 0


def test_permissions_are_none_until_they_are_given(saved: client.SavedSearch) -> None:
    assert saved.access["perms"] is None
    saved.acl_update(sharing="app", owner="admin", app="search", **{"perms.read": "admin, nobody"})
    access = saved.access
    assert (access["owner"], access["app"], access["sharing"]) == ("admin", "search", "app")
    assert access["perms"]["read"] == ["admin", "nobody"]


@pytest.mark.parametrize("kind", ["saved_searches", "macros"])
def test_one_name_in_two_places_is_two_objects(splunk: Splunk, kind: str) -> None:
    service = connect(splunk[1], owner="-", app="-", sharing="user")
    collection = getattr(service, kind)
    shared = client.namespace(app="search", sharing="app")
    private = client.namespace(owner="admin", app="search", sharing="user")
    collection.create("twice", "| makeresults", namespace=shared)
    collection.create("twice", "| makeresults count=2", namespace=private)
    with pytest.raises(client.AmbiguousReferenceException):
        collection["twice"]
    field = "search" if kind == "saved_searches" else "definition"
    for place, text in ((shared, "| makeresults count=3"), (private, "| makeresults count=4")):
        collection["twice", place].update(**{field: text})
    found = [collection["twice", place].refresh()[field] for place in (shared, private)]
    assert found == ["| makeresults count=3", "| makeresults count=4"]


def test_a_search_that_comes_with_splunk_is_found_by_its_namespace(service: client.Service) -> None:
    place = client.namespace(owner="nobody", app="search")
    assert service.saved_searches["Errors in the last 24 hours", place]


def test_macros(splunk: Splunk, service: client.Service) -> None:
    given = {"args": "value", "validation": "isnum(value)", "errormsg": "a number is needed"}
    macro = service.macros.create("sdk_macro(1)", 'eval test="$value$"', **given)
    assert {name: macro.content[name] for name in given} == given
    assert macro.iseval == "0"
    rows = service.jobs.oneshot("| makeresults | `sdk_macro(12)`", output_mode="json").read()
    assert json.loads(rows)["results"][0]["test"] == "12"
    with pytest.raises(HTTPError, match="a number is needed"):
        service.jobs.oneshot("| makeresults | `sdk_macro(x)`")
    macro.update(iseval=True).refresh()
    assert macro["iseval"] == "1"
    service.users.create("plain", password="changeme!", roles=["user"])
    plain = connect(splunk[1], username="plain", password="changeme!")
    plain.macros.create("own", 'eval test="1"')
    assert (
        json.loads(plain.jobs.oneshot("| makeresults | `own`", output_mode="json").read())["results"][0]["test"] == "1"
    )


def test_event_types(service: client.Service) -> None:
    made = service.event_types.create("errors", search="index=_internal *", description="d", priority=2)
    assert made["disabled"] == "0"
    made.update(search="index=_audit *", description="An audit event", priority="3").refresh()
    assert (made["search"], made["description"], made["priority"]) == ("index=_audit *", "An audit event", "3")
    for switch, state in ((made.disable, "1"), (made.enable, "0")):
        switch()
        assert made.refresh()["disabled"] == state
    service.event_types.delete("errors")
    assert "errors" not in service.event_types


def test_users(splunk: Splunk, service: client.Service) -> None:
    user = service.users.create("MixedCase", password="changeme!", roles=["power", "user"])
    assert user.name == "mixedcase"
    assert "MIXEDCASE" in service.users
    assert (user["email"], user["realname"]) == (None, None)
    assert {"password", "roles", "defaultApp"} <= set(user.content)
    assert user.roles == [role.name for role in user.role_entities] == ["power", "user"]
    user.update(email="foo@bar.com", realname="Renzo", defaultApp="search").refresh()
    assert (user["email"], user["realname"], user["defaultApp"]) == ("foo@bar.com", "Renzo", "search")
    service.users.delete("MIXEDCASE")
    assert "mixedcase" not in service.users
    with pytest.raises(HTTPError) as caught:
        service.post("authentication/users", name="x", password="changeme!")
    assert caught.value.status == 400
    with pytest.raises(HTTPError) as caught:
        service.delete("authentication/users/nobody-here")
    assert caught.value.status == 400


def test_roles(service: client.Service) -> None:
    role = service.roles.create("sdk-role")
    assert role.refresh()["imported_roles"] in ([], None)
    for capability in ("edit_user", "change_own_password"):
        role.grant(capability)
        assert capability in role.refresh().capabilities
        role.revoke(capability)
        assert capability not in role.refresh().capabilities
    for change in (role.grant, role.revoke):
        with pytest.raises(client.NoSuchCapability):
            change("i-am-an-invalid-capability")
    role.update(imported_roles=["user"], srchJobsQuota=7).refresh()
    assert (role["imported_roles"], int(role["srchJobsQuota"])) == (["user"], 7)
    known = service.capabilities
    assert all(name in known for held in service.roles for name in held.content.capabilities)
    service.roles.delete("sdk-role")
    with pytest.raises(HTTPError):
        role.refresh()


def test_confs(splunk: Splunk, service: client.Service) -> None:
    service.apps.create("conf-app")
    confs = connect(splunk[1], app="conf-app", owner="nobody", sharing="app").confs
    assert {"eventtypes", "indexes", "inputs", "props", "transforms", "savedsearches"} <= {c.name for c in confs}
    assert "odd" not in confs
    with pytest.raises(KeyError):
        confs["odd"]
    conf = confs.create("odd")
    assert (conf.name, len(conf.list()), "odd" in confs) == ("odd", 0, True)
    stanza = conf.create("a stanza/with ü")
    assert len(stanza) == 0
    stanza.submit({"key": "value", "other": "a = b"})
    stanza.refresh()
    assert (stanza["key"], stanza["other"], len(stanza)) == ("value", "a = b", 2)
    conf.delete(stanza.name)
    assert stanza.name not in conf
    with pytest.raises(client.IllegalOperationException):
        confs.delete("odd")


@pytest.mark.parametrize(
    ("user", "realm", "name"),
    [
        ("u", "r", "r:u:"),
        ("u", None, ":u:"),
        ("\\u", "\\r", "\\\\r:\\\\u:"),
        ("/u", "/r", "/r:/u:"),
        ("u:end", ":start", "\\:start:u\\:end:"),
        ("u!@#$%^&*()_+{}|<>?", "r!@#$%^&*()", "r!@#$%^&*():u!@#$%^&*()_+{}|<>?:"),
    ],
)
def test_storage_passwords(service: client.Service, user: str, realm: str | None, name: str) -> None:
    held = service.storage_passwords
    before = len(held)
    made = held.create("changeme", user, realm)
    assert (made.name, made.username, made.realm, made.clear_password) == (name, user, realm, "changeme")
    assert len(held) == before + 1
    made.update(password="Splunkeroo!").refresh()
    assert made.clear_password == "Splunkeroo!"
    assert name in held
    if realm is None:
        made.delete()
    else:
        held.delete(user, realm)
    assert len(held) == before


def test_kv_store_collections(service: client.Service) -> None:
    service.namespace["app"] = "search"
    confs = service.kvstore
    confs.create("test", accelerated_fields={"ind1": {"a": 1}}, fields={"a": "number"})
    assert (confs["test"]["field.a"], confs["test"]["accelerated_fields.ind1"]) == ("number", {"a": 1})
    confs["test"].update_accelerated_field("ind1", {"a": -1})
    confs["test"].update_field("a", "string")
    assert (confs["test"]["field.a"], confs["test"]["accelerated_fields.ind1"]) == ("string", {"a": -1})
    with pytest.raises(HTTPError):
        confs.create("test")
    data = confs["test"].data
    data.batch_save(*({"_key": str(n), "num": n} for n in range(1000)))
    assert [row["num"] for row in data.query(sort="num")] == list(range(1000))
    found = data.batch_find(*({"query": {"num": n}} for n in range(100)))
    assert sorted(rows[0]["num"] for rows in found) == list(range(100))
    with pytest.raises(HTTPError):
        data.insert("NOT VALID DATA")
    confs["test"].delete()
    assert "test" not in confs


def test_an_alert_that_fires_is_counted(splunk: Splunk, service: client.Service) -> None:
    given = {"alert_type": "always", "alert.track": "1", "is_scheduled": "1", "cron_schedule": "* * * * *"}
    alert = service.saved_searches.create("alarm", "| makeresults", **given)
    assert (alert.alert_count, len(alert.history()), len(alert.fired_alerts)) == (0, 0, 0)
    assert "alarm" not in service.fired_alerts
    splunk[0].scheduler.tick(splunk[0].clock())
    assert "alarm" in splunk[0].scheduler.tick(splunk[0].clock() + 61)
    deadline = time.monotonic() + 15
    while alert.refresh().alert_count != 1:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert len(alert.fired_alerts) == 1
    assert [group.count for group in service.fired_alerts if group.name == "alarm"] == [1]
