"""What analysts say of findings, and what follows: exceptions that end, and labels that models learn from."""

from __future__ import annotations

import json
from typing import Any, Dict, List, Optional, Tuple

from apisec.abuse.event import SOURCETYPE_ANOMALY
from apisec.classification.globs import fits
from apisec.dispositions import exceptions as core
from apisec.dispositions import verdicts
from apisec.dispositions.exceptions import MEMBERS

from ...bundles.services import is_known
from ...connection import SearchError, quoted, search
from ...dispositions import DispositionStore, ExceptionStore, exemption_of, expiry, today
from ...kvstore import CAMPAIGNS, DISPOSITIONS, EXCEPTIONS, INVENTORY, Collection, Document
from .. import rows
from ..table import READ, TRIAGE, Answer, Call, Operation, Parameter, Problem, etag, not_found, paging, path_parameter
from .disposition_schemas import ABOUT, DISPOSITION, REASON, SCHEMAS

DAY = 86_400.0
LOOK_BACK = 92 * DAY  # seconds of anomalies that a closed campaign is looked for in
_CAMPAIGN = path_parameter("campaign", "^c-[0-9a-f]{16}$", "`campaign` of its anomalies and findings", 18)
_EXCEPTION = path_parameter("id", "^[0-9a-f]{24}$", "`id` of the exception in lists", 24)
_CAMPAIGN_FILTERS = ("service", "team", "families", "finding")
_SAID_FILTERS = ("service", "team", "verdict", "author", "families")
_EXCEPTION_FILTERS = ("service", "team", "family", "principal", "operation", "author", "source")


def _exceptions(call: Call) -> ExceptionStore:
    return ExceptionStore(Collection(call.system, EXCEPTIONS))


def _dispositions(call: Call) -> DispositionStore:
    return DispositionStore(Collection(call.system, DISPOSITIONS), _exceptions(call))


# --- campaigns ------------------------------------------------------------------------------------------------


def _owns(call: Call, about: Document) -> bool:
    """Return whether all of a campaign is the caller's: it names principals and operations together."""
    service, operations = str(about["service"]), about["operations"] or [""]
    return all(call.sees({"service": service, "operation": one}) for one in operations)


def _team(call: Call, about: Document) -> str:
    operations = about["operations"] or [""]
    return str(call.owners.team_of({"service": about["service"], "operation": operations[0]}))


def _campaign_row(call: Call, document: Document, said: Optional[Document]) -> Dict[str, Any]:
    about = verdicts.known(document)
    return {
        **{name: about[name] for name in ABOUT if name in about},
        "id": about["campaign"],
        "team": _team(call, about),
        "peak": float(document.get("peak") or 0.0),
        "finding": bool(document.get("told")),
        "verdict": said["verdict"] if said is not None else None,
    }


def list_campaigns(call: Call) -> Answer:
    """Return a page of open campaigns."""
    said = {str(one["_key"]): one for one in _dispositions(call).rows()}
    wanted = call.query.get("service")
    held = Collection(call.system, CAMPAIGNS).load(None if wanted is None else {"service": wanted})
    mine = [one for one in held if _owns(call, verdicts.known(one))]
    listed = [_campaign_row(call, one, said.get(str(one["_key"]))) for one in mine]
    return Answer(body=paging.page(paging.filtered(listed, call.query, _CAMPAIGN_FILTERS), call.query))


def get_campaign(call: Call) -> Answer:
    """Return one campaign, open or closed."""
    document = _found(call, str(call.path["campaign"]))
    said = _dispositions(call).get(str(call.path["campaign"]))
    return Answer(body=_campaign_row(call, document, said))


def _found(call: Call, campaign: str) -> Document:
    """Return a campaign that the caller sees: its document while it is open, else the last of its events."""
    document = Collection(call.system, CAMPAIGNS).get(campaign) or _event_of(call, campaign)
    if document is None or not _owns(call, verdicts.known(document)):
        raise not_found("campaign", "GET /campaigns for those that are open; findings name theirs in `campaign`.")
    return document


def _event_of(call: Call, campaign: str) -> Optional[Document]:
    spl = (
        f"search `apisec_anomalies` campaign={quoted(campaign)} sourcetype={quoted(SOURCETYPE_ANOMALY)} "
        "| fields _raw | head 1"
    )
    try:
        for row in search(call.user, spl, earliest=f"{call.now - LOOK_BACK:.0f}", latest=f"{call.now + 1:.0f}"):
            event = _read(row.get("_raw"))
            if event is not None and event.get("campaign") == campaign:
                return {**event, "told": event.get("score", 0.0) >= 90.0 or bool(event.get("new"))}
    except SearchError as error:
        raise Problem(502, "", f"the search failed: {error}", "Try again.") from None
    return None


def _read(raw: Any) -> Optional[Document]:
    try:
        event = json.loads(raw) if isinstance(raw, str) else None
    except ValueError:
        return None
    return event if isinstance(event, dict) else None


