"""Configuration and knowledge objects: the layers of conf files, as a context sees them.

Layers in the global context, from strongest to weakest: system/local, every app's local, every app's default,
system/default; between apps ASCII order decides, the first wins. In the context of an app and a user: the user's
own, the app's local and default, what other apps export (reverse ASCII order, the last wins), system. A stanza
``[default]`` gives values to every other stanza of its conf.
Source: Admin Manual, "Configuration file precedence"; default.meta.conf.spec for what is exported and to whom.
"""

from __future__ import annotations

import copy
import itertools
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from apisec_sandbox.errors import SandboxError
from apisec_sandbox.splunkd import acl
from apisec_sandbox.splunkd.acl import SYSTEM, Metadata, Permissions
from apisec_sandbox.splunkd.builtin import SYSTEM_DEFAULTS
from apisec_sandbox.splunkd.conffile import NAME, Settings, is_true, parse, render
from apisec_sandbox.splunkd.home import Home, write_atomic

__all__ = ["NAME", "Confs", "Settings", "Stanza", "is_true", "parse", "render"]

MAX_CONF_BYTES = 16 * 1024 * 1024
NOBODY = "nobody"
# Read in the global context only, so that export does not matter to them (Admin Manual, "Precedence").
GLOBAL = frozenset(
    ("app", "authentication", "authorize", "indexes", "inputs", "limits", "outputs", "restmap", "server", "web")
)


@dataclass(frozen=True)
class Stanza:
    """One merged stanza; ``app`` and ``owner`` are where its strongest layer lives.

    ``own`` leaves out [default]'s values; ``owner`` is nobody for what an app holds.
    """

    name: str
    app: str
    settings: Settings
    own: Settings = field(default_factory=dict)
    owner: str = NOBODY
    permissions: Permissions = SYSTEM

    def get(self, key: str, default: str = "") -> str:
        return self.settings.get(key, default)

    def flag(self, key: str, default: bool = False) -> bool:
        value = self.settings.get(key)
        return default if value is None or value == "" else is_true(value)

    @property
    def sharing(self) -> str:
        """user, app, global or system."""
        if self.owner != NOBODY:
            return "user"
        if self.app == "system":
            return "system"
        return "global" if self.permissions.exported else "app"


@dataclass(frozen=True)
class _Layer:
    app: str
    owner: str
    content: dict[str, Settings]
    everything: bool  # else only what is exported
    serial: int


