"""What a rule of the vendors' secrets says."""

from __future__ import annotations

from typing import NamedTuple

UUID = r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}"


class SecretRule(NamedTuple):
    """One kind of secret.

    ``id``: the vendor, and behind a dot the kind where a vendor has several. ``literals``: separated by blanks, one
    stands in every secret of the kind. ``shape``: a regular expression between guards against letters and digits.
    ``example``: fixed text and ``{alphabet:count}``: d digits, h hex, l lower case and digits, u upper case and digits,
    w letters and digits, s letters, b base64, r base64url, q base32, e Bech32; ``{uuid}``; ``{crc}``: the checksum.
    ``check``: a checksum of ``api_keys.CHECKS``: a right one is proof. ``said``: names of the vendor, one of which has
    to stand before the secret together with a word such as *key* or *token*: the shape alone says too little.
    """

    id: str
    text: str
    literals: str
    shape: str
    example: str
    source: str
    check: str = ""
    said: str = ""

    @property
    def vendor(self) -> str:
        return self.id.partition(".")[0]
