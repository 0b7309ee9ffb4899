"""Who may read and write what: metadata/default.meta and local.meta of apps and users.

Source: default.meta.conf.spec. A stanza ``[]`` speaks for the whole app, ``[conf]`` for one kind of object,
``[conf/name]`` for one object; the more specific one wins, setting by setting. Reading takes all three: who may not
read the app, or its objects of that kind, reads no object of them, whatever the object's own stanza says.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from apisec_sandbox.splunkd.conffile import Settings, parse, render
from apisec_sandbox.splunkd.home import write_atomic

ACCESS = re.compile(r"(read|write)\s*:\s*\[([^\]]*)\]")
EXPORTED = ("system", "global")


@dataclass(frozen=True)
class Permissions:
    """``read`` and ``write`` are roles, ``*`` for all."""

    owner: str = "nobody"
    exported: bool = False
    read: tuple[str, ...] = ("*",)
    write: tuple[str, ...] = ("admin", "power")
    around: tuple[tuple[str, ...], ...] = ()  # who may read what the object lies in: the app, and the kind of objects

    def readable(self, roles: frozenset[str]) -> bool:
        return all("*" in read or not roles.isdisjoint(read) for read in (self.read, *self.around))

    def writable(self, roles: frozenset[str]) -> bool:
        return "*" in self.write or not roles.isdisjoint(self.write)

    def perms(self) -> Mapping[str, Sequence[str]]:
        return {"read": list(self.read), "write": list(self.write)}


SYSTEM = Permissions(exported=True, write=("admin",))
Read = Callable[[Path], dict[str, Settings]]


class Metadata:
    """The permissions of one place, an app's folder or that of a user in an app."""

    def __init__(self, folder: Path, read: Read) -> None:
        self._layers = [read(folder / "metadata" / f"{kind}.meta") for kind in ("default", "local")]
        self._known: dict[tuple[str, str], Permissions] = {}

    def of(self, conf: str, name: str) -> Permissions:
        known = self._known.get((conf, name))
        if known is None:
            known = self._known[(conf, name)] = self._merge(conf, name)
        return known

    def _merge(self, conf: str, name: str) -> Permissions:
        merged: Settings = {}
        reads: list[tuple[str, ...]] = []
        lists: dict[str, tuple[str, ...]] = {}
        for key in ("", conf, f"{conf}/{stanza_key(name)}"):
            for layer in self._layers:
                merged.update(layer.get(key, {}))
            access = dict(ACCESS.findall(merged.get("access", "")))
            lists = {kind: _roles(access[kind]) for kind in access}
            reads.append(lists.get("read", ("*",)))
        return Permissions(
            merged.get("owner", "nobody"),
            merged.get("export", "none").strip().lower() in EXPORTED,
            reads[-1],
            lists.get("write", ("admin", "power")),
            tuple(dict.fromkeys(reads[:-1])),
        )


def _roles(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def stanza_key(name: str) -> str:
    """Names in .meta files are percent-encoded."""
    return quote(name, safe="-_.~()*!' ").replace(" ", "%20")


def store(folder: Path, conf: str, name: str, permissions: Permissions | None) -> None:
    """Write the permissions of one object into local.meta, or forget them with None."""
    path = folder / "metadata" / "local.meta"
    held = parse(path.read_text("utf-8"), str(path)) if path.exists() else {}
    key = f"{conf}/{stanza_key(name)}"
    if permissions is None:
        held.pop(key, None)
    else:
        held[key] = {
            "access": f"read : [ {', '.join(permissions.read)} ], write : [ {', '.join(permissions.write)} ]",
            "export": "system" if permissions.exported else "none",
            "owner": permissions.owner,
            "modtime": f"{time.time():.9f}",
        }
    write_atomic(path, render(held).encode())
