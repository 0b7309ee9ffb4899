"""What rests in a folder whose owner is running: it replaces and deletes files while they are looked at."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path


def everything(folder: Path) -> Iterator[Path]:
    """Yield what is below ``folder``; a folder that vanishes meanwhile has nothing below it."""
    for root, folders, files in os.walk(folder):
        yield from (Path(root, name) for name in (*folders, *files))


def texts(folder: Path) -> dict[str, bytes]:
    """Return the content of each file by path; at least one, for an empty answer would prove nothing."""
    found: dict[str, bytes] = {}
    for path in everything(folder):
        if path.is_file():
            with contextlib.suppress(FileNotFoundError):
                found[str(path)] = path.read_bytes()
    assert found, f"nothing rests in {folder}"
    return found


def modes(folder: Path) -> dict[str, int]:
    """Return the permissions of everything below a folder, by the path from there."""
    found: dict[str, int] = {}
    for path in everything(folder):
        with contextlib.suppress(FileNotFoundError):
            found[str(path.relative_to(folder))] = os.lstat(path).st_mode & 0o777
    return found
