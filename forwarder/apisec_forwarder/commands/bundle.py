"""``apisec-forwarder bundle``: make, compare, sign and promote config bundles."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from apisec.bundles import document, gate, release, seen
from apisec.bundles.effects import Effect, effects
from apisec.errors import ApisecError, DocumentError
from apisec.patterns import spans
from apisec_forwarder import config as configuration
from apisec_forwarder.admin import client
from apisec_forwarder.bundles import documents, signing
from apisec_forwarder.bundles.manage import load_trust

HELP = "make, compare, sign and promote config bundles"

EPILOG = """a bundle from DEV to QA (docs/bundles.md; --url, --token-file and --ca-file name a forwarder's admin API):
  apisec-forwarder bundle keygen --output ada.key --teams commerce --environments DEV,QA >> trust.yml
  apisec-forwarder bundle seen --events events.jsonl --service shop --environment DEV --output shop.seen.yml
  apisec-forwarder bundle init --service shop --team commerce --environments DEV,QA,PROD --author ada@example.org \\
      --reason "first classification" --seen shop.seen.yml --output shop.yml
  apisec-forwarder bundle sign shop.yml --key ada.key --from DEV --seen shop.seen.yml --output shop.release.json
  apisec-forwarder bundle verify shop.release.json --url https://qa:9443 --token-file t --ca-file ca.pem
  apisec-forwarder bundle apply  shop.release.json --url https://qa:9443 --token-file t --ca-file ca.pem

the next version, made from the one that is applied:
  apisec-forwarder bundle export --service shop --next --author ada@example.org --reason "…" --url … --output shop.yml
  apisec-forwarder bundle diff shop.yml --url …

exit codes: 0 done; 1 refused, or diff found a lowered class; 2 bad input, or no answer.
"""
MAX_EVENT_LINE = 4 * 2**20
REFUSED = 1
WAIT_STEP = 0.2  # seconds between two questions


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the actions and their options."""
    parser.epilog = EPILOG
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    remote = client.options()
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--json", action="store_true", help="print JSON")
    output = argparse.ArgumentParser(add_help=False)
    output.add_argument("--output", type=Path, help="file to write; standard output when absent")
    made = argparse.ArgumentParser(add_help=False)
    made.add_argument("--author", default="", help="who makes this version")
    made.add_argument("--reason", default="", help="why; kept in the bundle and in the audit")
    _configure_making(actions, remote, output, made)
    _configure_moving(actions, remote, common)


def _configure_making(actions: Any, remote: Any, output: Any, made: Any) -> None:
    keygen = actions.add_parser("keygen", help="make a signing key; prints its entry for the trust file")
    keygen.add_argument("--output", type=Path, required=True, help="file of mode 600 to write; never replaced")
    keygen.add_argument("--teams", default="", help="teams whose bundles it may sign, by comma; * for all")
    keygen.add_argument("--environments", default="", help="environments it may sign for, by comma; * for all")
    keygen.add_argument("--owner", default="", help="whose it is")
    init = actions.add_parser("init", parents=[output, made], help="write a first bundle of a service")
    init.add_argument("--service", required=True)
    init.add_argument("--team", required=True)
    init.add_argument("--environments", required=True, help="in the order of promotion, such as DEV,QA,PROD")
    init.add_argument("--seen", type=Path, help="fields seen: each becomes an override to confirm or to change")
    export = actions.add_parser("export", parents=[remote, output, made], help="what a forwarder has, as a document")
    export.add_argument("--service", required=True)
    export.add_argument("--next", action="store_true", help="as the start of the next version, made from this one")
    export.add_argument("--seen", type=Path, help="with --next: fields seen that it does not classify are added")
    export.add_argument("--json", action="store_true", help="print JSON")
    shown = actions.add_parser("seen", parents=[output], help="write the sensitive fields that events show")
    shown.add_argument(
        "--events", type=Path, required=True, help="events, one JSON object a line; - for standard input"
    )
    shown.add_argument("--service", required=True)
    shown.add_argument("--environment", required=True)
    sign = actions.add_parser("sign", parents=[output], help="sign a bundle for its next environment")
    sign.add_argument("file", type=Path, help="the bundle; a release is signed anew")
    sign.add_argument("--key", type=Path, required=True, action="append", help="signing key; more than one may sign")
    sign.add_argument("--from", dest="source", help="environment that it comes from; none for the first")
    sign.add_argument("--seen", type=Path, help="what that environment has seen")


def _configure_moving(actions: Any, remote: Any, common: Any) -> None:
    diff = actions.add_parser("diff", parents=[remote, common], help="what a bundle changes, as effects")
    diff.add_argument("file", type=Path, help="bundle or release")
    diff.add_argument("--against", type=Path, help="another bundle; without it, what the forwarder has")
    diff.add_argument("--seen", type=Path, help="fields seen: what detectors find where no override speaks")
    verify = actions.add_parser("verify", parents=[remote, common], help="whether a release would be applied")
    verify.add_argument("file", type=Path)
    verify.add_argument("--trust", type=Path, help="check only the signatures, by this trust file, without a forwarder")
    verify.add_argument("--environment", help="with --trust: the environment that it is for")
    apply = actions.add_parser("apply", parents=[remote, common], help="apply a release")
    apply.add_argument("file", type=Path)
    apply.add_argument("--if-match", help="ETag of what must be applied now")
    apply.add_argument(
        "--wait", type=float, default=0.0, metavar="SECONDS", help="wait until the forwarder works by it; else exit 2"
    )
    rollback = actions.add_parser("rollback", parents=[remote, common], help="back to the bundle before")
    rollback.add_argument("--service", required=True)
    rollback.add_argument("--to", default="", help="digest of an earlier one")
    rollback.add_argument("--reason", required=True)
    actions.add_parser("list", parents=[remote, common], help="the services of your teams and what is applied")


def run(args: argparse.Namespace) -> int:
    """Run one action and return its exit code."""
    work: dict[str, Callable[[argparse.Namespace], int]] = {
        "keygen": _keygen, "init": _init, "export": _export, "seen": _seen, "sign": _sign,
        "diff": _diff, "verify": _verify, "apply": _apply, "rollback": _rollback, "list": _list,
    }  # fmt: skip
    try:
        return work[args.action](args)
    except client.AnsweredError as error:
        listed = error.problem.get("refusals")
        if not isinstance(listed, list):
            raise
        if getattr(args, "json", False):
            print(json.dumps({"refusals": listed}, indent=1, ensure_ascii=False))
        for one in listed:
            print(f"refused ({one['code']}): {one['message']}", file=sys.stderr)
        return REFUSED


# --- making -------------------------------------------------------------------------------------------------


def _keygen(args: argparse.Namespace) -> int:
    key = signing.generate(args.output)
    entry = signing.trusted(key, _words(args.teams), _words(args.environments), args.owner)
    print(documents.dump([entry]), end="")
    print(f"wrote {args.output}; add the entry to keys of the trust file (bundles.trust)", file=sys.stderr)
    return 0


def _words(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]


def _init(args: argparse.Namespace) -> int:
    made = _made(args)
    body: dict[str, Any] = {
        "apisec_bundle": document.FORMAT,
        "service": args.service,
        "version": 1,
        "environments": _words(args.environments),
        "made": made,
        "ownership": {"team": args.team},
        "overrides": [],
    }
    if args.seen is not None:
        _add_seen(body, seen.parse(documents.read_file(args.seen), str(args.seen)), made["author"])
    document.parse(body)
    return _write(args, body)


def _made(args: argparse.Namespace) -> dict[str, Any]:
    if not args.author or not args.reason:
        raise ApisecError("give --author and --reason: the bundle keeps who made it and why")
    return {"author": args.author, "reason": args.reason, "at": spans.rfc3339(time.time())}


def _add_seen(body: dict[str, Any], shown: seen.Seen, author: str) -> None:
    """Propose an override for each field seen that the bundle does not classify: its class as it was seen."""
    bundle = document.parse(body)
    listed = list(body.get("overrides", []))
    for one in shown.unclassified(bundle.overrides):
        entry = {"operation": one.operation, "in": one.location, "path": one.path, "class": one.data_class}
        reason = f"seen in {shown.environment} in {one.samples} transactions"
        listed.append({**entry, "author": author, "reason": reason})
    body["overrides"] = listed


def _export(args: argparse.Namespace) -> int:
    answer = _connect(args).call("GET", f"/v1/bundles/{args.service}")
    body = answer["document"]
    if args.next:
        made = _made(args)
        if answer["applied"] is not None:
            body = document.successor(document.parse(body), made)
        else:
            body["made"] = made
        if args.seen is not None:
            _add_seen(body, seen.parse(documents.read_file(args.seen), str(args.seen)), args.author)
    return _write(args, body, as_json=args.json)


def _seen(args: argparse.Namespace) -> int:
    if str(args.events) == "-":
        body = seen.collect(_events(sys.stdin, "-"), args.service, args.environment)
    else:
        try:
            with args.events.open(encoding="utf-8") as lines:
                body = seen.collect(_events(lines, str(args.events)), args.service, args.environment)
        except (OSError, UnicodeDecodeError) as error:
            raise ApisecError(f"{args.events}: cannot be read: {error}") from None
    if not body["transactions"]:
        raise ApisecError(f"{args.events}: no event of service {args.service} in environment {args.environment}")
    return _write(args, body)


def _events(lines: Iterable[str], where: str) -> Iterator[dict[str, Any]]:
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            event = json.loads(line) if len(line) <= MAX_EVENT_LINE else None
        except (ValueError, RecursionError):
            event = None
        if not isinstance(event, dict):
            raise DocumentError("is no event: one JSON object a line is needed", where=f"{where}:{number}")
        inner = event.get("event", event.get("result"))  # a HEC envelope, or a row of Splunk's export
        yield inner if isinstance(inner, dict) else event


def _sign(args: argparse.Namespace) -> int:
    body = documents.read_file(args.file)
    if isinstance(body, dict) and "apisec_release" in body:
        body = body.get("bundle")
    bundle = document.parse(body, str(args.file))
    shown = seen.parse(documents.read_file(args.seen), str(args.seen)) if args.seen is not None else None
    made = signing.sign(dict(bundle.document), args.source, shown, [signing.load(path) for path in args.key])
    text = json.dumps(made.to_document(), ensure_ascii=False, indent=1) + "\n"
    if len(text.encode()) > release.MAX_BYTES:
        raise ApisecError(f"the release is larger than {release.MAX_BYTES} bytes: name fewer fields and patterns")
    return _emit(args, text)


def _write(args: argparse.Namespace, body: dict[str, Any], *, as_json: bool = False) -> int:
    text = json.dumps(body, ensure_ascii=False, indent=1) + "\n" if as_json else documents.dump(body)
    return _emit(args, text)


def _emit(args: argparse.Namespace, text: str) -> int:
    if args.output is None:
        print(text, end="")
        return 0
    try:
        args.output.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ApisecError(f"{args.output}: cannot be written: {error.strerror}") from None
    print(f"wrote {args.output}", file=sys.stderr)
    return 0


# --- moving -------------------------------------------------------------------------------------------------


def _connect(args: argparse.Namespace) -> client.Client:
    config = configuration.load(args.config) if args.config is not None else None
    return client.connect(args.url, args.token_file, args.ca_file, config)


def _read(path: Path) -> tuple[document.Bundle, seen.Seen | None]:
    body = documents.read_file(path)
    if isinstance(body, dict) and "apisec_release" in body:
        found = release.parse(body, str(path))
        return found.bundle, found.seen
    return document.parse(body, str(path)), None


def _diff(args: argparse.Namespace) -> int:
    after, shown = _read(args.file)
    if args.seen is not None:
        shown = seen.parse(documents.read_file(args.seen), str(args.seen))
    if args.against is not None:
        before, _ = _read(args.against)
    else:
        answer = _connect(args).call("GET", f"/v1/bundles/{after.service}")
        before = document.parse(answer["document"], "the forwarder's bundle")
    found = effects(before, after, shown)
    _print_effects(found, args)
    return REFUSED if any(one.kind == "lowered" for one in found) else 0


def _print_effects(found: list[Effect], args: argparse.Namespace) -> None:
    if args.json:
        rows = [{**one._asdict(), "line": one.line()} for one in found]
        print(json.dumps({"effects": rows}, indent=1, ensure_ascii=False))
        return
    print("\n".join(one.line() for one in found) or "nothing changes")


def _verify(args: argparse.Namespace) -> int:
    if args.trust is not None:
        return _verify_here(args)
    answer = _connect(args).call("POST", "/v1/bundles:verify", _bytes(args.file), {"content-type": "application/json"})
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


def _apply(args: argparse.Namespace) -> int:
    headers = {"content-type": "application/json"}
    if args.if_match:
        headers["if-match"] = args.if_match
    api = _connect(args)
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


def _rollback(args: argparse.Namespace) -> int:
    body = json.dumps({"to": args.to, "reason": args.reason}).encode()
    headers = {"content-type": "application/json"}
    return _applied(args, _connect(args).call("POST", f"/v1/bundles/{args.service}:rollback", body, headers))


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


def _list(args: argparse.Namespace) -> int:
    answer = _connect(args).call("GET", "/v1/services")
    if args.json:
        print(json.dumps(answer, indent=1, ensure_ascii=False))
        return 0
    print(f"{'SERVICE':24} {'TEAM':16} {'VERSION':>7}  {'IN FORCE':8}  BY")
    for row in answer["services"]:
        applied = row["applied"] or {"version": "–", "by": "the configuration", "digest": None}
        holds = "yes" if applied["digest"] == row["in_force"] else "soon"
        print(f"{row['service']:24} {row['team']:16} {applied['version']:>7}  {holds:8}  {applied['by']}")
    return 0