class Confs:
    """All configuration under HOME. Reads are cached per file by its time and size; writes go to ``local``.

    ``viewer`` says which roles a user has, and None for one who may read everything; Users sets it.
    """

    def __init__(self, home: Home) -> None:
        self._home = home
        self._lock = threading.RLock()
        self._files: dict[Path, tuple[tuple[int, int, int], int, dict[str, Settings]]] = {}
        self._serial = itertools.count(1)  # of what was read: a file's time alone can stand still between two writes
        self._merged: dict[tuple[str, str | None, str], tuple[object, dict[str, Stanza]]] = {}
        self._metadata: dict[Path, tuple[object, Metadata]] = {}
        self._defaults = copy.deepcopy(SYSTEM_DEFAULTS)
        self.viewer: Callable[[str], frozenset[str] | None] = lambda _: None

    def announce(self, conf: str, stanza: str, settings: Settings) -> None:
        """Add to system/default what is known only once the server runs, such as its port."""
        with self._lock:
            self._defaults.setdefault(conf, {}).setdefault(stanza, {}).update(settings)
            self._merged.clear()

    # Apps

    def apps(self) -> list[str]:
        """Names of enabled apps in ASCII order."""
        return [name for name in self.all_apps() if not self._disabled(name)]

    def all_apps(self) -> list[str]:
        """Names of installed apps, disabled ones too."""
        return sorted(path.name for path in self._home.apps.iterdir() if path.is_dir())

    def app_conf(self, app: str) -> dict[str, Settings]:
        """The app's own app.conf: each app has one of its own."""
        merged: dict[str, Settings] = {}
        for kind in ("default", "local"):
            for stanza, settings in self._read(self._home.apps / app / kind / "app.conf").items():
                merged.setdefault(stanza, {}).update(settings)
        return merged

    def _disabled(self, app: str) -> bool:
        return self.app_conf(app).get("install", {}).get("state", "enabled") == "disabled"

    def users(self) -> list[str]:
        """Names of users who keep objects of their own."""
        folder = self._home.etc / "users"
        return sorted(path.name for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else []

    # Files

    def folder(self, app: str, owner: str = NOBODY) -> Path:
        """Return where an app's, or a user's, conf files and metadata lie.

        Raises:
            SandboxError: there is no such app, or the names are none.
        """
        if app == "system":
            return self._home.etc / "system"
        if not NAME.match(app) or not (self._home.apps / app).is_dir():
            raise SandboxError(f"Application does not exist: {app}")
        if owner == NOBODY:
            return self._home.apps / app
        if owner.startswith(".") or "/" in owner or "\0" in owner or not owner:
            raise SandboxError(f"{owner!r} is not a name of a user")
        return self._home.etc / "users" / owner / app

    def path(self, conf: str, app: str, owner: str = NOBODY, kind: str = "local") -> Path:
        if not NAME.match(conf):
            raise SandboxError(f"{conf!r} is not a name of a conf file")
        return self.folder(app, owner) / kind / f"{conf}.conf"

    def _read(self, path: Path) -> dict[str, Settings]:
        try:
            stat = path.stat()
        except OSError:
            self._files.pop(path, None)
            return {}
        stamp = (stat.st_mtime_ns, stat.st_size, stat.st_ino)
        known = self._files.get(path)
        if known and known[0] == stamp:
            return known[2]
        if stat.st_size > MAX_CONF_BYTES:
            raise SandboxError(f"{path}: larger than {MAX_CONF_BYTES} bytes")
        content = parse(path.read_text("utf-8", errors="replace"), str(path))
        self._files[path] = (stamp, next(self._serial), content)
        return content

    def _seen(self, path: Path) -> int:
        """The number of what was last read from the file, 0 when it is not there."""
        self._read(path)
        known = self._files.get(path)
        return known[1] if known else 0

    def permissions(self, conf: str, name: str, app: str, owner: str = NOBODY) -> Permissions:
        """Return who may read and write an object of this place."""
        if app == "system":
            return SYSTEM
        if owner != NOBODY:
            return Permissions(owner, False, (owner,), (owner,))
        return self._meta(app).of(conf, name)

    def _meta(self, app: str) -> Metadata:
        folder = self._home.apps / app
        stamp = self._meta_stamp(app)
        known = self._metadata.get(folder)
        if known is None or known[0] != stamp:
            known = self._metadata[folder] = (stamp, Metadata(folder, self._read))
        return known[1]

    def _meta_stamp(self, app: str) -> tuple[int, ...]:
        folder = self._home.apps / app / "metadata"
        return tuple(self._seen(folder / f"{kind}.meta") for kind in ("default", "local"))

    # Reading

    def stanzas(self, conf: str, app: str | None = None, user: str = "") -> dict[str, Stanza]:
        """Return every merged stanza of ``conf`` (named without .conf), ``[default]`` included when given.

        Without ``app`` the global context; with it that app's, and with ``user`` what that user may read there.
        """
        apps = self.apps()
        context = app if app in apps else None
        merged = self._context(conf, apps, context, user if context else "")
        roles = self.viewer(user) if user else None
        if roles is None:
            return merged
        return {name: stanza for name, stanza in merged.items() if self._readable(stanza, user, roles)}

    @staticmethod
    def _readable(stanza: Stanza, user: str, roles: frozenset[str]) -> bool:
        return stanza.owner == user or stanza.permissions.readable(roles)

    def _context(self, conf: str, apps: list[str], app: str | None, user: str) -> dict[str, Stanza]:
        with self._lock:
            layers = self._layers(conf, apps, app, user)
            stamp = (tuple(layer.serial for layer in layers), tuple(self._meta_stamp(name) for name in apps))
            known = self._merged.get((conf, app, user))
            if known and known[0] == stamp:
                return known[1]
            merged = self._merge(conf, layers)
            if len(self._merged) > 2000:
                self._merged.clear()
            self._merged[(conf, app, user)] = (stamp, merged)
            return merged

    def _layers(self, conf: str, apps: list[str], app: str | None, user: str) -> list[_Layer]:
        """Return the layers that hold anything, from weakest to strongest, without system/default."""
        system = self._layer(self._home.etc / "system" / "local" / f"{conf}.conf", "system")
        if app is None:
            layers = [self._of_app(conf, name, kind) for kind in ("default", "local") for name in reversed(apps)]
            return [layer for layer in [*layers, system] if layer.content]
        layers = [system]
        for name in (*(one for one in apps if one != app), app):
            visible = name == app or conf in GLOBAL
            layers += [self._of_app(conf, name, kind, visible) for kind in ("default", "local")]
        if user and NAME.match(user):
            layers.append(self._layer(self.path(conf, app, user), app, user))
        return [layer for layer in layers if layer.content]

    def _of_app(self, conf: str, app: str, kind: str, everything: bool = True) -> _Layer:
        return self._layer(self._home.apps / app / kind / f"{conf}.conf", app, NOBODY, everything)

    def _layer(self, path: Path, app: str, owner: str = NOBODY, everything: bool = True) -> _Layer:
        content = self._read(path)
        known = self._files.get(path)
        return _Layer(app, owner, content, everything, known[1] if known else 0)

    def _merge(self, conf: str, layers: list[_Layer]) -> dict[str, Stanza]:
        own: dict[str, Settings] = {name: dict(value) for name, value in self._defaults.get(conf, {}).items()}
        places: dict[str, tuple[str, str]] = dict.fromkeys(own, ("system", NOBODY))
        for layer in layers:
            for name, settings in layer.content.items():
                if layer.everything or self.permissions(conf, name, layer.app).exported:
                    own.setdefault(name, {}).update(settings)
                    places[name] = (layer.app, layer.owner)
        default = own.get("default", {})
        return {
            name: Stanza(
                name,
                places[name][0],
                dict(settings) if name == "default" else {**default, **settings},
                settings,
                places[name][1],
                self.permissions(conf, name, *places[name]),
            )
            for name, settings in own.items()
        }

    def stanza(self, conf: str, name: str, app: str | None = None, user: str = "") -> Stanza | None:
        return self.stanzas(conf, app, user).get(name)

    def objects(self, conf: str, user: str = "") -> list[Stanza]:
        """Return every object of every place, the private ones of all users too, as far as ``user`` may read."""
        default = self.stanzas(conf).get("default")
        values = default.settings if default else {}
        roles = self.viewer(user) if user else None
        places = [(app, NOBODY) for app in self.apps()]
        places += [(app, owner) for owner in self.users() for app in self.apps()]
        found = []
        for app, owner in places:
            for name, settings in self.own(conf, app, owner).items():
                permissions = self.permissions(conf, name, app, owner)
                stanza = Stanza(name, app, {**values, **settings}, settings, owner, permissions)
                if name != "default" and (roles is None or self._readable(stanza, user, roles)):
                    found.append(stanza)
        return found

    def own(self, conf: str, app: str, owner: str = NOBODY) -> dict[str, Settings]:
        """Return what one place itself says: default and local merged, nothing from elsewhere."""
        merged: dict[str, Settings] = {}
        for kind in ("default", "local") if owner == NOBODY else ("local",):
            for name, settings in self._read(self.path(conf, app, owner, kind)).items():
                merged.setdefault(name, {}).update(settings)
        return merged

    def exists(self, conf: str) -> bool:
        return conf in self.conf_names()

    def conf_names(self) -> list[str]:
        files = {path.stem for path in self._home.apps.glob("*/*/*.conf")}
        files |= {path.stem for path in (self._home.etc / "users").glob("*/*/local/*.conf")}
        files |= {path.stem for path in (self._home.etc / "system" / "local").glob("*.conf")}
        return sorted(files | set(self._defaults))

    # Writing

    def create(self, conf: str, app: str, owner: str = NOBODY) -> None:
        """Make an empty conf file."""
        path = self.path(conf, app, owner)
        if not path.exists():
            write_atomic(path, b"")

    def write(
        self, conf: str, name: str, settings: Mapping[str, str], app: str, mode: int = 0o644, owner: str = NOBODY
    ) -> None:
        """Merge ``settings`` into the stanza in the place's local layer, making file and stanza when needed."""
        with self._lock:
            path = self.path(conf, app, owner)
            content = {key: dict(value) for key, value in self._read(path).items()}
            content.setdefault(name, {}).update(settings)
            write_atomic(path, render(content).encode(), mode)
            self._files.pop(path, None)

    def delete(self, conf: str, name: str, app: str, mode: int = 0o644, owner: str = NOBODY) -> bool:
        """Remove the stanza from the place's local layer; False when it is not there (a default stays)."""
        with self._lock:
            path = self.path(conf, app, owner)
            content = {key: dict(value) for key, value in self._read(path).items()}
            if content.pop(name, None) is None:
                return False
            write_atomic(path, render(content).encode(), mode)
            self._files.pop(path, None)
            if app != "system" and owner == NOBODY and name not in self.own(conf, app):
                self.set_permissions(conf, name, app, None)
            return True

    def removable(self, conf: str, stanza: Stanza) -> bool:
        """Whether all of an object is local: what an app came with stays."""
        if stanza.app == "system":
            return stanza.name not in self._defaults.get(conf, {})
        return stanza.owner != NOBODY or stanza.name not in self._of_app(conf, stanza.app, "default").content

    def set_permissions(self, conf: str, name: str, app: str, permissions: Permissions | None) -> None:
        """Write who may read and write an object of an app; with None what its kind says holds again."""
        folder = self.folder(app)
        path = folder / "metadata" / "local.meta"
        if permissions is None and not path.exists():
            return
        with self._lock:
            acl.store(folder, conf, name, permissions)
            self._files.pop(path, None)

    def move(self, conf: str, stanza: Stanza, app: str, owner: str) -> None:
        """Take what is local of an object to another place.

        Raises:
            SandboxError: it comes with its app, or something of its name is there already.
        """
        with self._lock:
            local = self._read(self.path(conf, stanza.app, stanza.owner)).get(stanza.name)
            if local is None or (
                stanza.owner == NOBODY and stanza.name in self._of_app(conf, stanza.app, "default").content
            ):
                raise SandboxError(f"{stanza.name} comes with app {stanza.app} and cannot be moved")
            if stanza.name in self.own(conf, app, owner):
                raise SandboxError(f"An object with name={stanza.name} already exists in app {app}")
            self.write(conf, stanza.name, local, app, owner=owner)
            self.delete(conf, stanza.name, stanza.app, owner=stanza.owner)
