"""The process that splunkd starts for the alert action ``apisec_block``: ``--execute`` with a JSON payload on stdin."""

from __future__ import annotations

import csv
import gzip
import json
import logging
import re
import sys
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Dict, List, TextIO

from splunklib.binding import HTTPError

from apisec.errors import ApisecError, ConfigError

from ..connection import SearchError, connect
from ..kvstore import PATTERNS, Collection
from ..logs import apply_level, logger_of
from . import action, history
from . import template as templates
from .admin import AdminClient, AdminError
from .parameters import parameters_of
from .settings import forwarder_of

CAPABILITY = "apisec_block"
SOURCETYPE = "apisec:decision"
MAX_ROWS = 20  # patterns of one run; more findings at once are a campaign, and want one pattern
_MAX_RESULTS_BYTES = 50_000_000
_EXPECTED = (ApisecError, AdminError, SearchError, HTTPError, OSError)
_MULTIVALUE = re.compile(r"\$((?:[^$]|\$\$)*)\$(?:;|\Z)")


@dataclass(frozen=True)
class Payload:
    """What splunkd hands over."""

    search_name: str
    owner: str
    sid: str
    server_uri: str
    session_key: str
    results_file: str
    result: Mapping[str, Any]
    configuration: Mapping[str, Any]

    @classmethod
    def parse(cls, text: str) -> Payload:
        """Raises ConfigError when it is not an alert action's payload."""
        try:
            document = json.loads(text)
            return cls(
                search_name=str(document.get("search_name") or ""),
                owner=str(document.get("owner") or "unknown"),
                sid=str(document.get("sid") or ""),
                server_uri=str(document["server_uri"]),
                session_key=str(document["session_key"]),
                results_file=str(document.get("results_file") or ""),
                result=document.get("result") or {},
                configuration=document.get("configuration") or {},
            )
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise ConfigError(f"not the payload of an alert action: {error}", where="stdin") from None


def rows_of(payload: Payload) -> List[Dict[str, Any]]:
    """The search's rows, from its results file; the first one alone where there is no file."""
    path = Path(payload.results_file) if payload.results_file else None
    if path is None or not path.is_file():
        return [dict(payload.result)] if payload.result else []
    if path.stat().st_size > _MAX_RESULTS_BYTES:
        raise ConfigError(f"more than {_MAX_RESULTS_BYTES} bytes", where=str(path))
    csv.field_size_limit(10_000_000)
    with gzip.open(path, "rt", encoding="utf-8", newline="") as lines:
        return [_row(record) for record in csv.DictReader(lines)]


def _row(record: Mapping[str, Any]) -> Dict[str, Any]:
    """One row; a multivalue field stands in ``__mv_name`` as ``$a$;$b$`` with ``$`` doubled."""
    row: Dict[str, Any] = {}
    for name, value in record.items():
        if name is None or name.startswith("__mv_"):
            continue
        several = _MULTIVALUE.findall(record.get(f"__mv_{name}") or "")
        row[name] = [v.replace("$$", "$") for v in several] if several else (value or "")
    return row


def may_block(service: Any) -> bool:
    """Whether the user in whose name the alert runs has the capability."""
    answer = service.get("/services/authentication/current-context", output_mode="json")
    content = json.loads(answer.body.read())["entry"][0]["content"]
    return CAPABILITY in (content.get("capabilities") or ())


def audit(service: Any, record: Mapping[str, Any], logger: logging.Logger) -> None:
    """Write what was decided into the index of decisions; a failure is logged, the decision stands."""
    event = {key: value for key, value in record.items() if key not in ("_key", "document")}
    event.update(time=record["pushed"], decision="pattern")
    try:
        service.post(
            "/services/receivers/simple",
            headers=[("Content-Type", "application/json")],
            index="apisec",
            source="apisec_block",
            sourcetype=SOURCETYPE,
            body=json.dumps(event, sort_keys=True),
        )
    except (HTTPError, OSError) as error:
        logger.warning("audit event not written: %s", error)


def context_of(payload: Payload, rows: Iterable[Mapping[str, Any]], service: Any, now: float) -> action.Context:
    """Read the parameters and everything they name; raises ConfigError, PatternError, AdminError."""
    parameters = parameters_of(payload.configuration)
    template = templates.choose(parameters.pattern, templates.shipped())
    name, admin = "none", None
    if not parameters.dry_run:
        forwarder = forwarder_of(parameters.forwarder, payload.server_uri, payload.session_key)
        name, admin = forwarder.name, AdminClient(forwarder)
    detection = payload.search_name or next((v for row in rows for v in templates.values(row, "search_name")), "")
    accused = {v for row in rows for v in templates.values(row, "risk_object")}
    risky = history.risky(service, parameters.replay_hours, parameters.risk_threshold)
    return action.Context(
        parameters=parameters,
        detection=detection or str(template["id"]),
        actor=payload.owner,
        sid=payload.sid,
        forwarder=name,
        now=now,
        template=template,
        risky=risky | accused,
        events=lambda api: history.events(service, api, parameters.replay_hours),
        admin=admin,
        logger=logger_of("block"),
    )


def handle(payload: Payload, now: float, logger: logging.Logger) -> int:
    """Handle every row once; returns the exit code: 0, or 1 when a row failed."""
    service = connect(payload.server_uri, payload.session_key)
    apply_level(service, logger)
    rows = rows_of(payload)
    if not rows:
        logger.info("search=%r sid=%s has no rows, nothing to do", payload.search_name, payload.sid)
        return 0
    if not may_block(service):
        raise ConfigError(f"{payload.owner} lacks the capability {CAPABILITY}; give them the role apisec_admin")
    context = context_of(payload, rows, service, now)
    if len(rows) > MAX_ROWS:
        logger.warning("sid=%s has %d rows; the first %d are handled", payload.sid, len(rows), MAX_ROWS)
    records: Dict[str, Dict[str, Any]] = {}
    for row in rows[:MAX_ROWS]:
        identity = templates.identity(context.template, row)
        if identity not in records:
            records[identity] = _handled(context, row)
            audit(service, records[identity], logger)
    Collection(service, PATTERNS).save(records.values())
    return 1 if any(r["state"] == "failed" for r in records.values()) else 0


def _handled(context: action.Context, row: Mapping[str, Any]) -> Dict[str, Any]:
    try:
        record = action.block(context, row)
        context.logger.info(
            "state=%r pattern=%s mode=%s forwarder=%s actor=%s title=%r",
            record["state"], record["pattern"], record["mode"], record["forwarder"], record["actor"], record["title"],
        )  # fmt: skip
        return record
    except _EXPECTED as error:
        context.logger.error("state=failed detection=%r: %s", context.detection, error)  # noqa: TRY400
        print(f"ERROR apisec_block: {error}", file=sys.stderr)
        return action.failed(context, row, error)


def main(argv: List[str], stdin: TextIO) -> int:
    """Exit codes as Splunk reads them: 0 done, 1 failed, 2 used wrongly."""
    if argv[1:] != ["--execute"]:
        print("ERROR apisec_block: run by splunkd with --execute and a JSON payload on stdin", file=sys.stderr)
        return 2
    logger = logger_of("block")
    try:
        return handle(Payload.parse(stdin.read()), time.time(), logger)
    except _EXPECTED as error:
        logger.error("state=failed: %s", error)  # noqa: TRY400
        print(f"ERROR apisec_block: {error}", file=sys.stderr)
        return 2 if isinstance(error, ApisecError) else 1
