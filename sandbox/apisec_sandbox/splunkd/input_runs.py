"""Running modular inputs: when each starts, its process, and the events that it writes.

Source: "Create modular inputs" (dev.splunk.com), "Set up streaming", "Single script instance per input stanza";
inputs.conf.spec (interval).
"""

from __future__ import annotations

import io
import logging
import os
import signal
import subprocess
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast
from xml.etree import ElementTree
from xml.sax.saxutils import quoteattr

from apisec_sandbox.errors import SandboxError
from apisec_sandbox.splunkd.auth import SYSTEM_USER
from apisec_sandbox.splunkd.confs import Stanza
from apisec_sandbox.splunkd.cron import parse as parse_cron
from apisec_sandbox.splunkd.indexes import Event
from apisec_sandbox.splunkd.parsing import Meta, Parser, ParsingError

if TYPE_CHECKING:
    from apisec_sandbox.splunkd.modular_inputs import ModularInputs
    from apisec_sandbox.splunkd.server import Splunkd

LOG = logging.getLogger("apisec_sandbox.inputs")
MAX_EVENT = 4 * 1024 * 1024
BACKOFF = 2.0  # seconds before the second start after a failure, doubled with each
MAX_BACKOFF = 300.0
GRACE = 5.0  # seconds between the request to end and the end


@dataclass
class _Run:
    """One process that runs, for one stanza or, in single-instance mode, for all of a kind."""

    stanzas: list[Stanza]
    process: subprocess.Popen[bytes] | None = None
    ending: bool = False
    lock: threading.Lock = field(default_factory=threading.Lock)

    def end(self) -> None:
        """Ask the whole process group to end, and see to it."""
        with self.lock:
            self.ending = True
            process = self.process
        if process is None or process.poll() is not None:
            return
        _signal(process, signal.SIGTERM)
        try:
            process.wait(GRACE)
        except subprocess.TimeoutExpired:
            LOG.warning("a modular input did not end when asked and was killed")
        _signal(process, signal.SIGKILL)


