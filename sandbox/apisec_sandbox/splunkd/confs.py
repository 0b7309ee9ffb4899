"""Configuration files: Splunk's syntax, and its layers.

Layers in the global context, from strongest to weakest (docs: Admin/Wheretofindtheconfigurationfiles):
system/local, every app's local, every app's default, system/default. Between apps ASCII order decides, the
first wins. In the context of an app (search time) that app's own local and default come first.
A stanza ``[default]`` gives values to every other stanza of its conf.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from apisec_sandbox.errors import SandboxError
from apisec_sandbox.splunkd.builtin import SYSTEM_DEFAULTS
from apisec_sandbox.splunkd.home import Home, write_atomic

Settings = dict[str, str]
NAME = re.compile(r"[A-Za-z0-9_.\-]+\Z")
MAX_CONF_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True)
class Stanza:
    """One merged stanza; ``app`` is where its strongest layer lives, ``own`` leaves out [default]'s values."""

    name: str
    app: str
    settings: Settings
    own: Settings = field(default_factory=dict)

    def get(self, key: str, default: str = "") -> str:
        return self.settings.get(key, default)

    def flag(self, key: str, default: bool = False) -> bool:
        value = self.settings.get(key)
        return default if value is None else is_true(value)


def is_true(value: str) -> bool:
    """Splunk's booleans: 1, true, t, yes, y, on, enabled."""
    return value.strip().lower() in ("1", "true", "t", "yes", "y", "on", "enabled")


def parse(text: str, where: str = "conf") -> dict[str, Settings]:
    """Parse one file. A line outside any stanza belongs to ``[default]``.

    Raises:
        SandboxError: a line is neither a stanza, a comment nor ``key = value``; it names file and line.
    """
    stanzas: dict[str, Settings] = {}
    current = "default"
    for number, line in _logical_lines(text):
        bare = line.strip()
        if not bare or bare.startswith("#"):
            continue
        if bare.startswith("[") and bare.endswith("]"):
            current = bare[1:-1]
            stanzas.setdefault(current, {})
            continue
        key, equals, value = line.partition("=")
        if not equals:
            raise SandboxError(f"{where}, line {number}: expected [stanza] or key = value, found {bare[:60]!r}")
        stanzas.setdefault(current, {})[key.strip()] = value.strip()
    return stanzas


def _logical_lines(text: str) -> Iterator[tuple[int, str]]:
    """Join lines that end in a backslash; the line break stays in the value, as Splunk keeps it."""
    held, start = "", 0
    for number, line in enumerate(text.lstrip("\ufeff").splitlines(), 1):
        start = start if held else number
        if line.endswith("\\"):
            held += line[:-1] + "\n"
            continue
        yield start, held + line
        held = ""
    if held:
        yield start, held


def render(stanzas: Mapping[str, Settings]) -> str:
    lines: list[str] = []
    for name, settings in stanzas.items():
        lines.append(f"[{name}]")
        lines += [f"{key} = " + value.replace("\n", "\\\n") for key, value in settings.items()]
        lines.append("")
    return "\n".join(lines)


@dataclass
class _Layer:
    app: str
    path: Path
    local: bool


