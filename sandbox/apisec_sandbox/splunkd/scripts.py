"""How scripts of apps are found and started: interpreter, environment, working folder, log."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from apisec_sandbox.errors import SandboxError
from apisec_sandbox.splunkd.home import Home

# -s ignores the user's packages, -S this interpreter's site-packages: an app brings its own. PYTHON* variables of
# this process do not reach it either, the environment is made anew.
ISOLATION = ("-s", "-S")
# The splunk package of Splunk's own Python, for scripts only.
LIBRARY = Path(__file__).parent / "scriptlib"
KEPT = ("PATH", "LANG", "LC_ALL", "TZ", "HOME", "TMPDIR", "USER")


@dataclass(frozen=True)
class Runner:
    """Starts the scripts of apps as splunkd does."""

    home: Home
    python: Path
    scheme: str = "https"
    mgmt_port: int = 0
    ca: Path | None = None

    def script(self, app: str, filename: str) -> Path:
        """Return the script's path.

        Raises:
            SandboxError: it is not in the app's bin folder.
        """
        folder = (self.home.apps / app / "bin").resolve()
        path = (folder / filename).resolve()
        if not path.is_relative_to(folder) or not path.is_file():
            raise SandboxError(f"App {app} has no script bin/{filename}")
        return path

    def argv(self, path: Path, *args: str) -> tuple[str, ...]:
        if path.suffix == ".py":
            return (str(self.python), *ISOLATION, str(path), *args)
        return (str(path), *args)

    def module(self, name: str, *args: str) -> tuple[str, ...]:
        """Return how a module of LIBRARY is run."""
        return (str(self.python), *ISOLATION, "-m", name, *args)

    def environment(self) -> dict[str, str]:
        """What splunkd sets for its children, and nothing of this process's Python."""
        kept = {name: os.environ[name] for name in KEPT if name in os.environ}
        trust = {"SSL_CERT_FILE": str(self.ca)} if self.ca else {}
        return {
            **kept,
            **trust,
            "PYTHONIOENCODING": "utf-8",
            "PYTHONPATH": str(LIBRARY),
            "SPLUNK_HOME": str(self.home.root),
            "SPLUNK_ETC": str(self.home.etc),
            "SPLUNK_DB": str(self.home.data),
            "SPLUNK_SERVER_NAME": "apisec-sandbox",
            "SPLUNKD_URI": self.uri,
        }

    @property
    def uri(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.mgmt_port}"
