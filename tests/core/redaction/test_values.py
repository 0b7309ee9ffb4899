"""What a name and a value say together."""

from __future__ import annotations

from typing import Optional

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apisec.classification.classes import BY_NAME
from apisec.redaction.values import named, refine

CASES = [
    ("pii.national_id", "44051401359", ("pii.national_id.pl", "44051401359")),
    ("pii.national_id", "390.533.447-05", ("pii.national_id.br", "39053344705")),
    ("pii.national_id", "123456782", ("pii.national_id", "123456782")),  # as good in three countries
    ("pii.national_id", "912-70-1234", ("pii.itin", "912701234")),
    ("pii.national_id", "11.222.333/0001-81", ("fin.tax_id", "11222333000181")),
    ("pii.national_id", "A-17", None),
    ("pii.national_id", "2026-01-12", None),
    ("pii.national_id", "20123456", ("pii.national_id", "20123456")),  # eight digits are no country's
    ("pii.national_id", "550e8400-e29b-41d4-a716-446655440000", None),
    ("pii.national_id", "passport", None),
    ("pii.national_id.pl", "44051401358", ("pii.national_id.pl", "44051401358")),  # mistyped, a person's still
    ("pii.ssn", "123-45-6789", ("pii.ssn", "123456789")),
    ("fin.tax_id", "DE136695976", ("fin.tax_id", "DE136695976")),
    ("fin.tax_id", "390.533.447-05", ("pii.national_id.br", "39053344705")),
    ("fin.account", "DE89 3704 0044 0532 0130 00", ("fin.iban", "DE89370400440532013000")),
    ("fin.account", "12345678", ("fin.account", "12345678")),
    ("fin.routing", "021000021", ("fin.routing", "021000021")),
    ("fin.routing", "direct", None),
    ("fin.bic", "DEUTDEFF500", ("fin.bic", "DEUTDEFF500")),
    ("fin.bic", "n/a", None),
    ("fin.crypto", "bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq", ("fin.crypto",)),
    ("fin.crypto", "bitcoin", None),
    ("health.diagnosis", "E11.9", ("health.diagnosis", "E119")),
    ("health.insurance", "1EG4-TE5-MK73", ("health.mbi", "1EG4TE5MK73")),
    ("health.mrn", "none", None),
    ("pii.location", "48.85", ("pii.location", "48.85")),
    ("pii.location", "Berlin", None),
    ("pii.location", "688209101", ("pii.location", "688209101")),  # ten-millionths of a degree
    ("pii.location", "9999999999", None),
    ("pii.location", "181.5", None),
    ("pii.passport", "C01X00T47", ("pii.passport", "C01X00T47")),
    ("pii.passport", "required", None),
    ("pii.vehicle", "1HGCM82633A004352", ("pii.vehicle", "1HGCM82633A004352")),
    ("pii.vehicle", "truck", None),
    ("device.mac", "00:1a:2b:3c:4d:5e", ("device.mac", "001A2B3C4D5E")),
    ("device.id", "00000000-0000-0000-0000-000000000000", None),
    ("device.imei", "356938035643809", ("device.imei", "356938035643809")),
    ("pci.expiry", "12/27", ("pci.expiry", "12/27")),
    ("pci.expiry", "never", None),
    ("pci.expiry", "2027", ("pci.expiry", "2027")),
    ("pci.expiry", "12", ("pci.expiry", "12")),
    ("pii.national_id", "123-45-6789", ("pii.ssn", "123456789")),
    ("pii.postcode", "SW1A 1AA", ("pii.postcode", "SW1A1AA")),
    ("pii.postcode", "Berlin", None),
    ("pii.address", "0xde709f2102306220921060314715629080e2fb77", ("fin.crypto",)),
    ("pii.address", "12 Main St", ("pii.address", "12 Main St")),
    ("fin.account", "DEUTDEFF", ("fin.bic", "DEUTDEFF")),
    ("fin.account", "032180000118359719", ("fin.clabe", "032180000118359719")),
    ("pii.phone", "12.05.1990", None),
    ("pii.phone", "1234.50", None),
    ("pii.phone", "10.0.0.1", None),
    ("pii.phone", "212.555.0187", ("pii.phone", "2125550187")),
    ("pii.phone", "01.23.45.67.89", ("pii.phone", "0123456789")),
    ("health.mrn", "404", None),
    ("principal", "anything", None),
    ("device.id", "not%2520available", None),  # encoded twice
    ("secret.token", "Pending%20Review", None),
    ("pii.name", "Ada%20Lovelace", ("pii.name", "Ada Lovelace")),
]


@pytest.mark.parametrize(("data_class", "value", "expected"), CASES)
def test_refine(data_class: str, value: str, expected: Optional[tuple[str, ...]]) -> None:
    found = refine(data_class, value)
    assert (found if found is None else found[: len(expected or ())]) == expected
    assert named(data_class, value) == (found[1] if found else None)


@given(st.sampled_from(sorted(BY_NAME)), st.text(max_size=120))
def test_no_value_breaks_it_and_it_names_classes_of_the_table(data_class: str, value: str) -> None:
    found = refine(data_class, value)
    assert found is None or (found[0] in BY_NAME and found[1])


def test_a_value_too_long_is_searched_as_text_instead() -> None:
    assert refine("pii.name", "a" * 9000) is None
