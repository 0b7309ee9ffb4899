"""Lines and blocks of the files that are installed here: programs, pages, changelogs and translations, by language.

Nobody chose them, and other machines have others: what is said of them is said of one machine. Half of the folders, by
a hash of their names, are for development.
"""

from __future__ import annotations

import gettext
import gzip
import hashlib
import os
import random
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from benchmarks.payloads import harmless
from benchmarks.payloads.sent import Sent

ROOTS = ("/usr/bin", "/usr/lib", "/usr/share", "/etc")
KINDS = {
    ".awk": "awk", ".bat": "batch", ".c": "c", ".css": "css", ".go": "go", ".h": "c", ".html": "html", ".js": "js",
    ".lua": "lua", ".md": "markdown", ".mjs": "js", ".mo": "translations", ".php": "php", ".pl": "perl", ".pm": "perl",
    ".ps1": "powershell", ".py": "python", ".rst": "rst", ".rs": "rust", ".sh": "shell", ".sql": "sql", ".tex": "tex",
    ".toml": "toml", ".xml": "xml", ".yaml": "yaml", ".yml": "yaml",
}  # fmt: skip
SCRIPTS = {b"sh": "shell", b"bash": "shell", b"perl": "perl", b"python": "python"}
LEFT_OUT = ("modsecurity", "sqlmap", "nmap", "apisec", "/proc")  # they quote attacks on purpose
MAX_FOLDERS, MAX_FILES, MAX_BYTES = 400, 6, 300_000  # of a kind, of a folder, of a file
SHORTEST, LONGEST = 12, 1_500  # characters
SEED = 1


def values(split: str, each: int) -> Iterator[tuple[str, str]]:
    """Yield at most ``each`` texts of every kind, with their kind."""
    for kind, folders in sorted(_files().items()):
        chance = random.Random(f"{SEED} {kind}")
        names = [name for name in sorted(folders) if (_half(name) == "development") == (split == "development")]
        chance.shuffle(names)
        found: list[str] = []
        for name in names[:MAX_FOLDERS]:
            for path in chance.sample(folders[name], min(MAX_FILES, len(folders[name]))):
                found += _pieces(path, kind, chance)
        found = list(dict.fromkeys(found))
        chance.shuffle(found)
        yield from [(kind, text) for text in found[:each]]


def requests(split: str, count: int) -> Iterator[Sent]:
    """Yield at most ``count`` requests, each with one text."""
    kinds = len(_files())
    made = list(values(split, -(-count // kinds)))
    chance = random.Random(SEED)
    chance.shuffle(made)
    for number, (kind, text) in enumerate(made):
        yield harmless.request(kind, f"installed-{number}", number, {"text": text}, chance)


@lru_cache(maxsize=1)
def _files() -> dict[str, dict[str, list[Path]]]:
    found: dict[str, dict[str, list[Path]]] = {}
    for root in ROOTS:
        for folder, _, names in os.walk(root):
            if any(word in folder for word in LEFT_OUT):
                continue
            for name in sorted(names):
                path = Path(folder, name)
                kind = _kind(path)
                if kind and not path.is_symlink():
                    found.setdefault(kind, {}).setdefault(folder, []).append(path)
    return found


def _kind(path: Path) -> str | None:
    if path.name.startswith("changelog") and path.suffix == ".gz":
        return "changelogs"
    if path.suffix or not ("bin" in path.parts or "git-core" in path.parts or "init.d" in path.parts):
        return KINDS.get(path.suffix)
    try:
        with path.open("rb") as file:
            first = file.readline(80)
    except OSError:
        return None
    if not first.startswith(b"#!"):
        return None
    program = first.split()[-1].rpartition(b"/")[2].rstrip(b"0123456789.")
    return SCRIPTS.get(program)


def _half(folder: str) -> str:
    return "development" if hashlib.sha256(folder.encode()).digest()[0] % 2 else "examination"


def _pieces(path: Path, kind: str, chance: random.Random) -> list[str]:
    try:
        if kind == "translations":
            with path.open("rb") as file:
                texts = [
                    one for one in vars(gettext.GNUTranslations(file))["_catalog"].values() if isinstance(one, str)
                ]
            found = chance.sample(texts, min(len(texts), 40))
        else:
            opened = gzip.open if path.suffix == ".gz" else open
            with opened(path, "rt", encoding="utf-8", errors="strict") as text:
                lines = text.read(MAX_BYTES).split("\n")
            starts = [chance.randrange(len(lines)) for _ in range(min(12, len(lines) // 4))]
            found = ["\n".join(lines[at : at + chance.choice((1, 1, 1, 2, 4, 8))]).strip() for at in starts]
    except (OSError, ValueError, EOFError, LookupError):  # gettext does not expect every catalogue
        return []
    return [one for one in found if SHORTEST <= len(one) <= LONGEST and "\0" not in one]
