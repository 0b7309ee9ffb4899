"""The alert actions that Splunk itself brings: email, webhook, lookup, logevent.

Source: alert_actions.conf.spec; Alerting Manual, "Email notification action", "Use a webhook alert action",
"Output results to a CSV lookup", "Log events".

Mail is never sent: each message is a file in HOME/var/spool/email. A webhook is really posted, but only to this
machine and to hosts that a ``[webhook] allowlist.<name>`` in alert_actions.conf matches.
"""

from __future__ import annotations

import csv
import io
import ipaddress
import json
import re
import secrets
import ssl
import urllib.error
import urllib.request
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from apisec_sandbox.errors import SandboxError
from apisec_sandbox.spl.context import Context
from apisec_sandbox.spl.values import Row, to_text
from apisec_sandbox.splunkd.conffile import is_true
from apisec_sandbox.splunkd.home import write_atomic
from apisec_sandbox.splunkd.indexes import Event

if TYPE_CHECKING:
    from apisec_sandbox.splunkd.server import Splunkd

WEBHOOK_SECONDS = 10.0
MAX_ROWS = 10_000  # alert_actions.conf [email] maxresults


@dataclass(frozen=True)
class Action:
    """One run: the settings after tokens have been replaced, and the results."""

    splunkd: Splunkd
    settings: dict[str, str]
    rows: list[Row]
    header: list[str]
    context: Context
    search_name: str
    payload: dict[str, Any]


def email(action: Action) -> str:
    """Write the message where a mail server would get it.

    Raises:
        SandboxError: there is no recipient.
    """
    settings = action.settings
    if not settings.get("to", "").strip():
        raise SandboxError("The email action has no recipient (action.email.to)")
    message = EmailMessage()
    for header, name in (("To", "to"), ("Cc", "cc"), ("Bcc", "bcc"), ("From", "from"), ("Subject", "subject")):
        value = " ".join(settings.get(name, "").split())
        if value:
            message[header] = value
    if "Subject" not in message:
        message["Subject"] = f"Splunk Alert: {action.search_name}"
    text = settings.get("message.alert") or settings.get("message") or f"Alert '{action.search_name}' was triggered."
    if is_true(settings.get("inline", "0")):
        text += "\n\n" + _table(action)
    message.set_content(text)
    if is_true(settings.get("sendcsv", "0")) or settings.get("format") == "csv":
        message.add_attachment(_table(action).encode(), "text", "csv", filename="results.csv")
    path = action.splunkd.home.root / "var" / "spool" / "email" / f"{action.context.sid}_{secrets.token_hex(4)}.eml"
    write_atomic(path, message.as_bytes(), 0o600)
    return f"kept the message to {settings['to']} as {path.name}"


def _table(action: Action) -> str:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(action.header)
    for row in action.rows[:MAX_ROWS]:
        writer.writerow([to_text(row.get(name, "")) for name in action.header])
    return text.getvalue()


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        """A redirect could lead where the allow list does not."""


def webhook(action: Action) -> str:
    """Post the first result.

    Raises:
        SandboxError: the address is not allowed, or it does not answer well.
    """
    url = action.settings.get("param.url", "")
    _check_url(action, url)
    body = {name: action.payload[name] for name in ("sid", "search_name", "app", "owner", "results_link", "result")}
    headers = {"Content-Type": "application/json", "User-Agent": "Splunk/sandbox"}
    request = urllib.request.Request(url, json.dumps(body).encode(), headers, method="POST")  # noqa: S310 - checked
    context = ssl.create_default_context()
    handlers = (urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context), _NoRedirects())
    try:
        with urllib.request.build_opener(*handlers).open(request, timeout=WEBHOOK_SECONDS) as reply:
            return f"Webhook receiver responded with HTTP status={reply.status}"
    except urllib.error.HTTPError as error:
        error.close()
        raise SandboxError(f"Webhook receiver responded with HTTP status={error.code}") from error
    except OSError as error:
        raise SandboxError(f"Error sending webhook request: {error}") from error


def _check_url(action: Action, url: str) -> None:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise SandboxError(f"Invalid webhook URL {url!r}: http:// or https:// and a host are needed")
    stanza = action.splunkd.confs.stanza("alert_actions", "webhook")
    patterns = [v for k, v in (stanza.settings if stanza else {}).items() if k.startswith("allowlist.")]
    if not _is_loopback(parts.hostname) and not any(re.fullmatch(pattern, url) for pattern in patterns):
        raise SandboxError(f"The webhook host {parts.hostname} is not on the allow list ([webhook] allowlist.<name>)")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def lookup(action: Action) -> str:
    """Write the results to a lookup file of the app.

    Raises:
        SandboxError: the name is no name of a CSV file.
    """
    name = action.settings.get("filename", "")
    if not re.fullmatch(r"[A-Za-z0-9_.\-]+\.csv", name):
        raise SandboxError(f"The lookup action needs the name of a CSV file (action.lookup.filename), not {name!r}")
    table = action.splunkd.lookups.find(name, action.context.app)
    if table is None:
        raise SandboxError(f"There is no place for the lookup file {name}")
    rows = [{key: value for key, value in row.items() if not key.startswith("_")} for row in action.rows]
    table.write(rows, is_true(action.settings.get("append", "0")), None)
    return f"wrote {len(rows)} results to {name}"


def logevent(action: Action) -> str:
    """Index one event with the text of the setting.

    Raises:
        SandboxError: no text, or an index that is not there.
    """
    settings = {name.removeprefix("param."): value for name, value in action.settings.items()}
    index = settings.get("index") or "main"
    if not settings.get("event"):
        raise SandboxError("The logevent action has no text (action.logevent.param.event)")
    if index not in action.splunkd.index_names():
        raise SandboxError(f"The logevent action writes to the index {index}, which does not exist")
    now = action.splunkd.clock()
    host, sourcetype = settings.get("host") or "apisec-sandbox", settings.get("sourcetype") or "generic_single_line"
    source = settings.get("source") or f"alert:{action.search_name}"
    action.splunkd.store.append([Event(now, now, host, source, sourcetype, settings["event"], {}, index)])
    return f"indexed one event into {index}"


ACTIONS = {"email": email, "webhook": webhook, "lookup": lookup, "logevent": logevent}


def outbox(root: Path) -> list[Path]:
    """The messages that were not sent, oldest first."""
    return sorted((root / "var" / "spool" / "email").glob("*.eml"), key=lambda path: path.stat().st_mtime_ns)
