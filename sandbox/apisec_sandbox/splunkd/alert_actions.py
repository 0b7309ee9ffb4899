"""Alert actions: summary indexing built in, custom ones as the app's own processes.

Source: "Create custom alert actions" (dev.splunk.com), alert_actions.conf.spec, savedsearches.conf.spec.
"""

from __future__ import annotations

import json
import logging
import re
import subprocess
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote
from xml.sax.saxutils import escape, quoteattr

from apisec_sandbox.errors import SandboxError
from apisec_sandbox.spl.context import Context
from apisec_sandbox.spl.engine import Outcome
from apisec_sandbox.spl.values import Row, to_text
from apisec_sandbox.splunkd import builtin_actions
from apisec_sandbox.splunkd.atom import ILLEGAL_XML
from apisec_sandbox.splunkd.builtin import VERSION
from apisec_sandbox.splunkd.confs import Stanza
from apisec_sandbox.splunkd.jobs import write_results
from apisec_sandbox.splunkd.periods import seconds_of

if TYPE_CHECKING:
    from apisec_sandbox.splunkd.server import Splunkd

LOG = logging.getLogger("apisec_sandbox.sendmodalert")
MAX_TIME = "5m"  # alert_actions.conf maxtime
TOKEN = re.compile(r"\$([\w.:{}]+)\$")
# Actions that Splunk ships and that the stand-in leaves to the real one.
NOT_HERE = frozenset(("script", "rss", "populate_lookup", "outputtelemetry"))


@dataclass(frozen=True)
class Result:
    """How an action ended; ``text`` is what the log says."""

    action: str
    ok: bool
    text: str
    code: int | None = None


