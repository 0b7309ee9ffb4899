"""The archive: the same bytes twice, nothing compiled, importable on each of Splunk's Pythons, clean for AppInspect."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

import build_app
import confs
from tests.support import app

pytestmark = pytest.mark.app
PYTHONS = app.pythons()
# What Splunk's own Python brings, and UCC's REST handlers derive from.
SPLUNK_STUB = """
import types
for name in ("splunk", "splunk.admin", "splunk.rest", "splunk.util", "splunk.clilib", "splunk.clilib.cli_common"):
    module = types.ModuleType(name)
    module.__path__ = []
    def missing(name):
        if name.startswith("__"):
            raise AttributeError(name)
        return type(name, (), {})
    module.__getattr__ = missing
    sys.modules[name] = module
    parent, _, child = name.rpartition(".")
    if parent:
        setattr(sys.modules[parent], child, module)
"""


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return app.build(tmp_path_factory.mktemp("one"))


@pytest.fixture(scope="module")
def installed(archive: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return app.unpack(archive, tmp_path_factory.mktemp("installed"))


def test_a_second_build_elsewhere_gives_the_same_bytes(archive: Path, tmp_path: Path) -> None:
    second = app.build(tmp_path / "a longer path")
    assert hashlib.sha256(second.read_bytes()).digest() == hashlib.sha256(archive.read_bytes()).digest()


def test_the_archive_tells_nothing_of_this_machine(archive: Path) -> None:
    with tarfile.open(archive) as tar:
        members = tar.getmembers()
    assert {m.mtime for m in members} == {build_app.ARCHIVE_TIME}
    assert {(m.uid, m.gid, m.uname, m.gname) for m in members} == {(0, 0, "", "")}
    assert [m.name for m in members] == sorted(m.name for m in members)
    assert {m.mode for m in members if m.isfile()} == {0o644, 0o755}
    assert archive.read_bytes()[4:8] == b"\0\0\0\0", "gzip's own time stamp"


def test_nothing_compiled_and_no_leftovers(installed: Path) -> None:
    names = [path.relative_to(installed).as_posix() for path in installed.rglob("*")]
    assert not [n for n in names if n.endswith(build_app.COMPILED) or "__pycache__" in n]
    assert not [n for n in names if n.rpartition("/")[2].startswith(".")]
    assert "local" not in names
    assert "lib/requirements.txt" not in names
    for path in installed.rglob("*"):
        if path.is_file():
            assert not path.read_bytes().startswith((b"\x7fELF", b"MZ", b"\xcf\xfa\xed\xfe")), path


def test_one_version_everywhere(installed: Path, archive: Path) -> None:
    version = build_app.version()
    app_conf = confs.read(installed / "default/app.conf")
    assert app_conf["launcher"]["version"] == app_conf["id"]["version"] == version
    assert json.loads((installed / "app.manifest").read_text())["info"]["id"]["version"] == version
    assert archive.name == f"apisec-{version}.tar.gz"


@pytest.mark.parametrize("version", PYTHONS)
def test_every_module_imports(installed: Path, version: str) -> None:
    """With -S, so that nothing of this machine's packages is found: all that it imports is in the app."""
    names = [
        ".".join(path.relative_to(installed / "lib").with_suffix("").parts).removesuffix(".__init__")
        for folder in ("apisec", "apisec_app")
        for path in sorted((installed / "lib" / folder).rglob("*.py"))
    ]
    assert len(names) > 40
    scripts = [path.stem for path in sorted((installed / "bin").glob("apisec_rh_*.py"))]
    code = f"import sys, warnings, importlib; sys.path.insert(0, {str(installed / 'bin')!r})\n"
    # UCC's handlers read the app's name from the path of the script that runs.
    code += "__file__ = '/opt/splunk/etc/apps/apisec/bin/apisec_rh_settings.py'\n" + SPLUNK_STUB
    code += "import import_declare_test\nwarnings.simplefilter('error', SyntaxWarning)\n"
    code += f"for name in {names + scripts!r}: importlib.import_module(name)"
    python = PYTHONS[version]
    done = subprocess.run([python, "-E", "-s", "-S", "-B", "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("version", PYTHONS)
def test_every_file_compiles(installed: Path, version: str) -> None:
    code = (
        "import pathlib, sys\n"
        f"for path in pathlib.Path({str(installed)!r}).rglob('*.py'): compile(path.read_bytes(), str(path), 'exec')"
    )
    done = subprocess.run([PYTHONS[version], "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_scripts_are_shims(installed: Path) -> None:
    scripts = [*(app.ROOT / "package/bin").glob("*.py")]
    assert {path.name for path in scripts} == {
        "apisec_block.py", "apisec_detection.py", "apisec_inventory.py", "apisec_rest.py", "apisec_spec.py",
        "apisecabout.py", "apisecactivity.py",
        "apisecclassify.py", "apisecdispose.py", "apisecinventory.py", "apisecread.py", "apisecscore.py",
        "apisecsequence.py", "apisecspec.py",
    }  # fmt: skip
    for path in scripts:
        assert len(path.read_text("utf-8").splitlines()) <= 20, path


def test_own_stanzas_stand_beside_generated_ones(installed: Path) -> None:
    for name, own, generated in (
        ("restmap.conf", "[script:apisec_v1]", "[admin_external:apisec_forwarder]"),
        ("web.conf", "[expose:apisec_v1]", "[expose:apisec_forwarder]"),
    ):
        text = (installed / "default" / name).read_text("utf-8")
        assert own in text
        assert generated in text
    assert not (installed / "merged").exists()


def test_a_stanza_that_is_generated_already_is_refused(tmp_path: Path) -> None:
    for folder in ("default", "merged"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "web.conf").write_text("[expose:apisec_v1]\npattern = x\n", "utf-8")
    code = "import sys; from pathlib import Path; import additional_packaging as a; a.merge_confs(Path(sys.argv[1]))"
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], cwd=app.ROOT, capture_output=True, text=True)
    assert "expose:apisec_v1 is generated already" in done.stderr


@pytest.mark.slow
def test_appinspect_finds_no_failure(archive: Path) -> None:
    command = [sys.executable, str(app.ROOT / "tools/appinspect.py"), str(archive)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert "failure=0" in done.stdout
