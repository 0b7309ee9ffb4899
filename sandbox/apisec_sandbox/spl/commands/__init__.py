"""The commands that the sandbox knows, as one explicit list."""

from __future__ import annotations

from apisec_sandbox.spl.commands import (
    basic,
    charts,
    evals,
    extract,
    multivalue,
    outputs,
    sources,
    stats,
    tstats,
)
from apisec_sandbox.spl.commands.base import Parse

MODULES = (basic, charts, evals, extract, multivalue, outputs, sources, stats, tstats)


def _registry() -> dict[str, Parse]:
    found: dict[str, Parse] = {}
    for module in MODULES:
        for name, parse in module.COMMANDS.items():
            if name in found:
                raise ValueError(f"command {name} is registered twice")
            found[name] = parse
    return found


REGISTRY = _registry()
# These bring rows of their own: they stand first.
GENERATING = frozenset(("makeresults", "rest", "savedsearch", "tstats"))
EITHER = frozenset(("search", "inputlookup", "append"))
