"""Modular inputs: the app's scripts, asked for their scheme, checked, and run.

Source: "Modular inputs overview", "Create modular inputs" (dev.splunk.com): ``--scheme``,
``--validate-arguments``, configuration on stdin, events on stdout (input_runs reads them).
"""

from __future__ import annotations

import re
import subprocess
import threading
import xml.parsers.expat
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from xml.etree import ElementTree
from xml.sax.saxutils import escape, quoteattr

from apisec_sandbox.errors import SandboxError
from apisec_sandbox.splunkd.auth import SYSTEM_USER
from apisec_sandbox.splunkd.confs import Stanza
from apisec_sandbox.splunkd.input_runs import InputRuns

if TYPE_CHECKING:
    from apisec_sandbox.splunkd.server import Splunkd

SCHEME_SECONDS = 30.0
STANDARD = ("disabled", "index", "host", "source", "sourcetype", "interval", "python.version", "python.required")
CALL = re.compile(r"\s*(?:validate\()?\s*(is_\w+)\(\s*'([^']+)'\s*\)")
# The functions that a scheme's <validation> may name ("Create modular inputs", "Introspection scheme details").
FUNCTIONS: dict[str, Callable[[str], bool]] = {
    "is_bool": lambda text: text.lower() in ("0", "1", "true", "false", "t", "f", "yes", "no"),
    "is_nonneg_int": lambda text: text.isdigit(),
    "is_pos_int": lambda text: text.isdigit() and int(text) > 0,
    "is_port": lambda text: text.isdigit() and 1 <= int(text) <= 65535,
    "is_avail_tcp_port": lambda text: text.isdigit() and 1 <= int(text) <= 65535,
    "is_avail_udp_port": lambda text: text.isdigit() and 1 <= int(text) <= 65535,
}
TYPES: dict[str, Callable[[str], bool]] = {
    "number": lambda text: re.fullmatch(r"[+-]?\d+(\.\d+)?", text.strip()) is not None,
    "boolean": FUNCTIONS["is_bool"],
}


@dataclass(frozen=True)
class Scheme:
    """What ``--scheme`` answered. ``arguments`` say which of them are required on creation."""

    kind: str
    app: str
    title: str
    description: str
    arguments: dict[str, bool] = field(default_factory=dict)
    external_validation: bool = True
    on_edit: frozenset[str] = frozenset()  # required on every edit
    types: Mapping[str, str] = field(default_factory=dict)
    rules: Mapping[str, str] = field(default_factory=dict)  # <validation> by argument
    streaming: str = "simple"  # or xml
    single: bool = False  # one process for all stanzas

    @classmethod
    def parse(cls, kind: str, app: str, text: str) -> Scheme:
        root = parse_xml(text)
        args = {str(arg.get("name")): arg for arg in root.iterfind("./endpoint/args/arg")}

        def said(name: str, default: str = "false") -> bool:
            return (root.findtext(name) or default).strip().lower() in ("true", "1")

        return cls(
            kind,
            app,
            root.findtext("title") or kind,
            root.findtext("description") or "",
            {name: _said(arg, "required_on_create", "true") for name, arg in args.items()},
            said("use_external_validation"),
            frozenset(name for name, arg in args.items() if _said(arg, "required_on_edit", "false")),
            {name: (arg.findtext("data_type") or "string").strip().lower() for name, arg in args.items()},
            {name: rule for name, arg in args.items() if (rule := arg.findtext("validation"))},
            (root.findtext("streaming_mode") or "simple").strip().lower(),
            said("use_single_instance"),
        )

    def check(self, settings: Mapping[str, str]) -> None:
        """Hold the arguments to the scheme.

        Raises:
            SandboxError: one is missing, unknown, or of the wrong type.
        """
        missing = [name for name, need in self.arguments.items() if need and name != "name" and not settings.get(name)]
        if missing:
            raise SandboxError(f"The following required arguments are missing: {', '.join(missing)}.")
        for name, value in settings.items():
            if name not in self.arguments and name not in STANDARD:
                raise SandboxError(f'Argument "{name}" is not supported by this endpoint.')
            kind = self.types.get(name, "string")
            if value and kind in TYPES and not TYPES[kind](value):
                raise SandboxError(f'Argument "{name}" must be of type {kind}, not {value[:80]!r}.')
            self._rule(name, value)

    def _rule(self, name: str, value: str) -> None:
        match = CALL.match(self.rules.get(name, ""))
        if match and match[1] in FUNCTIONS and match[2] == name and value and not FUNCTIONS[match[1]](value):
            raise SandboxError(f'Argument "{name}": {value[:80]!r} does not fulfil {match[1]}.')


def _said(arg: ElementTree.Element, name: str, default: str) -> bool:
    return (arg.findtext(name) or default).strip().lower() in ("true", "1")


