"""The rule set of vendors' secrets: each kind is found wherever it stands, and what only looks like one is not."""

from __future__ import annotations

import random

import pytest

from apisec.classification.vendors import RULES, VENDORS, SecretRule
from apisec.detectors.api_keys import CHECKS, base62_crc32
from apisec.detectors.engine import scan
from tests.core.detectors.examples import example

SURROUNDINGS = (
    "{}",
    "the key is {}, keep it",
    '{{"note": "{}"}}',
    "https://api.example/v1?a=b&x={}&c=d",
    "Fehler: '{}'\n",
)


def of(rule: SecretRule, text: str) -> list[str]:
    return [match.data_class for match in scan(text)]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_each_kind_is_found_wherever_it_stands(rule: SecretRule) -> None:
    """At least 99 % of 200 generated secrets: a random one may look like words."""
    rng = random.Random(rule.id)
    found = 0
    for index in range(200):
        text = SURROUNDINGS[index % len(SURROUNDINGS)].format(example(rule, rng))
        found += f"secret.api_key.{rule.vendor}" in of(rule, text)
    assert found >= 198


def test_there_are_enough_kinds_and_each_vendor_is_described_once() -> None:
    assert len(RULES) >= 140
    assert len({rule.vendor for rule in RULES}) >= 110
    assert {rule.vendor for rule in RULES} == {vendor for vendor, _ in VENDORS}
    assert len(VENDORS) == len({vendor for vendor, _ in VENDORS})
    assert all(rule.source for rule in RULES)


def test_a_right_checksum_is_proof_even_where_the_value_looks_like_no_secret() -> None:
    body = "exampleToken" + "x" * 18
    assert scan(f"ghp_{body}{base62_crc32(body)}")
    assert not scan(f"ghp_{body}000000")


def test_a_wrong_checksum_releases_no_value() -> None:
    """A token of a test server or of a next format must not pass because its checksum is unknown."""
    assert scan("ghp_" + "aB3dE5gH7jK9mN1pQ2rS4tU6vW8xY0zA1cD4")


def test_checksums_agree_with_published_examples() -> None:
    assert base62_crc32("zQWBuTSOoRi4A9spHcVY5ncnsDkxkJ") == "0mLq17"
    assert CHECKS["crc32_base62"]("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")
    assert not CHECKS["crc32_base62"]("ghp_zQWBuTSOoRi4A9spHcVY5ncnsDkxkJ0mLq18")
    assert not CHECKS["crc32_hex"]("glsa_zQWBuTSOoRi4A9spHcVY5ncnsDkxkJab_00000000")
