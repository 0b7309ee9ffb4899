"""Run benchmarks by name, or list them: ``python -m benchmarks pipeline scoring``."""

from __future__ import annotations

import ast
import runpy
import sys
from pathlib import Path

FOLDER = Path(__file__).parent


def available() -> dict[str, str]:
    """Return the benchmarks: name, and the first line of what its file says of itself."""
    found = {}
    for path in sorted(FOLDER.glob("[!_]*.py")):
        text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
        found[path.stem] = text.partition("\n")[0]
    return found


def main(arguments: list[str]) -> int:
    known = available()
    if {"-h", "--help"} & set(arguments):
        print(__doc__)
        for name, text in known.items():
            print(f"  {name:12} {text}")
        return 0
    unknown = [name for name in arguments if name not in known]
    if unknown:
        print(f"unknown benchmark {unknown[0]!r}; there are: {', '.join(known)}", file=sys.stderr)
        return 2
    for name in arguments or known:
        print(f"== {name}: {known[name]}")
        sys.argv = [name]
        runpy.run_module(f"benchmarks.{name}", run_name="__main__")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
