"""The handlers of services, overrides and bundles on the admin API."""

from __future__ import annotations

import asyncio
from typing import Any

from apisec.bundles.document import override_document
from apisec.bundles.effects import Effect
from apisec.bundles.release import MAX_BYTES
from apisec.errors import DocumentError, did_you_mean
from apisec.http.table import Operation
from apisec_forwarder.admin.context import Context
from apisec_forwarder.admin.operations import BUNDLES_READ, BUNDLES_WRITE, Call, Reply, operation
from apisec_forwarder.bundles.documents import read_json
from apisec_forwarder.bundles.manage import Bundles, Checked, Outcome, ServiceUnknownError
from apisec_forwarder.decisions.registry import PreconditionError


def _bundles(context: Context) -> Bundles:
    if context.bundles is None:
        raise ServiceUnknownError("this forwarder takes no bundles; its configuration needs the section bundles")
    return context.bundles


def _object(call: Call, known: tuple[str, ...]) -> dict[str, Any]:
    body = read_json(call.body, "body") if call.body.strip() else {}
    if not isinstance(body, dict):
        raise DocumentError("a JSON object is needed", where="body")
    for key in body:
        if key not in known:
            raise DocumentError(f"unknown key {key!r}{did_you_mean(str(key), known)}", where="body")
    return body


def _text(body: dict[str, Any], key: str) -> str:
    value = body.get(key, "")
    if not isinstance(value, str) or len(value) > 1000 or not (value == "" or value.isprintable()):
        raise DocumentError("must be a text of at most 1000 characters in one line", where=key)
    return value.strip()


def _effect(one: Effect) -> dict[str, Any]:
    return {**one._asdict(), "line": one.line()}


def _row(found: Bundles, service: str) -> dict[str, Any]:
    state = found.state(service)
    owner = found.present(service).ownership
    return {
        "service": service,
        "team": owner.team,
        "applied": state.applied.summary() if state is not None else None,
        "in_force": found.in_force(service),
    }


def _outcome(found: Bundles, outcome: Outcome) -> Reply:
    service = outcome.state.service
    body = {
        **_row(found, service),
        "changed": outcome.changed,
        "effects": [_effect(one) for one in outcome.effects],
        "warnings": outcome.warnings,
    }
    return Reply(body=body, headers={"etag": found.etag(service)})


async def list_services(context: Context, call: Call) -> Reply:
    found = _bundles(context)
    return Reply(body={"services": [_row(found, name) for name in found.services(call.caller)]})


async def list_bundles(context: Context, call: Call) -> Reply:
    found = _bundles(context)
    names = [name for name in found.services(call.caller) if found.state(name) is not None]
    return Reply(body={"bundles": [_row(found, name) for name in names]})


async def export_bundle(context: Context, call: Call) -> Reply:
    found, service = _bundles(context), call.path["service"]
    found.reach(service, call.caller)
    state = found.state(service)
    body = {
        **_row(found, service),
        "document": dict(found.present(service).document),
        "release": state.applied.release.to_document() if state is not None else None,
        "history": [one.summary() for one in state.history] if state is not None else [],
    }
    return Reply(body=body, headers={"etag": found.etag(service)})


def _check(found: Bundles, context: Context, call: Call) -> Checked:
    return found.check(read_json(call.body, "body"), call.caller, context.clock())


async def verify_bundle(context: Context, call: Call) -> Reply:
    found = _bundles(context)
    release, refused, outcome = await asyncio.to_thread(_check, found, context, call)
    body = {
        "service": release.bundle.service,
        "version": release.bundle.version,
        "digest": release.bundle.digest,
        "acceptable": not refused,
        "refusals": [one._asdict() for one in refused],
        "effects": [_effect(one) for one in outcome.effects] if outcome is not None else [],
        "warnings": outcome.warnings if outcome is not None else [],
    }
    return Reply(body=body)


async def apply_bundle(context: Context, call: Call) -> Reply:
    found = _bundles(context)
    async with found.changing:
        checked = await asyncio.to_thread(_check, found, context, call)
        return _outcome(found, found.settle(checked, call.caller, call.headers.get("if-match"), context.clock()))


async def rollback_bundle(context: Context, call: Call) -> Reply:
    found, body = _bundles(context), _object(call, ("to", "reason"))
    to = _text(body, "to") or None
    match = call.headers.get("if-match")
    async with found.changing:
        done = found.rollback(call.path["service"], to, _text(body, "reason"), call.caller, match, context.clock())
        return _outcome(found, done)


async def get_overrides(context: Context, call: Call) -> Reply:
    found, service = _bundles(context), call.path["service"]
    found.reach(service, call.caller)
    listed = [{"service": one.service, **override_document(one)} for one in found.overrides(service)]
    return Reply(body={"service": service, "overrides": listed}, headers={"etag": found.etag(service)})


async def put_overrides(context: Context, call: Call) -> Reply:
    found, body = _bundles(context), _object(call, ("overrides", "reason"))
    listed = body.get("overrides")
    if not isinstance(listed, list):
        raise DocumentError("must be a list", where="overrides")
    match, service = call.headers.get("if-match"), call.path["service"]
    if call.headers.get("if-none-match") == "*":
        found.reach(service, call.caller)
        raise PreconditionError("a service always has overrides, if only an empty list")
    async with found.changing:
        return _outcome(found, found.edit(service, listed, _text(body, "reason"), call.caller, match, context.clock()))


_ONE = "/v1/bundles/{service}"
OPERATIONS: tuple[Operation, ...] = (
    operation("listServices", "GET", "/v1/services", BUNDLES_READ, "List the services of the caller's teams.",
              list_services, gives="ServiceList", errors=(404,)),
    operation("getOverrides", "GET", "/v1/overrides/{service}", BUNDLES_READ,
              "Show the overrides that hold for a service.", get_overrides, gives="OverrideList", errors=(404,)),
    operation("putOverrides", "PUT", "/v1/overrides/{service}", BUNDLES_WRITE,
              "Replace a service's overrides without a signature, where bundles.editable allows it.", put_overrides,
              takes="OverrideChange", gives="BundleOutcome", errors=(404, 409, 412, 413, 422), max_bytes=MAX_BYTES),
    operation("listBundles", "GET", "/v1/bundles", BUNDLES_READ, "List the applied bundles of the caller's teams.",
              list_bundles, gives="BundleList", errors=(404,)),
    operation("exportBundle", "GET", _ONE, BUNDLES_READ,
              "Export a service's bundle with its history; before the first one, what the configuration says.",
              export_bundle, gives="BundleExport", errors=(404,)),
    operation("verifyBundle", "POST", "/v1/bundles:verify", BUNDLES_READ,
              "Say whether a release would be applied here, every reason against it, and what it would change.",
              verify_bundle, takes="Release", gives="BundleCheck", errors=(404, 413, 422), max_bytes=MAX_BYTES),
    operation("applyBundle", "POST", "/v1/bundles:apply", BUNDLES_WRITE,
              "Apply a release. The one that is applied already changes nothing.", apply_bundle, takes="Release",
              gives="BundleOutcome", errors=(404, 409, 412, 413, 422), max_bytes=MAX_BYTES),
    operation("rollbackBundle", "POST", _ONE + ":rollback", BUNDLES_WRITE,
              "Back to the bundle before, or to that of a digest.", rollback_bundle, takes="BundleRollback",
              gives="BundleOutcome", errors=(404, 409, 412, 413, 422)),
)  # fmt: skip
