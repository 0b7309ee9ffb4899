"""Makes the processes of a configuration: their commands, the sockets they share, the text they read."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from apisec.errors import ConfigError
from apisec_forwarder import process, status
from apisec_forwarder.child import Child
from apisec_forwarder.config import Config
from apisec_forwarder.config.load import read_text
from apisec_forwarder.files import private_directory
from apisec_forwarder.metrics import Metrics
from apisec_forwarder.receivers.registry import Held, close_sockets, open_sockets
from apisec_forwarder.supervisor import Generation, Reloads

PROCESS = "supervisor"


@dataclass
class _Made:
    """What belongs to one generation beside its processes."""

    config: Config
    sockets: dict[str, Held]
    text: int  # descriptor of the configuration's text
    letter: str
    failures: dict[str, int] = field(default_factory=dict)  # told so far, by process


class Generations:
    """Makes one generation after another; letters a and b alternate, so that two can write to one spool."""

    def __init__(self, path: Path, check: Callable[[Path, int], Config]) -> None:
        """``check`` loads a configuration from a descriptor and tests what it names, or raises ConfigError."""
        self._path = path
        self._check = check
        self._made: list[tuple[Generation, _Made]] = []
        self._metrics = Metrics()
        self._metrics.gauge("start_time_seconds", round(time.time(), 3))

    @property
    def bundles(self) -> Path | None:
        """Return the store of bundles that the newest generation reads."""
        settings = self._made[-1][1].config.bundles if self._made else None
        return settings.store if settings is not None else None

    def renew(self) -> Generation:
        """Read the configuration and make its generation; ConfigError when it is bad, or cannot follow this one."""
        text = _text(self._path)
        try:
            config = self._check(self._path, text)
            return self._make(config, text)
        except BaseException:
            os.close(text)
            raise

    def _make(self, config: Config, text: int) -> Generation:
        running = self._made[-1][1] if self._made else None
        if running is None:
            private_directory(config.spool.directory)
            status.clear(config)
        if running is not None and config.spool.directory != running.config.spool.directory:
            raise ConfigError("spool.directory cannot change in a running forwarder; restart it", where=str(self._path))
        letter = "b" if running is not None and running.letter == "a" else "a"
        made = _Made(config, open_sockets(config, running.sockets if running is not None else {}), text, letter)
        generation = Generation(
            workers=tuple(self._worker(made, index) for index in range(config.workers.count)),
            exporter=self._child(made, "exporter", "apisec_forwarder.exporter"),
            control=self._control(made),
            retire=self._retire,
        )
        self._made.append((generation, made))
        return generation

    def report(self, generation: Generation, reloads: Reloads) -> None:
        """Write the supervisor's own status file."""
        made = next(one for known, one in self._made if known is generation)
        for child in generation.children:
            change = child.failures_ever - made.failures.get(child.name, 0)
            self._metrics.inc("process_failures", change, process=child.name)
            made.failures[child.name] = child.failures_ever
        self._metrics.gauge("resident_bytes", process.resident_bytes())
        self._metrics.gauge("config_reload_ok", int(reloads.ok))
        self._metrics.gauge("config_time_seconds", round(reloads.at, 3))
        self._metrics.total("config_reloads", reloads.accepted, outcome="ok")
        self._metrics.total("config_reloads", reloads.refused, outcome="refused")
        with contextlib.suppress(OSError):  # a full disk
            status.write(made.config, PROCESS, self._metrics.snapshot())

    def _worker(self, made: _Made, index: int) -> Child:
        arguments = ["--index", str(index), "--count", str(made.config.workers.count), "--letter", made.letter]
        arguments += [f"--socket={name}={held.socket.fileno()}" for name, held in made.sockets.items()]
        sockets = [held.socket.fileno() for held in made.sockets.values()]
        name = f"worker-{index}{made.letter}"
        return self._child(made, name, "apisec_forwarder.worker", arguments, sockets, careful=True)

    def _control(self, made: _Made) -> Child | None:
        if made.config.admin is None or made.config.decisions is None:
            return None
        return self._child(made, "control", "apisec_forwarder.control", beats=False)

    def _child(
        self,
        made: _Made,
        name: str,
        module: str,
        arguments: list[str] | None = None,
        descriptors: list[int] | None = None,
        *,
        beats: bool = True,
        careful: bool = False,
    ) -> Child:
        command = [sys.executable, "-m", module, "--config", str(made.config.path), "--config-fd", str(made.text)]
        passed = [made.text, *(descriptors or [])]
        return Child(name, [*command, *(arguments or [])], descriptors=passed, beats=beats, careful=careful)

    def _retire(self, keep: Generation | None) -> None:
        """Close what only generations before ``keep`` (or, when it is the running one, after it) used."""
        kept = [one for one in self._made if one[0] is keep]
        sockets = kept[0][1].sockets if kept else {}
        for generation, made in self._made:
            if generation is not keep:
                close_sockets(made.sockets, sockets)
                os.close(made.text)
        self._made = kept


def _text(path: Path) -> int:
    """Return a descriptor of the configuration's text as it is now, in memory."""
    raw = read_text(path)
    descriptor = os.memfd_create("apisec-configuration", os.MFD_CLOEXEC)
    os.write(descriptor, raw)
    return descriptor