def _signal(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    try:
        os.killpg(process.pid, number)
    except ProcessLookupError:
        LOG.debug("process group %d is gone", process.pid)


class InputRuns:
    def __init__(self, splunkd: Splunkd, inputs: ModularInputs) -> None:
        self._splunkd = splunkd
        self._inputs = inputs
        self._lock = threading.Lock()
        self._running: dict[str, _Run] = {}
        self._next: dict[str, float] = {}
        self._failures: dict[str, int] = {}
        self._closing = False

    def tick(self, now: float) -> None:
        groups = self._groups()
        with self._lock:
            if self._closing:
                return
            changed = {key: run for key, run in self._running.items() if not _same(groups.get(key), run.stanzas)}
            gone = [run for run in changed.values() if not run.ending]
            self._next |= dict.fromkeys(changed, now)
            self._next = {key: due for key, due in self._next.items() if key in groups}
            due = [key for key in groups if now >= self._next.setdefault(key, now) and key not in self._running]
            for key in due:
                self._next[key] = float("inf")  # until it has ended
                self._running[key] = _Run(groups[key])
        for run in gone:
            threading.Thread(target=run.end, daemon=True, name="input-end").start()
        for key in due:
            self._next[key] = _following(groups[key][0], now)
            threading.Thread(target=self._run, args=(key, self._running[key]), daemon=True, name="input").start()

    def _groups(self) -> dict[str, list[Stanza]]:
        """Stanzas by the process that runs them."""
        groups: dict[str, list[Stanza]] = {}
        for stanza in self._inputs.stanzas():
            kind = stanza.name.partition("://")[0]
            try:
                single = self._inputs.scheme(kind).single
            except SandboxError as error:
                LOG.warning("modular input %s: %s", stanza.name, error)
                continue
            groups.setdefault(kind if single else stanza.name, []).append(stanza)
        return groups

    def _run(self, key: str, run: _Run) -> None:
        code = -1
        try:
            code = self._process(run)
        except (OSError, SandboxError):
            LOG.exception("modular input %s failed", key)
        finally:
            with self._lock:
                self._running.pop(key, None)
                self._again(key, run, code)

    def _again(self, key: str, run: _Run, code: int) -> None:
        """Set the next start: at once for an interval of 0, later after each failure in a row."""
        interval = run.stanzas[0].get("interval") or "60"
        if code == 0 or run.ending:
            self._failures.pop(key, None)
            if interval.strip() == "0":
                self._next[key] = self._splunkd.clock() + 1.0
            return
        LOG.warning("modular input %s ended with code %d", key, code)
        count = self._failures[key] = self._failures.get(key, 0) + 1
        wait = min(BACKOFF * 2 ** (count - 1), MAX_BACKOFF)
        self._next[key] = max(self._next.get(key, 0.0), self._splunkd.clock() + wait)
        if self._next[key] == float("inf") and interval.strip() != "-1":
            self._next[key] = self._splunkd.clock() + wait

    def _process(self, run: _Run) -> int:
        """Run one process to its end and index what it writes; return its exit code."""
        kind = run.stanzas[0].name.partition("://")[0]
        scheme = self._inputs.scheme(kind)
        runner = self._splunkd.runner
        path = runner.script(scheme.app, f"{kind}.py")
        session = self._splunkd.users.open_session(SYSTEM_USER)
        with (self._splunkd.home.log / f"modinput_{kind}.log").open("ab") as errors, run.lock:
            if run.ending:
                return 0
            run.process = subprocess.Popen(  # noqa: S603 - the app's own script
                runner.argv(path),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                cwd=path.parent,
                env=runner.environment(),
                start_new_session=True,
            )
        try:
            return self._feed(run, self._message(kind, session.key, run.stanzas), scheme.streaming == "xml")
        finally:
            self._splunkd.users.close_session(session.key)

    def _message(self, kind: str, key: str, stanzas: list[Stanza]) -> str:
        from apisec_sandbox.splunkd.modular_inputs import params

        inner = "".join(
            f"<stanza name={quoteattr(stanza.name)} app={quoteattr(stanza.app)}>{params(stanza.settings)}</stanza>"
            for stanza in stanzas
        )
        return f"<input>{self._inputs.head(kind, key)}<configuration>{inner}</configuration></input>"

    def _feed(self, run: _Run, text: str, xml: bool) -> int:
        process = run.process
        assert process is not None
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            try:
                process.stdin.write(text.encode())
                process.stdin.close()
            except BrokenPipeError:
                LOG.warning("modular input %s closed its input", run.stanzas[0].name)
            parser = Parser(self._splunkd.confs, self._splunkd.clock)
            stream = EventStream(run.stanzas, self._splunkd.clock, parser, xml)
            stdout = cast("io.BufferedReader", process.stdout)
            for chunk in iter(lambda: stdout.read1(65536), b""):
                self._index(stream.feed(chunk))
            self._index(stream.finish())
        except (SandboxError, ParsingError) as error:
            LOG.warning("modular input %s: %s", run.stanzas[0].name, error)
            run.end()
        code = process.wait()
        process.stdout.close()
        _signal(process, signal.SIGKILL)  # what the script has left behind
        return 0 if run.ending else code

    def _index(self, events: list[Event]) -> None:
        known = set(self._splunkd.index_names())
        kept = [event for event in events if event.index_name in known]
        if len(kept) < len(events):
            LOG.warning("modular input wrote to an unknown index: %d events dropped", len(events) - len(kept))
        if kept:
            self._splunkd.store.append(kept)

    def close(self) -> None:
        with self._lock:
            self._closing = True
            runs = list(self._running.values())
        threads = [threading.Thread(target=run.end, daemon=True) for run in runs]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(GRACE + 5)


def _same(wanted: list[Stanza] | None, running: list[Stanza]) -> bool:
    """Whether a running process still has the configuration that it was started with."""
    return wanted is not None and [(s.name, s.settings) for s in wanted] == [(s.name, s.settings) for s in running]


def _following(stanza: Stanza, now: float) -> float:
    """Return the next start: seconds, or a cron schedule; 0 and -1 have none of their own."""
    text = (stanza.get("interval") or "60").strip()
    try:
        seconds = float(text)
    except ValueError:
        return parse_cron(text).next(now)
    return now + max(1.0, seconds) if seconds > 0 else float("inf")


class EventStream:
    """Reads ``<stream><event>…`` as it comes, or plain text that is broken into events by its source type.

    Parts of one event (``unbroken="1"``) are held until ``<done/>`` or until the next event is whole.
    """

    def __init__(self, stanzas: list[Stanza], clock: Callable[[], float], parser: Parser, xml: bool) -> None:
        self._stanzas = {stanza.name: stanza for stanza in stanzas}
        self._first = stanzas[0]
        self._clock = clock
        self._parser = parser
        self._xml = xml
        self._buffer = b""
        self._parts: dict[str, tuple[str, dict[str, str]]] = {}
        parser.refresh()

    def feed(self, chunk: bytes) -> list[Event]:
        self._buffer += chunk
        events = self._take_xml() if self._xml else self._take_text(last=False)
        if len(self._buffer) > MAX_EVENT:
            raise SandboxError(f"an event is longer than {MAX_EVENT} bytes")
        return events

    def _take_xml(self) -> list[Event]:
        events = []
        while (stop := self._buffer.find(b"</event>")) >= 0:
            piece, self._buffer = self._buffer[: stop + 8], self._buffer[stop + 8 :]
            events += self._xml_event(piece)
        return events

    def _take_text(self, last: bool) -> list[Event]:
        """Index whole lines; the last one waits for its end."""
        stop = len(self._buffer) if last else self._buffer.rfind(b"\n") + 1
        piece, self._buffer = self._buffer[:stop], self._buffer[stop:]
        text = piece.decode("utf-8", "replace")
        return list(self._parser.raw(text, self._meta(self._first, {}))) if text.strip() else []

    def finish(self) -> list[Event]:
        if not self._xml:
            return self._take_text(last=True)
        return [event for name in list(self._parts) for event in self._whole(name)]

    def _xml_event(self, piece: bytes) -> list[Event]:
        from apisec_sandbox.splunkd.modular_inputs import parse_xml

        text = piece.decode("utf-8", "replace")
        start = text.find("<event")
        if start < 0:
            return []
        root = parse_xml(text[start:])
        name = root.get("stanza") or self._first.name
        own = {child.tag: child.text or "" for child in root if child.tag != "done"}
        data = own.pop("data", None)
        if root.get("unbroken") == "1":
            held, about = self._parts.get(name, ("", {}))
            self._parts[name] = (held + (data or ""), {**own, **about})
            if len(self._parts[name][0]) > MAX_EVENT:
                raise SandboxError(f"an event is longer than {MAX_EVENT} characters")
            return self._whole(name) if _has(root, "done") else []
        before = self._whole(name) if name in self._parts else []
        return before if data is None else [*before, *self._event(name, data, own)]

    def _whole(self, name: str) -> list[Event]:
        data, own = self._parts.pop(name)
        return self._event(name, data, own) if data else []

    def _event(self, name: str, data: str, own: dict[str, str]) -> list[Event]:
        meta = self._meta(self._stanzas.get(name, self._first), own)
        rules = self._parser.rules(meta.host, meta.source, meta.sourcetype)
        now = self._clock()
        when = _epoch(own.get("time", ""))
        if when is None:
            when = self._parser.time_of(data, rules)
        event = Event(
            now if when is None else when, now, meta.host, meta.source, meta.sourcetype, data, {}, meta.index_name
        )
        return list(self._parser.cooked(event, rules))

    @staticmethod
    def _meta(stanza: Stanza, own: dict[str, str]) -> Meta:
        settings = stanza.settings
        index = own.get("index") or settings.get("index") or "main"
        return Meta(
            own.get("host") or settings.get("host") or "apisec-sandbox",
            own.get("source") or settings.get("source") or stanza.name,
            own.get("sourcetype") or settings.get("sourcetype") or stanza.name.partition("://")[0],
            "main" if index == "default" else index,
        )


def _has(root: ElementTree.Element, tag: str) -> bool:
    return root.find(tag) is not None


def _epoch(text: str) -> float | None:
    try:
        return float(text) if text.strip() else None
    except ValueError:
        return None
