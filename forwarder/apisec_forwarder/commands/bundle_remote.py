"""The actions of ``apisec-forwarder bundle`` that ask a forwarder, or a Splunk, which answers at the same paths."""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

from apisec.bundles import document, gate, release, seen
from apisec.bundles.effects import Effect, effects
from apisec.errors import ApisecError, ConfigError
from apisec_forwarder import config as configuration
from apisec_forwarder.admin import client
from apisec_forwarder.bundles import documents, signing
from apisec_forwarder.bundles.manage import load_trust

REFUSED = 1
WAIT_STEP = 0.2  # seconds between two questions
SPLUNK_API = "/services/apisec"  # of splunkd; below it stand the admin API's paths
JSON = {"content-type": "application/json"}


def connect(args: argparse.Namespace) -> client.Client:
    """Return a client of the forwarder or the Splunk that the options name."""
    if args.splunk is not None:
        if args.url is not None:
            raise ConfigError("name a forwarder by --url or a Splunk by --splunk, and do it twice for both")
        api = client.connect(args.splunk.rstrip("/") + SPLUNK_API, args.token_file, args.ca_file, None)
        api.always = {"output_mode": "json"}  # else splunkd's own refusals, of a token that is over, are XML
        return api
    config = configuration.load(args.config) if args.config is not None else None
    return client.connect(args.url, args.token_file, args.ca_file, config)


def _read(path: Path) -> tuple[document.Bundle, seen.Seen | None]:
    body = documents.read_file(path)
    if isinstance(body, dict) and "apisec_release" in body:
        found = release.parse(body, str(path))
        return found.bundle, found.seen
    return document.parse(body, str(path)), None


def diff(args: argparse.Namespace) -> int:
    """Say what a bundle changes; exit code 1 when it lowers a class."""
    after, shown = _read(args.file)
    if args.seen is not None:
        shown = seen.parse(documents.read_file(args.seen), str(args.seen))
    if args.against is not None:
        before, _ = _read(args.against)
    else:
        answer = connect(args).call("GET", f"/v1/bundles/{after.service}")
        before = document.parse(answer.get("edited") or answer["document"], "what is there")
    found = effects(before, after, shown)
    _print_effects(found, args)
    return REFUSED if any(one.kind == "lowered" for one in found) else 0


def _print_effects(found: list[Effect], args: argparse.Namespace) -> None:
    if args.json:
        rows = [{**one._asdict(), "line": one.line()} for one in found]
        print(json.dumps({"effects": rows}, indent=1, ensure_ascii=False))
        return
    print("\n".join(one.line() for one in found) or "nothing changes")


def verify(args: argparse.Namespace) -> int:
    """Say whether a release would be applied."""
    if args.trust is not None:
        return _verify_here(args)
    answer = connect(args).call("POST", "/v1/bundles:verify", _bytes(args.file), JSON)
    if args.json:
        print(json.dumps(answer, indent=1, ensure_ascii=False))
    else:
        _print_answer(answer)
        print("acceptable" if answer["acceptable"] else "not acceptable")
    for one in answer["refusals"]:
        print(f"refused ({one['code']}): {one['message']}", file=sys.stderr)
    return 0 if answer["acceptable"] else REFUSED


def _verify_here(args: argparse.Namespace) -> int:
    if args.environment is None:
        raise ApisecError("--trust needs --environment: the one that the release is for")
    found = release.parse(documents.read_file(args.file), str(args.file))
    teams, now = (found.bundle.ownership.team,), time.time()
    good, bad = load_trust(args.trust).signers(found, teams, args.environment, now, signing.verify)
    if args.json:
        print(json.dumps({"signers": good, "refusals": bad}, indent=1))
    elif good:
        print(f"signed by {', '.join(good)}")
    for why in bad or ([] if good else ["the bundle is not signed"]):
        print(f"refused ({gate.SIGNATURE}): {why}", file=sys.stderr)
    return 0 if good else REFUSED


