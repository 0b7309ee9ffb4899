"""Rules: which concepts, together in one name, say which class, and which concepts speak against it."""

from __future__ import annotations

from typing import Dict, FrozenSet, List, NamedTuple, Optional, Sequence, Tuple

from apisec.classification.names.stems import COUNTRY_WORDS
from apisec.classification.names.words import NATIONAL


class Rule(NamedTuple):
    """``needed``: of each group one concept. ``against``: none of them, unless the rule itself needs it.

    ``last``: nothing but neutral words stands behind what is needed.
    """

    data_class: str
    needed: Tuple[FrozenSet[str], ...]
    against: FrozenSet[str]
    last: bool = False


_VETO = "meta asked turn identifier expiry monthyear"  # what turns nearly every sensitive name into another thing
# A word for one system's number (nhs, pesel, iban) says that number with whatever stands for id: no object has one of
# its own. Nor does a list of them or a search for one turn it: what cannot be one is refused by its form and check.
_OWN = "meta turn expiry monthyear"


def _rule(data_class: str, *needed: str, but: str = "", veto: str = _VETO, last: bool = False) -> Rule:
    groups = tuple(frozenset(group.split()) for group in needed)
    return Rule(data_class, groups, frozenset(f"{veto} {but}".split()).difference(*groups), last)


def _own(data_class: str, word: str, but: str = "name") -> Rule:
    return _rule(data_class, word, but=but, veto=_OWN)


_NO_CARD = "reference session token key secret passport licence insurance sin national idword company name email"

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
        but="reference session token key secret passport licence insurance sin national idword company name email geo"
        " thing",
    ),
    _rule("pci.expiry", "card cardno credit", "end validity", "date monthyear", veto="turn identifier", but=_NO_CARD),
    _rule("pci.expiry", "thru", veto="turn identifier", but=_NO_CARD),
    _own("pci.cvv", "verification"),
    _rule("pci.cvv", "card", "security verif cid", "code number verification identifier cid", but="name"),
    _rule("pci.cvv", "card", "verif checkword", "valueword code number", but="name otp holder"),
    _rule("pci.cvv", "card", "security", "valueword", but="name"),
    _rule("pci.cvv", "security", "code", but="otp"),
    _rule("pci.track", "track", "card"),
    _own("pii.driving_licence", "licenceno", but="name plate"),
    _rule("pii.driving_licence", "licence", "driver", but="name plate vehicle"),
    _own("pii.itin", "itin", but=""),
    _own("device.imei", "imei", but=""),
    _own("device.imsi", "imsi", but=""),
    _own("device.iccid", "iccid", but=""),
    _own("device.mac", "mac", but=""),
    _own("pii.vehicle", "vin"),
    _own("fin.iban", "iban"),
    _own("fin.sort_code", "sortcode"),
    _own("fin.bic", "bic"),
    _own("fin.clabe", "clabe", but=""),
    _own("fin.ifsc", "ifsc", but=""),
    _own("fin.bsb", "bsb", but=""),
    _own("fin.routing", "aba", but="name phone"),
    _own("fin.routing", "routing", but="name reference phone"),
    *[_own(NATIONAL + country, NATIONAL + country) for country in COUNTRY_WORDS],
    _own("pii.ssn", "ssn"),
    _rule("pii.ssn", "social", "security ssn", but="name"),
    _own("pii.passport", "passport", but="name locality"),
    _own("fin.tax_id", "companytax", but="name locality"),
    _rule("fin.tax_id", "company", "vat", but="name"),
    _rule("fin.tax_id", "company", "sin", but="name locality phone", veto="meta turn expiry"),
    _rule("fin.tax_id", "vat", "number identifier registration idword", veto="meta turn expiry"),
    _own("health.mbi", "mbi", but=""),
    _rule("health.mbi", "medicare", "number identifier person"),
    _own("health.nhs", "nhs"),
    _rule("health.npi", "npi", veto="turn expiry", but="name"),
    _rule("health.npi", "national", "providerword", "identifier number idword", veto="turn expiry", but="name"),
    _own("health.dea", "dea"),
    _own("health.ehic", "ehic", but=""),
    _own("health.mrn", "mrn", but=""),
    _rule("health.mrn", "medical", "recordword", "number identifier", veto="meta turn expiry"),
    _rule(
        "health.mrn",
        "patientword",
        "number",
        but="phone name account insurance card address street email licence passport national contact birth",
    ),
    _rule("health.mrn", "patientword", "recordword medical", "number identifier code", veto="meta turn expiry"),
    _rule("health.insurance", "insurance", "number identifier idword", veto="meta turn expiry", but="phone account"),
    _rule("health.insurance", "medical", "card", "number"),
    _own("health.insurance", "insuranceno", but="phone name"),
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
    _rule("pci.pan", "cardno", but="holder national insurance name", veto=_OWN),
    _rule("pci.pan", "card", "number", but="holder bank national idword insurance medical name phone device sequence"),
    _own("pci.pan", "pan"),
    _rule("pci.pan", "card", "credit", but="holder name first last date code email phone address"),
    _rule("pii.name", "personname", but="number reference username email phone"),
    _rule("pii.name", "holder", "name", but="number username"),
    _rule("pii.name", "card account", "holder", but="number email phone address reference"),
    _rule("pii.name", "card account", "name", "credit card bank", but="number reference username bank"),
    _rule("pii.name", "first last full person", "name", but="number reference username thing"),
    _rule("device.mac", "macword", "address"),
    _rule("device.mac", "maconly", but="name token api key signature", last=True),  # of a message: refine refuses it
    _rule("device.id", "adid"),
    _rule(
        "device.id", "device advertising", "identifier serialno", veto="meta turn expiry", but="reference name person"
    ),
    _rule("fin.crypto", "wallet", "address account", but="name email"),
    _rule("pii.location", "geo", but="name reference"),
    _rule("pii.location", "long", "spot geo", but="name reference address email phone street"),
    _own("pii.vehicle", "plate", but="name bank"),
    _rule("pii.vehicle", "motor", "registration"),
    _rule("pii.vehicle", "motor", "number", but="name phone account card insurance serialno sequence licence driver"),
    _rule("pii.vehicle", "chassis", "number", but="serialno"),
    _rule("pii.vehicle", "chassis", "vehicle"),
    _rule("fin.sort_code", "sort", "code"),
    _rule("secret.token", "kind_token authorization idword", "token", veto="", but="paging flow"),
    _rule("secret.api_key", "otp time_code", "seedword", but="name question"),  # what codes are made from
    _rule("secret.otp", "otp"),
    _rule("secret.otp", "time_word", "code password"),
    _rule("secret.otp", "time_code", "code", but="card reference person name thing", veto="meta turn identifier"),
    _rule("secret.otp", "time_word", "pin"),
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
        but="name ip address street packed",
    ),
    _rule("pii.postcode", "cp"),
    _rule("pii.postcode", "postcode cap", "address street locality code", but="name ip"),
    _rule("pii.address", "street addressline"),
    _rule("pii.address", "address", "line number", but="email bank ip token wallet mac macword locality name device"),
    _rule("pii.address", "address", but="email bank ip token wallet mac macword locality name reference device"),
    _rule("fin.account", "accountno", but="name phone ledger"),
    _rule("fin.account", "account", "number", but="name phone ledger"),
    _rule("fin.account", "deposit", "account", but="name phone holder person"),
    _rule("fin.account", "bank", "account", but="name phone holder person"),
    _rule("secret.api_key", "apikey", but="name reference"),
    _rule("secret.api_key", "api secret", "key secret", but="name reference"),
    _rule("secret.api_key", "secret", but="name question reference"),
    _rule("secret.api_key", "credential", but="name"),
    _rule("secret.session", "session", veto="meta turn expiry", but="time_word paging date reference name meeting"),
    _rule("secret.token", "token", but="paging flow address", veto="meta turn identifier expiry"),
    _rule("secret.token", "authorization", but="date identifier flow", veto="meta turn"),
    _rule("fin.crypto", "wallet", but="name email phone account number paging card token key privatekey macword"),
)


