"""Addresses of wallets: Bitcoin by their checksums, Ethereum by mixed case or by words."""

from __future__ import annotations

from apisec.detectors.base import Detector, linear, words
from apisec.validators.crypto import base58check, bech32, mixed_case

_WALLET = words("wallet", "wallets", "ethereum", "eth", "ether", "erc20", "address", "usdt", "crypto", "beneficiary")

DETECTORS = (
    Detector(
        "bitcoin.bech32",
        "fin.crypto",
        linear(r"(?<![A-Za-z0-9])(?:bc1[02-9ac-hj-np-z]{25,80}|BC1[02-9AC-HJ-NP-Z]{25,80})(?![A-Za-z0-9])"),
        bech32,
        literals=("bc1", "BC1"),
    ),
    Detector(
        "bitcoin.base58",
        "fin.crypto",
        linear(r"(?<![A-Za-z0-9])[13][1-9A-HJ-NP-Za-km-z]{25,34}(?![A-Za-z0-9])"),
        base58check,
        gate="base58",
    ),
    Detector(
        "ethereum.mixed",
        "fin.crypto",
        linear(r"(?<![A-Za-z0-9])0x[0-9A-Fa-f]{40}(?![A-Za-z0-9])"),
        mixed_case,
        literals=("0x",),
    ),
    Detector(
        "ethereum.words",
        "fin.crypto",
        linear(r"(?<![A-Za-z0-9])0x[0-9A-Fa-f]{40}(?![A-Za-z0-9])"),
        lambda text: text.lower(),
        confidence="context",
        near=_WALLET,
        gate="near",
    ),
)
