"""What the stems of field names stand for: concepts, in some thirty languages and their usual abbreviations.

One module a group of languages, one of standards' own terse names, one of papers' numbers and one of what
trades say; each holds concept: stems. A stem that ends in
``*`` takes the rest of its word. Stems are written as the language writes them; ``fold`` brings them and the names to
the same letters (accents away, Cyrillic and Greek in Latin letters). A language that parts its words (``numero de
telefono``) has them joined (``numerodetelefono``) only where the parts do not say it.
"""

from __future__ import annotations

from typing import Dict, Tuple

from apisec.classification.names.stems import (
    asian,
    english,
    germanic,
    nordic,
    references,
    romance,
    scripts,
    slavic,
    standards,
    trades,
    western,
)

_GROUPS: Tuple[Dict[str, str], ...] = (
    western.CONCEPTS,
    english.CONCEPTS,
    germanic.CONCEPTS,
    romance.CONCEPTS,
    nordic.CONCEPTS,
    slavic.CONCEPTS,
    asian.CONCEPTS,
    scripts.CONCEPTS,
    standards.CONCEPTS,
    references.CONCEPTS,
    trades.CONCEPTS,
)


def _joined(groups: Tuple[Dict[str, str], ...]) -> Dict[str, str]:
    together: Dict[str, str] = {}
    for group in groups:
        for concept, stems in group.items():
            together[concept] = f"{together[concept]} {stems}" if concept in together else stems
    return together


CONCEPTS: Dict[str, str] = _joined(_GROUPS)
COUNTRY_WORDS: Dict[str, str] = _joined((western.COUNTRY_WORDS, scripts.COUNTRY_WORDS))
