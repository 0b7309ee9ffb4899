"""``apisec-sandbox serve``: the stand-in for Splunk on two ports."""

from __future__ import annotations

import argparse
import gc
import json
import logging
import re
import signal
import sys
import threading
from pathlib import Path

from apisec_sandbox.errors import SandboxError
from apisec_sandbox.splunkd.home import Home, write_atomic
from apisec_sandbox.splunkd.server import Addresses, Options, Splunkd

HELP = "Serve the stand-in for Splunk: the management port and HEC, on files in one folder."
EPILOG = """\
example:
  apisec-sandbox serve --home /tmp/splunk --hec-token gw=11111111-2222-3333-4444-555555555555:apisec
  The admin's password is in HOME/etc/auth/admin_password; verify TLS against HOME/etc/auth/cacert.pem.
"""
# inputs.conf takes any text without white space as a token; Splunk's own SDK is tested with one that is no GUID.
TOKEN = re.compile(r"([\w\-]+)=([\w\-]{16,128})(?::([\w\-,*]+))?\Z")


def configure(parser: argparse.ArgumentParser) -> None:
    parser.epilog = EPILOG
    parser.add_argument("--home", type=Path, required=True, help="folder that keeps everything; made when missing")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument("--mgmt-port", type=int, default=0, metavar="PORT", help="management port; 0: any free one")
    parser.add_argument("--hec-port", type=int, default=0, metavar="PORT", help="HEC's port; 0: any free one")
    parser.add_argument("--no-tls", action="store_true", help="plain HTTP on both ports")
    parser.add_argument("--ready-file", type=Path, metavar="F", help="write the addresses as JSON here when up")
    parser.add_argument(
        "--hec-token",
        action="append",
        default=[],
        metavar="NAME=TOKEN[:INDEX,…]",
        help="make a HEC token; the first index is its default, and it may write to no other than those listed",
    )
    parser.add_argument(
        "--hec-ack",
        action="store_true",
        help="these tokens want indexer acknowledgement: clients must send a channel, as with Splunk's useACK",
    )
    parser.add_argument("--admin-password-file", type=Path, metavar="F", help="read the admin's password from here")
    parser.add_argument("--python", type=Path, default=Path(sys.executable), help="interpreter for scripts of apps")
    parser.add_argument("--no-schedule", action="store_true", help="do not run saved searches and inputs on schedule")


def run(args: argparse.Namespace) -> int:
    logging.basicConfig(
        level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s %(message)s", stream=sys.stderr
    )
    options = Options(
        args.host, args.mgmt_port, args.hec_port, not args.no_tls, args.python, schedule=not args.no_schedule
    )
    tokens = [parse_token(text) for text in args.hec_token]
    password = read_password(args.admin_password_file) if args.admin_password_file else None
    splunkd = Splunkd(Home(args.home.resolve()), options)
    try:
        splunkd.ensure_admin(password)
        for name, value, indexes in tokens:
            splunkd.ensure_token(name, value, indexes, use_ack=args.hec_ack)
        stop = _stop_on_signals()
        addresses = splunkd.start()
        gc.freeze()  # scans make millions of objects and no cycles: looking for those often costs a fifth of their time
        gc.set_threshold(100_000, 20, 100)
        _announce(addresses, args.ready_file)
        stop.wait()
    finally:
        splunkd.close()
        if args.ready_file:
            args.ready_file.unlink(missing_ok=True)
    return 0


def parse_token(text: str) -> tuple[str, str, tuple[str, ...]]:
    """Read NAME=TOKEN[:index,index].

    Raises:
        SandboxError: it is not of that form.
    """
    match = TOKEN.match(text)
    if match is None:
        raise SandboxError(
            f"--hec-token {text!r}: expected NAME=TOKEN or NAME=TOKEN:index,index; "
            "a token has 16 to 128 letters, digits and dashes, as a GUID has"
        )
    return match[1], match[2], tuple(part for part in (match[3] or "").split(",") if part)


def read_password(path: Path) -> str:
    try:
        password = path.read_text("utf-8").strip()
    except OSError as error:
        raise SandboxError(f"--admin-password-file {path}: {error.strerror}") from error
    if len(password) < 8:
        raise SandboxError(f"--admin-password-file {path}: the password needs at least 8 characters")
    return password


def _stop_on_signals() -> threading.Event:
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    return stop


def _announce(addresses: Addresses, ready_file: Path | None) -> None:
    about = {
        "mgmt": addresses.mgmt,
        "hec": addresses.hec,
        "ca": str(addresses.ca) if addresses.ca else None,
        "admin_user": addresses.admin_user,
        "admin_password_file": str(addresses.admin_password_file),
        "pid": addresses.pid,
    }
    if ready_file:
        write_atomic(ready_file, json.dumps(about, indent=1).encode())
    for name, value in about.items():
        print(f"{name:20} {value}", flush=True)
