"""Private files and folders: created with mode 600 and 700, replaced atomically."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from apisec.errors import ConfigError, KeyFileError

PRIVATE = 0o600


def private_directory(path: Path) -> Path:
    """Make the folder (mode 700) when it is not there; ConfigError when others may read an existing one."""
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        mode = stat.S_IMODE(path.stat().st_mode)
    except OSError as error:
        raise ConfigError(f"the folder cannot be used: {error.strerror}", where=str(path)) from error
    if mode & 0o077:
        raise ConfigError(f"others may enter it (mode {mode:o}); run: chmod 700 {path}", where=str(path))
    return path


def read_private(path: Path, limit: int, remedy: str) -> bytes:
    """Return the content of a secret's file; KeyFileError when it is missing, too long, or others may read it."""
    where = str(path)
    try:
        with path.open("rb") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            if mode & ~PRIVATE:
                raise KeyFileError(
                    f"is readable or writable by others (mode {mode:o}); do: chmod 600 {path}", where=where
                )
            raw = file.read(limit + 1)
    except OSError as error:
        raise KeyFileError(f"cannot be read ({error.strerror}); {remedy}", where=where) from None
    if len(raw) > limit:
        raise KeyFileError(f"is larger than {limit} bytes", where=where)
    return raw


def write_private(path: Path, data: bytes, *, durable: bool = True) -> None:
    """Replace a file atomically with mode 600; a reader sees the old or the new content, never a part.

    ``durable`` waits for the disk; without it a power failure may bring the old content back, or none.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            if durable:
                file.flush()
                os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    if durable:
        sync_directory(path.parent)


def sync_directory(path: Path) -> None:
    """Make the names in a folder durable: fsync(2) of a file does not cover its directory entry."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
