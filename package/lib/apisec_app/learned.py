"""Flows and baselines as the KV store keeps them."""

from __future__ import annotations

from typing import Any, Tuple

from apisec.baselines.learned import Baselines
from apisec.sequences.flows import FlowModel

from .access import caller_of, reader
from .kvstore import BASELINES, FLOWS


def empty() -> Tuple[Baselines, FlowModel]:
    """Nothing learned yet."""
    return Baselines.from_documents([]), FlowModel.from_documents([])


def load(service: Any) -> Tuple[Baselines, FlowModel]:
    """What was learned of the operations that the search's user may see.

    Raises splunklib's HTTPError where the KV store or the app's REST handler does not answer.
    """
    caller = caller_of(service)
    return (
        Baselines.from_documents(reader(service, BASELINES, caller).load()),
        FlowModel.from_documents(reader(service, FLOWS, caller).load()),
    )
