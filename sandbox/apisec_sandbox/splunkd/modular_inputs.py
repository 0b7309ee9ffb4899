"""Modular inputs: the app's scripts, asked for their scheme and run on their interval.

Source: "Modular inputs overview", "Create modular inputs" (dev.splunk.com): ``--scheme``,
``--validate-arguments``, configuration on stdin, events as an XML stream on stdout.
"""

from __future__ import annotations

import io
import logging
import re
import subprocess
import threading
import xml.parsers.expat
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast
from xml.etree import ElementTree
from xml.sax.saxutils import escape, quoteattr

from apisec_sandbox.errors import SandboxError
from apisec_sandbox.splunkd.auth import SYSTEM_USER
from apisec_sandbox.splunkd.confs import Stanza
from apisec_sandbox.splunkd.cron import parse as parse_cron
from apisec_sandbox.splunkd.indexes import Event

if TYPE_CHECKING:
    from apisec_sandbox.splunkd.server import Splunkd

LOG = logging.getLogger("apisec_sandbox.inputs")
SCHEME_SECONDS = 30.0
MAX_RUN_SECONDS = 3600.0
MAX_EVENT = 4 * 1024 * 1024
STANDARD = ("disabled", "index", "host", "source", "sourcetype", "interval", "python.version", "python.required")


@dataclass(frozen=True)
class Scheme:
    """What ``--scheme`` answered: names of arguments and which of them are required on creation."""

    kind: str
    app: str
    title: str
    description: str
    arguments: dict[str, bool] = field(default_factory=dict)
    external_validation: bool = True


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
        self._schemes: dict[str, Scheme] = {}
        self._lock = threading.Lock()
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._next: dict[str, float] = {}

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
        """Ask the script.

        Raises:
            SandboxError: no such kind, or a script that does not answer with a scheme.
        """
        with self._lock:
            if kind in self._schemes:
                return self._schemes[kind]
        app = self.kinds().get(kind)
        if app is None:
            raise SandboxError(f"There is no modular input {kind!r}; known: {sorted(self.kinds())}")
        root = parse_xml(self._call(kind, app, ("--scheme",), ""))
        arguments = {
            str(arg.get("name")): (arg.findtext("required_on_create") or "true").strip().lower() in ("true", "1")
            for arg in root.iterfind("./endpoint/args/arg")
        }
        external = (root.findtext("use_external_validation") or "false").strip().lower() == "true"
        scheme = Scheme(
            kind, app, root.findtext("title") or kind, root.findtext("description") or "", arguments, external
        )
        with self._lock:
            self._schemes[kind] = scheme
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
        """Let the script judge the arguments of a new or changed input.

        Raises:
            SandboxError: with the script's message.
        """
        scheme = self.scheme(kind)
        missing = [
            arg for arg, required in scheme.arguments.items() if required and arg != "name" and not settings.get(arg)
        ]
        if missing:
            raise SandboxError(f"The following required arguments are missing: {', '.join(missing)}.")
        unknown = [arg for arg in settings if arg not in scheme.arguments and arg not in STANDARD]
        if unknown:
            raise SandboxError(f'Argument "{unknown[0]}" is not supported by this endpoint.')
        if not scheme.external_validation:
            return
        session = self._splunkd.users.open_session(SYSTEM_USER)
        try:
            items = f"<item name={quoteattr(name)}>{_params(settings)}</item>"
            text = f"<items>{self._head(kind, session.key)}{items}</items>"
            self._call(kind, scheme.app, ("--validate-arguments",), text)
        finally:
            self._splunkd.users.close_session(session.key)

    def _head(self, kind: str, key: str) -> str:
        folder = self._splunkd.home.checkpoints / kind
        folder.mkdir(parents=True, exist_ok=True)
        return (
            "<server_host>apisec-sandbox</server_host>"
            f"<server_uri>{escape(self._splunkd.runner.uri)}</server_uri>"
            f"<session_key>{escape(key)}</session_key>"
            f"<checkpoint_dir>{escape(str(folder))}</checkpoint_dir>"
        )

    # Running

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
        """Start every input whose time has come and that does not run."""
        for stanza in self.stanzas():
            due = self._next.setdefault(stanza.name, now)
            if now >= due and stanza.name not in self._running:
                self._next[stanza.name] = self._following(stanza, now)
                threading.Thread(target=self.run, args=(stanza,), daemon=True, name="input").start()

    @staticmethod
    def _following(stanza: Stanza, now: float) -> float:
        text = stanza.get("interval") or "60"
        try:
            return now + max(1.0, float(text)) if float(text) > 0 else float("inf")
        except ValueError:
            return parse_cron(text).next(now)

    def run(self, stanza: Stanza) -> int:
        """Run one input to its end and index what it writes; return its exit code."""
        kind = stanza.name.partition("://")[0]
        runner = self._splunkd.runner
        app = self.kinds()[kind]
        path = runner.script(app, f"{kind}.py")
        session = self._splunkd.users.open_session(SYSTEM_USER)
        text = (
            f"<input>{self._head(kind, session.key)}<configuration><stanza name={quoteattr(stanza.name)} "
            f"app={quoteattr(stanza.app)}>{_params(stanza.settings)}</stanza></configuration></input>"
        )
        log = self._splunkd.home.log / f"modinput_{kind}.log"
        try:
            with log.open("ab") as errors:
                process = subprocess.Popen(  # noqa: S603 - the app's own script
                    runner.argv(path),
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=errors,
                    cwd=path.parent,
                    env=runner.environment(),
                )
                self._running[stanza.name] = process
                return self._feed(process, text, stanza)
        except (OSError, SandboxError):
            LOG.exception("modular input %s failed", stanza.name)
            return -1
        finally:
            self._running.pop(stanza.name, None)
            self._splunkd.users.close_session(session.key)

    def _feed(self, process: subprocess.Popen[bytes], text: str, stanza: Stanza) -> int:
        assert process.stdin is not None
        assert process.stdout is not None
        guard = threading.Timer(MAX_RUN_SECONDS, process.kill)
        guard.daemon = True
        guard.start()
        try:
            process.stdin.write(text.encode())
            process.stdin.close()
            stream = EventStream(stanza, self._splunkd.clock)
            stdout = cast("io.BufferedReader", process.stdout)
            for chunk in iter(lambda: stdout.read1(65536), b""):
                self._index(stream.feed(chunk))
            self._index(stream.finish())
        except BrokenPipeError:
            LOG.warning("modular input %s closed its input", stanza.name)
        finally:
            guard.cancel()
            code = process.wait(timeout=30)
            process.stdout.close()
        if code:
            LOG.warning("modular input %s ended with code %d", stanza.name, code)
        return code

    def _index(self, events: list[Event]) -> None:
        known = set(self._splunkd.index_names())
        kept = [event for event in events if event.index_name in known]
        if len(kept) < len(events):
            LOG.warning("modular input wrote to an unknown index: %d events dropped", len(events) - len(kept))
        if kept:
            self._splunkd.store.append(kept)

    def close(self) -> None:
        for process in list(self._running.values()):
            process.terminate()


