"""Check a built app with Splunk AppInspect: exit 1 on any failure or future failure, print warnings.

AppInspect wants an environment of its own and exits 0 whatever it finds, so this tool makes .venv-appinspect when it
is missing, runs it there and reads its JSON report.

Example:
    python tools/appinspect.py dist/apisec-0.1.0.tar.gz
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import venv
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
ENVIRONMENT = ROOT / ".venv-appinspect"
REQUIREMENT = "splunk-appinspect==4.3.1"
TAGS = ("cloud", "private_victoria", "future", "aarch64_compatibility")
FAILING = ("failure", "future", "error")


def environment() -> Path:
    """Return the AppInspect program, installing it at the first use."""
    program = ENVIRONMENT / "bin/splunk-appinspect"
    if not program.exists():
        print(f"installing {REQUIREMENT} into {ENVIRONMENT.name} …", file=sys.stderr)
        venv.create(ENVIRONMENT, with_pip=True)
        pip = [str(ENVIRONMENT / "bin/python"), "-m", "pip", "install", "-q", REQUIREMENT]
        subprocess.run(pip, check=True)  # noqa: S603 - our own command
    return program


def inspect(archive: Path) -> dict[str, Any]:
    """Run AppInspect; return its report."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        command = [str(environment()), "inspect", str(archive), "--mode", "test", "--data-format", "json"]
        command += ["--output-file", str(report), "--skip-trusted-libraries-update"]
        for tag in TAGS:
            command += ["--included-tags", tag]
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
        if not report.is_file():
            tail = "\n".join((done.stdout + done.stderr).splitlines()[-20:])
            raise SystemExit(f"appinspect: no report was written:\n{tail}")
        return dict(json.loads(report.read_text("utf-8")))


def findings(report: dict[str, Any]) -> list[tuple[str, str, str]]:
    """(result, check, message) of every check that is not a success, worst first."""
    found = []
    for app in report.get("reports", []):
        for group in app.get("groups", []):
            for check in group.get("checks", []):
                for message in check.get("messages", []):
                    result = message.get("result", check["result"])
                    if result in (*FAILING, "warning"):
                        text = message.get("message", "").strip()
                        place = message.get("message_filename") or ""
                        found.append((result, check["name"], f"{text} {place}".strip()))
    order = [*FAILING, "warning"]
    return sorted(set(found), key=lambda f: (order.index(f[0]), f[1], f[2]))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("archive", type=Path, help="the built app, dist/apisec-VERSION.tar.gz")
    parser.add_argument("--json", type=Path, help="also write AppInspect's whole report here")
    arguments = parser.parse_args()
    if not arguments.archive.is_file():
        parser.error(f"{arguments.archive}: no such file; build it with tools/build_app.py")
    report = inspect(arguments.archive)
    if arguments.json:
        arguments.json.write_text(json.dumps(report, indent=1), "utf-8")
    for result, check, message in findings(report):
        print(f"{result:8} {check}: {message}")
    summary = report["summary"]
    print(" ".join(f"{name}={summary[name]}" for name in sorted(summary)))
    failed = sum(int(summary.get(name, 0)) for name in FAILING)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
