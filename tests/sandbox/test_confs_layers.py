"""Conf files: their syntax, their layers in each context, permissions of metadata, and checking what an app brings."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apisec_sandbox.errors import AppError, SandboxError
from apisec_sandbox.splunkd.acl import stanza_key
from apisec_sandbox.splunkd.apps import install
from apisec_sandbox.splunkd.conffile import check_writable, parse, render
from apisec_sandbox.splunkd.confs import Confs
from apisec_sandbox.splunkd.home import Home, write_atomic
from apisec_sandbox.splunkd.specs import check_app, spec_of

WORD = st.text(st.characters(codec="utf-8", exclude_characters="\r\n\0=[]#\\"), min_size=1, max_size=12).map(str.strip)
NAME = WORD.filter(lambda text: bool(text) and text == text.strip())
VALUE = st.text(st.characters(codec="utf-8", exclude_characters="\r\0\\"), max_size=30).map(str.strip)


@given(st.dictionaries(NAME, st.dictionaries(NAME, VALUE, max_size=3), max_size=3))
def test_what_is_written_reads_back(stanzas: dict[str, dict[str, str]]) -> None:
    for name, settings in stanzas.items():
        check_writable(name, settings)
    assert parse(render(stanzas)) == stanzas


def test_syntax() -> None:
    text = (
        "\ufefftop = 1\r\n# comment \\\r\n[a]\r\nk = one\\\r\ntwo\r\n  spaced key  =  v = w  \r\n"
        "[source::...[0-9].log]\r\nx=\r\n[a]\r\nk2 = ü$name$\u2028end\r\n"
    )
    assert parse(text) == {
        "default": {"top": "1"},
        "a": {"k": "one\ntwo", "spaced key": "v = w", "k2": "ü$name$\u2028end"},
        "source::...[0-9].log": {"x": ""},
    }
    with pytest.raises(SandboxError, match=r"x\.conf, line 2"):
        parse("[a]\nno setting", "x.conf")
    for stanza, settings in (("", {}), ("a\nb", {}), ("a", {"k=": "v"}), ("a", {"": "v"}), ("a", {"k": "v\\"})):
        with pytest.raises(SandboxError):
            check_writable(stanza, settings)


def write(home: Home, path: str, text: str) -> None:
    write_atomic(home.etc / path, text.encode())


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path / "home")
    home.prepare()
    for app in ("aaa", "mid", "zzz"):
        write(home, f"apps/{app}/default/app.conf", "[launcher]\nversion = 1\n")
        write(
            home, f"apps/{app}/default/macros.conf", f"[default]\nargs = of_{app}\n[m]\ndefinition = {app}\n[{app}]\n"
        )
        write(home, f"apps/{app}/metadata/default.meta", "[macros]\nexport = system\n")
    return home


def definition(confs: Confs, app: str | None = None, user: str = "") -> str:
    return confs.stanzas("macros", app, user)["m"].get("definition")


def test_precedence_in_the_global_context(home: Home) -> None:
    confs = Confs(home)
    assert definition(confs) == "aaa"
    write(home, "apps/zzz/local/macros.conf", "[m]\ndefinition = zzz local\n")
    assert definition(confs) == "zzz local"
    write(home, "apps/mid/local/macros.conf", "[m]\ndefinition = mid local\n")
    assert definition(confs) == "mid local"
    write(home, "system/local/macros.conf", "[m]\ndefinition = system\n")
    assert definition(confs) == "system"


def test_precedence_in_the_context_of_an_app_and_a_user(home: Home) -> None:
    confs = Confs(home)
    write(home, "system/local/macros.conf", "[m]\ndefinition = system\n")
    assert [definition(confs, app) for app in ("aaa", "mid", "search")] == ["aaa", "mid", "zzz"]
    write(home, "apps/zzz/local/macros.conf", "[m]\ndefinition = zzz local\n")
    assert [definition(confs, app) for app in ("aaa", "search")] == ["aaa", "zzz local"]
    write(home, "users/ann/aaa/local/macros.conf", "[m]\ndefinition = ann\n")
    assert [definition(confs, "aaa", user) for user in ("ann", "bob", "")] == ["ann", "aaa", "aaa"]
    assert definition(confs, "search", "ann") == "zzz local"
    assert confs.stanzas("macros", "aaa", "ann")["m"].sharing == "user"
    assert confs.stanzas("macros", "mid")["mid"].get("args") == "of_mid"
    write(home, "apps/zzz/metadata/local.meta", "[macros/m]\nexport = none\n")
    assert definition(confs, "search") == "mid"


def test_two_writes_within_a_tick_of_the_clock_are_both_seen(home: Home) -> None:
    confs = Confs(home)
    for value in map(str, range(200)):
        confs.write("macros", "m", {"definition": value}, "aaa")
        assert definition(confs, "aaa") == value


def test_permissions_from_the_general_to_the_single(home: Home) -> None:
    write(
        home,
        "apps/aaa/metadata/default.meta",
        "[]\naccess = read : [ * ], write : [ admin ]\n[macros]\nexport = system\n"
        "[macros/a%20b%2Fc]\naccess = read : [ power ], write : [ ]\nowner = ann\n",
    )
    confs = Confs(home)
    general, single = confs.permissions("macros", "m", "aaa"), confs.permissions("macros", "a b/c", "aaa")
    assert (general.exported, general.read, general.write, general.owner) == (True, ("*",), ("admin",), "nobody")
    assert (single.exported, single.read, single.write, single.owner) == (True, ("power",), (), "ann")
    assert stanza_key("a b/c") == "a%20b%2Fc"
    assert not confs.permissions("props", "x", "aaa").exported


def app_with(folder: Path, conf: str, text: str, **readme: str) -> Path:
    write_atomic(folder / "default" / "app.conf", b"[launcher]\nversion = 1\n[package]\nid = checked\n")
    write_atomic(folder / "default" / f"{conf}.conf", text.encode())
    for name, spec in readme.items():
        write_atomic(folder / "README" / f"{name}.conf.spec", spec.encode())
    return folder


@pytest.mark.parametrize(
    ("conf", "text", "words"),
    [
        ("savedsearches", "[s]\nsearch = x\ncron_shedule = * * * * *\n", ("line 3", "cron_shedule", "'cron_schedule'")),
        ("props", "[x]\n# c\nshould_linemerge = 0\n", ("line 3", "'SHOULD_LINEMERGE'")),
        ("props", "[x]\nTRUNCATE = many\n", ("line 2", "TRUNCATE = many", "no whole number")),
        ("macros", "[x]\ndefinition = 1\niseval = perhaps\n", ("line 3", "no boolean")),
        ("transforms", "[x]\nREGEXP = a\n", ("line 2", "'REGEX'")),
        ("collections", "[x]\nenforceType = true\n", ("'enforceTypes'",)),
        ("commands", "[x]\nchunked = ja\n", ("no boolean",)),
        ("eventtypes", "[x]\nserach = a\n", ("'search'",)),
    ],
)
def test_a_wrong_configuration_is_refused(tmp_path: Path, conf: str, text: str, words: tuple[str, ...]) -> None:
    with pytest.raises(AppError) as caught:
        install(app_with(tmp_path / "app", conf, text), Home(tmp_path / "home"))
    assert f"default/{conf}.conf" in str(caught.value)
    for word in words:
        assert word in str(caught.value)
    assert not (tmp_path / "home" / "etc" / "apps" / "checked").exists()


def test_an_unknown_setting_is_a_warning(tmp_path: Path) -> None:
    folder = app_with(tmp_path / "app", "macros", "[x]\ndefinition = 1\nwidget_flavour = 2\n")
    warnings = install(folder, Home(tmp_path / "home")).warnings
    assert len(warnings) == 1
    assert "default/macros.conf, line 3" in warnings[0]


def test_the_apps_own_specifications_count(tmp_path: Path) -> None:
    spec = "[<name>]\nendpoint = <string>\n* text with a = sign\ncolor.<part> = <string>\n"
    folder = app_with(tmp_path / "app", "mine", "[a]\nendpoint = x\ncolor.top = red\nendpiont = y\n", mine=spec)
    findings = check_app(folder)
    assert [(finding.error, "'endpoint'" in finding.text) for finding in findings] == [(True, True)]
    assert spec_of("mine", None) is None
    assert check_app(app_with(tmp_path / "other", "theirs", "[a]\nanything = 1\n")) == []


@pytest.mark.parametrize(
    ("conf", "key"),
    [
        ("props", "EXTRACT-a"),
        ("props", "FIELDALIAS-b"),
        ("props", "SEDCMD-c"),
        ("transforms", "external_cmd"),
        ("savedsearches", "action.risk.param._risk_score"),
        ("savedsearches", "dispatch.earliest_time"),
        ("restmap", "capability.post"),
        ("alert_actions", "param.url"),
        ("authorize", "my_capability"),
        ("tags", "anything"),
        ("collections", "accelerated_fields.x"),
        ("inputs", "blacklist1"),
    ],
)
def test_keys_of_ones_own_choosing(conf: str, key: str) -> None:
    spec = spec_of(conf)
    assert spec is not None
    assert spec.knows(key)