_THINGS = frozenset(("meta", "thing", "turn", "asked", "company"))
_PERSONS = frozenset(("person", "first", "last", "full", "holder", "personname", "display"))

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
    if len(words) > 1 and "verb" in words[0]:
        return None  # use_password: whether to
    candidates = {at for concept in known for at in _STARTED.get(concept, ())}
    for at in sorted(candidates):
        rule = RULES[at]
        against = known & rule.against
        if against - {"meta"} or not all(known & group for group in rule.needed):
            continue
        behind = words[last_needed(words, rule) :]
        if rule.last and any("neutral" not in concepts for concepts in behind[1:]):
            continue
        if rule.data_class == "pii.name" and _of_a_thing(words):
            continue
        if not against or not any("meta" in concepts for concepts in behind):
            return rule
    return None


def _of_a_thing(words: Sequence[FrozenSet[str]]) -> bool:
    """Return whether the noun before *name* is a thing's: of a user group, of a profile."""
    at = next((at for at in range(len(words) - 1, 0, -1) if "name" in words[at]), 0)
    if at == 1 and "card" in words[0]:
        return False  # what is printed on it
    return at > 0 and bool(words[at - 1] & _THINGS) and not words[at - 1] & _PERSONS


def last_needed(words: Sequence[FrozenSet[str]], rule: Rule) -> int:
    """Return the place of the last word that gives a rule what it needs."""
    needed: FrozenSet[str] = frozenset().union(*rule.needed)
    return max(at for at, concepts in enumerate(words) if concepts & needed)
