"""Other names for operations: what was stamped as ``/users/anna`` is ``/users/{username}`` once that is learned."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Dict, Tuple

from apisec.activity.hashing import value_hash32
from apisec.activity.operation import OperationActivity
from apisec.activity.row import OTHER, Row

Rename = Callable[[str, str], str]  # service, operation: the operation's name
_BODY = "#"  # before what a body asks for
_MISSED = frozenset((401, 403, 404))


def relabel(row: Row, rename: Rename) -> None:
    """Give the operations of a row the names that ``rename`` has for them; those of one name are counted together.

    A segment of a path that has become a parameter is an id that was asked for.
    """
    names = {name: _renamed(row.service, name, rename) for name in row.operations if name != OTHER}
    names.update((step.operation, _renamed(row.service, step.operation, rename)) for step in row.steps)
    changed = {old: new for old, new in names.items() if new != old}
    if not changed:
        return
    for old, new in changed.items():
        activity = row.operations.pop(old, None)
        if activity is not None:
            _take_ids(activity, old, new, row)
            row.operations.setdefault(new, OperationActivity()).merge(activity)
    row.steps = [
        step._replace(operation=changed[step.operation]) if step.operation in changed else step for step in row.steps
    ]
    for signal in row.signals.values():
        counts: Dict[str, int] = {}
        for name, times in signal.operations.items():
            new = changed.get(name, name)
            counts[new] = counts.get(new, 0) + times
        signal.operations = counts
    gone = {value_hash32(old) for old in changed}
    row.operation_hashes.values = {one for one in row.operation_hashes.values if one not in gone}
    row.operation_hashes.update(value_hash32(new) for new in changed.values())
    row.close()


def _renamed(service: str, name: str, rename: Rename) -> str:
    operation, mark, asked = name.partition(_BODY)
    return rename(service, operation) + mark + asked


def _parameters(old: str, new: str) -> Iterator[Tuple[str, str]]:
    """Yield names and values of segments that have become parameters."""
    before, after = (name.partition(_BODY)[0].partition(" ")[2].split("/") for name in (old, new))
    if len(before) == len(after):
        for value, name in zip(before, after):
            if name != value and name[:1] == "{" and value[:1] != "{":
                yield name.strip("{}"), value


def _take_ids(activity: OperationActivity, old: str, new: str, row: Row) -> None:
    for name, value in _parameters(old, new):
        hashed = value_hash32(value)
        activity.objects.setdefault(hashed, max(0, int(activity.first - row.start)))
        activity.object_names[name] = activity.object_names.get(name, 0) + activity.requests
        if activity.statuses and _MISSED.issuperset(activity.statuses):
            activity.refused.add(hashed)
