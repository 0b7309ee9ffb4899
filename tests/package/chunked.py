"""splunkd's side of the search command protocol, version 2, written from its description: chunks in, chunks out."""

from __future__ import annotations

import csv
import io
import json
import re
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

_HEADER = re.compile(rb"chunked 1\.0,(\d+),(\d+)\n")
_ITEM = re.compile(r"\$((?:[^$]|\$\$)*)\$(?:;|\Z)")
Record = dict[str, Any]


def encode(metadata: Mapping[str, Any], records: Sequence[Mapping[str, Any]] = ()) -> bytes:
    body = b""
    if records:
        names = list(dict.fromkeys(name for record in records for name in record))
        text = io.StringIO()
        writer = csv.writer(text)
        writer.writerow([n for name in names for n in (name, f"__mv_{name}")])
        for record in records:
            writer.writerow([cell for name in names for cell in _cells(record.get(name, ""))])
        body = text.getvalue().encode()
    head = json.dumps(metadata).encode()
    return b"chunked 1.0,%d,%d\n" % (len(head), len(body)) + head + body


def _cells(value: Any) -> tuple[str, str]:
    if isinstance(value, list):
        return "\n".join(value), ";".join("$" + v.replace("$", "$$") + "$" for v in value)
    return str(value), ""


def decode(data: bytes) -> list[tuple[dict[str, Any], list[Record]]]:
    chunks, position = [], 0
    while position < len(data):
        found = _HEADER.match(data, position)
        assert found, data[position : position + 200]
        head, body = int(found[1]), int(found[2])
        start = found.end()
        metadata = json.loads(data[start : start + head])
        rows = list(csv.DictReader(io.StringIO(data[start + head : start + head + body].decode())))
        chunks.append((metadata, [_record(row) for row in rows]))
        position = start + head + body
    return chunks


def _record(row: Mapping[str, str]) -> Record:
    record: Record = {}
    for name, value in row.items():
        if not name.startswith("__mv_"):
            several = _ITEM.findall(row.get(f"__mv_{name}") or "")
            record[name] = [item.replace("$$", "$") for item in several] if several else value
    return record


def run(
    python: str, script: Path, chunks: Sequence[Sequence[Mapping[str, Any]]], args: Sequence[str] = (), **info: Any
) -> tuple[dict[str, Any], list[Record], list[Any]]:
    """Getinfo and execute; returns the command's configuration, its records and its messages."""
    search = {
        "sid": "1.1", "args": list(args), "raw_args": list(args), "app": "apisec", "owner": "admin",
        "username": "admin", "session_key": "", "splunkd_uri": "", "splunk_version": "10.0.0",
        "search": "search%20index%3Dapisec",
        "earliest_time": "0", "latest_time": "0", "dispatch_dir": str(script.parent), "maxresultrows": 50000, **info,
    }  # fmt: skip
    sent = encode(
        {"action": "getinfo", "preview": False, "streaming_command_will_restart": False, "searchinfo": search}
    )
    for number, records in enumerate(chunks):
        sent += encode({"action": "execute", "finished": number == len(chunks) - 1}, records)
    command = [python, "-E", "-s", "-S", "-B", str(script)]
    done = subprocess.run(command, input=sent, capture_output=True, timeout=120)
    assert done.returncode == 0, (done.stdout[-2000:], done.stderr.decode()[-2000:])
    (configuration, _), *answers = decode(done.stdout)
    messages = [m for metadata, _ in answers for m in (metadata.get("inspector") or {}).get("messages", [])]
    return configuration, [record for _, records in answers for record in records], messages
