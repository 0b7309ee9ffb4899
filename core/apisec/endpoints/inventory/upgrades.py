"""States of earlier versions, made into those of the present one. Numbered functions: one for each step."""

from __future__ import annotations

from typing import Any, Dict, List

from apisec.endpoints.inventory.tally import OTHER
from apisec.errors import DocumentError

STATE_VERSION = 3


def upgraded(document: Dict[str, Any]) -> Dict[str, Any]:
    """Return the document in the present version. DocumentError for one of a version that is not known."""
    version = document["version"]
    while version in _STEPS:
        document = _STEPS[version](document)
        version = document["version"]
    if version != STATE_VERSION:
        raise DocumentError(f"version {version!r} of the state is not known; run the inventory anew", where="inventory")
    return document


def _from_1(document: Dict[str, Any]) -> Dict[str, Any]:
    """Version 1 knew neither shapes nor versions nor hours, and one list of fields for all statuses."""
    operations = [[service, name, _operation_from_1(state)] for service, name, state in document["operations"]]
    return {**document, "version": 2, "operations": operations}


def _operation_from_1(state: Dict[str, Any]) -> Dict[str, Any]:
    count = int(state["n"])
    first, last = state["seen"]
    statuses = {str(status): int(times) for status, times in state["statuses"].items()}
    classes: Dict[str, int] = {}
    for status, times in statuses.items():
        name = f"{status[0]}xx" if status != "0" else "none"
        classes[name] = classes.get(name, 0) + times
    # Its latencies were not told apart by status; most answers of an operation are of its most frequent class.
    usual = max(classes, key=lambda name: (classes[name], name), default="2xx")
    measures = {name: _sketch_from_1(sketch) for name, sketch in state["measures"].items()}
    latency = measures.pop("response_time", {})
    return {
        **{name: state[name] for name in ("seen", "latest", "principals", "auth", "statuses", "classes")},
        "agents": {},
        "kinds": {},
        "servers": {},
        "envs": {},
        "n": [count, state["anonymous"], state["errors"], 0, 0],
        "request": [count, 0, {}, state["request"], []],
        "responses": {OTHER: [count - statuses.get("0", 0), 0, {}, state["response"], []]},
        "measures": measures,
        "timing": {
            "versions": {"": [first, last, classes, {usual: latency} if latency else {}]},
            "hours": [],
            "days": [],
        },
    }


def _sketch_from_1(state: Dict[str, Any]) -> Dict[str, Any]:
    """Bins were pairs of index and count."""
    if not state:
        return {}
    bins: List[int] = []
    before = 0
    for index, times in state["b"]:
        bins += (index - before, times)
        before = index
    return {**state, "b": bins}


def _from_2(document: Dict[str, Any]) -> Dict[str, Any]:
    """Version 2 knew no operations that bodies name, no gateways, and not what of messages was not looked at."""
    operations = [[service, name, _operation_from_2(state)] for service, name, state in document["operations"]]
    return {**document, "version": 3, "operations": operations}


def _operation_from_2(state: Dict[str, Any]) -> Dict[str, Any]:
    responses = {status: [*message, 0] for status, message in state["responses"].items()}
    return {**state, "asked": {}, "gateways": {}, "request": [*state["request"], 0], "responses": responses}


_STEPS = {1: _from_1, 2: _from_2}
