"""The built Splunk app, as an archive and as a folder."""

from __future__ import annotations

import re
import subprocess
import sys
import tarfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
APP = "apisec"


def version() -> str:
    """The version of this checkout."""
    found = re.search(r'^__version__ = "(.+)"$', (ROOT / "core/apisec/__init__.py").read_text("utf-8"), re.MULTILINE)
    assert found, "core/apisec/__init__.py sets no __version__"
    return found[1]


def build(folder: Path) -> Path:
    """Build the app into ``folder``; return the archive."""
    command = [sys.executable, str(ROOT / "tools/build_app.py"), "--work", str(folder / "build")]
    done = subprocess.run([*command, "--dist", str(folder / "dist")], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return next((folder / "dist").glob("*.tar.gz"))


def unpack(archive: Path, folder: Path) -> Path:
    """Unpack the app; return its folder."""
    with tarfile.open(archive) as tar:
        tar.extractall(folder, filter="data")
    return folder / APP


def pythons() -> dict[str, str]:
    """Interpreters that the app must run on, by version: this one, and Splunk's two where they are installed."""
    found = {f"{sys.version_info.major}.{sys.version_info.minor}": sys.executable}
    for name in ("3.9", "3.13"):
        for path in sorted((Path.home() / ".pyenv/versions").glob(f"{name}.*/bin/python")):
            found.setdefault(name, str(path))
    return found
