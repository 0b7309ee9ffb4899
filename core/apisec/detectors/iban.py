"""IBANs, compact or in groups."""

from __future__ import annotations

from apisec.detectors.base import Detector, linear
from apisec.validators.iban import iban

DETECTORS = (
    # 15 to 34 letters and digits, one separator between any two; the country says how many belong to it.
    Detector(
        "iban",
        "fin.iban",
        linear(r"(?<![A-Za-z0-9])[A-Za-z]{2}\d{2}(?:[ .\u00a0\u2009\u202f-]?[A-Za-z0-9]){11,30}"),
        iban,
        trim=True,
        gate="iban",
    ),
)
