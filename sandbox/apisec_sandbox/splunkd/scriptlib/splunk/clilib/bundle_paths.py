"""splunk.clilib.bundle_paths: where things are."""

from __future__ import annotations

import os
from collections.abc import Sequence


def make_splunkhome_path(parts: Sequence[str]) -> str:
    """Return a path below SPLUNK_HOME.

    Raises:
        ValueError: it would lie outside.
    """
    home = os.path.normpath(os.environ["SPLUNK_HOME"])
    base = home
    if parts and parts[0] == "etc" and os.environ.get("SPLUNK_ETC"):
        base, parts = os.path.normpath(os.environ["SPLUNK_ETC"]), parts[1:]
    path = os.path.normpath(os.path.join(base, *parts))  # noqa: PTH118 - a text is the contract
    if not (path + os.sep).startswith(base + os.sep):
        raise ValueError(f"Illegal escape from parent directory {base!r}: {path}")
    return path


def get_base_path() -> str:
    return make_splunkhome_path(["etc", "apps"])


def get_slaveapps_base_path() -> str:
    return make_splunkhome_path(["etc", "peer-apps"])