class Confs:
    """All configuration under HOME. Reads are cached per file by its time and size; writes go to ``local``."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._lock = threading.RLock()
        self._files: dict[Path, tuple[tuple[int, int], dict[str, Settings]]] = {}
        self._merged: dict[tuple[str, str | None], tuple[object, dict[str, Stanza]]] = {}

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

    def _layers(self, conf: str, app: str | None) -> list[_Layer]:
        """Return layers from weakest to strongest, without system/default."""
        names = list(reversed(self.apps()))
        if app in names:
            names.remove(app)
            names.append(app)
        layers: list[_Layer] = []
        for local in (False, True):
            kind = "local" if local else "default"
            layers += [_Layer(name, self._home.apps / name / kind / f"{conf}.conf", local) for name in names]
        if app:  # in an app's context its own default also beats another app's local
            own = next((layer for layer in layers if layer.app == app and not layer.local), None)
            if own:
                layers.remove(own)
                layers.insert(len(layers) - 1, own)
        layers.append(_Layer("system", self._home.etc / "system" / "local" / f"{conf}.conf", True))
        return layers

    def _read(self, path: Path) -> dict[str, Settings]:
        try:
            stat = path.stat()
        except OSError:
            return {}
        stamp = (stat.st_mtime_ns, stat.st_size)
        known = self._files.get(path)
        if known and known[0] == stamp:
            return known[1]
        if stat.st_size > MAX_CONF_BYTES:
            raise SandboxError(f"{path}: larger than {MAX_CONF_BYTES} bytes")
        content = parse(path.read_text("utf-8", errors="replace"), str(path))
        self._files[path] = (stamp, content)
        return content

    def stanzas(self, conf: str, app: str | None = None) -> dict[str, Stanza]:
        """Return every merged stanza of ``conf`` (named without .conf), ``[default]`` included when given."""
        with self._lock:
            layers = [(layer, self._read(layer.path)) for layer in self._layers(conf, app)]
            layers = [(layer, content) for layer, content in layers if content]
            stamp = tuple((str(layer.path), self._files[layer.path][0]) for layer, _ in layers)
            known = self._merged.get((conf, app))
            if known and known[0] == stamp:
                return known[1]
            merged = self._merge(conf, layers)
            self._merged[(conf, app)] = (stamp, merged)
            return merged

    @staticmethod
    def _merge(conf: str, layers: list[tuple[_Layer, dict[str, Settings]]]) -> dict[str, Stanza]:
        own: dict[str, Settings] = {name: dict(value) for name, value in SYSTEM_DEFAULTS.get(conf, {}).items()}
        apps: dict[str, str] = dict.fromkeys(own, "system")
        for layer, content in layers:
            for name, settings in content.items():
                own.setdefault(name, {}).update(settings)
                apps[name] = layer.app
        default = own.get("default", {})
        return {
            name: Stanza(name, apps[name], dict(settings) if name == "default" else {**default, **settings}, settings)
            for name, settings in own.items()
        }

    def stanza(self, conf: str, name: str, app: str | None = None) -> Stanza | None:
        return self.stanzas(conf, app).get(name)

    def exists(self, conf: str) -> bool:
        return conf in SYSTEM_DEFAULTS or any(layer.path.exists() for layer in self._layers(conf, None))

    def conf_names(self) -> list[str]:
        files = {path.stem for path in self._home.apps.glob("*/*/*.conf")}
        return sorted(files | set(SYSTEM_DEFAULTS))

    def create(self, conf: str, app: str) -> None:
        """Make an empty conf file."""
        path = self._local(conf, app)
        if not path.exists():
            write_atomic(path, b"")

    def _local(self, conf: str, app: str) -> Path:
        if not NAME.match(conf):
            raise SandboxError(f"{conf!r} is not a name of a conf file")
        if app == "system":
            return self._home.etc / "system" / "local" / f"{conf}.conf"
        if not NAME.match(app) or not (self._home.apps / app).is_dir():
            raise SandboxError(f"Application does not exist: {app}")
        return self._home.apps / app / "local" / f"{conf}.conf"

    def write(self, conf: str, name: str, settings: Mapping[str, str], app: str, mode: int = 0o644) -> None:
        """Merge ``settings`` into the stanza in ``app``'s local layer, making file and stanza when needed."""
        with self._lock:
            path = self._local(conf, app)
            content = {key: dict(value) for key, value in self._read(path).items()}
            content.setdefault(name, {}).update(settings)
            write_atomic(path, render(content).encode(), mode)
            self._files.pop(path, None)

    def delete(self, conf: str, name: str, app: str, mode: int = 0o644) -> bool:
        """Remove the stanza from ``app``'s local layer; False when it is not there (a default cannot be removed)."""
        with self._lock:
            path = self._local(conf, app)
            content = {key: dict(value) for key, value in self._read(path).items()}
            if content.pop(name, None) is None:
                return False
            write_atomic(path, render(content).encode(), mode)
            self._files.pop(path, None)
            return True
