"""The rule set of vendors' secrets, one row a kind: its classes, its detectors and its test examples come from here.

How it is kept, and how a row is added: docs/detectors.md. The formats are facts from the vendors' documentation and
from what their keys look like; ``source`` says where the format is described.
"""

from __future__ import annotations

from typing import Tuple

from apisec.classification.vendors import clouds, services
from apisec.classification.vendors.rule import SecretRule

RULES: Tuple[SecretRule, ...] = (
    *services.AI,
    *services.CHAT,
    *services.PAYMENT,
    *services.MAIL,
    *services.MONITORING,
    *services.OTHERS,
    *clouds.CLOUDS,
    *clouds.VAULTS,
    *clouds.CODE,
)

# Each vendor once, with what its class is, in alphabetical order.
VENDORS: Tuple[Tuple[str, str], ...] = tuple(sorted([(rule.id, rule.text) for rule in RULES if rule.text]))

__all__ = ["RULES", "VENDORS", "SecretRule"]
