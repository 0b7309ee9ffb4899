"""Configuration for a busy reader: merged again only when a folder of it has changed.

Confs looks at every file for each question, which is right for a REST call and too slow for one event a request.
Every write goes by rename, and so changes its folder's time; an edit in place is seen within MAX_AGE.
"""

from __future__ import annotations

import os
import time

from apisec_sandbox.splunkd.confs import Confs, Stanza
from apisec_sandbox.splunkd.home import Home

MAX_AGE = 1.0  # seconds
# A folder's time moves in ticks of the kernel (4 ms at 250 Hz): what changed within this may have changed again.
TICK = 0.05


class Watch:
    def __init__(self, home: Home, confs: Confs) -> None:
        self._home = home
        self._confs = confs
        self._apps = -1
        self._folders: list[str] = []
        self._held: tuple[object, float, dict[str, dict[str, Stanza]]] = (None, 0.0, {})

    def stanzas(self, conf: str) -> dict[str, Stanza]:
        """The merged stanzas of a conf in the global context."""
        held = self._current()
        found = held.get(conf)
        if found is None:
            found = held[conf] = self._confs.stanzas(conf)
        return found

    def stanza(self, conf: str, name: str) -> Stanza | None:
        return self.stanzas(conf).get(name)

    def _current(self) -> dict[str, dict[str, Stanza]]:
        now = time.time()
        stamp = self._stamp()
        known, read, held = self._held
        newest = max(stamp) / 1e9
        if known == stamp and now - read < MAX_AGE and read - newest > TICK:
            return held
        self._held = (stamp, now, {})
        return self._held[2]

    def _stamp(self) -> tuple[int, ...]:
        apps = _changed(str(self._home.apps))
        if apps != self._apps:
            names = self._confs.all_apps()
            folders = [self._home.apps / name / kind for name in names for kind in ("", "default", "local")]
            self._folders = [str(folder) for folder in (*folders, self._home.etc / "system" / "local")]
            self._apps = apps
        return (apps, *map(_changed, self._folders))


def _changed(path: str) -> int:
    try:
        return os.stat(path).st_mtime_ns  # noqa: PTH116 - asked for each request: no Path is built
    except OSError:
        return 0
