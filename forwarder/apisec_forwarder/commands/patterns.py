"""``apisec-forwarder patterns``: look after block patterns on a running forwarder."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from apisec.errors import ApisecError
from apisec.patterns.document import parse
from apisec.patterns.replay import Evidence, replay
from apisec_forwarder import config as configuration
from apisec_forwarder.admin import client, documents, tokens

HELP = "List, push, promote, roll back, delete, replay and validate block patterns."

EPILOG = """a pattern from file to enforcement:
  apisec-forwarder patterns validate skip.yml
  apisec-forwarder patterns replay --pattern skip.yml --events events.jsonl --exclude attackers.txt --write
  apisec-forwarder patterns push skip.yml        --url https://127.0.0.1:9443 --token-file t --ca-file ca.pem
  apisec-forwarder patterns promote ID --to enforce --reason "INC-17"  (the same three options, or --config F)
  apisec-forwarder patterns rollback ID --reason "customers complain"

a token for the admin API (printed once; the file keeps its hash):
  apisec-forwarder patterns token --name splunk --scopes patterns:read,patterns:write --tokens-file tokens.json
"""
MAX_EVENT_LINE = 4 * 2**20


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the actions and their options."""
    parser.epilog = EPILOG
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    remote = client.options()
    remote.add_argument("--json", action="store_true", help="print JSON")
    reason = argparse.ArgumentParser(add_help=False)
    reason.add_argument("--reason", default="", help="why; kept in the audit")
    reason.add_argument("--override", action="store_true", help="enforce without sufficient evidence (with --reason)")

    listing = actions.add_parser("list", parents=[remote], help="the patterns of your teams")
    listing.add_argument("--service", help="only this service's")
    for name, text in (("show", "one pattern, whole"), ("stats", "what a pattern has matched and refused")):
        actions.add_parser(name, parents=[remote], help=text).add_argument("id")
    push = actions.add_parser("push", parents=[remote, reason], help="create or replace a pattern from a file")
    push.add_argument("file", type=Path, help="YAML or JSON; - reads standard input")
    promote = actions.add_parser("promote", parents=[remote, reason], help="raise the mode")
    promote.add_argument("id")
    promote.add_argument("--to", choices=("canary", "enforce"), required=True)
    promote.add_argument("--percent", type=float, help="share of the principals in canary, up to 50")
    for name, text in (("rollback", "back to the mode before"), ("delete", "lift and forget")):
        actions.add_parser(name, parents=[remote, reason], help=text).add_argument("id")
    _configure_local(actions)


def _configure_local(actions: Any) -> None:
    rerun = actions.add_parser("replay", help="what a pattern would have refused in recorded events")
    rerun.add_argument("--pattern", type=Path, required=True, help="YAML or JSON")
    rerun.add_argument("--events", type=Path, required=True, help="events, one JSON object a line, in order of time")
    rerun.add_argument("--exclude", type=Path, help="principals known as attackers, one a line: not held to be benign")
    rerun.add_argument("--write", action="store_true", help="put the evidence into the pattern file (as JSON)")
    rerun.add_argument("--json", action="store_true", help="print JSON")
    validate = actions.add_parser("validate", help="check a pattern file")
    validate.add_argument("file", type=Path)
    validate.add_argument("--json", action="store_true", help="print JSON")
    token = actions.add_parser("token", help="make a token for the admin API")
    token.add_argument("--name", required=True, help="who uses it; the audit names it")
    token.add_argument("--scopes", default="patterns:read", help=f"of {','.join(tokens.SCOPES)}")
    token.add_argument("--teams", default="*", help="teams whose patterns it reaches; * for all")
    token.add_argument("--tokens-file", type=Path, required=True, help="the forwarder's admin.tokens_file")


def run(args: argparse.Namespace) -> int:
    """Run one action."""
    local = {"replay": _replay, "validate": _validate, "token": _token}
    if args.action in local:
        return local[args.action](args)
    config = configuration.load(args.config) if args.config is not None else None
    api = client.connect(args.url, args.token_file, args.ca_file, config)
    answer = _remote(args, api)
    if args.json:
        print(json.dumps(answer, ensure_ascii=False, indent=1))
    elif args.action == "list":
        _print_list(answer["patterns"])
    elif args.action in ("show", "stats"):
        print(json.dumps(answer, ensure_ascii=False, indent=2))
    elif answer is not None:
        print(f"{answer['id']}  {answer['mode']}  until {answer['expires']}  {answer['title']}")
    else:
        print(f"{args.id} is deleted")
    return 0


