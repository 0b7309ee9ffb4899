"""Config bundles: what is applied in Splunk, whether a release would be, applying it, taking it back; trusted keys."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, Dict, List, Mapping, Optional

from apisec.bundles.effects import Effect
from apisec.bundles.reading import NAME
from apisec.bundles.release import MAX_BYTES

from ...bundles import effect, seen
from ...bundles.manage import (
    BundleRefusedError,
    Bundles,
    ForbiddenError,
    Outcome,
    Present,
    UnknownServiceError,
)
from ...bundles.store import BusyError, Settings
from ...kvstore import INVENTORY, Collection
from ..rows import OF_SERVICE, text_filter
from ..table import ADMIN, CLASSIFY, READ, Answer, Call, Operation, Parameter, Problem, etag, not_found, paging
from .bundle_schemas import SCHEMAS

Handler = Callable[[Call], Answer]
RETRY_SECONDS = 5
SIGN_AGAIN = "Do what each refusal says, and sign the bundle again: apisec-forwarder bundle sign"


def _told(handler: Handler) -> Handler:
    """Return the handler with refusals as answers."""

    @functools.wraps(handler)
    def answered(call: Call) -> Answer:
        try:
            return handler(call)
        except BundleRefusedError as error:
            rows = [one._asdict() for one in error.refusals]
            raise Problem(409, "", str(error), SIGN_AGAIN, extra={"refusals": rows}) from None
        except UnknownServiceError:
            raise not_found("service", "GET /bundles for those there are.") from None
        except ForbiddenError as error:
            raise Problem(403, "", str(error), "Let somebody do it who is of both teams.") from None
        except BusyError as error:
            headers = {"Retry-After": str(RETRY_SECONDS)}
            raise Problem(503, "", str(error), f"Try again in {RETRY_SECONDS} seconds.", headers=headers) from None

    return answered


def _bundles(call: Call) -> Bundles:
    return Bundles(call.system, call.caller, call.now, call.owners)


def _effects(found: List[Effect]) -> List[Dict[str, Any]]:
    return [{**one._asdict(), "line": one.line()} for one in found]


def _row(service: str, team: str, applied: Optional[Mapping[str, Any]], pending: bool) -> Dict[str, Any]:
    """Return what lists show; ``in_force`` is null while a change is being written."""
    digest = applied["digest"] if applied is not None and not pending else None
    return {"service": service, "team": team, "applied": applied, "in_force": digest, "pending": pending}


def _present_row(service: str, present: Present) -> Dict[str, Any]:
    state = present.held.state
    applied = state.applied.summary() if state is not None else None
    return _row(service, present.team, applied, present.held.pending is not None)


def list_bundles(call: Call) -> Answer:
    """Return a page of the caller's services with what is applied to each."""
    bundles = _bundles(call)
    heads = bundles.store.heads()
    rows = []
    for service, team in bundles.services().items():
        head = heads.get(service)
        applied = head.applied if head is not None else None
        version = applied["version"] if applied is not None else 0
        rows.append({**_row(service, team, applied, head is not None and head.pending), "version": version})
    found = paging.filtered(rows, call.query, ("service", "team"))
    return Answer(body=paging.page(found, call.query, "service", _without_version))


def _without_version(row: Mapping[str, Any]) -> Dict[str, Any]:
    return {name: value for name, value in row.items() if name != "version"}


@_told
def export_bundle(call: Call) -> Answer:
    """Return a service's bundle with its history; before the first one, what Splunk knows."""
    bundles, service = _bundles(call), str(call.path["service"])
    bundles.reach(service)
    present = bundles.present(service)
    state = present.held.state
    body = {
        **_present_row(service, present),
        "document": bundles.document(service, present),
        "release": state.applied.release.to_document() if state is not None else None,
        "history": [one.summary() for one in state.history] if state is not None else [],
        "drift": _drift(present),
        "edited": bundles.edited(present),
    }
    return Answer(body=body, etag=present.etag)


def _drift(present: Present) -> Optional[Dict[str, Any]]:
    if present.bundle is None:
        return None
    found = effect.drift(present.bundle, *present.parts)
    return {"effects": _effects(found.overrides), "notes": found.notes} if found.any else None


@_told
def verify_bundle(call: Call) -> Answer:
    """Return whether a release would be applied, every reason against it, and what it would change."""
    checked = _bundles(call).check(call.body)
    bundle, outcome = checked.release.bundle, checked.outcome
    body = {
        "service": bundle.service,
        "version": bundle.version,
        "digest": bundle.digest,
        "acceptable": not checked.refusals,
        "refusals": [one._asdict() for one in checked.refusals],
        "effects": _effects(outcome.effects) if outcome is not None else [],
        "warnings": outcome.warnings if outcome is not None else [],
        "unread": [part for part in effect.UNREAD if bundle.document.get(part)],
    }
    return Answer(body=body)


@_told
def apply_bundle(call: Call) -> Answer:
    """Apply a release."""
    bundles = _bundles(call)
    return _outcome(call, bundles, bundles.apply(call.body, call.match))


@_told
def rollback_bundle(call: Call) -> Answer:
    """Go back to the bundle before, or to that of a digest."""
    bundles, body = _bundles(call), call.body
    return _outcome(
        call, bundles, bundles.rollback(str(call.path["service"]), body.get("to"), body["reason"], call.match)
    )


