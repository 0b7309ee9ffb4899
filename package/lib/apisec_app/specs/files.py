"""Documents from the folder ``local/specs`` of the app, and from nowhere else: an input names a file, not a path."""

from __future__ import annotations

import posixpath
import re
import stat
from pathlib import Path
from typing import Optional
from urllib.parse import unquote

from apisec.errors import DocumentError

from .parts import gather
from .text import MAX_JSON

APP_FOLDER = Path(__file__).resolve().parents[3]
FOLDER = APP_FOLDER / "local/specs"
MAX_FOLDERS = 8  # inside of one another
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_. -]{0,99}\.(?:json|ya?ml)")
_FOLDER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_. -]{0,99}")


def checked_name(name: str) -> str:
    """Return a file's name. ValueError for one that could lead out of the folder."""
    if not _NAME.fullmatch(name):
        raise ValueError(f"file = {name}: give the name of a .json, .yaml or .yml file in local/specs of the app")
    return name


def document(name: str, folder: Path = FOLDER) -> str:
    """Return the text of a document, with the files that it names beside and below it. DocumentError, LimitExceeded."""
    return gather(
        checked_name(name),
        read(name, folder),
        lambda part: _part(part, folder),
        beside,
        lambda part: str(folder / part),
    )


def beside(name: str, reference: str) -> Optional[str]:
    """Return the file that a reference in another one means; None for one that is not looked for in the folder."""
    path = posixpath.normpath(posixpath.join(posixpath.dirname(name), unquote(reference)))
    *folders, last = path.split("/")
    good = len(folders) <= MAX_FOLDERS and all(_FOLDER.fullmatch(one) for one in folders) and _NAME.fullmatch(last)
    return path if good else None


def _part(name: str, folder: Path) -> Optional[str]:
    return read(name, folder) if (folder / name).exists() else None


def read(name: str, folder: Path = FOLDER) -> str:
    """Return a file's text. DocumentError, which names the remedy, for one that is not there or not readable."""
    if beside("", name) != name:
        raise ValueError(f"{name} is no file below local/specs of the app")
    path = folder / name
    try:
        kind = path.lstat()
        linked = any(stat.S_ISLNK(one.lstat().st_mode) for one in path.parents if folder in one.parents)
        if linked or not stat.S_ISREG(kind.st_mode):
            raise DocumentError("is no regular file: put the document itself there, no link", where=str(path))
        if kind.st_size > 4 * MAX_JSON:
            raise DocumentError(f"is larger than {MAX_JSON} characters", where=str(path))
        return path.read_text("utf-8")
    except UnicodeDecodeError as error:
        raise DocumentError("is not UTF-8", where=str(path)) from error
    except OSError as error:
        raise DocumentError(f"cannot be read ({error.strerror}): put it there", where=str(path)) from error
