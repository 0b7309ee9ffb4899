"""Fuzz one harness after the other with atheris, and time their slowest inputs without instrumentation.

``python -m fuzz.run [SECONDS]``: seconds for each harness. Corpora grow in build/fuzz/<harness>; what fails is
written to build/fuzz/<harness>-failures and makes the exit code 1. Move it to tests/cases/fuzz/<harness>/ as
NAME.bin when it is mended: the ordinary tests run what lies there.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from pathlib import Path

from fuzz import decoding, engines, events, seeds

ROOT = Path(__file__).resolve().parent.parent
HARNESSES = {"decoding": decoding.check, "engines": engines.check, "events": events.check}
MAX_LENGTH = 16_384  # bytes of one input
_DONE = re.compile(r"Done (\d+) runs in (\d+) second")


def main() -> int:
    """Run what the command line names; return the exit code."""
    parser = argparse.ArgumentParser(prog="fuzz", description="Fuzz the decoders and the way to an event.")
    parser.add_argument("seconds", nargs="?", type=int, default=180, help="for each harness (default: 180)")
    parser.add_argument("--only", choices=sorted(HARNESSES), help="one harness alone")
    arguments = parser.parse_args()
    names = [arguments.only] if arguments.only else sorted(HARNESSES)
    return max([_harness(name, arguments.seconds) for name in names])


def _harness(name: str, seconds: int) -> int:
    corpus = ROOT / "build" / "fuzz" / name
    failures = corpus.with_name(f"{name}-failures")
    failures.mkdir(parents=True, exist_ok=True)
    count = seeds.write(corpus, name)
    print(f"{name}: {count} seeds, {seconds} s", flush=True)
    command = [
        *(sys.executable, "-m", "fuzz.target", name, str(corpus)),
        *(f"-max_total_time={seconds}", f"-max_len={MAX_LENGTH}", f"-artifact_prefix={failures}/", "-timeout=10"),
        "-print_final_stats=1",
    ]
    ended = subprocess.run(command, cwd=ROOT, stderr=subprocess.PIPE, text=True, errors="replace", check=False)  # noqa: S603
    done = _DONE.search(ended.stderr)
    print(f"{name}: {done.group(0) if done else 'ended by a failure'}")
    if ended.returncode:
        print(ended.stderr[-4000:])
        return 1
    return _slowest(name, corpus)


def _slowest(name: str, corpus: Path) -> int:
    """Time every input of the corpus as it runs in production; one above the limit, twice over, is a failure."""
    check = HARNESSES[name]
    worst, which = 0.0, ""
    for path in sorted(corpus.iterdir()):
        data = path.read_bytes()
        taken = check(data)
        if taken > events.MAX_SECONDS:
            taken = min(taken, check(data))  # not when a cache was cold or the machine stood still
        if taken > worst:
            worst, which = taken, path.name
    print(f"{name}: {len(list(corpus.iterdir()))} inputs kept, the slowest takes {worst * 1000:.1f} ms ({which})")
    return int(worst > events.MAX_SECONDS)


if __name__ == "__main__":
    sys.exit(main())