def _outcome(call: Call, bundles: Bundles, outcome: Outcome) -> Answer:
    present = bundles.present(outcome.service)
    state = present.held.state
    assert state is not None
    entry = state.applied
    before = state.history[-2].digest if outcome.changed and len(state.history) > 1 else None
    body = {
        **_present_row(outcome.service, present),
        "changed": outcome.changed,
        "effects": _effects(outcome.effects),
        "warnings": outcome.warnings,
        "unread": [part for part in effect.UNREAD if entry.release.bundle.document.get(part)],
    }
    reason = (call.body.get("reason") if call.path else None) or entry.release.bundle.made.reason
    audit = {
        "what": f"bundle of {outcome.service}, version {entry.release.bundle.version}",
        "team": present.team,
        "before": before,
        "after": entry.digest,
        "reason": reason,
    }
    return Answer(body=body, etag=present.etag, audit=audit)


@_told
def seen_fields(call: Call) -> Answer:
    """Return the sensitive fields that a service carried in an environment, as ``bundle sign`` takes them."""
    bundles, service, environment = _bundles(call), str(call.path["service"]), str(call.query["env"])
    bundles.reach(service)

    def sees(operation: str) -> bool:
        return call.sees({"service": service, "operation": operation})

    found = seen.of_inventory(Collection(call.system, INVENTORY), service, environment, sees)
    if found is None:
        remedy = "GET /operations?service=… shows the environments under envs; the inventory may not have run yet."
        raise Problem(404, "", f"the inventory has no traffic of {service} in {environment}", remedy)
    return Answer(body=found)


# --- trusted keys and the environment -------------------------------------------------------------------------


def get_trust(call: Call) -> Answer:
    """Return the keys that may speak for the caller's teams."""
    document = _bundles(call).store.trust_document()
    shown = [one for one in document["keys"] if call.caller.everything or _speaks(call, one)]
    return Answer(body={**document, "keys": shown}, etag=etag(document))


def _speaks(call: Call, key: Mapping[str, Any]) -> bool:
    return any(team == "*" or call.caller.sees(str(team)) for team in key["teams"])


def put_trust(call: Call) -> Answer:
    """Replace the trusted keys."""
    call.demand_everything()
    store = _bundles(call).store
    before = etag(store.trust_document())
    call.match(before)
    store.save_trust(call.body, call.caller.user, call.now)
    audit = {"what": "trusted keys of bundles", "before": before, "after": etag(call.body)}
    return Answer(body=call.body, etag=etag(call.body), audit=audit)


def get_environment(call: Call) -> Answer:
    """Return which environment this Splunk is."""
    return Answer(body={"environment": _bundles(call).store.settings().environment or None})


def put_environment(call: Call) -> Answer:
    """Say which environment this Splunk is."""
    call.demand_everything()
    store = _bundles(call).store
    before = store.settings().environment
    store.save_settings(Settings(call.body["environment"]), call.caller.user, call.now)
    audit = {"what": "environment of this Splunk", "before": before, "after": call.body["environment"]}
    return Answer(body=call.body, audit=audit)


_ONE = "/bundles/{service}"
OPERATIONS = (
    Operation("listBundles", "GET", "/bundles", READ, "The caller's services, and the bundle applied to each.",
              list_bundles, (text_filter("service", "only this one"), text_filter("team", "only services of this team"),
              *paging.parameters(("service", "team", "version"), "service")), gives="BundleList"),
    Operation("exportBundle", "GET", _ONE, READ,
              "A service's bundle with its history, and what was edited since; before the first, what Splunk knows.",
              export_bundle, (OF_SERVICE,), gives="BundleExport", errors=(404,)),
    Operation("verifyBundle", "POST", "/bundles:verify", READ,
              "Whether a release would be applied, every reason against it, and what it would change.", verify_bundle,
              takes="Release", gives="BundleCheck", errors=(403, 413, 415, 422), max_bytes=MAX_BYTES, audited=False),
    Operation("applyBundle", "POST", "/bundles:apply", CLASSIFY,
              "Apply a release. The one that is applied changes nothing, or takes back what was edited since.",
              apply_bundle, takes="Release", gives="BundleOutcome", errors=(403, 409, 412, 413, 415, 422),
              max_bytes=MAX_BYTES, conditional=True, match_required=False),
    Operation("rollbackBundle", "POST", _ONE + ":rollback", CLASSIFY,
              "Back to the bundle before, or to that of a digest.", rollback_bundle, (OF_SERVICE,),
              takes="BundleRollback", gives="BundleOutcome", errors=(403, 404, 409, 412, 413, 415, 422),
              conditional=True, match_required=False),
    Operation("seenFields", "GET", "/services/{service}/seen", READ,
              "The sensitive fields that a service carried in an environment, as signing a bundle wants them.",
              seen_fields, (OF_SERVICE, Parameter("env", {"type": "string", "pattern": f"^{NAME.pattern}$"},
              "environment, as events have it", required=True)), gives="Seen", errors=(404, 422)),
    Operation("getTrust", "GET", "/trust", READ, "The keys whose signatures count, of the caller's teams.", get_trust,
              gives="Trust"),
    Operation("putTrust", "PUT", "/trust", ADMIN, "Replace the keys whose signatures count.", put_trust, takes="Trust",
              gives="Trust", errors=(403, 412, 413, 415, 422), conditional=True, match_required=False,
              max_bytes=2**20),
    Operation("getEnvironment", "GET", "/environment", READ, "Which environment this Splunk is.", get_environment,
              gives="EnvironmentNow"),
    Operation("putEnvironment", "PUT", "/environment", ADMIN, "Say which environment this Splunk is.", put_environment,
              takes="Environment", gives="Environment", errors=(403, 413, 415, 422)),
)  # fmt: skip
__all__ = ["OPERATIONS", "SCHEMAS"]