# --- dispositions ---------------------------------------------------------------------------------------------


def _disposition_row(call: Call, said: Document) -> Dict[str, Any]:
    shown = {name: said.get(name) for name in DISPOSITION}
    return {**shown, "id": said["_key"], "team": _team(call, said)}


def list_dispositions(call: Call) -> Answer:
    """Return a page of what was said."""
    listed = [_disposition_row(call, one) for one in _dispositions(call).rows() if _owns(call, one)]
    return Answer(body=paging.page(paging.filtered(listed, call.query, _SAID_FILTERS), call.query))


def _said(call: Call) -> Document:
    said = _dispositions(call).get(str(call.path["campaign"]))
    if said is None or not _owns(call, said):
        raise not_found("disposition", "GET /dispositions for those there are.")
    return said


def get_disposition(call: Call) -> Answer:
    """Return what was said of one campaign."""
    return Answer(body=_disposition_row(call, _said(call)))


def put_disposition(call: Call) -> Answer:
    """Say whether a campaign is benign or true; what was said before is replaced, with its exceptions."""
    body = call.body
    document = _found(call, str(body["campaign"]))
    store = _dispositions(call)
    former = store.get(str(body["campaign"]))
    before = etag(_disposition_row(call, former)) if former is not None else None
    call.match(before)
    said = verdicts.disposition(document, body["verdict"], body["reason"], call.caller.user, call.now)
    made = []
    if said["verdict"] == verdicts.BENIGN:
        made = verdicts.exemptions(said, body.get("scope"), expiry(body.get("expires")), today(call.now))
    elif body.get("scope") or body.get("expires"):
        raise Problem(422, "", "scope and expires are of an exception, and a true finding has none", "Leave them out.")
    row = store.put(said, made, call.now)
    shown = _disposition_row(call, row)
    what = f"campaign {row['_key']} ({', '.join(row['families'])}) of {row['service']}: {row['verdict']}"
    audit = {"what": what, "team": shown["team"], "before": before, "after": etag(shown), "reason": row["reason"]}
    return Answer(200 if former is not None else 201, shown, etag(shown), audit=audit)


def delete_disposition(call: Call) -> Answer:
    """Take back what was said of a campaign, and the exceptions that it made."""
    said = _said(call)
    shown = _disposition_row(call, said)
    call.match(etag(shown))
    _dispositions(call).delete(said)
    what = f"campaign {said['_key']} of {said['service']}: disposition taken back"
    audit = {"what": what, "team": shown["team"], "before": etag(shown), "reason": call.query["reason"]}
    return Answer(204, audit=audit)


def list_labels(call: Call) -> Answer:
    """Return a page of labels, as `apisec-ml` reads them."""
    listed = [{**verdicts.label(one), "id": one["_key"]} for one in _dispositions(call).rows() if _owns(call, one)]
    return Answer(body=paging.page(paging.filtered(listed, call.query, ("service", "verdict")), call.query))


# --- exceptions -----------------------------------------------------------------------------------------------


def _sees(call: Call, row: Document) -> bool:
    """Return whether an exception is the caller's: one for several operations is for who owns the service."""
    operation = str(row.get("operation") or "")
    return call.sees({"service": str(row.get("service") or ""), "operation": "" if "*" in operation else operation})


def _may_change(call: Call, row: Document) -> bool:
    """Return whether everything that an exception hides is the caller's."""
    if not _sees(call, row):
        return False
    glob = str(row.get("operation") or "")
    query = {"service": str(row["service"])}
    heads = Collection(call.system, INVENTORY).load(query, fields=rows.HEADS)
    return all(call.sees(one) for one in heads if not glob or fits(glob, str(one["operation"])))


def _exception_row(call: Call, row: Document) -> Dict[str, Any]:
    expires = str(row.get("expires") or "")
    return {
        "id": row["_key"],
        "team": str(call.owners.team_of({"service": row.get("service"), "operation": row.get("operation") or ""})),
        **{name: row.get(name) or None for name in MEMBERS},
        "expired": expires <= today(call.now).isoformat(),
        "created": float(row.get("created") or 0),
        "updated": float(row.get("updated") or 0),
        "source": row.get("source") or None,
    }


def list_exceptions(call: Call) -> Answer:
    """Return a page of exceptions."""
    held = _exceptions(call).rows(call.query.get("service"))
    listed = [_exception_row(call, one) for one in held if _sees(call, one)]
    found = paging.filtered(listed, call.query, (*_EXCEPTION_FILTERS, "expired"))
    return Answer(body=paging.page(found, call.query))


def _held(call: Call) -> Document:
    row = _exceptions(call).get(str(call.path["id"]))
    if row is None or not _sees(call, row):
        raise not_found("exception", "GET /exceptions for those there are.")
    return row


def get_exception(call: Call) -> Answer:
    """Return one exception."""
    return Answer(body=_exception_row(call, _held(call)))


