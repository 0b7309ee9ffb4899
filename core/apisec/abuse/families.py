"""The registry of families: an explicit list, one file each."""

from __future__ import annotations

from typing import List, Tuple

from apisec.abuse.account_enumeration import AccountEnumeration
from apisec.abuse.base import Family
from apisec.abuse.credential_stuffing import CredentialStuffing
from apisec.abuse.excess_data import ExcessData
from apisec.abuse.flooding import Flooding
from apisec.abuse.flow_automation import FlowAutomation
from apisec.abuse.function_abuse import FunctionAbuse
from apisec.abuse.mass_assignment import MassAssignment
from apisec.abuse.object_enumeration import ObjectEnumeration
from apisec.abuse.payload import Injection, ServerSideRequestForgery
from apisec.abuse.reconnaissance import Reconnaissance
from apisec.abuse.scraping import Scraping
from apisec.abuse.spec_violation import SpecViolation
from apisec.abuse.step_skipping import StepSkipping
from apisec.abuse.token_guessing import TokenGuessing
from apisec.abuse.token_theft import TokenTheft


def _registered(families: List[Family]) -> Tuple[Family, ...]:
    names = [family.name for family in families]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"families registered twice: {', '.join(twice)}")
    return tuple(families)


FAMILIES: Tuple[Family, ...] = _registered(
    [
        AccountEnumeration(),
        CredentialStuffing(),
        ExcessData(),
        Flooding(),
        FlowAutomation(),
        FunctionAbuse(),
        Injection(),
        MassAssignment(),
        ObjectEnumeration(),
        Reconnaissance(),
        Scraping(),
        ServerSideRequestForgery(),
        SpecViolation(),
        StepSkipping(),
        TokenGuessing(),
        TokenTheft(),
    ]
)
