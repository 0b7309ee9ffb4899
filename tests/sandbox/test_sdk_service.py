"""splunk-sdk's Service: login in every way, settings, restart, apps, loggers, messages, outputs, parser.

Behaviour as splunk-sdk documents it (splunklib.client, splunklib.binding) and the REST API Reference.
"""

from __future__ import annotations

import tarfile
from pathlib import Path

import pytest
import requests
import splunklib.client as client
from splunklib import binding
from splunklib.binding import AuthenticationError, HTTPError

from apisec_sandbox.splunkd.server import Addresses, Splunkd

from .conftest import connect

Splunk = tuple[Splunkd, Addresses]
COLLECTIONS = ("apps", "event_types", "indexes", "jobs", "loggers", "messages", "roles", "users", "modular_input_kinds")


def check_entity(entity: client.Entity) -> None:
    """What every entity has, whatever it is of."""
    assert entity.name
    assert entity.path
    assert entity.content is not None
    assert {"app", "owner", "sharing"} <= set(entity.access)
    entity.refresh()
    for group in (entity.fields.required, entity.fields.optional, entity.fields.wildcard):
        assert isinstance(group, list)
    assert all(name in entity.content for name in entity.fields.required)


def session_of(addresses: Addresses) -> tuple[str, requests.Session]:
    web = requests.Session()
    web.trust_env = False
    web.auth = ("admin", addresses.admin_password_file.read_text())
    return addresses.mgmt + "/services/", web


def test_logging_out_ends_the_session_and_autologin_opens_another(splunk: Splunk) -> None:
    service = connect(splunk[1], autologin=True)
    assert service.get("/services").status == 200
    service.logout()
    assert not service.has_cookies()
    assert service.get("/services").status == 200
    service.autologin = False
    service.logout()
    for call in (service.get, service.post, service.delete):
        with pytest.raises(AuthenticationError):
            call("/services")


def test_a_cookie_alone_logs_in_and_is_renewed_by_each_answer(splunk: Splunk) -> None:
    first = connect(splunk[1])
    name, value = next(iter(first.get_cookies().items()))
    assert name == f"splunkd_{first.port}"
    place = {"host": first.host, "port": first.port, "scheme": first.scheme}
    second = client.Service(cookie=f"{name}={value}", **place)
    second.login()
    response = second.get("apps/local")
    assert [text.split(";")[0] for key, text in response.headers if key.lower() == "set-cookie"] == [f"{name}={value}"]

    third = client.Service(cookie="bad=cookie", **place)
    with pytest.raises(AuthenticationError, match="Login failed"):
        third.login()
    third.get_cookies().update(first.get_cookies())
    third.login()
    assert third.apps.get().status == 200


def test_basic_and_bearer_authentication(splunk: Splunk) -> None:
    basic = connect(splunk[1], basic=True)
    assert basic._auth_headers[0][1].startswith("Basic ")
    assert basic.get("/services").status == 200
    key = connect(splunk[1]).token.removeprefix("Splunk ")
    place = {"host": basic.host, "port": basic.port, "scheme": basic.scheme}
    for token in (key, f"Splunk {key}"):
        assert binding.Context(token=token, **place).get("/services").status == 200
    with pytest.raises(AuthenticationError):
        binding.Context(token="nonsense", **place).get("/services")


