"""An unmodified solnlib 7.0.0 against the stand-in: what its own integration tests rely on."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from solnlib import (
    acl,
    bulletin_rest_client,
    conf_manager,
    credentials,
    hec_config,
    server_info,
    soln_exceptions,
    splunk_rest_client,
    time_parser,
    user_access,
)
from solnlib.modular_input import checkpointer
from splunklib import binding

from apisec_sandbox.splunkd.apps import install
from apisec_sandbox.splunkd.home import Home
from apisec_sandbox.splunkd.server import Options, Splunkd, running

from .conftest import FIXTURES

APP = "solnlib_demo"


class Place:
    """Where solnlib finds the stand-in."""

    def __init__(self, splunkd: Splunkd) -> None:
        self.splunkd = splunkd
        self.key = splunkd.users.open_session("admin").key
        self.address: dict[str, Any] = {
            "scheme": "http",
            "host": "127.0.0.1",
            "port": splunkd.runner.mgmt_port,
        }
        self.named = {"owner": "nobody", **self.address}

    def confs(self) -> conf_manager.ConfManager:
        return conf_manager.ConfManager(self.key, APP, **self.named)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    home = tmp_path_factory.mktemp("solnlib") / "home"
    install(FIXTURES / "solnlib_demo", Home(home))
    with running(home, Options(with_tls=False, schedule=False)) as (splunkd, _):
        yield Place(splunkd)


def test_conf_files(place: Place) -> None:
    confs = place.confs()
    with pytest.raises(soln_exceptions.ConfManagerException):
        confs.get_conf("not_there")
    conf = confs.get_conf("demo_settings")
    with pytest.raises(soln_exceptions.ConfStanzaNotExistException):
        conf.get("not_there")
    with pytest.raises(soln_exceptions.ConfStanzaNotExistException):
        conf.delete("not_there")
    assert [conf.stanza_exist(name) for name in ("logging", "proxy", "not_there")] == [True, True, False]
    held = conf.get("logging")
    assert (held["log_level"], held["disabled"], held["eai:appName"], held["eai:userName"]) == (
        "DEBUG",
        "0",
        APP,
        "nobody",
    )
    assert held["eai:access"] == {
        "app": APP,
        "can_change_perms": "1",
        "can_list": "1",
        "can_share_app": "1",
        "can_share_global": "1",
        "can_share_user": "0",
        "can_write": "1",
        "modifiable": "1",
        "owner": "nobody",
        "perms": {"read": ["*"], "write": ["admin"]},
        "removable": "0",
        "sharing": "global",
    }


def test_a_new_conf_file_with_encrypted_settings(place: Place) -> None:
    conf = place.confs().create_conf("made_here")
    conf.update("stanza", {"plain": "1", "secret": "s" * 600}, encrypt_keys=["secret"])
    assert {name: conf.get("stanza")[name] for name in ("plain", "secret")} == {"plain": "1", "secret": "s" * 600}
    files = (place.splunkd.home.apps / APP / "local").glob("*.conf")
    assert "ssssss" not in "".join(path.read_text() for path in files)
    assert conf.get_all()["stanza"]["plain"] == "1"
    conf.delete("stanza")
    assert not conf.stanza_exist("stanza")
    conf.reload()


def test_credentials(place: Place) -> None:
    manager = credentials.CredentialManager(place.key, APP, realm="realm:with:colons", **place.named)
    manager.set_password("user:1", "short")
    manager.set_password("über user", "x" * 1000 + ":\\$ü")
    assert manager.get_password("user:1") == "short"
    assert manager.get_password("über user") == "x" * 1000 + ":\\$ü"
    manager.set_password("user:1", "changed")
    assert manager.get_password("user:1") == "changed"
    manager.delete_password("user:1")
    with pytest.raises(credentials.CredentialNotExistException):
        manager.get_password("user:1")
    manager.delete_password("über user")
    assert place.splunkd.passwords.all() == []
    with pytest.raises(credentials.CredentialNotExistException):
        manager.delete_password("nobody knows")


def test_checkpoints_in_the_kv_store(place: Place) -> None:
    kept = checkpointer.KVStoreCheckpointer("checkpoints", place.key, APP, **place.named)
    kept.update("a", {"since": 1})
    kept.batch_update([{"_key": "b", "state": 2}, {"_key": "c", "state": [1, "x"]}])
    assert (kept.get("a"), kept.get("b"), kept.get("c"), kept.get("d")) == ({"since": 1}, 2, [1, "x"], None)
    kept.delete("a")
    assert kept.get("a") is None
    kept.delete("a")


def test_acl(place: Place) -> None:
    manager = acl.ACLManager(place.key, APP, **place.named)
    before = manager.get("storage/collections/config/sessions/acl")
    after = manager.update("storage/collections/config/sessions/acl", perms_read=["admin"], perms_write=["admin"])
    before["perms"] = {"read": ["admin"], "write": ["admin"]}
    assert after == before
    with pytest.raises(acl.ACLException):
        manager.get("storage/collections/config/not_there/acl")


def test_object_acls_and_capabilities(place: Place) -> None:
    manager = user_access.ObjectACLManager("object_acls", place.key, APP, **place.named)
    perms = {"read": ["admin"], "write": ["admin"], "delete": ["admin"]}
    manager.update_acl("things", "1", "thing", APP, "nobody", perms, True)
    manager.update_acl("things", "1", "thing", APP, "nobody", {**perms, "read": ["ann"]}, True, replace_existing=False)
    assert set(manager.get_acl("things", "1").obj_perms["read"]) == {"admin", "ann"}
    manager.update_acls("things", ["2", "3"], "thing", APP, "nobody", perms, True)
    assert len(manager.get_acls("things", ["2", "3", "4"])) == 2
    assert manager.get_accessible_object_ids("ann", "read", "things", ["1", "2", "3"]) == ["1"]
    manager.delete_acls("things", ["2", "3"])
    assert manager.get_acls("things", ["2", "3"]) == []
    held = user_access.AppCapabilityManager("app_capabilities", place.key, APP, **place.named)
    held.register_capabilities({"thing": {"read": "read_thing"}})
    assert held.capabilities_are_registered()
    assert held.get_capabilities() == {"thing": {"read": "read_thing"}}
    held.unregister_capabilities()
    assert not held.capabilities_are_registered()


def test_users(place: Place) -> None:
    assert user_access.get_current_username(place.key, **place.address) == "admin"
    assert "search" in user_access.get_user_capabilities(place.key, "admin", **place.address)
    assert not user_access.user_is_capable(place.key, "admin", "test_capability", **place.address)
    assert "admin" in user_access.get_user_roles(place.key, "admin", **place.address)
    with pytest.raises(user_access.UserNotExistException):
        user_access.get_user_roles(place.key, "nobody here", **place.address)
    with pytest.raises(user_access.InvalidSessionKeyException):
        user_access.get_current_username("wrong key", **place.address)


def test_server_and_time(place: Place) -> None:
    info = server_info.ServerInfo(place.key, **place.address)
    assert info.server_name == "apisec-sandbox"
    assert info.version.count(".") >= 1
    assert not info.is_cloud_instance()
    assert info.is_search_head() in (True, False)
    assert not info.is_shc_member()
    parser = time_parser.TimeParser(place.key, **place.address)
    assert parser.to_seconds("2011-07-06T21:54:23.000-07:00") == 1310014463.0
    assert parser.to_utc("2011-07-06T21:54:23.000-07:00").isoformat() == "2011-07-07T04:54:23"
    with pytest.raises(time_parser.InvalidTimeFormatException):
        parser.to_seconds("no time")


def test_messages(place: Place) -> None:
    client = bulletin_rest_client.BulletinRestClient("note", place.key, "-", **place.named)
    client.create_message("text", capabilities=["edit_roles"], roles=["admin"])
    content = client.get_message()["entry"][0]["content"]
    assert (content["message"], content["severity"]) == ("text", "warn")
    client.create_message("text", client.Severity.ERROR)
    assert client.get_message()["entry"][0]["content"]["severity"] == "error"
    for bad in ({"roles": ["unknown_role"]}, {"capabilities": ["unknown_cap"]}):
        with pytest.raises(binding.HTTPError) as caught:
            client.create_message("text", **bad)
        assert caught.value.status == 400
    client.delete_message()
    with pytest.raises(binding.HTTPError):
        client.get_message()


def test_hec_settings(place: Place) -> None:
    config = hec_config.HECConfig(place.key, **place.address)
    assert config.get_input("made") is None
    config.create_input("made", {"index": "main", "sourcetype": "x"})
    assert config.get_input("made")["sourcetype"] == "x"
    config.update_input("made", {"sourcetype": "y"})
    assert config.get_input("made")["sourcetype"] == "y"
    config.update_settings({"enableSSL": 1, "disabled": 0})
    assert config.get_settings()["disabled"] == "0"
    config.delete_input("made")
    assert config.get_input("made") is None


def test_the_client_of_a_session(place: Place) -> None:
    client = splunk_rest_client.SplunkRestClient(place.key, APP, **place.named)
    reply = client.get("server/info", output_mode="json")
    assert json.loads(reply.body.read())["entry"][0]["name"] == "server-info"


SCRIPT = """
import sys
sys.path.append(sys.argv[1])
from solnlib import conf_manager, splunkenv
key = sys.stdin.readline().strip()
print(splunkenv.make_splunkhome_path(["etc", "apps"]))
print(splunkenv.get_splunk_host_info(key)[0])
print(splunkenv.get_splunkd_uri(key))
print(splunkenv.get_conf_key_value("demo_settings", "proxy", "proxy_port", "solnlib_demo", session_key=key))
import logging
print(conf_manager.get_log_level(logger=logging.getLogger(), session_key=key, app_name="solnlib_demo",
    conf_name="demo_settings", log_level_field="log_level"))
proxy = conf_manager.get_proxy_dict(logger=logging.getLogger(), session_key=key, app_name="solnlib_demo",
    conf_name="demo_settings")
print(proxy["proxy_url"], proxy["proxy_port"])
"""


def test_the_environment_of_a_script(place: Place, tmp_path: Path) -> None:
    """Inside a script of an app solnlib imports Splunk's own Python package."""
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    runner = place.splunkd.runner
    argv = (*runner.argv(script), sysconfig.get_paths()["purelib"])
    done = subprocess.run(
        argv, input=place.key.encode(), capture_output=True, env=runner.environment(), timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr.decode()
    home = place.splunkd.home
    assert done.stdout.decode().splitlines() == [
        str(home.apps),
        "apisec-sandbox",
        runner.uri,
        "3128",
        "DEBUG",
        "remote_host 3128",
    ]
    assert Path(argv[0]) == Path(sys.executable)
    logging.getLogger("solnlib").debug("done")
