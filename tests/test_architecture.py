"""The arrows of ARCHITECTURE.md, read from the imports of every file."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

# room -> product packages its files may import, beside the standard library and (except core) other projects
ARROWS = {
    "core": {"apisec"},
    "package": {"apisec"},
    "forwarder": {"apisec", "apisec_forwarder"},
    "ml": {"apisec", "apisec_ml"},
    "sandbox": {"apisec_sandbox"},
}
PRODUCT = {"apisec", "apisec_forwarder", "apisec_ml", "apisec_dast", "apisec_sandbox"}
# What core may not do even with the standard library: it has no clock, no files, no processes, no network.
# fmt: off
IMPURE = {
    "asyncio", "http", "io", "logging", "multiprocessing", "os", "pathlib", "pickle", "random", "secrets", "shutil",
    "signal", "socket", "sqlite3", "subprocess", "tempfile", "threading", "time", "urllib.request",
}
# fmt: on


def files(room: str) -> list[Path]:
    return sorted(path for path in (ROOT / room).rglob("*.py") if "__pycache__" not in path.parts)


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("room", sorted(ARROWS))
def test_every_room_has_files(room: str) -> None:
    assert files(room), f"{room}/ is empty: the arrows below would hold by saying nothing"


@pytest.mark.parametrize("room", sorted(ARROWS))
def test_arrows(room: str) -> None:
    wrong = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in files(room)
        for name in imports(path)
        if (top := name.split(".")[0]) in PRODUCT and top not in ARROWS[room]
    ]
    assert not wrong


def test_core_is_standard_library_only_and_pure() -> None:
    wrong = []
    for path in files("core"):
        relative = str(path.relative_to(ROOT))
        for name in imports(path):
            top = name.split(".")[0]
            if top not in sys.stdlib_module_names and top != "apisec":
                wrong.append(f"{relative} imports {name}: not in the standard library")
            if {top, name} & IMPURE:
                wrong.append(f"{relative} imports {name}: core does no I/O and has no clock")
    assert not wrong


@pytest.mark.parametrize("room", ["core", "package"])
def test_rooms_inside_splunk_parse_as_python_3_9(room: str) -> None:
    for path in files(room):
        ast.parse(path.read_text(encoding="utf-8"), filename=str(path), feature_version=(3, 9))


def test_documents_name_every_room() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    rooms = {path.name for path in ROOT.iterdir() if path.is_dir() and not path.name.startswith(".")}
    missing = {
        room for room in rooms - {"build", "dist"} if f"`{room}/`" not in text and not room.endswith(".egg-info")
    }
    assert not missing, f"ARCHITECTURE.md does not name {sorted(missing)}"