def test_bearer_tokens_are_made_listed_disabled_and_removed(splunk: Splunk) -> None:
    base, web = session_of(splunk[1])
    made = web.post(
        base + "authorization/tokens",
        data={"name": "admin", "audience": "tests", "expires_on": "+1d", "output_mode": "json"},
        timeout=10,
    ).json()["entry"][0]["content"]
    assert made["token"].count(".") == 2

    def answer() -> int:
        header = {"authorization": f"Bearer {made['token']}"}
        with requests.Session() as fresh:
            fresh.trust_env = False
            return fresh.get(base + "server/info", headers=header, timeout=10).status_code

    assert answer() == 200
    listed = web.get(base + "authorization/tokens", params={"output_mode": "json"}, timeout=10).json()["entry"]
    assert [(entry["name"], entry["content"]["claims"]["aud"]) for entry in listed] == [(made["id"], "tests")]
    for status, expected in (("disabled", 401), ("enabled", 200)):
        web.post(base + "authorization/tokens/admin", data={"id": made["id"], "status": status}, timeout=10)
        assert answer() == expected
    assert web.delete(base + "authorization/tokens/admin", params={"id": made["id"]}, timeout=10).status_code == 200
    assert answer() == 401
    late = web.post(base + "authorization/tokens", data={"audience": "x", "expires_on": "-1d"}, timeout=10)
    assert late.status_code == 400


def test_errors_name_what_is_wrong_in_json_and_in_xml(splunk: Splunk) -> None:
    base, web = session_of(splunk[1])
    cases = (
        ("GET", "no/such/endpoint", 404, "ERROR", "Not Found"),
        ("GET", "data/indexes/nowhere", 404, "ERROR", "Could not find object id=nowhere"),
        ("DELETE", "server/info", 405, "ERROR", "Method Not Allowed"),
        ("GET", "search/jobs/1.1", 404, "FATAL", "Unknown sid."),
        ("POST", "data/indexes", 400, "ERROR", "The following required arguments are missing: name."),
        ("GET", "apps/local?count=x", 400, "ERROR", "Invalid value 'x' for count: a whole number is needed"),
    )
    for method, path, status, kind, text in cases:
        answer = web.request(method, base + path, params={"output_mode": "json"}, timeout=10)
        assert (answer.status_code, answer.json()) == (status, {"messages": [{"type": kind, "text": text}]}), path
        plain = web.request(method, base + path, timeout=10)
        assert plain.status_code == status
        assert f'<msg type="{kind}">{text}</msg>' in plain.text
    with requests.Session() as stranger:
        stranger.trust_env = False
        answer = stranger.get(base + "apps/local", timeout=10)
        assert (answer.status_code, "call not properly authenticated" in answer.text) == (401, True)


def test_a_user_without_the_capability_is_told_which_one_he_lacks(splunk: Splunk, service: client.Service) -> None:
    service.users.create("reader", password="changeme!", roles="user")
    reader = connect(splunk[1], username="reader", password="changeme!")
    with pytest.raises(HTTPError) as caught:
        reader.indexes.create("mine")
    assert caught.value.status == 403
    assert "You (user=reader) do not have permission to perform this operation" in str(caught.value)
    assert "requires capability: indexes_edit OR edit_indexes" in str(caught.value)


def test_server_info_and_settings(service: client.Service) -> None:
    info = service.info
    wanted = "build cpu_arch guid isFree isTrial licenseKeys licenseSignature licenseState master_guid mode os_build"
    assert set(f"{wanted} os_name os_version serverName version".split()) <= set(info)
    assert info.licenseState == "OK"
    assert service.splunk_version >= (9, 0)
    settings = service.settings
    wanted = "SPLUNK_DB SPLUNK_HOME enableSplunkWebSSL host httpport mgmtHostPort minFreeSpace pass4SymmKey serverName"
    assert set(f"{wanted} sessionTimeout startwebserver trustedIP".split()) <= set(settings.content)
    assert settings["sessionTimeout"] == "1h"
    settings.update(sessionTimeout="42h").refresh()
    assert settings["sessionTimeout"] == "42h"
    with pytest.raises(HTTPError, match="nonsense"):
        settings.update(nonsense="1")


def test_a_restart_ends_sessions_and_forgets_messages(service: client.Service) -> None:
    service.autologin = True
    service.messages.create("note", value="to be forgotten")
    service.restart(timeout=10)
    assert not service.restart_required
    assert "note" not in service.messages
    assert service.jobs.oneshot("| makeresults").read()


