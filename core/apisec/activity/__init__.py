"""Activity rows: what each principal did to each service in five minutes, bounded and mergeable."""

from apisec.activity.client import ClientKey
from apisec.activity.gather import Activity
from apisec.activity.hashing import value_hash32
from apisec.activity.operation import OperationActivity
from apisec.activity.parts import Accounts, ClientUse, CredentialUse, SignalActivity
from apisec.activity.row import OTHER, SLOT_SECONDS, Row
from apisec.activity.steps import Step

__all__ = [
    "OTHER",
    "SLOT_SECONDS",
    "Accounts",
    "Activity",
    "ClientKey",
    "ClientUse",
    "CredentialUse",
    "OperationActivity",
    "Row",
    "SignalActivity",
    "Step",
    "value_hash32",
]