def put_exception(call: Call) -> Answer:
    """Store an exception; it takes the place of the one for the same."""
    if not _may_change(call, call.body) or not is_known(call.system, call.owners, str(call.body["service"])):
        raise not_found("service", "GET /services for those there are; one without traffic needs a team's rule.")
    made = exemption_of({**call.body, "author": call.caller.user})
    store = _exceptions(call)
    former = store.get(made.key)
    before = etag(_exception_row(call, former)) if former is not None else None
    call.match(before)
    (row,) = store.put([made], call.now)
    shown = _exception_row(call, row)
    audit = {"what": _line(row), "team": shown["team"], "before": before, "after": etag(shown), "reason": row["reason"]}
    return Answer(200 if former is not None else 201, shown, etag(shown), audit=audit)


def _line(row: Document) -> str:
    what = ", ".join(f"{name} {row[name]}" for name in core.SELECTOR[1:] if row.get(name))
    return f"exception of {row['service']}: {what} until {row['expires']}"


def delete_exception(call: Call) -> Answer:
    """Remove an exception; what it hid is found again from now on."""
    row = _held(call)
    if not _may_change(call, row):
        detail = "this exception hides findings of operations that are another team's"
        raise Problem(403, "", detail, "Ask somebody whose role has apisec_all_teams.")
    shown = _exception_row(call, row)
    call.match(etag(shown))
    _exceptions(call).delete([str(row["_key"])])
    audit = {"what": _line(row), "team": shown["team"], "before": etag(shown), "reason": call.query["reason"]}
    return Answer(204, audit=audit)


def _filters(names: Tuple[str, ...]) -> List[Parameter]:
    return [rows.text_filter(name, f"only those with this {name}", 1000) for name in names]


_WHY = Parameter("reason", REASON, "why; the audit keeps it", required=True)
OPERATIONS = (
    Operation("listCampaigns", "GET", "/campaigns", READ, "Open campaigns: what belongs together, one finding each.",
              list_campaigns,
              (*_filters(_CAMPAIGN_FILTERS[:-1]), rows.flag_filter("finding", "whether it became a finding"),
               *paging.parameters(("last_time", "first_time", "peak", "service", "member_count"), "-last_time")),
              gives="CampaignList"),
    Operation("getCampaign", "GET", "/campaigns/{campaign}", READ, "One campaign, open or closed.", get_campaign,
              (_CAMPAIGN,), gives="Campaign", errors=(404, 502)),
    Operation("listDispositions", "GET", "/dispositions", READ, "What analysts said of findings.", list_dispositions,
              (*_filters(_SAID_FILTERS), *paging.parameters(("updated", "created", "service", "verdict"), "-updated")),
              gives="DispositionList"),
    Operation("getDisposition", "GET", "/dispositions/{campaign}", READ, "What was said of one campaign.",
              get_disposition, (_CAMPAIGN,), gives="Disposition", errors=(404,)),
    Operation("putDisposition", "POST", "/dispositions", TRIAGE,
              "Say that a campaign is benign, which makes exceptions, or true; both become labels.", put_disposition,
              takes="DispositionChange", gives="Disposition", also={201: "new"}, errors=(404, 412, 413, 415, 422, 502),
              conditional=True, match_required=False),
    Operation("deleteDisposition", "DELETE", "/dispositions/{campaign}", TRIAGE,
              "Take back what was said, with the exceptions that it made.", delete_disposition, (_CAMPAIGN, _WHY),
              success=204, errors=(404, 412), conditional=True, match_required=False),
    Operation("listLabels", "GET", "/labels", READ, "Labels, for `apisec-ml train --dispositions`.", list_labels,
              (*_filters(("service", "verdict")), *paging.parameters(("time", "service"), "time")), gives="LabelList"),
    Operation("listExceptions", "GET", "/exceptions", READ, "What is not to be found, and until when.", list_exceptions,
              (*_filters(_EXCEPTION_FILTERS), rows.flag_filter("expired", "whether it is over"),
               *paging.parameters(("service", "expires", "created", "updated"), "service")), gives="ExceptionList"),
    Operation("getException", "GET", "/exceptions/{id}", READ, "One exception.", get_exception, (_EXCEPTION,),
              gives="Exception", errors=(404,)),
    Operation("putException", "POST", "/exceptions", TRIAGE,
              "Say that something is not to be found for some time; replaces what was said of the same.", put_exception,
              takes="ExceptionChange", gives="Exception", also={201: "new"}, errors=(404, 412, 413, 415, 422),
              conditional=True, match_required=False),
    Operation("deleteException", "DELETE", "/exceptions/{id}", TRIAGE, "Take an exception back.", delete_exception,
              (_EXCEPTION, _WHY), success=204, errors=(403, 404, 412), conditional=True, match_required=False),
)  # fmt: skip
__all__ = ["OPERATIONS", "SCHEMAS"]
