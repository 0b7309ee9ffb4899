"""Lookup tables: CSV files of apps and KV collections, found as transforms.conf names them."""

from __future__ import annotations

import csv
import io
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from apisec_sandbox.spl.context import ANY_TIME, TimeRule
from apisec_sandbox.spl.errors import SplError
from apisec_sandbox.spl.values import Row, to_number, to_text
from apisec_sandbox.splunkd.confs import Confs, Stanza
from apisec_sandbox.splunkd.home import Home, write_atomic
from apisec_sandbox.splunkd.kvstore import KvStore, Scope

MAX_FILE = 256 * 1024 * 1024
WRITE_LOCK = threading.Lock()


@dataclass
class _Table:
    name: str
    case_sensitive: bool = True
    match_types: dict[str, str] = field(default_factory=dict)
    max_matches: int = 1000
    min_matches: int = 0
    default_match: str = ""
    time: TimeRule | None = None
    filter: str = ""
    writable: bool = True

    def guard(self) -> None:
        """Refuse a writer who may only read (Knowledge Manager Manual, "Manage knowledge object permissions")."""
        if not self.writable:
            raise SplError(f"You have insufficient privileges to write to the lookup table '{self.name}'.")


@dataclass
class CsvTable(_Table):
    path: Path = Path()

    def exists(self) -> bool:
        return self.path.exists()

    def columns(self) -> list[str]:
        """Return the names in the first line."""
        if not self.path.exists():
            return []
        with self.path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
            return [name for name in next(csv.reader(file), []) if name]

    def rows(self) -> list[Row]:
        """Return the rows; an empty cell is null."""
        if not self.path.exists():
            return []
        if self.path.stat().st_size > MAX_FILE:
            raise SplError(f"The lookup file {self.path.name} is larger than {MAX_FILE} bytes")
        text = self.path.read_text("utf-8-sig", errors="replace")
        reader = csv.DictReader(io.StringIO(text, newline=""))
        return [{name: cell for name, cell in row.items() if name and cell} for row in reader]

    def write(self, rows: list[Row], append: bool, key_field: str | None) -> int:
        """Replace or extend the file. With a key field rows of the same key are replaced."""
        self.guard()
        with WRITE_LOCK:
            held = self.rows() if append else []
            fixed = self.columns() if append else []  # an append writes the columns that the file has, and no others
            if key_field:
                fresh = {to_text(row.get(key_field, "")) for row in rows}
                held = [row for row in held if to_text(row.get(key_field, "")) not in fresh]
            columns = dict.fromkeys(fixed or (name for row in held + rows for name in row))
            text = io.StringIO(newline="")
            writer = csv.writer(text, lineterminator="\r\n")  # so that a bare \r in a cell is quoted
            writer.writerow(columns)
            for row in held + rows:
                writer.writerow([to_text(row[name]) if name in row else "" for name in columns])
            write_atomic(self.path, text.getvalue().encode())
        return len(rows)

    def clear(self, keep: bool) -> None:
        """Delete the file, or ``keep`` it without content."""
        self.guard()
        with WRITE_LOCK:
            if keep:
                write_atomic(self.path, b"")
            else:
                self.path.unlink(missing_ok=True)


@dataclass
class KvTable(_Table):
    store: KvStore | None = None
    scope: Scope = field(default_factory=lambda: Scope("search", ""))
    fields: list[str] = field(default_factory=list)
    types: dict[str, str] = field(default_factory=dict)

    def exists(self) -> bool:
        return True

    def columns(self) -> list[str]:
        return list(dict.fromkeys([*self.fields, "_key"]))

    def rows(self) -> list[Row]:
        assert self.store is not None
        names = [name for name in self.fields if name != "_key"]
        rows = []
        for document in self.store.documents(self.scope):
            row: Row = {}
            for name in names:
                flat = _field(document.get(name))
                if flat is not None:
                    row[name] = flat
            row["_key"] = document["_key"]
            rows.append(row)
        return rows

    def write(self, rows: list[Row], append: bool, key_field: str | None) -> int:
        """Save rows as documents: ``_key`` or the key field's value is the key. Only listed fields are kept."""
        self.guard()
        assert self.store is not None
        documents = []
        for row in rows:
            document = {name: self._typed(name, row[name]) for name in self.fields if name in row and name != "_key"}
            key = row.get(key_field) if key_field else row.get("_key")
            if key is not None:
                document["_key"] = to_text(key)
            documents.append(document)
        if not append:
            self.store.delete(self.scope, None)
        self.store.save(self.scope, documents)
        return len(documents)

    def clear(self, keep: bool) -> None:  # noqa: ARG002 - a collection without documents stays a collection
        self.guard()
        assert self.store is not None
        self.store.delete(self.scope, None)

    def _typed(self, name: str, value: Any) -> Any:
        if isinstance(value, list):
            return [self._typed(name, item) for item in value]
        kind = self.types.get(name, "string")
        if kind in ("number", "time"):
            number = to_number(value)
            return value if number is None else number
        if kind == "bool":
            return to_text(value).lower() in ("1", "true", "t", "yes")
        return to_text(value)


