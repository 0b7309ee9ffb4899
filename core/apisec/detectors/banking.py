"""Numbers of banks, branches and accounts, and companies' tax numbers."""

from __future__ import annotations

from apisec.detectors.numbers import of_numbers
from apisec.validators import banking, tax

# A field named *account number* or *bank code* may hold any of these.
_ACCOUNT = ("fin.account",)
_TAX_WORDS = ("company number", "tax number", "tax no", "steuernummer", "numéro fiscal", "vat number", "tax id*")

DETECTORS = (
    *of_numbers(banking.ROWS, hints=_ACCOUNT),
    *of_numbers(tax.ROWS, _TAX_WORDS),
)
