"""The table of data classes: every class a value, a field or a token can have stands here once.

``docs/reference/classes.md`` is generated from this table (``levels.reference``); a test holds it.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import Mapping, Tuple

from apisec.classification import regulated, vendors

IDENTITY = 0  # not sensitive once it is a token: who acts, in which session
INTERNAL = 1  # alone it says little about a person
PERSONAL = 2  # identifies or describes a person
RESTRICTED = 3  # regulated, or usable for fraud together with little else
CRITICAL = 4  # usable by whoever reads it: credentials, card data


@dataclass(frozen=True)
class DataClass:
    """One class. ``echo`` says that a value found once is looked for in the rest of its transaction."""

    name: str
    text: str
    sensitivity: int
    echo: bool = True


CLASSES: Tuple[DataClass, ...] = (
    DataClass("principal", "Who acts: a JWT subject, an API key, a session, a certificate.", IDENTITY),
    DataClass("user", "Name or subject a user logs in with.", IDENTITY, echo=False),
    DataClass("pci.pan", "Payment card number.", CRITICAL),
    DataClass("pci.cvv", "Card verification value.", CRITICAL),
    DataClass("pci.expiry", "Expiry date of a payment card.", PERSONAL, echo=False),
    DataClass("pci.track", "Magnetic stripe data of a payment card.", CRITICAL),
    DataClass("pii.ssn", "Social security number of the United States.", RESTRICTED),
    DataClass("pii.national_id", "National identity or tax number of a person, country unknown.", RESTRICTED),
    DataClass("pii.email", "E-mail address.", PERSONAL),
    DataClass("pii.phone", "Telephone number.", PERSONAL),
    DataClass("pii.name", "Name of a person.", PERSONAL),
    DataClass("pii.address", "Street address.", PERSONAL),
    DataClass("pii.postcode", "Postcode of an address.", INTERNAL, echo=False),
    DataClass("pii.dob", "Date of birth.", PERSONAL),
    DataClass("fin.iban", "International bank account number.", RESTRICTED),
    DataClass("fin.account", "Bank account or routing number.", RESTRICTED),
    *[DataClass(*row) for row in regulated.ROWS],
    DataClass("secret.jwt", "JSON Web Token.", CRITICAL),
    DataClass("secret.bearer", "Bearer token that is not a JWT.", CRITICAL),
    DataClass("secret.basic", "User and password of HTTP Basic authentication.", CRITICAL),
    DataClass("secret.password", "Password, passphrase or PIN.", CRITICAL),
    DataClass("secret.session", "Session identifier.", CRITICAL),
    DataClass("secret.otp", "One-time code.", CRITICAL),
    DataClass("secret.token", "Access, refresh, reset or other token, by its field's name.", CRITICAL),
    DataClass("secret.private_key", "Private key.", CRITICAL),
    DataClass("secret.api_key", "API key or client secret, by its field's name.", CRITICAL),
    *[DataClass(f"secret.api_key.{vendor}", f"{text}.", CRITICAL) for vendor, text in vendors.VENDORS],
)

SENSITIVITY_NAMES = ("identity", "internal", "personal", "restricted", "critical")


def _by_name(classes: Tuple[DataClass, ...]) -> Mapping[str, DataClass]:
    table = {}
    for data_class in classes:
        if data_class.name in table:
            raise ValueError(f"data class {data_class.name!r} is defined twice")
        table[data_class.name] = data_class
    return MappingProxyType(table)


BY_NAME: Mapping[str, DataClass] = _by_name(CLASSES)


def sensitivity(name: str) -> int:
    """Return a class's sensitivity (0 to 4); an unknown class counts as personal."""
    found = BY_NAME.get(name)
    return found.sensitivity if found else PERSONAL
