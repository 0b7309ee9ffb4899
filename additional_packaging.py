"""ucc-gen's hook after it has copied package/ into the output: finish what its own generators cannot.

ucc-gen replaces a generated conf by package/default's file of that name and merges only app.conf, so what must stand
beside generated stanzas is added here.
"""

from __future__ import annotations

from pathlib import Path


def cleanup_output_files(output_path: str, ta_name: str) -> None:
    """Called by ``ucc-gen build``; ``output_path`` is the folder that holds the app's folder."""
    app = Path(output_path) / ta_name
    # The libraries are already installed; a requirements file inside the app would only mislead.
    (app / "lib/requirements.txt").unlink(missing_ok=True)
    # Splunk's linter refuses dotfiles; a library may bring one.
    for path in app.rglob(".*"):
        if path.is_file():
            path.unlink()
