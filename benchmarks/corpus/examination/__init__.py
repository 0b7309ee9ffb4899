"""The split that figures are taken from. Who writes detectors does not read this folder, nor its failures one by one.

It asks what APIs of a bank, insurer, hospital, telco, shop, government, employer, carrier, game and maker of devices
send: of a hundred names sixty are English, twenty-five of other languages, fifteen of older systems and of standards
(`split.STRATA`).
"""

from __future__ import annotations

from pathlib import Path

from benchmarks.corpus import development, former
from benchmarks.corpus.examination.countries import COUNTRIES
from benchmarks.corpus.examination.money import MONEY
from benchmarks.corpus.examination.negatives import read
from benchmarks.corpus.examination.persons import PERSONS
from benchmarks.corpus.examination.secrets import SECRETS
from benchmarks.corpus.split import Format, load, without

FORMATS: dict[str, tuple[Format, ...]] = {
    **{f"pii.national_id.{country}": formats for country, formats in COUNTRIES.items()},
    **PERSONS,
    **MONEY,
    **SECRETS,
}

# How often a class is drawn beside those that make 1: what APIs carry most, and what targets are set for.
WEIGHTS = {
    "pci.pan": 4,
    "fin.iban": 3,
    "pii.ssn": 3,
    "pii.email": 5,
    "pii.phone": 5,
    "pii.name": 6,
    "pii.address": 4,
    "pii.dob": 3,
    "pii.postcode": 2,
    "fin.account": 3,
    "secret.password": 3,
    "secret.token": 3,
    "secret.api_key": 4,
    "secret.session": 2,
    "secret.private_key": 2,
}

HERE = Path(__file__).parent
WRITTEN = load(
    "examination",
    90_417_266,
    FORMATS,
    read(),
    (HERE / "names.yml", HERE / "style.yml"),
    WEIGHTS,
    size=4800,
)
SPLIT = without(WRITTEN, development.SPLIT, former.SPLIT)
