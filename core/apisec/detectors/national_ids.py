"""National identity, insurance and tax numbers of persons, printed or bare; ITIN of the United States."""

from __future__ import annotations

from apisec.detectors.numbers import of_numbers
from apisec.validators.national import ROWS

# What announces the number of any country, besides the words that each row brings.
_WORDS = (
    *(
        "national id*",
        "nationality id",
        "identity number",
        "identity no",
        "identity card*",
        "citizen id*",
        "personal id*",
    ),
    *("government id*", "tax id*", "taxpayer id*", "personal number", "citizenship number", "id card"),
    *(
        "ausweis*",
        "personalausweis*",
        "steuernummer",
        "carte d identité",
        "numéro d identité",
        "documento de identidad",
    ),
    *("número de identificación", "numero de identificacion", "identificación personal", "documento d identità"),
    *("carta d identità", "número de identificação", "cartão de identidade", "identiteitskaart", "identiteitsnummer"),
    *("персональный номер", "henkilökortti", "legitimation*", "numer identyfikacyjny"),
)

DETECTORS = of_numbers(ROWS, _WORDS)
