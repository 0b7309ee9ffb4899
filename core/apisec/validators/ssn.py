"""Social security numbers of the United States: areas, groups and serials that can exist.

Since the randomisation of 2011 every area but 000, 666 and 900 to 999 can be issued (SSA, 20 CFR 422.103).
"""

from __future__ import annotations


def ssn(digits: str) -> bool:
    """Return whether nine ASCII digits can be a social security number."""
    area, group, serial = digits[:3], digits[3:5], digits[5:]
    return len(digits) == 9 and area not in ("000", "666") and area < "900" and group != "00" and serial != "0000"
