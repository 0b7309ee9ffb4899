"""Rules: which concepts, together in one name, say which class, and which concepts speak against it."""

from __future__ import annotations

from typing import Dict, FrozenSet, List, NamedTuple, Optional, Sequence, Tuple

from apisec.classification.names.stems import COUNTRY_WORDS
from apisec.classification.names.words import NATIONAL


class Rule(NamedTuple):
    """``needed``: of each group one concept. ``against``: none of them, unless the rule itself needs it."""

    data_class: str
    needed: Tuple[FrozenSet[str], ...]
    against: FrozenSet[str]


_VETO = "meta turn identifier expiry monthyear"  # what turns nearly every sensitive name into another thing


def _rule(data_class: str, *needed: str, but: str = "", veto: str = _VETO) -> Rule:
    groups = tuple(frozenset(group.split()) for group in needed)
    return Rule(data_class, groups, frozenset(f"{veto} {but}".split()).difference(*groups))


def _alone(data_class: str, word: str, but: str = "name") -> Rule:
    return _rule(data_class, word, but=but)


RULES: Tuple[Rule, ...] = (
    _rule(
        "pci.expiry", "card cardno credit", "expiry", veto="turn identifier", but="reference session token name email"
    ),
    _rule(
        "pci.expiry", "expiry", "monthyear", veto="turn identifier", but="reference session token key passport licence"
    ),
    _rule(
        "pci.expiry",
        "expiry",
        "date",  # on a card it is a month and a year; a full date under this name is no card's, and refine refuses it
        veto="turn identifier",
        but="reference session token key secret passport licence insurance sin national idword company name email geo",
    ),
    _rule("pci.cvv", "verification", but="name"),
    _rule("pci.cvv", "card", "security verif cid", "code number verification identifier cid", but="name"),
    _rule("pci.cvv", "security", "code", but="otp"),
    _rule("pci.track", "track", "card"),
    _rule("pii.driving_licence", "licenceno", but="name plate"),
    _rule("pii.driving_licence", "licence", "driver", but="name plate vehicle"),
    *[_alone(NATIONAL + country, NATIONAL + country) for country in COUNTRY_WORDS],
    _rule("pii.itin", "itin"),
    _rule("pii.ssn", "ssn", but="name"),
    _rule("pii.ssn", "social", "security ssn", but="name"),
    _rule("pii.passport", "passport", but="name locality"),
    _rule("fin.tax_id", "companytax", but="name locality"),
    _rule("fin.tax_id", "company", "vat", but="name"),
    _rule("fin.tax_id", "company", "sin", but="name locality phone", veto="meta turn expiry"),
    _rule("fin.tax_id", "vat", "number identifier registration idword", veto="meta turn expiry"),
    _rule("health.mbi", "mbi"),
    _rule("health.mbi", "medicare", "number identifier person"),
    _rule("health.nhs", "nhs", but="name thing"),
    _rule("health.npi", "npi", veto="turn identifier expiry", but="name"),
    _rule("health.dea", "dea", but="name"),
    _rule("health.ehic", "ehic"),
    _rule("health.mrn", "mrn"),
    _rule("health.mrn", "medical", "recordword", "number identifier", veto="meta turn expiry"),
    _rule("health.insurance", "insurance", "number identifier", veto="meta turn expiry", but="phone account"),
    _rule("health.insurance", "medical", "card", "number"),
    _rule("health.insurance", "insuranceno", but="phone name"),
    _rule("health.diagnosis", "diagnosis", but="name date"),
    _rule("pii.national_id", "sin", but="name locality phone", veto="meta turn expiry"),
    _rule(
        "pii.national_id",
        "national",
        "idword identifier number",
        but="reference account pin phone name email",
        veto="meta turn expiry",
    ),
    _rule("pii.national_id", "idword", "card number", but="name reference phone account person email"),
    _rule("pii.national_id", "nationality", "identifier idword", veto="meta turn expiry", but="name reference device"),
    _rule("pii.national_id", "idword national", "doc", "number", but="reference phone name email"),
    _rule("pci.pan", "cardno", but="holder national idword insurance name"),
    _rule("pci.pan", "card", "number", but="holder bank national idword insurance medical name phone device"),
    _rule("pci.pan", "pan", but="name"),
    _rule("pci.pan", "card", "credit", but="holder name first last date code email phone address"),
    _rule("pii.name", "personname", but="number reference username email phone"),
    _rule("pii.name", "holder", "name", but="number username"),
    _rule("pii.name", "card account", "holder", but="number email phone address reference"),
    _rule("pii.name", "card account", "name", "credit card bank", but="number reference username bank"),
    _rule("pii.name", "first last full person", "name", but="number reference username thing"),
    _rule("device.imei", "imei"),
    _rule("device.imsi", "imsi"),
    _rule("device.iccid", "iccid"),
    _rule("device.mac", "mac"),
    _rule("device.mac", "macword", "address"),
    _rule("device.id", "adid"),
    _rule(
        "device.id", "device advertising", "identifier serialno", veto="meta turn expiry", but="reference name person"
    ),
    _rule("fin.crypto", "wallet", "address account", but="name email"),
    _rule("pii.location", "geo", but="name reference"),
    _rule("pii.location", "long", "spot geo", but="name reference address email phone street"),
    _rule("pii.vehicle", "vin", but="name"),
    _rule("pii.vehicle", "plate", but="name bank"),
    _rule("pii.vehicle", "vehicle", "registration", "number"),
    _rule("fin.iban", "iban", but="name"),
    _rule("fin.sort_code", "sortcode", but="name"),
    _rule("fin.sort_code", "sort", "code"),
    _rule("fin.bic", "bic", but="name"),
    _rule("fin.clabe", "clabe"),
    _rule("fin.ifsc", "ifsc"),
    _rule("fin.bsb", "bsb"),
    _rule("fin.routing", "routing", but="name reference phone"),
    _rule("secret.token", "kind_token authorization idword", "token", veto="", but="paging"),
    _rule("secret.otp", "otp"),
    _rule("secret.otp", "time_word", "code password"),
    _rule("secret.otp", "verif", "code", but="card reference person name", veto="meta turn identifier"),
    _rule("secret.private_key", "privatekey"),
    _rule("secret.private_key", "private", "key"),
    _rule("secret.private_key", "seed", "phrase"),
    _rule("secret.otp", "seed", "code"),
    _rule("secret.password", "security secret", "answer", but="question"),
    _rule("secret.password", "password", but="question"),
    _rule("pii.postcode", "pin", "address street locality"),
    _rule("secret.password", "pin", but="name"),
    _rule("pii.email", "email", but="line street name address ip", veto="meta turn"),
    _rule("pii.email", "email", "address", but="ip", veto="meta turn"),
    _rule("pii.phone", "phone", but="card device reference adid ip address street"),
    _rule("pii.phone", "contact", "number", but="reference thing"),
    _rule("pii.dob", "birth", but="name address street locality"),
    _rule(
        "pii.postcode",
        "postcode",
        but="name ip address street",
    ),
    _rule("pii.postcode", "cp"),
    _rule("pii.postcode", "postcode cap", "address street locality code", but="name ip"),
    _rule("pii.address", "street addressline"),
    _rule("pii.address", "address", "line number", but="email bank ip token wallet mac macword locality name device"),
    _rule("pii.address", "address", but="email bank ip token wallet mac macword locality name reference device"),
    _rule("fin.account", "accountno", but="name phone"),
    _rule("fin.account", "account", "number", but="name phone"),
    _rule("fin.account", "deposit", "account", but="name phone holder person"),
    _rule("fin.account", "bank", "account", but="name phone holder person"),
    _rule("secret.api_key", "apikey", but="name reference"),
    _rule("secret.api_key", "api secret", "key secret", but="name reference"),
    _rule("secret.api_key", "secret", but="name question reference"),
    _rule("secret.api_key", "credential", but="name"),
    _rule("secret.session", "session", veto="meta turn expiry", but="time_word paging date reference name"),
    _rule("secret.token", "token", but="paging address", veto="meta turn identifier expiry"),
    _rule("secret.token", "authorization", but="date", veto="meta turn"),
    _rule("fin.crypto", "wallet", but="name email phone account number paging card token key privatekey macword"),
)


# The places in RULES of those whose first group a concept fulfils: only they are asked.
_STARTED: Dict[str, List[int]] = {}
for _at, _one in enumerate(RULES):
    for _concept in _one.needed[0]:
        _STARTED.setdefault(_concept, []).append(_at)


def match(words: Sequence[FrozenSet[str]]) -> Optional[Rule]:
    """Return the first rule that the concepts of a name's words fulfil.

    ``meta`` speaks against a rule only behind what the rule needs, as the head of the name: a *phone type* is a type,
    a *type phone* still a phone.
    """
    known: FrozenSet[str] = frozenset().union(*words)
    candidates = {at for concept in known for at in _STARTED.get(concept, ())}
    for at in sorted(candidates):
        rule = RULES[at]
        against = known & rule.against
        if against - {"meta"} or not all(known & group for group in rule.needed):
            continue
        if not against or not any("meta" in concepts for concepts in words[last_needed(words, rule) :]):
            return rule
    return None


def last_needed(words: Sequence[FrozenSet[str]], rule: Rule) -> int:
    """Return the place of the last word that gives a rule what it needs."""
    needed: FrozenSet[str] = frozenset().union(*rule.needed)
    return max(at for at, concepts in enumerate(words) if concepts & needed)
