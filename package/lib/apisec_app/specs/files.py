"""Documents from the folder ``local/specs`` of the app, and from nowhere else: an input names a file, not a path."""

from __future__ import annotations

import re
import stat
from pathlib import Path

from apisec.errors import DocumentError

from .text import MAX_JSON

APP_FOLDER = Path(__file__).resolve().parents[3]
FOLDER = APP_FOLDER / "local/specs"
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_. -]{0,99}\.(?:json|ya?ml)")


def checked_name(name: str) -> str:
    """Return a file's name. ValueError for one that could lead out of the folder."""
    if not _NAME.fullmatch(name):
        raise ValueError(f"file = {name}: give the name of a .json, .yaml or .yml file in local/specs of the app")
    return name


def read(name: str, folder: Path = FOLDER) -> str:
    """Return a file's text. DocumentError, which names the remedy, for one that is not there or not readable."""
    path = folder / checked_name(name)
    try:
        kind = path.lstat()
        if not stat.S_ISREG(kind.st_mode):
            raise DocumentError("is no regular file: put the document itself there, no link", where=str(path))
        if kind.st_size > 4 * MAX_JSON:
            raise DocumentError(f"is larger than {MAX_JSON} characters", where=str(path))
        return path.read_text("utf-8")
    except UnicodeDecodeError as error:
        raise DocumentError("is not UTF-8", where=str(path)) from error
    except OSError as error:
        raise DocumentError(f"cannot be read ({error.strerror}): put it there", where=str(path)) from error
