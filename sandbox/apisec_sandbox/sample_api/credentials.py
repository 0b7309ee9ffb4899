"""Fixed accounts and keys of the sample API: public on purpose, so that a traffic generator elsewhere can log in.

They open nothing but this in-memory toy shop on a loopback address.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Staff:
    email: str
    password: str
    full_name: str
    role: str


STAFF_DOMAIN = "@shop.example"

CLERKS = tuple(
    Staff(f"clerk{number}{STAFF_DOMAIN}", f"Counter-Service-{number}9!", f"Casey Clerk {number}", "clerk")
    for number in range(1, 6)
)
ADMIN = Staff(f"admin{STAFF_DOMAIN}", "Back-Office-7710!", "Robin Root", "admin")
STAFF = (*CLERKS, ADMIN)

PARTNER_KEYS = {
    f"pk_live_9f3b7c21d4{number:02d}e8a65b0c": f"partner-{number:02d}" for number in range(1, 9)
}  # key → partner's name
LEGACY_USER = "reporting"
LEGACY_PASSWORD = "Ledger*Quarter*88"  # noqa: S105  public, see above
WEBHOOK_SECRET = b"whsec_5e1f0aa9c2d84b7f"

# How the document and the routes are meant to disagree; tests/sandbox holds everything else equal.
SHADOW_OPERATIONS = ("GET /admin/export", "GET /accounts/lookup")  # served, not documented
ZOMBIE_OPERATIONS = ("GET /v1/gift-cards/{code}",)  # documented, not served
