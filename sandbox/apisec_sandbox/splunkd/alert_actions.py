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

from apisec_sandbox.errors import SandboxError
from apisec_sandbox.spl.context import Context
from apisec_sandbox.spl.engine import Outcome
from apisec_sandbox.spl.values import Row, to_text
from apisec_sandbox.splunkd.confs import Stanza
from apisec_sandbox.splunkd.jobs import write_results

if TYPE_CHECKING:
    from apisec_sandbox.splunkd.server import Splunkd

LOG = logging.getLogger("apisec_sandbox.sendmodalert")
MAX_SECONDS = 300.0  # alert_actions.conf maxtime = 5m
TOKEN = re.compile(r"\$([\w.:{}]+)\$")
BUILT_IN = frozenset(("summary_index",))
# Actions that Splunk ships and that the stand-in leaves to the real one.
NOT_HERE = frozenset(("email", "script", "rss", "lookup", "populate_lookup", "outputtelemetry", "webhook", "logevent"))


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
        if action == "summary_index":
            return self._summary(overrides, rows, context, search_name)
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
        result = {name: _json_value(value) for name, value in first.items()}
        settings = {name[6:]: value for name, value in stanza.settings.items() if name.startswith("param.")}
        settings |= {name[6:]: value for name, value in overrides.items() if name.startswith("param.")}
        tokens = {"name": search_name, "app": context.app, "owner": context.owner, "search": context.search}
        tokens |= {"job.sid": context.sid, "server.serverHost": "apisec-sandbox", "trigger_time": str(int(context.now))}
        tokens |= {f"result.{name}": to_text(value).split("\n")[0] for name, value in first.items()}
        return {
            "app": context.app,
            "owner": context.owner,
            "results_file": str(results),
            "results_link": f"{self._splunkd.runner.scheme}://localhost/app/{context.app}/@go?sid={context.sid}",
            "search_uri": f"/servicesNS/nobody/{context.app}/saved/searches/{search_name}",
            "server_host": "apisec-sandbox",
            "server_uri": self._splunkd.runner.uri,
            "session_key": key,
            "sid": context.sid,
            "search_name": search_name,
            "configuration": {name: replace_tokens(value, tokens) for name, value in settings.items()},
            "result": result,
        }

    def _process(self, stanza: Stanza, payload: dict[str, Any]) -> Result:
        if stanza.get("payload_format", "xml").lower() != "json":
            return Result(stanza.name, False, f'Alert action "{stanza.name}" needs payload_format = json here.')
        runner = self._splunkd.runner
        path = runner.script(stanza.app, stanza.get("alert.execute.cmd") or f"{stanza.name}.py")
        try:
            done = subprocess.run(  # noqa: S603 - the app's own script, started without a shell
                runner.argv(path, "--execute"),
                input=json.dumps(payload).encode(),
                capture_output=True,
                cwd=path.parent,
                env=runner.environment(),
                timeout=MAX_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return Result(stanza.name, False, f"action did not end within {MAX_SECONDS:.0f} s and was killed")
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
