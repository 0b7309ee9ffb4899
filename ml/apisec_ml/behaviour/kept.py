"""Examples of whole sources on disk, so that training again does not let the engine see weeks of events again.

They are kept with joblib, which is pickle: a file of somebody else could run code. So they are only ever read from a
folder of one's own that nobody else can write to, and never travel; what travels is the artefact, which is JSON.
"""

from __future__ import annotations

import hashlib
import inspect
import json
import os
import stat
from dataclasses import replace
from pathlib import Path

import joblib

import apisec
from apisec.errors import ConfigError
from apisec_ml.behaviour import events, examples, judging, labels, margins, rows, run, told, truth
from apisec_ml.behaviour.examples import Examples, examples_of, merged
from apisec_ml.behaviour.rows import Source
from apisec_ml.behaviour.run import Settings, run_all

MODE = 0o700


def examples_from(sources: list[Source], settings: Settings, jobs: int) -> Examples:
    """Return the examples of all sources; those that are kept in the settings' cache are not made again."""
    if settings.cache is None:
        return examples_of(run_all(sources, settings, jobs))
    folder = own_folder(settings.cache / "examples")
    digest = _code(settings)
    paths = {source: folder / f"{_name(source, digest)}.joblib" for source in sources}
    missing = [source for source, path in paths.items() if not path.exists()]
    if len(missing) >= jobs:  # each source is kept as soon as it is seen
        tasks = (joblib.delayed(_made)(source, paths[source], settings) for source in missing)
        joblib.Parallel(n_jobs=jobs, backend="multiprocessing")(tasks)
    else:
        for source in missing:  # in parts
            _keep(paths[source], examples_of(run_all([source], settings, jobs)))
    return merged([joblib.load(path) for path in paths.values()])


def _made(source: Source, path: Path, settings: Settings) -> None:
    _keep(path, examples_of(run_all([source], settings, 1)))


def own_folder(path: Path) -> Path:
    """Return a folder that is made if need be; ConfigError unless it is ours, and nobody else's to write to."""
    path.mkdir(parents=True, exist_ok=True, mode=MODE)
    about = path.lstat()
    if not stat.S_ISDIR(about.st_mode) or about.st_uid != os.geteuid() or stat.S_IMODE(about.st_mode) & 0o022:
        raise ConfigError(f"{path} has to be a folder of yours that nobody else can write to: chmod 700, or remove it")
    return path


def _keep(path: Path, made: Examples) -> None:
    half = path.with_suffix(f".{os.getpid()}")
    joblib.dump(made, half, compress=3)
    half.replace(path)


def _name(source: Source, code: str) -> str:
    files = [one for one in (source.events, source.labels, source.dispositions) if one is not None]
    stats = [(str(one.resolve()), one.stat().st_size, one.stat().st_mtime_ns) for one in files]
    digest = hashlib.sha256(json.dumps([source.name, stats, code]).encode()).hexdigest()
    return f"{source.events.parent.name}-{digest[:16]}"


def _code(settings: Settings) -> str:
    """Return a digest of all code that observations are made by, and of the models that ran meanwhile."""
    digest = hashlib.sha256(repr(replace(settings, cache=None, quiet=True)).encode())
    core = Path(inspect.getfile(apisec)).parent
    made_by = [
        Path(inspect.getfile(module)) for module in (events, examples, judging, labels, margins, rows, run, told, truth)
    ]
    for path in [*sorted((*core.rglob("*.py"), *core.rglob("*.json"))), *made_by]:
        digest.update(path.read_bytes())
    if settings.model is not None:
        digest.update(settings.model.read_bytes())
    return digest.hexdigest()
