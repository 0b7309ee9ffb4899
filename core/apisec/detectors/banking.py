"""Numbers of banks, branches and accounts, and companies' tax numbers."""

from __future__ import annotations

import re
from typing import Optional

from apisec.detectors.base import Detector, linear, said, words
from apisec.detectors.numbers import of_numbers
from apisec.validators import banking, tax
from apisec.validators.digits import ascii_digits

# A field named *account number* or *bank code* may hold any of these.
_ACCOUNT = ("fin.account",)
_TAX_WORDS = ("company number", "tax number", "tax no", "steuernummer", "numéro fiscal", "vat number", "tax id*")

# Before an account's number. The word *account* alone is not among them: most accounts are a customer's with a shop.
_NUMBERED = (
    *("account number", "account no", "account num", "account nr", "acct number", "acct no", "acct num", "acct"),
    *(
        "hesap no",
        "hesap numarası",
        "číslo účtu",
        "acc no",
        "a/c no",
        "a/c number",
        "a/c",
        "bank account",
        "checking account",
        "savings account",
        "giro account",
    ),
    *("current account", "beneficiary account", "kontonummer", "konto nr", "konto nummer", "bankkonto", "girokonto"),
    *("número de cuenta", "numero de cuenta", "cuenta bancaria", "cuenta corriente", "nº de cuenta"),
    *("numéro de compte", "numero de compte", "compte bancaire", "compte n°", "numero di conto", "conto corrente"),
    *("conto bancario", "número da conta", "conta corrente", "conta bancária", "rekeningnummer", "bankrekening"),
    *("numer konta", "numer rachunku", "rachunek bankowy", "tilinumero", "hesap numarası", "kontonummeret"),
)
# Money that moves names the account on its way.
_MOVED = (
    *("wire to", "wired to", "wire funds to", "transfer to", "transferred to", "remit to", "remitted to", "deposit to"),
    *("deposited to", "deposited into", "deposit into", "paid into", "pay into", "paid to", "payout to", "refund to"),
    *("refunded to", "credited to", "debited from", "withdrawn from", "charged to", "to account", "into account"),
    *("from account", "auf konto", "auf das konto", "vom konto", "von konto", "überwiesen auf", "überweisung auf"),
    *("überweisen auf", "a la cuenta", "en la cuenta", "de la cuenta", "sur le compte", "du compte", "sul conto"),
    *("dal conto", "na conta", "da conta", "para a conta", "op rekening", "naar rekening", "van rekening"),
    *("na konto", "na rachunek", "z konta", "til konto", "till konto", "fra konto", "från konto"),
)
_ACCOUNTS = (
    r"(?:[Aa]ccount|ACCOUNT|[Aa]cct|[Kk]onto|[Cc]uenta|[Cc]ompte|[Cc]onto|[Cc]onta|[Rr]ekening|[Rr]achun[ek]{2})"
)
_BOOKED = (
    *("credited", "debited", "overdrawn", "charged", "funded", "refunded", "gutgeschrieben", "belastet"),
    *("abgebucht", "überzogen", "acreditad", "abonad", "adeudad", "cargad", "crédité", "débité", "accreditat"),
    *("addebitat", "creditad", "debitad", "gecrediteerd", "gedebiteerd", "bijgeschreven", "afgeschreven"),
    *("uznan", "obciążon", "krediter", "debiter"),
)
_NUMBER = r"(?:\d{6,20}|\d{2,6}(?:[ -]\d{2,8}){1,4})"
_DATE = re.compile(r"(?:19|20)\d\d[ -]?(?:0[1-9]|1[0-2])[ -]?(?:[0-2]\d|3[01])|\d\d-\d\d-(?:19|20)\d\d")
_AFTER = r"(?![\w%-])(?![.,:/]\d)"


def _account(text: str) -> Optional[str]:
    """Accept six to twenty digits that are no date."""
    digits = ascii_digits(text)
    return digits if 6 <= len(digits) <= 20 and len(set(digits)) > 1 and not _DATE.fullmatch(text) else None


def _routing(text: str) -> Optional[str]:
    return text if banking.aba(text) else None


DETECTORS = (
    *of_numbers(banking.ROWS, hints=_ACCOUNT),
    *of_numbers(tax.ROWS, _TAX_WORDS),
    Detector(
        "account.said",
        "fin.account",
        linear(rf"{said(*_NUMBERED)}(?P<value>{_NUMBER}){_AFTER}"),
        _account,
        confidence="context",
        near=words(*_NUMBERED),
        gate="near",
    ),
    # wire to 12345678; transferred 100 EUR from account 12345678
    Detector(
        "account.moved",
        "fin.account",
        linear(rf"{said(*_MOVED)}(?P<value>{_NUMBER}){_AFTER}"),
        _account,
        confidence="context",
        near=words(*_MOVED),
        gate="near",
    ),
    # account 12345678 was credited; 12345678 has been debited
    Detector(
        "account.booked",
        "fin.account",
        linear(
            rf"(?<![\w.,/-])(?P<value>{_NUMBER})(?= (?:\w{{1,8}} ){{1,3}}(?:{'|'.join(_BOOKED)}))",
        ),
        _account,
        literals=tuple(f" {word}" for word in _BOOKED),
    ),
    # 12345678 is the account number
    Detector(
        "account.named",
        "fin.account",
        linear(
            rf"(?<![\w.,/-])(?P<value>{_NUMBER})"
            rf"(?= (?:is|was|ist|est|es|è|é) (?:\w{{1,8}} )?(?:\w{{1,12}} )?{_ACCOUNTS})"
        ),
        _account,
        literals=("ccount", "ACCOUNT", "cct", "onto", "uenta", "ompte", "onta", "ekening", "achun"),
    ),
    # 021000021 is the routing number; 021000021 (ABA)
    Detector(
        "routing.named",
        "fin.routing",
        linear(
            r"(?<![\w.,/-])(?P<value>\d{9})"
            r"(?=[\s,;:(\[-]{1,3}(?:(?:is|was|as) )?(?:(?:the|our|your|its|a) )?(?:bank )?"
            r"(?:ABA|aba\b|[Rr]outing|ROUTING))"
        ),
        _routing,
        literals=("ABA", "aba", "outing", "ROUTING"),
    ),
)
