"""Build the Splunk app: ``python tools/build_app.py`` writes dist/apisec-VERSION.tar.gz.

The same sources give the same bytes: ucc-gen works on a staged copy in build/src, what it stamps with the time is
replaced by a number made from the content, and the archive carries fixed owners, modes and times.

Example:
    python tools/build_app.py                     # build/ and dist/ beside this repository
    python tools/build_app.py --work /tmp/a --dist /tmp/b
"""

from __future__ import annotations

import argparse
import ast
import gzip
import hashlib
import io
import json
import re
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
APP = "apisec"
PIP_VERSION = "26.2.1"  # ucc-gen 6.6.0 breaks with pip 26.3
# requirements.txt pins everything, pure Python that runs on 3.9 and 3.13; splunk-sdk 2.1.1 comes as a source archive.
PIP_FLAGS = "--no-compile --ignore-installed --no-deps"
# 2020-01-01T00:00:00Z: a time that every unpacker accepts.
ARCHIVE_TIME = 1_577_836_800
COMPILED = (".pyc", ".pyo", ".so", ".pyd", ".dll", ".dylib", ".a", ".o", ".exe")
# What the libraries install and nothing in the app reads.
PRUNED_DIRECTORIES = ("__pycache__", "tests", "test", "bin")
PRUNED_METADATA = ("RECORD", "INSTALLER", "REQUESTED", "WHEEL", "direct_url.json")


class BuildError(Exception):
    """The build cannot go on; the message names the cause and the remedy."""


def version() -> str:
    """The one version: ``__version__`` of core/apisec, read without importing it."""
    source = (ROOT / "core/apisec/__init__.py").read_text("utf-8")
    for node in ast.parse(source).body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "__version__":
            return str(ast.literal_eval(node.value))
    raise BuildError("core/apisec/__init__.py sets no __version__")


def ignore_generated(_directory: str, names: list[str]) -> set[str]:
    """For copytree: what a run leaves behind and what systems add to folders."""
    return {n for n in names if n == "__pycache__" or n.endswith(COMPILED) or n.startswith(".")}


def stage(source: Path, app_version: str) -> None:
    """Fill ``source`` with what ucc-gen reads: package/, the manifest, the pages, core and the rendered content."""
    shutil.rmtree(source, ignore_errors=True)
    shutil.copytree(ROOT / "package", source / "package", ignore=ignore_generated)
    shutil.copytree(ROOT / "core/apisec", source / "package/lib/apisec", ignore=ignore_generated)
    shutil.copy(ROOT / "LICENSE", source / "package/LICENSE")
    pages = json.loads((ROOT / "globalConfig.json").read_text("utf-8"))
    pages["meta"]["version"] = app_version
    (source / "globalConfig.json").write_text(json.dumps(pages, indent=4) + "\n", "utf-8")
    manifest = json.loads((ROOT / "app.manifest").read_text("utf-8"))
    manifest["info"]["id"]["version"] = app_version
    (source / "package/app.manifest").write_text(json.dumps(manifest, indent=4) + "\n", "utf-8")
    shutil.copy(ROOT / "additional_packaging.py", source / "additional_packaging.py")


def render_content(default: Path) -> None:
    """Render content/ into default/ and lib/ of the staged app, in a process of its own."""
    tool = ROOT / "tools/render_content.py"
    run([sys.executable, str(tool), "--into", str(default.parent)], "the detections in content/ do not render")
    run([sys.executable, str(ROOT / "tools/dashboard_lint.py")], "a dashboard names what is not there")


