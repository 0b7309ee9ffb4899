"""The page docs/reference/spl.md: what the stand-in for Splunk knows of its search language, from its registries."""

from __future__ import annotations

from collections.abc import Iterable

import spl_rules
from apisec_sandbox.spl import aggregates, commands, functions
from apisec_sandbox.spl.context import Limits

BASE = "https://docs.splunk.com/Documentation/Splunk/latest/SearchReference"
HEAD = f"""# The stand-in's search language

Generated from the registries of `sandbox/apisec_sandbox/spl` by `python tools/reference.py`. What is not on this page
is refused by name, with line and column. Names link to the page of Splunk's Search Reference that states their
rules (`{BASE}/…`).
"""


def page() -> str:
    parts = (HEAD, _commands(), _functions(), _aggregates(), _limits(), _refused())
    return "\n".join(part.rstrip("\n") + "\n" for part in parts)


def _link(name: str, target: str) -> str:
    return f"[`{name}`]({BASE}/{target})"


def _commands() -> str:
    words = spl_rules.vocabulary()["commands"]
    rows = [
        f"| {_link(name, words[name]['page'])} | {_listed(commands.OPTIONS.get(name, ()))} | {_place(name)} |"
        for name in sorted(commands.REGISTRY)
    ]
    return "## Commands\n\n| command | options | place |\n|---|---|---|\n" + "\n".join(rows)


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in sorted(names))


def _place(name: str) -> str:
    if name in commands.GENERATING:
        return "first only"
    return "first or later" if name in commands.EITHER else "later"


def _functions() -> str:
    by_page = spl_rules.vocabulary()["functions"]
    rows = []
    for target, names in sorted(by_page.items()):
        known = [name for name in names if name in functions.SIGNATURES]
        if known:
            rows.append(f"| {_link(target, target)} | {_listed(known)} |")
    return "## Functions of eval and where\n\n| page | functions |\n|---|---|\n" + "\n".join(rows)


def _aggregates() -> str:
    by_page = spl_rules.vocabulary()["aggregates"]
    rows = []
    for target, names in sorted(by_page.items()):
        known = [name for name in names if name in aggregates.FUNCTIONS]
        if known:
            rows.append(f"| {_link(target, target)} | {_listed(known)} |")
    tail = "\n\nAnd percentiles: `percN`, `pN`, `exactpercN`, `upperpercN` (N from 0 to 100)."
    return "## Statistical functions\n\n| page | functions |\n|---|---|\n" + "\n".join(rows) + tail


def _limits() -> str:
    limits = Limits()
    rows = (
        ("rows that `sort` keeps without a number", limits.sort),
        ("rows of a subsearch", limits.subsearch),
        ("rows of `append`", limits.append),
        ("values of `list()`", limits.list_values),
        ("rows that a job keeps", limits.results),
    )
    lines = "\n".join(f"| {text} | {number:,} |" for text, number in rows)
    return "## Limits\n\nThose of Splunk's limits.conf.\n\n| what | number |\n|---|---|\n" + lines


def _refused() -> str:
    words = spl_rules.vocabulary()["commands"]
    names = [name for name in sorted(words) if name not in commands.REGISTRY]
    return (
        "## Documented by Splunk, refused here\n\n"
        "The error names the command" + (" and what to write instead" if commands.INSTEAD else "") + ".\n\n"
        + ", ".join(f"`{name}`" for name in names) + "."
    )  # fmt: skip
