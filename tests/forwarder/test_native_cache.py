"""Compiled patterns on disk: loaded where they are whole and private, compiled anew where they are not."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Any

import pytest

databases = pytest.importorskip("apisec_forwarder.pipeline.native.databases", exc_type=ImportError)
hyperscan = pytest.importorskip("hyperscan")

EXPRESSIONS = [databases.Expression("a[0-9]{3}", 7), databases.Expression("bee", 9, hyperscan.HS_FLAG_CASELESS)]


@pytest.fixture
def count(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Count compilations of the expressions above."""
    compile_them, done = databases.compiled, []

    def compiled(expressions: Any) -> Any:
        if expressions is EXPRESSIONS:
            done.append(1)
        return compile_them(expressions)

    monkeypatch.setattr(databases, "compiled", compiled)
    return done


def hits(database: Any) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []

    def take(kind: int, _: int, end: int, __: int, context: Any) -> None:
        context.append((kind, end))

    database.scan(b"xa123 BEE", match_event_handler=take, context=found, scratch=hyperscan.Scratch(database))
    return found


def test_it_is_compiled_once(tmp_path: Path, count: list[int]) -> None:
    folder = tmp_path / "spool" / "engine"
    for _ in range(3):
        assert hits(databases.database(lambda: EXPRESSIONS, "these", folder)) == [(7, 5), (9, 9)]
    assert len(count) == 1
    (kept,) = folder.iterdir()
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def damage(kept: Path) -> None:
    data = bytearray(kept.read_bytes())
    data[len(data) // 2] ^= 1
    kept.write_bytes(data)


def shorten(kept: Path) -> None:
    kept.write_bytes(kept.read_bytes()[:100])


def open_to_others(kept: Path) -> None:
    kept.chmod(0o622)


def link(kept: Path) -> None:
    elsewhere = kept.with_suffix(".elsewhere")
    kept.rename(elsewhere)
    kept.symlink_to(elsewhere)


def empty(kept: Path) -> None:
    kept.write_bytes(b"")


@pytest.mark.parametrize("spoil", [damage, shorten, open_to_others, link, empty])
def test_what_cannot_be_trusted_is_compiled_anew(spoil: Any, tmp_path: Path, count: list[int]) -> None:
    folder = tmp_path / "engine"
    databases.database(lambda: EXPRESSIONS, "these", folder)
    (kept,) = folder.iterdir()
    spoil(kept)
    assert hits(databases.database(lambda: EXPRESSIONS, "these", folder)) == [(7, 5), (9, 9)]
    assert len(count) == 2
    assert hits(databases.database(lambda: EXPRESSIONS, "these", folder)) == [(7, 5), (9, 9)]
    assert len(count) == 2


def test_a_folder_that_others_may_enter_is_not_written(tmp_path: Path, count: list[int]) -> None:
    folder = tmp_path / "engine"
    folder.mkdir(mode=0o755)
    folder.chmod(0o755)  # whatever the umask
    for _ in range(2):
        assert hits(databases.database(lambda: EXPRESSIONS, "these", folder)) == [(7, 5), (9, 9)]
    assert len(count) == 2
    assert not list(folder.iterdir())


def test_outdated_files_are_removed(tmp_path: Path) -> None:
    for number in range(databases.MAX_KEPT + 3):
        made = [databases.Expression(f"a{number}", 0)]
        databases.database(lambda made=made: made, str(number), tmp_path / "engine")
    assert len(list((tmp_path / "engine").iterdir())) == databases.MAX_KEPT
