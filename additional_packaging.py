"""ucc-gen's hook after it has copied package/ into the output: finish what its own generators cannot.

ucc-gen replaces a generated conf by package/default's file of that name and merges only app.conf, so what must stand
beside generated stanzas is added here.
"""

from __future__ import annotations

import re
from pathlib import Path


def cleanup_output_files(output_path: str, ta_name: str) -> None:
    """Called by ``ucc-gen build``; ``output_path`` is the folder that holds the app's folder."""
    app = Path(output_path) / ta_name
    merge_confs(app)
    # The libraries are already installed; a requirements file inside the app would only mislead.
    (app / "lib/requirements.txt").unlink(missing_ok=True)
    # Splunk's linter refuses dotfiles; a library may bring one.
    for path in app.rglob(".*"):
        if path.is_file():
            path.unlink()


def merge_confs(app: Path) -> None:
    """Add the stanzas of merged/ to those that ucc-gen generated. ValueError for a stanza that is there already."""
    merged = app / "merged"
    for path in sorted(merged.glob("*.conf")):
        target = app / "default" / path.name
        held, own = target.read_text("utf-8") if target.is_file() else "", path.read_text("utf-8")
        twice = set(_stanzas(held)) & set(_stanzas(own))
        if twice:
            raise ValueError(f"{path.name}: {', '.join(sorted(twice))} is generated already: rename the one in merged/")
        target.write_text(f"{held.rstrip()}\n\n{own}", "utf-8")
        path.unlink()
    if merged.is_dir():
        merged.rmdir()


def _stanzas(text: str) -> list[str]:
    return re.findall(r"(?m)^\[([^\]\n]+)\]", text)
