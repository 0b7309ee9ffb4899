"""What can run on the Splunk that SPLUNK_URL names; the rest is left out by name, with the reason."""

from __future__ import annotations

import os
from collections import Counter

import pytest

DESELECTED = pytest.StashKey[list[tuple[str, str]]]()


def _reasons() -> dict[str, str]:
    """Marker → why its tests do not run on the Splunk that SPLUNK_URL names."""
    if not os.environ.get("SPLUNK_URL"):
        return {}
    from tests.support.splunk import Target  # only here: the environments of Splunk's Pythons have no requests

    target = Target.from_environment()
    assert target is not None
    reasons = {"standin": "needs the stand-in's process or files"}
    if not target.reachable:
        reasons["callback"] = "Splunk must reach this machine: set SPLUNK_REACH to its address as Splunk sees it"
    if os.environ.get("SPLUNK_EXCLUSIVE") != "1":
        reasons["exclusive"] = "learns for the whole app: set SPLUNK_EXCLUSIVE=1 where no input apisec_inventory runs"
    return reasons


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out by name what cannot run on the given Splunk, and begin with the files that take long.

    Files run side by side: a long one that comes last is waited for by everybody.
    """
    try:
        reasons = _reasons()
    except ValueError as error:
        raise pytest.UsageError(str(error)) from None
    left_out = [(item, next((r for m, r in reasons.items() if item.get_closest_marker(m)), "")) for item in items]
    config.stash[DESELECTED] = [(item.nodeid, reason) for item, reason in left_out if reason]
    if config.stash[DESELECTED]:
        config.hook.pytest_deselected(items=[item for item, reason in left_out if reason])
        items[:] = [item for item, reason in left_out if not reason]
    long = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in long)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    left_out = config.stash.get(DESELECTED, [])
    if left_out:
        terminalreporter.section("not run on SPLUNK_URL")
        named = Counter((name.partition("[")[0], reason) for name, reason in left_out)
        for (name, reason), count in named.items():
            terminalreporter.line(f"{name}{f' ({count} cases)' if count > 1 else ''}: {reason}")
