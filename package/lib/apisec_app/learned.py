"""Flows and baselines as the KV store keeps them."""

from __future__ import annotations

from typing import Any, Tuple

from apisec.baselines.learned import Baselines
from apisec.sequences.flows import FlowModel

from .kvstore import BASELINES, FLOWS, Collection


def empty() -> Tuple[Baselines, FlowModel]:
    """Nothing learned yet."""
    return Baselines.from_documents([]), FlowModel.from_documents([])


def load(service: Any) -> Tuple[Baselines, FlowModel]:
    """Everything learned; raises splunklib's HTTPError where the KV store does not answer."""
    return (
        Baselines.from_documents(Collection(service, BASELINES).load()),
        FlowModel.from_documents(Collection(service, FLOWS).load()),
    )
