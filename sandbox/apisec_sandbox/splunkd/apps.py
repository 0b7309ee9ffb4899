"""Installing an app: an archive or a folder into HOME/etc/apps, refused when it is no app or would escape."""

from __future__ import annotations

import shutil
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from apisec_sandbox.errors import AppError, SandboxError
from apisec_sandbox.splunkd import confs
from apisec_sandbox.splunkd.home import Home
from apisec_sandbox.splunkd.specs import check_app

MAX_APP_BYTES = 512 * 1024 * 1024  # unpacked
MAX_APP_FILES = 50_000
MAX_ERRORS = 20  # of a configuration, that a message lists


@dataclass(frozen=True)
class InstalledApp:
    name: str
    version: str
    label: str
    files: int
    warnings: tuple[str, ...] = ()  # of settings that no specification knows


def install(source: Path, home: Home) -> InstalledApp:
    """Put the app into HOME and return what it is. ``local/`` and ``lookups/`` of an earlier install stay.

    Raises:
        AppError: no such file, no app, or an archive that is unsafe to unpack.
    """
    home.prepare()
    if not source.exists():
        raise AppError(f"{source}: no such file; give an app's folder or its .tar.gz/.spl")
    with tempfile.TemporaryDirectory(prefix="install-", dir=home.etc) as scratch:
        staged = Path(scratch)
        folder = _copy_folder(source, staged) if source.is_dir() else _unpack(source, staged)
        app = _inspect(folder)
        _replace(folder, home.apps / app.name)
    return app


def _copy_folder(source: Path, staged: Path) -> Path:
    if not (source / "default" / "app.conf").is_file():
        raise AppError(f"{source}: not a Splunk app, default/app.conf is missing")
    target = staged / _app_id(source, source.resolve().name)
    shutil.copytree(source, target, symlinks=False, ignore=shutil.ignore_patterns("__pycache__", ".git"))
    return target


def _app_id(folder: Path, fallback: str) -> str:
    conf = confs.parse((folder / "default" / "app.conf").read_text("utf-8"), str(folder / "default/app.conf"))
    return conf.get("package", {}).get("id") or conf.get("id", {}).get("name") or fallback


def _unpack(source: Path, staged: Path) -> Path:
    try:
        with tarfile.open(source) as archive:
            members = _checked(archive, source)
            archive.extractall(staged, members=members, filter="data")
    except (tarfile.TarError, EOFError, OSError) as error:
        raise AppError(f"{source}: not an app archive (tar, gzip): {error}") from error
    tops = {PurePosixPath(member.name).parts[0] for member in members if PurePosixPath(member.name).parts}
    if len(tops) != 1:
        raise AppError(f"{source}: an app's archive holds one top folder, found {sorted(tops)[:5]}")
    return staged / tops.pop()


def _checked(archive: tarfile.TarFile, source: Path) -> list[tarfile.TarInfo]:
    members: list[tarfile.TarInfo] = []
    size = 0
    for member in archive:
        size += member.size
        if size > MAX_APP_BYTES or len(members) >= MAX_APP_FILES:
            raise AppError(f"{source}: unpacks to more than {MAX_APP_BYTES} bytes or {MAX_APP_FILES} files")
        if not (member.isfile() or member.isdir()):
            raise AppError(f"{source}: {member.name} is a link or a device; apps hold files and folders only")
        members.append(member)
    return members


def _inspect(folder: Path) -> InstalledApp:
    path = folder / "default" / "app.conf"
    if not path.is_file():
        raise AppError(f"{folder.name}: not a Splunk app, default/app.conf is missing")
    if not confs.NAME.match(folder.name) or folder.name.startswith("."):
        raise AppError(f"{folder.name!r} is not a name of an app")
    for conf in sorted(folder.glob("*/*.conf")):
        try:
            confs.parse(conf.read_text("utf-8"), str(conf.relative_to(folder)))
        except (SandboxError, UnicodeDecodeError) as error:
            raise AppError(f"{folder.name}: {error}") from error
    findings = check_app(folder)
    if errors := [str(finding) for finding in findings if finding.error]:
        more = f"\n… and {len(errors) - MAX_ERRORS} more" if len(errors) > MAX_ERRORS else ""
        raise AppError(f"{folder.name}: its configuration is wrong\n" + "\n".join(errors[:MAX_ERRORS]) + more)
    settings = confs.parse(path.read_text("utf-8"), "default/app.conf")
    version = settings.get("launcher", {}).get("version") or settings.get("id", {}).get("version", "")
    label = settings.get("ui", {}).get("label", folder.name)
    files = sum(path.is_file() for path in folder.rglob("*"))
    return InstalledApp(folder.name, version, label, files, tuple(str(finding) for finding in findings))


def _replace(folder: Path, target: Path) -> None:
    """Put ``folder`` in place of ``target``, keeping what an administrator and the searches wrote there."""
    for kept in ("local", "lookups"):
        if (target / kept).is_dir():
            _merge_missing(target / kept, folder / kept)
    if target.exists():
        shutil.rmtree(target)
    shutil.move(str(folder), str(target))


def _merge_missing(old: Path, new: Path) -> None:
    for path in old.rglob("*"):
        copy = new / path.relative_to(old)
        if path.is_file() and (old.name == "local" or not copy.exists()):
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(path, copy)