class AlertActions:
    def __init__(self, splunkd: Splunkd) -> None:
        self._splunkd = splunkd
        self._write = threading.Lock()

    def run(
        self,
        action: str,
        overrides: dict[str, str],
        rows: list[Row],
        context: Context,
        search_name: str,
        header: list[str] | None = None,
    ) -> Result:
        """Run one action over the results; never raises for what the action does."""
        try:
            result = self._run(action, overrides, rows, context, search_name, header)
        except (SandboxError, OSError) as error:
            result = Result(action, False, str(error))
        self._log(result, search_name, context)
        return result

    def _run(
        self,
        action: str,
        overrides: dict[str, str],
        rows: list[Row],
        context: Context,
        search_name: str,
        header: list[str] | None,
    ) -> Result:
        rows = _cut(rows, overrides.get("maxresults", ""))
        if action == "summary_index":
            return self._summary(overrides, rows, context, search_name)
        if action in builtin_actions.ACTIONS:
            return self._built_in(action, overrides, rows, context, search_name, header)
        stanza = self._splunkd.confs.stanza("alert_actions", action, context.app)
        if action in NOT_HERE and stanza is None:
            return Result(action, False, f'Alert action "{action}" is not part of the stand-in; it was left out.')
        if stanza is None or action == "default":
            return Result(action, False, f'Alert action "{action}" not found.')
        if stanza.flag("disabled"):
            return Result(action, False, f'Alert action "{action}" is disabled.')
        if not stanza.flag("is_custom"):
            return Result(action, False, f'Alert action "{action}" is not custom (is_custom = 1 is missing).')
        return self._custom(stanza, overrides, rows, context, search_name, header)

    def _built_in(
        self,
        action: str,
        overrides: dict[str, str],
        rows: list[Row],
        context: Context,
        search_name: str,
        header: list[str] | None,
    ) -> Result:
        stanza = self._splunkd.confs.stanza("alert_actions", action, context.app) or Stanza(action, "system", {})
        payload = self._payload(stanza, overrides, rows, context, search_name, Path(), "")
        tokens = self._tokens(rows, context, search_name, payload)
        settings = {name: replace_tokens(value, tokens) for name, value in {**stanza.settings, **overrides}.items()}
        columns = header or list(dict.fromkeys(name for row in rows for name in row))
        run = builtin_actions.Action(self._splunkd, settings, rows, columns, context, search_name, payload)
        return Result(action, True, builtin_actions.ACTIONS[action](run), 0)

    def _summary(self, overrides: dict[str, str], rows: list[Row], context: Context, search_name: str) -> Result:
        """Write the rows to the summary index as stash events with their marker fields (inline settings join)."""
        index = overrides.get("_name") or "summary"
        markers = {"search_name": search_name, "search_now": str(int(context.now))}
        markers |= {
            "info_min_time": _bound(context.earliest, "0.000"),
            "info_max_time": _bound(context.latest, "+Infinity"),
            "info_search_time": f"{context.now:.3f}",
        }
        markers |= {name: value for name, value in overrides.items() if not name.startswith(("_", "param."))}
        inline = ", ".join(f'{name}="{value}"' for name, value in markers.items() if name not in _CONTROL)
        context.services.collect(rows, index, {"marker": inline, "source": search_name}, context)
        return Result("summary_index", True, f"wrote {len(rows)} results to index {index}", 0)

    def _custom(
        self,
        stanza: Stanza,
        overrides: dict[str, str],
        rows: list[Row],
        context: Context,
        search_name: str,
        header: list[str] | None,
    ) -> Result:
        folder = Path(context.dispatch_dir or self._splunkd.home.dispatch)
        results = folder / f"per_result_alert_{stanza.name}_{threading.get_ident()}.csv.gz"
        columns = header or list(dict.fromkeys(name for row in rows for name in row))
        write_results(results, Outcome(rows, columns))
        session = self._splunkd.users.open_session(context.owner)
        payload = self._payload(stanza, overrides, rows, context, search_name, results, session.key)
        try:
            return self._process(stanza, payload)
        finally:
            self._splunkd.users.close_session(session.key)
            results.unlink(missing_ok=True)

    def _payload(
        self,
        stanza: Stanza,
        overrides: dict[str, str],
        rows: list[Row],
        context: Context,
        search_name: str,
        results: Path,
        key: str,
    ) -> dict[str, Any]:
        first = rows[0] if rows else {}
        settings = {name[6:]: value for name, value in stanza.settings.items() if name.startswith("param.")}
        settings |= {name[6:]: value for name, value in overrides.items() if name.startswith("param.")}
        payload: dict[str, Any] = {
            "app": context.app,
            "owner": context.owner,
            "results_file": str(results),
            "results_link": f"{self._splunkd.runner.scheme}://localhost/app/{context.app}/@go?sid={context.sid}",
            "search_uri": f"/servicesNS/nobody/{context.app}/saved/searches/{quote(search_name, safe='')}",
            "server_host": "apisec-sandbox",
            "server_uri": self._splunkd.runner.uri,
            "session_key": key,
            "sid": context.sid,
            "search_name": search_name,
        }
        tokens = self._tokens(rows, context, search_name, payload)
        payload["configuration"] = {name: replace_tokens(value, tokens) for name, value in settings.items()}
        payload["result"] = {name: _json_value(value) for name, value in first.items()}
        return payload

    @staticmethod
    def _tokens(rows: list[Row], context: Context, search_name: str, payload: dict[str, Any]) -> dict[str, str]:
        """What ``$…$`` stands for in the settings of an action (Alerting Manual, "Use tokens")."""
        tokens = {"name": search_name, "app": context.app, "owner": context.owner, "search": context.search}
        tokens |= {"job.sid": context.sid, "server.serverHost": "apisec-sandbox", "server.version": VERSION}
        tokens |= {"trigger_time": str(int(context.now)), "results_link": payload["results_link"]}
        tokens |= {"results.url": payload["results_link"], "job.resultCount": str(len(rows))}
        tokens |= {"job.earliestTime": _bound(context.earliest, ""), "job.latestTime": _bound(context.latest, "")}
        first = rows[0] if rows else {}
        return tokens | {f"result.{name}": to_text(value).split("\n")[0] for name, value in first.items()}

    def _process(self, stanza: Stanza, payload: dict[str, Any]) -> Result:
        as_json = stanza.get("payload_format", "xml").lower() == "json"
        content = json.dumps(payload).encode() if as_json else payload_xml(stanza.name, payload)
        seconds = seconds_of(stanza.get("maxtime") or MAX_TIME)
        runner = self._splunkd.runner
        path = runner.script(stanza.app, stanza.get("alert.execute.cmd") or f"{stanza.name}.py")
        try:
            done = subprocess.run(  # noqa: S603 - the app's own script, started without a shell
                runner.argv(path, "--execute"),
                input=content,
                capture_output=True,
                cwd=path.parent,
                env=runner.environment(),
                timeout=seconds,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return Result(stanza.name, False, f"action did not end within {seconds:.0f} s and was killed")
        self._stderr(stanza.name, done.stderr)
        text = f"Invoking modular alert action={stanza.name} exit code={done.returncode}"
        return Result(stanza.name, done.returncode == 0, text, done.returncode)

    def _stderr(self, action: str, content: bytes) -> None:
        lines = content.decode("utf-8", "replace").splitlines()[:1000]
        with self._write, (self._splunkd.home.log / "splunkd.log").open("a", encoding="utf-8") as file:
            for line in lines:
                file.write(f"INFO  sendmodalert - action={action} STDERR - {line[:4000]}\n")

    def _log(self, result: Result, search_name: str, context: Context) -> None:
        level = "INFO" if result.ok else "ERROR" if result.code else "WARN"
        line = (
            f'{level}  sendmodalert - action={result.action} search="{search_name}" sid={context.sid} - {result.text}'
        )
        LOG.log(logging.INFO if result.ok else logging.WARNING, line)
        with self._write, (self._splunkd.home.log / "splunkd.log").open("a", encoding="utf-8") as file:
            file.write(line + "\n")


_CONTROL = frozenset(
    ("inline", "command", "forceCsvResults", "hostname", "maxresults", "maxtime", "track_alert", "ttl")
)


def _cut(rows: list[Row], most: str) -> list[Row]:
    """Hold the action's maxresults."""
    return rows[: int(most)] if most.isdigit() and int(most) else rows


def payload_xml(action: str, payload: dict[str, Any]) -> bytes:
    """``payload_format = xml``, the default (alert_actions.conf.spec)."""
    plain = [(name, value) for name, value in payload.items() if isinstance(value, str)]
    parts = [f"<{name}>{_xml(value)}</{name}>" for name, value in plain]
    params = [f"<param name={quoteattr(n)}>{_xml(v)}</param>" for n, v in payload["configuration"].items()]
    parts.append(f"<configuration><stanza name={quoteattr(action)}>{''.join(params)}</stanza></configuration>")
    fields = []
    for name, value in payload["result"].items():
        texts = "".join(
            f"<value><text>{_xml(one)}</text></value>" for one in (value if isinstance(value, list) else [value])
        )
        fields.append(f"<field k={quoteattr(name)}>{texts}</field>")
    parts.append(f"<result>{''.join(fields)}</result>")
    return ('<?xml version="1.0" encoding="UTF-8"?>\n<alert>' + "".join(parts) + "</alert>").encode()


def _xml(text: str) -> str:
    return escape(text.translate(ILLEGAL_XML))


def _bound(epoch: float, open_end: str) -> str:
    return open_end if abs(epoch) == float("inf") else f"{epoch:.3f}"


def _json_value(value: Any) -> Any:
    return [to_text(item) for item in value] if isinstance(value, list) else to_text(value)


def replace_tokens(text: str, tokens: dict[str, str]) -> str:
    """``$result.field$``, ``$name$``, ``$job.sid$`` …; an unknown ``$result.x$`` becomes empty."""

    def one(match: re.Match[str]) -> str:
        name = match[1]
        if name in tokens:
            return tokens[name]
        return "" if name.startswith("result.") else match[0]

    return TOKEN.sub(one, text)
