"""Runs in Presidio's environment: texts in, what its pattern recognisers find out. No model of language is used.

Every pattern recogniser that it ships is switched on, for each country, and the texts are read as English, which is
where their context words are. Names of fields stand before the values, so that these words can help.
"""

from __future__ import annotations

import inspect
import json
import sys
from typing import Any

import presidio_analyzer.predefined_recognizers as shipped  # type: ignore[import-not-found, unused-ignore]
import spacy  # type: ignore[import-not-found, unused-ignore]
import tldextract  # type: ignore[import-not-found, unused-ignore]
from presidio_analyzer import (  # type: ignore[import-not-found, unused-ignore]
    AnalyzerEngine,
    EntityRecognizer,
    RecognizerRegistry,
)
from presidio_analyzer.nlp_engine import SpacyNlpEngine  # type: ignore[import-not-found, unused-ignore]

tldextract.extract = tldextract.TLDExtract(suffix_list_urls=())  # its own list of suffixes; it would fetch a newer one

MODELS = ("Spacy", "Stanza", "Transformers", "GLiNER", "Azure", "Date", "Url", "Ip")  # not patterns of our classes

CLASSES = {
    "CREDIT_CARD": "pci.pan", "US_SSN": "pii.ssn", "US_ITIN": "pii.itin", "EMAIL_ADDRESS": "pii.email",
    "PHONE_NUMBER": "pii.phone", "IBAN_CODE": "fin.iban", "US_BANK_NUMBER": "fin.account",
    "ABA_ROUTING_NUMBER": "fin.routing", "CRYPTO": "fin.crypto", "US_PASSPORT": "pii.passport",
    "IN_PASSPORT": "pii.passport", "IT_PASSPORT": "pii.passport", "US_DRIVER_LICENSE": "pii.driving_licence",
    "IT_DRIVER_LICENSE": "pii.driving_licence", "UK_NHS": "health.nhs", "UK_NINO": "pii.national_id.gb",
    "AU_TFN": "pii.national_id.au", "AU_ABN": "fin.tax_id", "AU_ACN": "fin.tax_id",
    "AU_MEDICARE": "health.medicare.au", "MEDICAL_LICENSE": "health.dea", "ES_NIF": "pii.national_id.es",
    "ES_NIE": "pii.national_id.es", "IT_FISCAL_CODE": "pii.national_id.it", "IT_VAT_CODE": "fin.tax_id",
    "IT_IDENTITY_CARD": "pii.national_id.it", "FI_PERSONAL_IDENTITY_CODE": "pii.national_id.fi",
    "IN_AADHAAR": "pii.national_id.in", "IN_PAN": "pii.national_id.in", "IN_VOTER": "pii.national_id.in",
    "IN_VEHICLE_REGISTRATION": "pii.vehicle", "KR_RRN": "pii.national_id.kr", "PL_PESEL": "pii.national_id.pl",
    "SG_NRIC_FIN": "pii.national_id.sg", "SG_UEN": "fin.tax_id",
}  # fmt: skip


class Blank(SpacyNlpEngine):  # type: ignore[misc, unused-ignore]
    """Splits text in words and gives each word as its own lemma: enough for context words, and no model."""

    def __init__(self) -> None:
        super().__init__(models=[{"lang_code": "en", "model_name": "blank"}])
        language = spacy.blank("en")
        language.add_pipe("own_lemma")
        self.nlp = {"en": language}

    def load(self) -> None:
        """Nothing to load."""


@spacy.Language.component("own_lemma")  # type: ignore[untyped-decorator, unused-ignore]
def own_lemma(document: Any) -> Any:
    for token in document:
        token.lemma_ = token.text.lower()
    return document


def analyzer() -> Any:
    registry = RecognizerRegistry()
    for name, recognizer in inspect.getmembers(shipped, inspect.isclass):
        if issubclass(recognizer, EntityRecognizer) and not name.startswith(MODELS):
            make: Any = recognizer
            registry.add_recognizer(make(supported_language="en"))
    return AnalyzerEngine(registry=registry, nlp_engine=Blank(), supported_languages=["en"])


def strongest(results: list[Any]) -> list[Any]:
    """Where findings overlap, the surest one counts, as its anonymizer does."""
    kept: list[Any] = []
    for one in sorted(results, key=lambda found: (-found.score, found.start - found.end)):
        if all(one.end <= other.start or other.end <= one.start for other in kept):
            kept.append(one)
    return kept


def main() -> None:
    engine = analyzer()
    for line in sys.stdin:
        answer = json.loads(line)
        starts, text = [], ""
        for part in answer["texts"]:
            starts.append(len(text))
            text += part + "\n"
        found = []
        for one in strongest([r for r in engine.analyze(text, language="en") if r.entity_type in CLASSES]):
            index = max(i for i, start in enumerate(starts) if start <= one.start)
            span = (one.start - starts[index], one.end - starts[index])
            found.append((index, *span, CLASSES[one.entity_type], one.score))
        print(json.dumps({"id": answer["id"], "found": found}))


if __name__ == "__main__":
    main()
