"""The actions of ``apisec-forwarder bundle`` that make documents: keys, bundles, fields seen, signatures."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterable, Iterator
from typing import Any

from apisec.bundles import document, release, seen
from apisec.errors import ApisecError, ConfigError, DocumentError
from apisec.patterns import spans
from apisec_forwarder.bundles import documents, signing
from apisec_forwarder.commands import bundle_remote as remote

MAX_EVENT_LINE = 4 * 2**20


def keygen(args: argparse.Namespace) -> int:
    """Make a signing key."""
    key = signing.generate(args.output)
    entry = signing.trusted(key, _words(args.teams), _words(args.environments), args.owner)
    print(documents.dump([entry]), end="")
    print(f"wrote {args.output}; add the entry to keys of the trust file (bundles.trust)", file=sys.stderr)
    return 0


def _words(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]


def init(args: argparse.Namespace) -> int:
    """Write a first bundle of a service."""
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


def export(args: argparse.Namespace) -> int:
    """Write what a forwarder or a Splunk has, or the next version of it."""
    answer = remote.connect(args).call("GET", f"/v1/bundles/{args.service}")
    body = answer["document"]
    if args.next:
        made = _made(args)
        if answer["applied"] is not None:
            body = {**document.successor(document.parse(body), made), **_edits(answer)}
        else:
            body["made"] = made
        if args.seen is not None:
            _add_seen(body, seen.parse(documents.read_file(args.seen), str(args.seen)), args.author)
    return _write(args, body, as_json=args.json)


def _edits(answer: Any) -> dict[str, Any]:
    """Return what somebody changed in Splunk since the bundle was applied; a forwarder has no such thing."""
    edited = answer.get("edited")
    if edited is None:
        return {}
    return {"overrides": edited.get("overrides", []), "ownership": edited["ownership"]}


def fields_seen(args: argparse.Namespace) -> int:
    """Write the sensitive fields that events show, or the inventory of a Splunk."""
    if (args.events is None) == (args.splunk is None):
        raise ConfigError("give --events FILE, or --splunk URL")
    if args.splunk is not None:
        return _write(args, remote.fields_seen(args))
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


def sign(args: argparse.Namespace) -> int:
    """Sign a bundle for its next environment."""
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