def run(command: list[str], failure: str) -> str:
    """Run a command; on a non-zero exit raise BuildError with its last lines."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own commands
    output = done.stdout + done.stderr
    if done.returncode != 0:
        raise BuildError(f"{failure}:\n" + "\n".join(output.splitlines()[-25:]))
    return output


def generate(source: Path, output: Path, app_version: str) -> Path:
    """Run ucc-gen; return the folder of the generated app."""
    shutil.rmtree(output, ignore_errors=True)
    command = [sys.executable, "-m", "splunk_add_on_ucc_framework.main", "build"]
    command += ["--source", str(source / "package"), "--config", str(source / "globalConfig.json")]
    command += ["--ta-version", app_version, "--python-binary-name", sys.executable, "-o", str(output)]
    command += ["--pip-version", PIP_VERSION, f"--pip-custom-flag={PIP_FLAGS}"]
    log = run(command, "ucc-gen failed")
    app = output / APP
    # ucc-gen exits 0 after a crash: only the manifest, written last, says that it came to the end.
    if not (app / "app.manifest").is_file():
        raise BuildError("ucc-gen stopped early:\n" + "\n".join(log.splitlines()[-25:]))
    return app


def prune(app: Path) -> None:
    """Remove compiled files, tests of libraries and installer records, and then empty folders."""
    library = app / "lib"
    for path in sorted(app.rglob("*"), reverse=True):
        inside_library = library in path.parents
        if path.is_dir():
            if path.name == "__pycache__" or (inside_library and path.name in PRUNED_DIRECTORIES):
                shutil.rmtree(path)
            elif not any(path.iterdir()):
                path.rmdir()
        elif path.name.endswith(COMPILED) or (inside_library and path.name in PRUNED_METADATA):
            path.unlink()


def content_number(app: Path) -> int:
    """A build number made from the content: equal content gives an equal number, below 2**31."""
    digest = hashlib.sha256()
    for path in files(app):
        digest.update(path.relative_to(app).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return int(digest.hexdigest()[:7], 16)


def freeze_build_number(app: Path) -> None:
    """Replace the build time that ucc-gen stamps into app.conf and base.html."""
    conf, page = app / "default/app.conf", app / "appserver/templates/base.html"
    found = re.search(r"^build\s*=\s*(\d+)$", conf.read_text("utf-8"), re.MULTILINE)
    if not found:
        raise BuildError("default/app.conf has no build number: ucc-gen changed its template")
    stamp = found.group(1)
    for path in (conf, page):
        path.write_text(path.read_text("utf-8").replace(stamp, "0"), "utf-8")
    number = str(content_number(app))
    conf.write_text(re.sub(r"(?m)^(build\s*=\s*)0$", rf"\g<1>{number}", conf.read_text("utf-8")), "utf-8")


def files(app: Path) -> Iterator[Path]:
    """Every file of the app, sorted by its path inside it."""
    return iter(sorted((p for p in app.rglob("*") if p.is_file()), key=lambda p: p.relative_to(app).as_posix()))


def mode_of(name: str) -> int:
    """644 for files; scripts in bin/ that splunkd starts are executable."""
    return 0o755 if re.fullmatch(rf"{APP}/bin/[^/]+\.py", name) else 0o644


def entries(app: Path) -> Iterator[tuple[tarfile.TarInfo, bytes]]:
    """Archive members in sorted order: folders before what they hold, nothing that depends on the machine."""
    for path in sorted([app, *app.rglob("*")], key=lambda p: p.relative_to(app.parent).as_posix()):
        info = tarfile.TarInfo(path.relative_to(app.parent).as_posix())
        info.mtime = ARCHIVE_TIME
        data = b""
        if path.is_dir():
            info.type, info.mode = tarfile.DIRTYPE, 0o755
        else:
            data = path.read_bytes()
            info.size, info.mode = len(data), mode_of(info.name)
        yield info, data


def archive(app: Path, target: Path) -> None:
    """Write the app as a tar.gz whose bytes depend on the content alone."""
    target.parent.mkdir(parents=True, exist_ok=True)
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for info, data in entries(app):
            tar.addfile(info, io.BytesIO(data))
    part = target.with_suffix(".part")
    with part.open("wb") as out, gzip.GzipFile("", "wb", compresslevel=9, fileobj=out, mtime=0) as packed:
        packed.write(raw.getvalue())
    part.replace(target)


def build(work: Path, dist: Path) -> Path:
    """Build the app; return the archive's path."""
    app_version = version()
    source, output = work / "src", work / "out"
    stage(source, app_version)
    render_content(source / "package/default")
    app = generate(source, output, app_version)
    prune(app)
    freeze_build_number(app)
    target = dist / f"{APP}-{app_version}.tar.gz"
    archive(app, target)
    return target


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, default=ROOT / "build", help="folder to build in (default: build)")
    parser.add_argument("--dist", type=Path, default=ROOT / "dist", help="folder of the archive (default: dist)")
    arguments = parser.parse_args()
    try:
        target = build(arguments.work.resolve(), arguments.dist.resolve())
    except BuildError as error:
        print(f"build_app: error: {error}", file=sys.stderr)
        return 1
    digest = hashlib.sha256(target.read_bytes()).hexdigest()
    print(f"{target}  {target.stat().st_size:,} bytes  sha256 {digest}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