def _field(value: Any) -> Any:
    """A stored value as a field: lists of plain values as multivalue; null and nested objects are left out."""
    if isinstance(value, list):
        flat = [item for item in (_field(entry) for entry in value) if item is not None and not isinstance(item, list)]
        return flat[0] if len(flat) == 1 else flat or None
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, (str, int, float)) else None


class Lookups:
    def __init__(self, home: Home, confs: Confs, kv: KvStore) -> None:
        self._home = home
        self._confs = confs
        self._kv = kv

    def names(self, app: str) -> list[str]:
        transforms = self._confs.stanzas("transforms", app)
        named = [name for name, stanza in transforms.items() if stanza.get("filename") or stanza.get("collection")]
        files = [
            path.name for name in self._confs.apps() for path in (self._home.apps / name / "lookups").glob("*.csv")
        ]
        return sorted({*named, *files})

    def find(self, name: str, app: str, user: str = "") -> CsvTable | KvTable | None:
        """Return the lookup as the user sees it in the app; what he may not read is not there."""
        stanza = self._confs.stanza("transforms", name, app, user)
        if stanza is not None:
            if stanza.get("external_type") == "kvstore" or stanza.get("collection"):
                return self._kv_table(stanza, user)
            if stanza.get("filename"):
                return self._file(stanza.get("filename"), app, stanza, user)
        if name.endswith(".csv"):
            return self._file(name, app, Stanza(name, app, {}), user)
        return None

    def _roles(self, user: str) -> frozenset[str] | None:
        return self._confs.viewer(user) if user else None

    def _file(self, filename: str, app: str, stanza: Stanza, user: str) -> CsvTable | None:
        """Look in the app of the context, then in what other apps export (default.meta, [lookups])."""
        if Path(filename).name != filename:
            return None
        roles = self._roles(user)
        for name in (app, *(one for one in self._confs.apps() if one != app)):
            path = self._home.apps / name / "lookups" / filename
            held = self._confs.permissions("lookups", filename, name)
            if path.exists() and (name == app or held.exported) and (roles is None or held.readable(roles)):
                return CsvTable(**_common(stanza), path=path, writable=roles is None or held.writable(roles))
        folder = self._home.apps / (stanza.app if stanza.app != "system" else app)
        return CsvTable(**_common(stanza), path=folder / "lookups" / filename)

    def _kv_table(self, stanza: Stanza, user: str) -> KvTable | None:
        collection = stanza.get("collection") or stanza.name
        about = self._confs.stanza("collections", collection, stanza.app)
        if about is None:
            about = self._confs.stanza("collections", collection)
        app, roles = about.app if about else stanza.app, self._roles(user)
        held = self._confs.permissions("collections", collection, app)
        if roles is not None and not held.readable(roles):
            return None
        types = {name[6:]: value for name, value in (about.settings if about else {}).items() if name[:6] == "field."}
        fields = [part.strip() for part in stanza.get("fields_list").split(",") if part.strip()]
        return KvTable(
            **_common(stanza),
            store=self._kv,
            scope=Scope(app, collection),
            fields=fields or list(types),
            types=types,
            writable=roles is None or held.writable(roles),
        )


def _common(stanza: Stanza) -> dict[str, Any]:
    return {
        "name": stanza.name,
        "case_sensitive": stanza.flag("case_sensitive_match", True),
        "match_types": _match_types(stanza.settings),
        "max_matches": int(stanza.get("max_matches") or (1 if stanza.get("time_field") else 1000)),
        "min_matches": int(stanza.get("min_matches") or 0),
        "default_match": stanza.get("default_match"),
        "time": _time_rule(stanza),
        "filter": stanza.get("filter"),
    }


def _time_rule(stanza: Stanza) -> TimeRule | None:
    """``time_field``, ``time_format``, ``min_offset_secs`` and ``max_offset_secs`` (transforms.conf.spec)."""
    if not stanza.get("time_field"):
        return None
    least, most = (to_number(stanza.get(f"{name}_offset_secs")) for name in ("min", "max"))
    layout = stanza.get("time_format") or "%s.%Q"
    return TimeRule(stanza.get("time_field"), layout, least or 0, ANY_TIME if most is None else most)


def _match_types(settings: Mapping[str, str]) -> dict[str, str]:
    """``match_type = WILDCARD(user), CIDR(src)``."""
    found: dict[str, str] = {}
    for part in settings.get("match_type", "").split(","):
        kind, _, rest = part.strip().partition("(")
        if kind.upper() in ("WILDCARD", "CIDR") and rest.endswith(")"):
            found[rest[:-1].strip()] = kind.upper()
    return found