def parse_xml(text: str) -> ElementTree.Element:
    """Parse XML from a script; entities and document types are refused.

    Raises:
        SandboxError: malformed or forbidden.
    """
    parser = ElementTree.XMLParser()  # noqa: S314 - document types are refused just below
    if re.search(r"<!(DOCTYPE|ENTITY)", text, re.IGNORECASE):
        raise SandboxError("XML with a document type is refused")
    try:
        parser.feed(text)
        return parser.close()
    except (ElementTree.ParseError, xml.parsers.expat.ExpatError) as error:
        raise SandboxError(f"malformed XML: {error}") from error


class ModularInputs:
    def __init__(self, splunkd: Splunkd) -> None:
        self._splunkd = splunkd
        self._schemes: dict[tuple[str, int], Scheme] = {}
        self._lock = threading.Lock()
        self._runs = InputRuns(splunkd, self)

    def kinds(self) -> dict[str, str]:
        """Return kinds and their apps: a spec file names the stanza, a script in bin/ bears its name."""
        found: dict[str, str] = {}
        for app in self._splunkd.confs.apps():
            spec = self._splunkd.home.apps / app / "README" / "inputs.conf.spec"
            if not spec.is_file():
                continue
            for kind in re.findall(r"^\[([A-Za-z0-9_\-]+)://", spec.read_text("utf-8", "replace"), re.MULTILINE):
                if (self._splunkd.home.apps / app / "bin" / f"{kind}.py").is_file():
                    found.setdefault(kind, app)
        return found

    def scheme(self, kind: str) -> Scheme:
        """Ask the script, once for each version of its file.

        Raises:
            SandboxError: no such kind, or a script that does not answer with a scheme.
        """
        app = self.kinds().get(kind)
        if app is None:
            raise SandboxError(f"There is no modular input {kind!r}; known: {sorted(self.kinds())}")
        key = (kind, self._splunkd.runner.script(app, f"{kind}.py").stat().st_mtime_ns)
        with self._lock:
            if key in self._schemes:
                return self._schemes[key]
        scheme = Scheme.parse(kind, app, self._call(kind, app, ("--scheme",), ""))
        with self._lock:
            self._schemes[key] = scheme
        return scheme

    def _call(self, kind: str, app: str, args: tuple[str, ...], text: str) -> str:
        runner = self._splunkd.runner
        path = runner.script(app, f"{kind}.py")
        try:
            done = subprocess.run(  # noqa: S603 - the app's own script
                runner.argv(path, *args),
                input=text.encode(),
                capture_output=True,
                cwd=path.parent,
                env=runner.environment(),
                timeout=SCHEME_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise SandboxError(f"{kind}.py {' '.join(args)} did not end within {SCHEME_SECONDS:.0f} s") from error
        if done.returncode:
            raise SandboxError(_script_error(done.stdout, done.stderr) or f"{kind}.py ended with {done.returncode}")
        return done.stdout.decode("utf-8", "replace")

    def validate(self, kind: str, name: str, settings: dict[str, str]) -> None:
        """Hold the arguments of a new or changed input to the scheme, and let the script judge them.

        Raises:
            SandboxError: with the script's message.
        """
        scheme = self.scheme(kind)
        scheme.check(settings)
        if not scheme.external_validation:
            return
        session = self._splunkd.users.open_session(SYSTEM_USER)
        try:
            items = f"<item name={quoteattr(name)}>{params(settings)}</item>"
            text = f"<items>{self.head(kind, session.key)}{items}</items>"
            self._call(kind, scheme.app, ("--validate-arguments",), text)
        finally:
            self._splunkd.users.close_session(session.key)

    def head(self, kind: str, key: str) -> str:
        """What every message to a script starts with."""
        folder = self._splunkd.home.checkpoints / kind
        folder.mkdir(parents=True, exist_ok=True)
        return (
            "<server_host>apisec-sandbox</server_host>"
            f"<server_uri>{escape(self._splunkd.runner.uri)}</server_uri>"
            f"<session_key>{escape(key)}</session_key>"
            f"<checkpoint_dir>{escape(str(folder))}</checkpoint_dir>"
        )

    def stanzas(self) -> list[Stanza]:
        """Return the enabled stanzas of kinds whose script is installed."""
        kinds = self.kinds()
        found = []
        for name, stanza in self._splunkd.confs.stanzas("inputs").items():
            kind, slashes, instance = name.partition("://")
            if slashes and instance and kind in kinds and not stanza.flag("disabled"):
                found.append(stanza)
        return found

    def tick(self, now: float) -> None:
        """Start every input whose time has come and that does not run; end those that are enabled no more."""
        self._runs.tick(now)

    def close(self) -> None:
        self._runs.close()


def params(settings: Mapping[str, str]) -> str:
    return "".join(f"<param name={quoteattr(key)}>{escape(value)}</param>" for key, value in settings.items())


def _script_error(stdout: bytes, stderr: bytes) -> str:
    """The message of ``<error><message>…``, else the last line of stderr."""
    match = re.search(r"<message>(.*?)</message>", stdout.decode("utf-8", "replace"), re.DOTALL)
    if match:
        return match[1].strip()
    lines = stderr.decode("utf-8", "replace").strip().splitlines()
    return lines[-1][:500] if lines else ""