def _remote(args: argparse.Namespace, api: client.Client) -> Any:
    if args.action == "list":
        return api.call("GET", "/v1/patterns", query={"service": args.service} if args.service else None)
    if args.action == "push":
        data = _read(args.file)
        pattern = parse(documents.read(data), time.time())
        query = {"override": "true", "reason": args.reason} if args.override else {"reason": args.reason}
        return api.call("PUT", f"/v1/patterns/{pattern.id}", data, {"content-type": "application/yaml"}, query)
    path = f"/v1/patterns/{args.id}"
    if args.action in ("show", "stats"):
        return api.call("GET", path + ("/stats" if args.action == "stats" else ""))
    if args.action == "delete":
        return api.call("DELETE", path, query={"reason": args.reason})
    body: dict[str, Any] = {"reason": args.reason}
    if args.action == "promote":
        body.update(to=args.to, override=args.override)
        if args.percent is not None:
            body["canary_percent"] = args.percent
    data = json.dumps(body).encode()
    return api.call("POST", f"{path}:{args.action}", data, {"content-type": "application/json"})


def _read(path: Path) -> bytes:
    try:
        if str(path) == "-":
            return sys.stdin.buffer.read(documents.MAX_BYTES + 1)
        with path.open("rb") as file:
            return file.read(documents.MAX_BYTES + 1)
    except OSError as error:
        raise ApisecError(f"{path}: cannot be read: {error.strerror}") from error


def _print_list(rows: list[dict[str, Any]]) -> None:
    if not rows:
        print("no patterns", file=sys.stderr)
        return
    head = ("ID", "MODE", "SERVICE", "MATCHED", "REFUSED", "EXPIRES", "TITLE")
    table = [head]
    for row in rows:
        mode = f"canary {row['canary_percent']:g}%" if row["canary_percent"] else row["mode"]
        counts = (str(row["matched"]), str(row["refused"]))
        table.append((row["id"], mode, row["service"], *counts, row["expires"], row["title"]))
    widths = [max(len(line[column]) for line in table) for column in range(len(head))]
    for line in table:
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


# --- without a forwarder ----------------------------------------------------------------------------------


def _validate(args: argparse.Namespace) -> int:
    pattern = parse(documents.read(_read(args.file)), time.time())
    scope = sorted(" ".join(part or "*" for part in pair) for pair in pattern.scope)
    if args.json:
        found = {"id": pattern.id, "title": pattern.title, "service": pattern.service, "mode": pattern.mode}
        print(json.dumps({**found, "digest": pattern.digest, "scope": scope}, indent=1))
    else:
        print(f"{args.file}: good. {pattern.title!r} on service {pattern.service!r}, mode {pattern.mode}; can touch:")
        print("\n".join(f"  {line}" for line in scope))
    return 0


def _replay(args: argparse.Namespace) -> int:
    document = documents.read(_read(args.pattern))
    pattern = parse(document)
    excluded = frozenset(_lines(args.exclude)) if args.exclude is not None else frozenset()

    def benign(event: Mapping[str, Any]) -> bool:
        return event.get("principal") not in excluded

    evidence = replay(pattern, _events(args.events), benign)
    if args.write:
        document["apisec"]["evidence"] = evidence.to_document()
        args.pattern.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", "utf-8")
    if args.json:
        print(json.dumps(evidence.to_document(), indent=1))
        return 0
    _print_evidence(evidence)
    return 0


def _print_evidence(evidence: Evidence) -> None:
    of = f"{evidence.benign_matched_events} of {evidence.benign_events} benign requests"
    bound = f"false-positive rate below {evidence.false_positive_upper_bound:.3%} (95 %)"
    print(f"{evidence.window_start} to {evidence.window_end}: {evidence.events} requests")
    print(f"would have refused {evidence.matched_events} requests of {evidence.matched_principals} principals;")
    print(f"{of} among them; {bound}")


def _lines(path: Path) -> Iterator[str]:
    try:
        yield from (line.strip() for line in path.read_text("utf-8").splitlines() if line.strip())
    except (OSError, UnicodeDecodeError) as error:
        raise ApisecError(f"{path}: cannot be read as text") from error


def _events(path: Path) -> Iterable[Mapping[str, Any]]:
    """Yield the events of a file of JSON lines; a bad line is an error with its number."""
    try:
        with path.open("rb") as file:
            for number, line in enumerate(iter(lambda: file.readline(MAX_EVENT_LINE), b""), 1):
                try:
                    event = json.loads(line)
                except ValueError:
                    raise ApisecError(f"{path}:{number}: not JSON; events come from: apisec-forwarder replay") from None
                if isinstance(event, dict):
                    yield event.get("event", event) if "sourcetype" in event else event
    except OSError as error:
        raise ApisecError(f"{path}: cannot be read: {error.strerror}") from error


def _token(args: argparse.Namespace) -> int:
    scopes = [scope for scope in args.scopes.split(",") if scope]
    teams = [team for team in args.teams.split(",") if team]
    print(tokens.add(args.tokens_file, args.name, scopes, teams))
    print(f"This is the only time it is shown; {args.tokens_file} holds its hash.", file=sys.stderr)
    return 0