def test_an_idle_session_expires(splunk: Splunk, service: client.Service) -> None:
    splunkd = splunk[0]
    service.settings.update(sessionTimeout="60s")
    session = splunkd.users.open_session("admin")
    now = splunkd.clock()
    splunkd.users._clock = lambda: now + 59
    assert splunkd.users.session(session.key)
    splunkd.users._clock = lambda: now + 59 + 61
    assert splunkd.users.session(session.key) is None


def test_every_collection_lists_pages_sorts_and_describes_what_is_new(service: client.Service) -> None:
    service.event_types.create("errors", search="error")
    job = service.jobs.create("| makeresults", exec_mode="blocking")
    for name in COLLECTIONS:
        collection = getattr(service, name)
        key = {"sort_key": "sid"} if name == "jobs" else {}
        every = [entity.name for entity in collection.list(sort_dir="asc", **key)]
        assert [entity.name for entity in collection.list(sort_dir="desc", **key)] == every[::-1], name
        assert [entity.name for entity in collection.list(count=3, offset=1, sort_dir="asc", **key)] == every[1:4]
        assert [entity.name for entity in collection.list(search="*", sort_dir="asc", **key)] == every
        assert [entity.name for entity in collection.iter(pagesize=2, sort_dir="asc", **key)] == every
        exact = [entity.name for entity in collection.list(sort_mode="alpha_case", sort_dir="asc", **key)]
        assert exact == sorted(every)
        alpha = [entity.name for entity in collection.list(sort_mode="alpha", sort_dir="asc", **key)]
        assert [text.lower() for text in alpha] == sorted(text.lower() for text in every)
        assert "no-such-thing" not in collection
        if name not in ("jobs", "loggers", "modular_input_kinds"):
            meta = collection.itemmeta()
            assert {"app", "owner", "sharing"} <= set(meta.access)
            assert {"required", "optional", "wildcard"} <= set(meta.fields)
    job.cancel()


@pytest.mark.parametrize(
    ("search", "expected"),
    [
        ("name=_audit", ["_audit"]),
        ("name=_aud*", ["_audit"]),
        ("_AUDIT", ["_audit"]),
        ("name=_audit OR name=main", ["_audit", "main"]),
        ("name=_* NOT (name=_audit OR name=_internal)", ["_introspection"]),
        ('isInternal=1 name!="_internal"', ["_audit", "_introspection"]),
        ("eai:acl.app=nowhere", []),
    ],
)
def test_a_listing_is_filtered_by_terms(service: client.Service, search: str, expected: list[str]) -> None:
    found = [index.name for index in service.indexes.list(search=search)]
    assert [name for name in found if name in ("_audit", "_internal", "_introspection", "main")] == expected


def test_f_leaves_the_other_fields_out(splunk: Splunk) -> None:
    base, web = session_of(splunk[1])
    url = base + "apps/local?output_mode=json&f=label&f=vers*&count=1"
    entry = web.get(url, timeout=10).json()["entry"][0]
    assert set(entry["content"]) <= {"label", "version", "eai:acl"}


def test_addresses_that_only_lead_to_others_list_them(splunk: Splunk) -> None:
    base, web = session_of(splunk[1])
    listed = web.get(base + "data", params={"output_mode": "json", "count": "0"}, timeout=10).json()
    assert {"indexes", "inputs", "outputs", "ui"} <= {entry["name"] for entry in listed["entry"]}
    assert listed["origin"] == base + "data"


def test_apps_are_made_changed_packed_disabled_and_removed(service: client.Service) -> None:
    app = service.apps.create("demo-app.1", label="A <b> & 'c'")
    check_entity(app)
    assert (app["label"], app["version"], app.setupInfo) == ("A <b> & 'c'", "1.0.0", None)
    app.update(author="Me", description="Täst", label="Renamed", version="1.2", visible=True).refresh()
    assert (app["author"], app["label"], app["version"], app["visible"]) == ("Me", "Renamed", "1.2", "1")
    for switch, state in ((app.disable, "1"), (app.enable, "0")):
        switch()
        assert app.refresh()["disabled"] == state
    packed = app.package()
    assert packed.path.endswith("demo-app.1.spl")
    with tarfile.open(packed.path) as archive:
        assert "demo-app.1/default/app.conf" in archive.getnames()
    assert app.updateInfo() is not None
    with pytest.raises(HTTPError) as twice:
        service.apps.create("demo-app.1")
    assert twice.value.status == 409
    assert not service.restart_required
    service.apps.delete("demo-app.1")
    assert service.restart_required
    service.delete("messages/restart_required")
    with pytest.raises(HTTPError):
        service.apps.delete("search")


