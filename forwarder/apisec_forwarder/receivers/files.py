"""Files and named pipes that other programs write: a transaction a line, in one of several formats; NGINX's log, too.

A file is a buffer: it is read from the last checkpoint, across rotations by its owner, and never changed. A pipe is
none: what its writer had written when we died is lost, which is what a pipe is.
"""

from __future__ import annotations

import dataclasses
import errno
import hashlib
import os
import signal
import stat
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from apisec.model.transaction import Transaction
from apisec_forwarder.receivers import envoy, records
from apisec_forwarder.receivers.base import Place
from apisec_forwarder.receivers.documents import parsed
from apisec_forwarder.receivers.lines import MAX_LINE_BYTES, Lines, LineSource, LogLines, PipeLines
from apisec_forwarder.receivers.tail import LogTail

if TYPE_CHECKING:
    from apisec_forwarder.config.receivers import FileReceiver, NginxReceiver

Parse = Callable[[bytes], Transaction]


def parser(kind: str) -> Parse:
    """Return what reads a line of a format; it raises DocumentError or DecodeError, which repeat no byte of it."""
    if kind == "envoy":
        return envoy.parse
    reader = records.FORMATS["transactions" if kind == "jsonl" else kind]
    return lambda line: reader(parsed(line), line, 0)


def file_source(settings: FileReceiver, place: Place, name: str) -> LineSource:
    """Open a file of another program, or its pipe."""
    if _is_pipe(settings.path):
        lines: Lines = PipeLines(settings.path, name)
    else:
        lines = LogLines(LogTail(settings.path, _checkpoint(settings.path, place), MAX_LINE_BYTES, owned=False))
    return LineSource(name, lines, parser(settings.format))


def nginx_source(settings: NginxReceiver, place: Place, name: str = "nginx") -> LineSource:
    """Open NGINX's log: with its pid file rotated by us, without it followed wherever logrotate moves it."""
    longest = MAX_LINE_BYTES + (settings.request_bytes + settings.response_bytes) * 4 // 3
    pid_file = settings.pid_file
    tail = LogTail(
        settings.log,
        _checkpoint(settings.log, place),
        longest,
        rotate_bytes=settings.rotate_bytes,
        reopen=(lambda: _reopen(pid_file)) if pid_file is not None else None,
        owned=pid_file is not None,
    )
    return LineSource(name, LogLines(tail), parse_nginx)


def parse_nginx(line: bytes) -> Transaction:
    """Return the transaction of a line that ``gateway/apisec.js`` wrote, its target as the client sent it."""
    found = records.FORMATS["transactions"](parsed(line), line, 0)
    scheme, mark, rest = found.request.target.partition("://")
    host, slash, path = rest.partition("/")
    if not mark or not slash or scheme not in ("http", "https") or "?" in host:
        return found
    request = dataclasses.replace(found.request, target=f"/{path}", scheme=scheme, host=host)
    return dataclasses.replace(found, request=request)


def _reopen(pid_file: Path) -> None:
    """Have NGINX open its logs anew (https://nginx.org/en/docs/control.html); OSError when it is away."""
    try:
        os.kill(int(pid_file.read_text()), signal.SIGUSR1)
    except ValueError as error:
        raise OSError(errno.ESRCH, "no pid in the pid file") from error


def _checkpoint(path: Path, place: Place) -> Path:
    name = hashlib.blake2b(os.fsencode(path.absolute()), digest_size=8).hexdigest()
    return place.state / f"file-{name}.json"


def _is_pipe(path: Path) -> bool:
    try:
        return stat.S_ISFIFO(path.stat().st_mode)
    except OSError:
        return False  # a file that is yet to come
