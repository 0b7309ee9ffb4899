"""Evidence from a field's name, by the stems of its parts and never by a list of exact names.

An identifier is split (``cardNumber``, ``card_no``, ``kartennr``, ``X-Api-Key``) into words, each word is
broken into known stems, each stem stands for a concept, and a rule asks for concepts. A word that cannot be
broken into stems without a rest stays unknown, so that *cardinality* is no card and *passenger* no password.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import Dict, FrozenSet, List, Optional, Sequence, Tuple

MAX_NAME = 128  # characters of a name that are looked at

# Concept: stems, in several languages. A stem that ends in * takes the rest of the word.
CONCEPTS: Dict[str, str] = {
    "card": "card cards creditcard debitcard karte karten kreditkarte kreditkarten tarjeta carte carta cartao cc crd",
    "credit": "credit debit kredit credito debito payment",
    "pan": "pan",
    "number": "number numbers num nums no nr nbr nummer numero num digits numbr",
    "verification": "cvv cvv2 cvc cvc2 csc cid cvn cryptogram kartenpruf*",
    "security": "security sicherheit* securite seguridad",
    "verif": "verification validation pruf verif confirmation auth oauth login",
    "code": "code codes kod codigo kode",
    "track": "track track1 track2 magstripe magstrip*",
    "ssn": "ssn ssns socialsecurity* sozialversicherung*",
    "social": "social",
    "sin": "sin nino tin itin curp cpf cnpj dni nif nie nric aadhaar aadhar pesel bsn steuerid steuernummer hkid",
    "national": "national citizen personal tax fiscal identity ausweis* steuer",
    "passport": "passport passports reisepass pasaporte passeport licence license licencia fuhrerschein* driver"
    " drivers",
    "email": "email emails mail mails emailaddress correo courriel emailaddr mailaddress",
    "phone": "phone phones telephone tel telefon* mobile cell cellphone msisdn handy handynummer fax telefono celular"
    " rufnummer phonenumber",
    "name": "name names nome nombre nom",
    "first": "first given middle fore fname firstname givenname forename middlename vorname prenom primeiro",
    "last": "last family sur lname lastname surname familyname nachname familienname apellido apellidos cognome"
    " sobrenome maiden",
    "full": "full legal display real complete fullname",
    "holder": "holder cardholder owner inhaber karteninhaber titular titulaire holders",
    "person": "person user customer client contact employee patient passenger guest member recipient beneficiary"
    " applicant author sender payee payer buyer shopper billing shipping subscriber spouse kunde kunden cliente"
    " profile insured traveller traveler student teacher doctor parent child emergency people users customers"
    " contacts passengers",
    "birth": "birth dob birthday birthdate dateofbirth geburt geburts geburtsdatum geburtstag nacimiento naissance"
    " nascimento born bday",
    "date": "date day datum fecha data jour tag",
    "street": "street streetaddress strasse str calle rue address1 address2 addr1 addr2 addressline* addrline*",
    "address": "address addr adresse anschrift direccion endereco indirizzo addresses",
    "line": "line line1 line2",
    "iban": "iban ibans",
    "account": "account acct accounts konto cuenta compte conta",
    "bank": "bank banks routing aba sortcode blz bankleitzahl sort",
    "password": "password* passwd* passwort* passphrase* passcode* pwd pwds pw pass kennwort* contrasen* senha clave"
    " motdepasse mdp userpass parole haslo wachtwoord losenord passwrd pswd psw",
    "pin": "pin pincode",
    "secret": "secret secrets geheim*",
    "token": "token tokens tok jwt",
    "kind_token": "access refresh id auth oauth bearer csrf xsrf reset session api device push registration"
    " activation invite magic login security verification",
    "authorization": "authorization authentication",
    "session": "session sessions sess sessid sessionid sid jsessionid phpsessid aspsessionid connectsid sitzung",
    "key": "key keys schlussel apikey apikeys subscriptionkey",
    "api": "api access client app application consumer subscription private shared encryption signing developer"
    " service master account",
    "private": "private",
    "credential": "credential credentials",
    "otp": "otp totp mfa tfa 2fa onetime smscode authcode",
    "time_word": "one onetime sms",
    "paging": "type next page max min limit count usage used total prompt completion cursor previous prev"
    " expires expiry expiration expire length len bucket price balance symbol sync continuation ttl timeout"
    " cookie header name url uri endpoint remaining status state valid lifetime duration timestamp",
    "username": "username usernames",
    "signature": "signature",
    # what turns a sensitive name into another thing
    "meta": "type kind id ids uuid guid status state policy length len min max hint expires expiry expiration expire"
    " expired exp expiring changed updated created enabled required strength url uri link href count limit usage"
    " valid verified is has last4 lastfour brand scheme network level format version label template page next cursor"
    " method color colour at ttl in days seconds hours attempts reset forgot forgotten change rules country month"
    " year title used remaining total prompt completion class category image icon file path",
    "reference": "order orders orderid tracking track shipment invoice reference ref hash sha sha1 sha256 md5 checksum"
    " digest etag transaction txn trx batch sku serial seq sequence ean gtin isbn upc imei build epoch timestamp ts"
    " time datetime amount price size offset bytes nonce trace span request correlation parcel waybill barcode"
    " product item version revision commit job event message bestellung rechnung sendung iat nbf duration",
    "identifier": "id ids uuid guid uid",
    "neutral": "my the your our new old current confirm confirmation repeat verify main primary secondary home work"
    " business default to from cc bcc reply x http value text field input string raw plain encrypted hashed of for"
    " and user2 info details data number2 a b 1 2 3 4",
}

# A class, the concepts of which all (each from one group) are needed, and those that speak against it.
_Rule = Tuple[str, Tuple[FrozenSet[str], ...], FrozenSet[str]]


def _rule(data_class: str, *needed: str, but: str = "meta") -> _Rule:
    return data_class, tuple(frozenset(group.split()) for group in needed), frozenset(but.split())


RULES: Tuple[_Rule, ...] = (
    _rule("pci.cvv", "verification"),
    _rule("pci.cvv", "card", "security verif", "code number"),
    _rule("pci.cvv", "security", "code", but="meta otp"),
    _rule("pci.track", "track", "card"),
    _rule("pci.pan", "card", "number", but="meta holder bank"),
    _rule("pci.pan", "pan", but="meta name"),
    _rule("pci.pan", "card", "credit", but="meta holder name first last date code"),
    _rule("pii.name", "holder", "name"),
    _rule("pii.name", "card", "holder", but="meta number"),
    _rule("pii.name", "first last full person", "name", but="meta number reference username"),
    _rule("pii.ssn", "ssn", but="meta name"),
    _rule("pii.ssn", "social", "security ssn", but="meta name"),
    _rule("pii.national_id", "sin", but="meta name"),
    _rule("pii.national_id", "national", "identifier number", but="reference account pin"),
    _rule("pii.national_id", "passport", "number identifier"),
    _rule("pii.email", "email", but="meta reference line street"),
    _rule("pii.phone", "phone", but="meta card name"),
    _rule("pii.dob", "birth", but="meta name address street"),
    _rule("pii.address", "street", but="meta email"),
    _rule("pii.address", "address", but="meta email bank street identifier"),
    _rule("fin.iban", "iban"),
    _rule("fin.account", "account", "number", but="meta name phone"),
    _rule("fin.account", "bank", "account number code", but="meta name phone"),
    _rule("secret.otp", "otp", but="meta"),
    _rule("secret.otp", "time_word", "code password"),
    _rule("secret.otp", "verif", "code", but="meta card reference person"),
    _rule("secret.token", "verif", "code", but="meta card"),
    _rule("secret.password", "password"),
    _rule("secret.password", "pin", but="meta address"),
    _rule("secret.private_key", "private", "key"),
    _rule("secret.api_key", "api secret", "key secret", but="meta"),
    _rule("secret.api_key", "secret"),
    _rule("secret.api_key", "credential"),
    _rule("secret.session", "session", but="time_word paging"),
    _rule("secret.token", "token", but="paging"),
    _rule("secret.token", "authorization"),
)

# Stems that mean a person's name without the word *name*.
_WHOLE_NAMES = frozenset(
    (
        *("firstname", "givenname", "fname", "forename", "middlename", "vorname", "prenom", "lastname", "surname"),
        *("lname", "familyname", "nachname", "familienname", "apellido", "apellidos", "cognome", "sobrenome"),
        *("fullname", "cardholder", "karteninhaber"),
    )
)
_GENERIC = frozenset(("number", "name", "code", "first", "last", "full", "neutral", "date", "line", "holder", "key"))

_SPLIT = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+[0-9]?(?![a-z0-9])|[A-Z]?[a-z]+|[A-Z]+[0-9]?|[0-9]+")


@dataclass(frozen=True)
class NameEvidence:
    """What a name says. ``data_class`` is None when it says nothing.

    ``reference`` says that digits under this name are an order, a time, a hash: not a number of a person.
    ``identifier`` says that the field holds an object's id.
    """

    data_class: Optional[str] = None
    reference: bool = False
    identifier: bool = False


NOTHING = NameEvidence()


def _vocabulary() -> Tuple[Dict[str, List[str]], List[Tuple[str, str]]]:
    exact: Dict[str, List[str]] = {}
    open_ended: List[Tuple[str, str]] = []
    for concept, stems in CONCEPTS.items():
        for stem in stems.split():
            if stem.endswith("*"):
                open_ended.append((stem[:-1], concept))
                stem = stem[:-1]
            exact.setdefault(stem, []).append(concept)
    return exact, sorted(open_ended, key=lambda pair: -len(pair[0]))


_EXACT, _OPEN = _vocabulary()
_OPEN_STEMS = tuple(stem for stem, _ in _OPEN)
_LONGEST = max(map(len, _EXACT))


def split(identifier: str) -> Tuple[str, ...]:
    """Return the words of an identifier in lower case, accents folded: ``cardNo`` is ``card``, ``no``."""
    text = identifier[:MAX_NAME]
    if not text.isascii():
        text = text.replace("ß", "ss")
        text = "".join([c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c)])
    return tuple([word.lower() for word in _SPLIT.findall(text)])


def _break(word: str) -> Optional[Sequence[str]]:
    """Break a word into stems without a rest, longest stem first; None when it cannot be done."""
    if word in _EXACT:
        return (word,)
    if word.startswith(_OPEN_STEMS):
        return (next(stem for stem in _OPEN_STEMS if word.startswith(stem)),)
    if len(word) < 3 or word.isdigit():
        return None
    best: List[Optional[List[str]]] = [[]] + [None] * len(word)
    for end in range(1, len(word) + 1):
        for start in range(max(0, end - _LONGEST), end):
            head, stem = best[start], word[start:end]
            if head is None or stem not in _EXACT or (len(stem) < 2 and len(word) > 1):
                continue
            if best[end] is None or len(head) + 1 < len(best[end] or ()):
                best[end] = [*head, stem]
    return best[len(word)]


def concepts(words: Sequence[str]) -> FrozenSet[str]:
    """Return the concepts that words stand for; an unknown word gives none."""
    found = set()
    for word in words:
        if len(word) > 40:
            continue
        for stem in _break(word) or ():
            found.update(_EXACT[stem])
    return frozenset(found)


@lru_cache(maxsize=8192)
def evidence(name: str, parent: str = "") -> NameEvidence:
    """Return what a field's name says; a generic name (``number``) is read with its parent's (``card``)."""
    words = split(name)
    if not words:
        return evidence(parent) if parent else NOTHING
    known = concepts(words)
    data_class = None if words == ("user", "name") else _match(words, known)  # a login is no person's name
    if data_class is None and parent and known and known - {"paging"} <= _GENERIC | {"security", "verif"}:
        both = split(parent) + words
        data_class = _match(both, concepts(both))
    reference = data_class is None and bool(known & {"reference", "identifier"})
    return NameEvidence(data_class, reference, "identifier" in known and data_class is None)


def _match(words: Sequence[str], known: FrozenSet[str]) -> Optional[str]:
    if len(words) <= 2 and _WHOLE_NAMES & {"".join(words), words[-1]}:
        return "pii.name"
    for data_class, needed, against in RULES:
        if known & against and not _needs(needed, against):
            continue
        if all(known & group for group in needed):
            return data_class
    return None


def _needs(needed: Tuple[FrozenSet[str], ...], against: FrozenSet[str]) -> bool:
    """A concept that a rule needs is not held against it."""
    return any(group & against for group in needed)