def test_an_app_is_installed_from_an_archive_on_the_server(
    service: client.Service, testapp: Path, tmp_path: Path
) -> None:
    path = tmp_path / "testapp.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        archive.add(testapp, arcname="newapp")
    service.post("apps/local", name=str(path), filename=True)
    assert "newapp" in service.apps
    with pytest.raises(HTTPError) as twice:
        service.post("apps/local", name=str(path), filename=True)
    assert twice.value.status == 409
    service.post("apps/local", name=str(path), filename=True, update=True)
    for wrong in ("relative.tgz", str(tmp_path / "none.tgz"), str(Path(__file__))):
        with pytest.raises(HTTPError) as caught:
            service.post("apps/local", name=wrong, filename=True)
        assert caught.value.status == 400


def test_log_levels_last_until_the_restart(service: client.Service) -> None:
    logger = service.loggers["AuditLogger"]
    check_entity(logger)
    for level in ("INFO", "WARN", "ERROR", "DEBUG", "CRIT"):
        logger.update(level=level).refresh()
        assert service.loggers["AuditLogger"]["level"] == level
    with pytest.raises(HTTPError, match="LOUD"):
        logger.update(level="LOUD")


def test_messages(service: client.Service) -> None:
    message = service.messages.create("mind-this", value="1 < 2 & 3")
    check_entity(message)
    assert message.value == "1 < 2 & 3"
    service.messages.delete("mind-this")
    assert "mind-this" not in service.messages


def test_outputs_are_kept(service: client.Service) -> None:
    service.post("data/outputs/tcp/syslog", name="siem", type="tcp", server="127.0.0.1:514")
    assert client.Entity(service, "data/outputs/tcp/syslog/siem").content.type == "tcp"
    client.Entity(service, "data/outputs/tcp/syslog/siem").delete()
    with pytest.raises(HTTPError):
        client.Entity(service, "data/outputs/tcp/syslog/siem").refresh()


def test_the_parser_takes_a_search_and_refuses_nonsense(service: client.Service) -> None:
    assert service.parse('search * abc="def" | dedup abc').status == 200
    with pytest.raises(HTTPError) as caught:
        service.parse("xyzzy")
    assert (caught.value.status, "xyzzy" in str(caught.value)) == (400, True)


def test_typeahead_and_timeparser(splunk: Splunk) -> None:
    base, web = session_of(splunk[1])
    ahead = {"prefix": "index=", "count": "1", "output_mode": "json"}
    assert web.get(base + "search/typeahead", params=ahead, timeout=10).json()["results"][0]["content"] == (
        'index="_audit"'
    )
    times: dict[str, str | list[str]] = {
        "time": ["0", "2026-01-01T00:00:00Z"],
        "output_mode": "json",
        "output_time_format": "%s",
    }
    parsed = web.get(base + "search/timeparser", params=times, timeout=10).json()
    assert parsed == {"0": "0", "2026-01-01T00:00:00Z": "1767225600"}


@pytest.mark.parametrize("name", ["with space", "slash/ed", "Ünïcode", "a&b<c>'d\"", "100%", "a+b"])
def test_names_come_back_as_they_were_given(service: client.Service, name: str) -> None:
    saved = service.saved_searches.create(name, "| makeresults")
    assert saved.name == name
    assert name in service.saved_searches
    assert service.saved_searches[name]["search"] == "| makeresults"
    saved.delete()
    assert name not in service.saved_searches