class EventStream:
    """Reads ``<stream><event>…`` as it comes; text that is no XML counts as one event a line."""

    def __init__(self, stanza: Stanza, clock: Callable[[], float]) -> None:
        self._stanza = stanza
        self._clock = clock
        self._buffer = b""
        self._xml: bool | None = None

    def feed(self, chunk: bytes) -> list[Event]:
        self._buffer += chunk
        if self._xml is None:
            head = self._buffer.lstrip()
            if not head:
                return []
            self._xml = head.startswith(b"<")
        return self._take(b"</event>" if self._xml else b"\n")

    def _take(self, end: bytes) -> list[Event]:
        events = []
        while (stop := self._buffer.find(end)) >= 0:
            piece, self._buffer = self._buffer[: stop + len(end)], self._buffer[stop + len(end) :]
            event = self._xml_event(piece) if self._xml else self._plain(piece)
            if event:
                events.append(event)
        if len(self._buffer) > MAX_EVENT:
            raise SandboxError(f"modular input {self._stanza.name}: an event is longer than {MAX_EVENT} bytes")
        return events

    def finish(self) -> list[Event]:
        if self._xml is False and self._buffer.strip():
            event = self._plain(self._buffer)
            return [event] if event else []
        return []

    def _xml_event(self, piece: bytes) -> Event | None:
        text = piece.decode("utf-8", "replace")
        start = text.find("<event")
        if start < 0:
            return None
        root = parse_xml(text[start:])
        data = root.findtext("data")
        if data is None:
            return None
        when = root.findtext("time")
        return self._event(data, {child.tag: child.text or "" for child in root}, float(when) if when else None)

    def _plain(self, piece: bytes) -> Event | None:
        text = piece.decode("utf-8", "replace").strip("\r\n")
        return self._event(text, {}, None) if text.strip() else None

    def _event(self, data: str, own: dict[str, str], when: float | None) -> Event:
        settings = self._stanza.settings
        now = self._clock()
        kind = self._stanza.name.partition("://")[0]
        index = own.get("index") or settings.get("index") or "main"
        return Event(
            now if when is None else when,
            now,
            own.get("host") or settings.get("host") or "apisec-sandbox",
            own.get("source") or settings.get("source") or self._stanza.name,
            own.get("sourcetype") or settings.get("sourcetype") or kind,
            data,
            {},
            "main" if index == "default" else index,
        )


def _params(settings: dict[str, str]) -> str:
    return "".join(f"<param name={quoteattr(key)}>{escape(value)}</param>" for key, value in settings.items())


def _script_error(stdout: bytes, stderr: bytes) -> str:
    """The message of ``<error><message>…``, else the last line of stderr."""
    match = re.search(r"<message>(.*?)</message>", stdout.decode("utf-8", "replace"), re.DOTALL)
    if match:
        return match[1].strip()
    lines = stderr.decode("utf-8", "replace").strip().splitlines()
    return lines[-1][:500] if lines else ""