def _bytes(path: Path) -> bytes:
    body = documents.read_file(path)
    if not isinstance(body, dict) or "apisec_release" not in body:
        raise ApisecError(f"{path}: is no release; sign the bundle first: apisec-forwarder bundle sign {path} --key K")
    return json.dumps(body, ensure_ascii=False).encode()


def apply(args: argparse.Namespace) -> int:
    """Apply a release, and wait for it where that is asked."""
    headers = {**JSON, "if-match": args.if_match} if args.if_match else JSON
    api = connect(args)
    answer = api.call("POST", "/v1/bundles:apply", _bytes(args.file), headers)
    if args.wait > 0:
        _wait(api, answer["service"], answer["applied"]["digest"], args.wait)
    return _applied(args, answer)


def _wait(api: client.Client, service: str, digest: str, seconds: float) -> None:
    """Return when the forwarder's processes work by the bundle; they are replaced meanwhile, so it may not answer."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            if api.call("GET", f"/v1/bundles/{service}")["in_force"] == digest:
                return
        except client.AnsweredError:
            raise
        except ApisecError:  # no answer: the control process is being replaced
            pass
        time.sleep(WAIT_STEP)
    raise ApisecError(f"applied, but not in force within {seconds:g} s; apisec-forwarder status says why")


def rollback(args: argparse.Namespace) -> int:
    """Go back to the bundle before."""
    body = json.dumps({**({"to": args.to} if args.to else {}), "reason": args.reason}).encode()
    answer = connect(args).call("POST", f"/v1/bundles/{args.service}:rollback", body, JSON)
    return _applied(args, answer)


def _applied(args: argparse.Namespace, answer: Any) -> int:
    if args.json:
        print(json.dumps(answer, indent=1, ensure_ascii=False))
        return 0
    _print_answer(answer)
    applied = answer["applied"]
    word = "applied" if answer["changed"] else "was applied already"
    print(f"{answer['service']} version {applied['version']} ({applied['digest'][:19]}…) {word}")
    return 0


def _print_answer(answer: Any) -> None:
    for one in answer["effects"]:
        print(one["line"])
    for warning in answer["warnings"]:
        print(f"warning: {warning}", file=sys.stderr)
    if answer.get("unread"):
        print(f"changes nothing in Splunk, only at forwarders: {', '.join(answer['unread'])}", file=sys.stderr)


def listed(args: argparse.Namespace) -> int:
    """List the services of the caller's teams and what is applied to each."""
    api = connect(args)
    rows = _pages(api) if args.splunk is not None else api.call("GET", "/v1/services")["services"]
    if args.json:
        print(json.dumps({"services": rows}, indent=1, ensure_ascii=False))
        return 0
    print(f"{'SERVICE':24} {'TEAM':16} {'VERSION':>7}  {'IN FORCE':8}  BY")
    for row in rows:
        applied = row["applied"] or {"version": "–", "by": "the configuration", "digest": None}
        holds = "yes" if applied["digest"] == row["in_force"] else "soon"
        print(f"{row['service']:24} {row['team']:16} {applied['version']:>7}  {holds:8}  {applied['by']}")
    return 0


def _pages(api: client.Client) -> list[Any]:
    """Return the whole list of a Splunk, which gives it in pages."""
    rows: list[Any] = []
    query = {"limit": "1000"}
    while True:
        page = api.call("GET", "/v1/bundles", query=query)
        rows += page["items"]
        if page["next"] is None:
            return rows
        query["cursor"] = page["next"]


def trust(args: argparse.Namespace) -> int:
    """Replace the trusted keys of a Splunk by those of a trust file, as forwarders read it."""
    if args.splunk is None:
        raise ConfigError("give --splunk: a forwarder reads its trust file itself (bundles.trust)")
    body = json.dumps(documents.read_file(args.file)).encode()
    answer = connect(args).call("PUT", "/v1/trust", body, JSON)
    print(f"{len(answer['keys'])} keys are trusted now")
    return 0


def fields_seen(args: argparse.Namespace) -> Any:
    """Return the fields that a service carried, from the inventory of a Splunk."""
    query = {"env": args.environment}
    return connect(args).call("GET", f"/v1/services/{args.service}/seen", query=query)
