"""Runs in detect-secrets' environment: texts in, the secrets that all its plugins find in a file of them out.

Fields are written as assignments of quoted strings (``name = "value"``), which is what its plugins look for.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

from detect_secrets.core.scan import scan_file  # type: ignore[import-not-found, unused-ignore]
from detect_secrets.settings import default_settings  # type: ignore[import-not-found, unused-ignore]


def lines_of(texts: list[str]) -> list[tuple[int, str]]:
    """Return the lines of a file, each with the text it is of."""
    found = []
    for index, text in enumerate(texts):
        name, colon, value = text.partition(": ")
        lines = text.splitlines()
        if colon and len(lines) == 1 and " " not in name:
            lines = [f'{name} = "{value}"']
        found += [(index, line) for line in lines]
    return found


def spans(path: Path, texts: list[str]) -> set[tuple[int, int, int]]:
    """Return text, start and end of each secret."""
    lines = lines_of(texts)
    path.write_text("\n".join(line for _, line in lines) + "\n", encoding="utf-8")
    found = set()
    for secret in scan_file(str(path)):
        index = lines[secret.line_number - 1][0]
        at = texts[index].find(secret.secret_value or "\0")
        if at >= 0:
            found.add((index, at, at + len(secret.secret_value)))
    return found


def main() -> None:
    with default_settings(), tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "traffic.txt"
        for line in sys.stdin:
            answer = json.loads(line)
            found = [(*span, "secret", 1.0) for span in sorted(spans(path, answer["texts"]))]
            print(json.dumps({"id": answer["id"], "found": found}))


if __name__ == "__main__":
    main()
