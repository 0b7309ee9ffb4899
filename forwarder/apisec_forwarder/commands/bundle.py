"""``apisec-forwarder bundle``: make, compare, sign and promote config bundles."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from apisec_forwarder.admin import client
from apisec_forwarder.commands import bundle_making as making
from apisec_forwarder.commands import bundle_remote as remote

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

Splunk takes the same releases (--splunk https://splunk:8089 instead of --url, with an authentication token of Splunk):
  apisec-forwarder bundle seen --service shop --environment DEV --splunk … --output shop.seen.yml
  apisec-forwarder bundle apply shop.release.json --splunk …
  apisec-forwarder bundle trust trust.yml --splunk …

exit codes: 0 done; 1 refused, or diff found a lowered class; 2 bad input, or no answer.
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the actions and their options."""
    parser.epilog = EPILOG
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    connection = client.options()
    connection.add_argument("--splunk", help="a Splunk instead: its management address, https://HOST:8089")
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--json", action="store_true", help="print JSON")
    output = argparse.ArgumentParser(add_help=False)
    output.add_argument("--output", type=Path, help="file to write; standard output when absent")
    made = argparse.ArgumentParser(add_help=False)
    made.add_argument("--author", default="", help="who makes this version")
    made.add_argument("--reason", default="", help="why; kept in the bundle and in the audit")
    _configure_making(actions, connection, output, made)
    _configure_moving(actions, connection, common)


def _configure_making(actions: Any, connection: Any, output: Any, made: Any) -> None:
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
    export = actions.add_parser(
        "export", parents=[connection, output, made], help="what a forwarder has, as a document"
    )
    export.add_argument("--service", required=True)
    export.add_argument("--next", action="store_true", help="as the start of the next version, made from this one")
    export.add_argument("--seen", type=Path, help="with --next: fields seen that it does not classify are added")
    export.add_argument("--json", action="store_true", help="print JSON")
    shown = actions.add_parser("seen", parents=[connection, output], help="write the sensitive fields of traffic")
    shown.add_argument("--events", type=Path, help="events, one JSON object a line; - for standard input")
    shown.add_argument("--service", required=True)
    shown.add_argument("--environment", required=True)
    sign = actions.add_parser("sign", parents=[output], help="sign a bundle for its next environment")
    sign.add_argument("file", type=Path, help="the bundle; a release is signed anew")
    sign.add_argument("--key", type=Path, required=True, action="append", help="signing key; more than one may sign")
    sign.add_argument("--from", dest="source", help="environment that it comes from; none for the first")
    sign.add_argument("--seen", type=Path, help="what that environment has seen")


def _configure_moving(actions: Any, connection: Any, common: Any) -> None:
    diff = actions.add_parser("diff", parents=[connection, common], help="what a bundle changes, as effects")
    diff.add_argument("file", type=Path, help="bundle or release")
    diff.add_argument("--against", type=Path, help="another bundle; without it, what the forwarder has")
    diff.add_argument("--seen", type=Path, help="fields seen: what detectors find where no override speaks")
    verify = actions.add_parser("verify", parents=[connection, common], help="whether a release would be applied")
    verify.add_argument("file", type=Path)
    verify.add_argument("--trust", type=Path, help="check only the signatures, by this trust file, without a forwarder")
    verify.add_argument("--environment", help="with --trust: the environment that it is for")
    apply = actions.add_parser("apply", parents=[connection, common], help="apply a release")
    apply.add_argument("file", type=Path)
    apply.add_argument("--if-match", help="ETag of what must be applied now")
    apply.add_argument(
        "--wait", type=float, default=0.0, metavar="SECONDS", help="wait until the forwarder works by it; else exit 2"
    )
    rollback = actions.add_parser("rollback", parents=[connection, common], help="back to the bundle before")
    rollback.add_argument("--service", required=True)
    rollback.add_argument("--to", default="", help="digest of an earlier one")
    rollback.add_argument("--reason", required=True)
    actions.add_parser("list", parents=[connection, common], help="the services of your teams and what is applied")
    trust = actions.add_parser("trust", parents=[connection, common], help="replace the trusted keys of a Splunk")
    trust.add_argument("file", type=Path, help="trust file, as forwarders read it")


def run(args: argparse.Namespace) -> int:
    """Run one action and return its exit code."""
    work: dict[str, Callable[[argparse.Namespace], int]] = {
        "keygen": making.keygen, "init": making.init, "export": making.export, "seen": making.fields_seen,
        "sign": making.sign, "diff": remote.diff, "verify": remote.verify, "apply": remote.apply,
        "rollback": remote.rollback, "list": remote.listed, "trust": remote.trust,
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
        return remote.REFUSED
