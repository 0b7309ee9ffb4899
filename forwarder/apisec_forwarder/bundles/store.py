"""What is applied: one JSON file a service, mode 600, replaced atomically, with the releases that were before."""

from __future__ import annotations

import json
import logging
import re
from pathlib import Path

from apisec.bundles.history import Entry, State
from apisec.errors import ApisecError, ConfigError
from apisec_forwarder.files import private_directory, write_private

LOG = logging.getLogger(__name__)
VERSION = 1
CHANGED = "changed"  # a file that is written after each change: what the supervisor watches
_NAME = re.compile(r"\A[A-Za-z0-9][A-Za-z0-9._-]{0,63}\.json\Z")


class BundleStore:
    """The folder ``bundles.store``. Reading it needs no lock: each file is replaced as a whole."""

    def __init__(self, directory: Path) -> None:
        self.directory = private_directory(directory)

    def load(self) -> dict[str, State]:
        """Return the states by service; ConfigError names a file that cannot be read.

        A damaged file is not passed over: without its overrides values would go out that a team has classified.
        """
        found = {}
        for path in sorted(self.directory.iterdir()):
            if _NAME.match(path.name):
                state = _read(path)
                found[state.service] = state
        return found

    def save(self, state: State) -> None:
        """Keep a state, durably, and let the supervisor know."""
        document = {
            "version": VERSION,
            "service": state.service,
            "highest": state.highest,
            "history": [entry.to_document() for entry in state.history],
        }
        data = json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
        write_private(self.directory / f"{state.service}.json", data)
        write_private(self.directory / CHANGED, f"{state.service} {state.applied.digest}\n".encode())

    def stamp(self) -> tuple[int, int]:
        """Return what differs after each change."""
        return stamp(self.directory)


def stamp(directory: Path) -> tuple[int, int]:
    """Return what differs after each change of a store; zeros before the first."""
    try:
        status = (directory / CHANGED).stat()
    except OSError:
        return 0, 0
    return status.st_mtime_ns, status.st_ino


def _read(path: Path) -> State:
    try:
        stored = json.loads(path.read_bytes())
        if stored["version"] != VERSION:
            raise ConfigError(f"is of version {stored['version']!r}, not {VERSION}", where=str(path))
        history = tuple(Entry.from_document(one) for one in stored["history"])
        state = State(str(stored["service"]), int(stored["highest"]), history)
        if not history or f"{state.service}.json" != path.name:
            raise ConfigError("holds no applied bundle of its service", where=str(path))
    except ConfigError:
        raise
    except (OSError, ValueError, KeyError, TypeError, ApisecError) as error:
        message = f"cannot be read ({type(error).__name__}): apply the service's bundle again, or move the file away"
        raise ConfigError(message, where=str(path)) from None
    return state
