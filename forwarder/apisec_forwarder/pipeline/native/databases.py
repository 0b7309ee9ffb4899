"""Compiled hyperscan databases, kept on disk: compiling takes seconds, loading a millisecond.

A file's name is a digest of everything its content depends on: what the patterns are made of, hyperscan's version, the
processor's features.
Its content begins with a digest of the rest. A file that others could have written, that is damaged or of another
make is compiled anew; a folder that cannot be used costs time and nothing else.
"""

from __future__ import annotations

import ctypes
import hashlib
import importlib.metadata
import json
import logging
import os
import stat
from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import hyperscan

from apisec.errors import ApisecError
from apisec_forwarder.files import PRIVATE, private_directory, write_private

_log = logging.getLogger(__name__)

MAX_BYTES = 64 * 2**20
MAX_KEPT = 16  # files: four gates of one mode and three of the other, of this version and the one before
_DIGEST = 32  # bytes of SHA-256


class Expression(NamedTuple):
    """A pattern over bytes, what its match means, and hyperscan's flags."""

    pattern: str
    kind: int
    flags: int = 0


def database(make: Callable[[], Sequence[Expression]], recipe: str, cache: Path | None) -> hyperscan.Database:
    """Return compiled expressions, from ``cache`` (a private folder) where it has them; None compiles always.

    ``recipe`` says all that the expressions depend on, so that those in the cache need not be made again.
    """
    if cache is None:
        return compiled(make())
    path = cache / f"{_name(recipe)}.hs"
    data = _read(path)
    if data is not None:
        return hyperscan.loadb(data, hyperscan.HS_MODE_BLOCK)
    made = compiled(make())
    _write(path, hyperscan.dumpb(made))
    _trim()
    return made


def compiled(expressions: Sequence[Expression]) -> hyperscan.Database:
    """Compile; it takes seconds."""
    made = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
    made.compile(
        expressions=[one.pattern.encode() for one in expressions],
        ids=[one.kind for one in expressions],
        elements=len(expressions),
        flags=[one.flags for one in expressions],
    )
    return made


def _name(recipe: str) -> str:
    made_by = [importlib.metadata.version("hyperscan"), _platform(), os.uname().machine]
    return hashlib.sha256(json.dumps([made_by, recipe]).encode()).hexdigest()[:32]


@lru_cache(maxsize=1)
def _platform() -> str:
    """Return what hyperscan says of a database made here: its own version and the processor's features."""
    return str(compiled([Expression("a", 0)]).info())


def _read(path: Path) -> bytes | None:
    """Return a kept database; None where there is none that this user wrote and nobody else could have."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        return None
    with os.fdopen(descriptor, "rb") as file:
        about = os.fstat(file.fileno())
        if about.st_uid != os.geteuid() or stat.S_IMODE(about.st_mode) & ~PRIVATE or about.st_size > MAX_BYTES:
            return None
        data = file.read(MAX_BYTES)
    digest, rest = data[:_DIGEST], data[_DIGEST:]
    return rest if hashlib.sha256(rest).digest() == digest else None


def _write(path: Path, data: bytes) -> None:
    try:
        private_directory(path.parent)
        write_private(path, hashlib.sha256(data).digest() + data, durable=False)
        newest = sorted(path.parent.glob("*.hs"), key=lambda kept: kept.stat().st_mtime, reverse=True)
        for outdated in newest[MAX_KEPT:]:
            outdated.unlink(missing_ok=True)
    except (OSError, ApisecError) as error:
        _log.warning("the native engine's patterns are compiled at every start: %s: %s", path.parent, error)


def _trim() -> None:
    """Give the compiler's memory back to the system, where the C library can."""
    release: Any = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if release is not None:
        release(0)
