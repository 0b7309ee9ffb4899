"""National identity, insurance and tax numbers of persons, a region a file; the rule's source stands with each row.

``ROWS`` holds all; ``BY_CLASS`` those of one class, ``pii.national_id.<cc>``, the most telling first.
"""

from __future__ import annotations

from typing import Tuple

from apisec.validators.national import (
    americas,
    asia_africa_oceania,
    eastern_europe,
    northern_europe,
    western_europe,
)
from apisec.validators.numbers import Number

ROWS: Tuple[Number, ...] = (
    *western_europe.ROWS,
    *northern_europe.ROWS,
    *eastern_europe.ROWS,
    *americas.ROWS,
    *asia_africa_oceania.ROWS,
)
