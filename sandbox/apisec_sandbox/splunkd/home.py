"""HOME: the folder that stands for $SPLUNK_HOME, and how files are written into it."""

from __future__ import annotations

import os
import secrets
import tempfile
from dataclasses import dataclass
from pathlib import Path

# Saved searches and views that every Splunk has and that clients' tests look for.
SEARCHES = """[Errors in the last 24 hours]
search = error OR failed OR severe OR ( sourcetype=access_* ( 404 OR 500 OR 503 ) )
dispatch.earliest_time = -1d

[Errors in the last hour]
search = error OR failed OR severe OR ( sourcetype=access_* ( 404 OR 500 OR 503 ) )
dispatch.earliest_time = -1h

[Splunk errors last 24 hours]
search = index=_internal " error " NOT debug source=*splunkd.log*
dispatch.earliest_time = -24h
"""
VIEWS = ("alerts", "dashboards", "reports", "search")
BUILT_IN_APPS = ("launcher", "search", "splunk_httpinput")
HIDDEN_APPS = ("splunk_httpinput",)


def write_atomic(path: Path, data: bytes, mode: int = 0o644) -> None:
    """Replace ``path`` as a whole: a reader sees the old content or the new one, never a part."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=path.name + ".", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(name).chmod(mode)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def read_or_create_secret(path: Path, length: int = 32) -> bytes:
    """Return the secret kept in ``path`` (mode 600), made on first use."""
    if not path.exists():
        write_atomic(path, secrets.token_hex(length).encode(), 0o600)
    return path.read_bytes().strip()


@dataclass(frozen=True)
class Home:
    """Paths below HOME, named as Splunk names them."""

    root: Path

    @property
    def etc(self) -> Path:
        return self.root / "etc"

    @property
    def apps(self) -> Path:
        return self.etc / "apps"

    @property
    def auth(self) -> Path:
        return self.etc / "auth"

    @property
    def log(self) -> Path:
        return self.root / "var" / "log" / "splunk"

    @property
    def data(self) -> Path:
        """Indexes and the KV store ($SPLUNK_DB)."""
        return self.root / "var" / "lib" / "splunk"

    @property
    def dispatch(self) -> Path:
        return self.root / "var" / "run" / "splunk" / "dispatch"

    @property
    def checkpoints(self) -> Path:
        return self.data / "modinputs"

    def prepare(self) -> None:
        """Make the folders and the built-in apps; harmless when they are there."""
        for folder in (self.apps, self.auth, self.log, self.data, self.dispatch, self.checkpoints):
            folder.mkdir(parents=True, exist_ok=True)
        self.auth.chmod(0o700)
        for name in BUILT_IN_APPS:
            conf = self.apps / name / "default" / "app.conf"
            if not conf.exists():
                visible = "false" if name in HIDDEN_APPS else "true"
                text = f"[ui]\nis_visible = {visible}\nlabel = {name}\n[launcher]\nversion = 10.0.0\n"
                write_atomic(conf, text.encode())
        examples = self.apps / "search" / "default" / "savedsearches.conf"
        if not examples.exists():
            write_atomic(examples, SEARCHES.encode())
        for name in VIEWS:
            view = self.apps / "search" / "default" / "data" / "ui" / "views" / f"{name}.xml"
            if not view.exists():
                text = f'<view type="html" isDashboard="False">\n  <label>{name.capitalize()}</label>\n</view>\n'
                write_atomic(view, text.encode())
