"""One-line secrets in files of mode 600: HEC tokens, a proxy's credentials."""

from __future__ import annotations

import stat
from pathlib import Path

from apisec.errors import ConfigError

MAX_SECRET_BYTES = 1024


def read_secret(path: Path, what: str, limit: int = MAX_SECRET_BYTES) -> str:
    """Return the file's one line of printable ASCII; ConfigError when it is missing, open to others or something else.

    ``what`` names it in the error, which never quotes the content.
    """
    try:
        status = path.stat()
        if status.st_mode & 0o077:
            raise ConfigError(f"others may read {what}; run: chmod 600 {path}", where=str(path))
        if not stat.S_ISREG(status.st_mode):
            raise ConfigError(f"must be a file that holds {what} and nothing else", where=str(path))
        with path.open("rb") as file:
            raw = file.read(limit + 1).strip()
    except OSError as error:
        raise ConfigError(f"{what} cannot be read: {error.strerror}", where=str(path)) from error
    if not 0 < len(raw) <= limit or not raw.isascii() or not raw.decode("ascii").isprintable() or b" " in raw:
        raise ConfigError(f"must hold {what} and nothing else", where=str(path))
    return raw.decode("ascii")
