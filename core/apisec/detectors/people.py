"""Names of persons in text, by what stands around them: a title, a salutation, a label, a mailbox."""

from __future__ import annotations

import re
from typing import Optional, Tuple

from apisec.detectors.base import Detector, any_case, linear, words
from apisec.detectors.given_names import GIVEN_NAMES

_LOWER = "a-zß-öø-ÿąćęłńóśźżčšžığş"
_PART = rf"[A-ZÀ-ÖØ-ÞŁŚŻČŠŽ](?:[{_LOWER}]|['’][A-ZÀ-Þ]?(?=[{_LOWER}])){{1,20}}(?:-[A-ZÀ-ÖØ-Þ][{_LOWER}]{{1,20}})?"
_PARTICLE = r"(?:von der |van der |van den |de la |von |van |de |di |da |dos |del |della |le |la |bin |al )?"
_FULL = rf"{_PART}(?: [A-Z]\.)?(?: {_PARTICLE}{_PART}){{1,3}}"
_SHORT = rf"{_PARTICLE}{_PART}(?: [A-Z]\.)?(?: {_PARTICLE}{_PART}){{0,2}}"

_TITLES = (
    *("Mr", "Mrs", "Ms", "Miss", "Dr", "Prof", "Herr", "Herrn", "Frau", "Monsieur", "Madame", "Mme", "Mlle", "Señor"),
    *("Señora", "Srta", "Sra", "Signor", "Signora", "Dott", "Senhor", "Senhora", "Dhr", "Mevr", "Mevrouw"),
)
_SALUTATIONS = (
    *("Dear", "Hello", "Hi", "Hey", "Liebe", "Lieber", "Hallo", "Bonjour", "Cher", "Chère", "Hola", "Estimado"),
    *("Estimada", "Querido", "Querida", "Ciao", "Caro", "Cara", "Gentile", "Olá", "Prezado", "Prezada", "Beste"),
)
_LABELS = (
    *("customer", "customer name", "client", "patient", "patient name", "cardholder", "cardholder name", "card holder"),
    *("account holder", "recipient", "beneficiary", "employee", "applicant", "passenger", "traveller", "guest"),
    *("ich bin", "je suis", "soy", "sono", "sou", "sou a", "sou o", "ik ben", "jestem", "regarding", "thanks"),
    *("danke", "merci", "gracias", "grazie", "obrigado", "obrigada", "mvg", "cheers", "spoke with", "spoken with"),
    *("talked to", "assigned to", "escalated to", "signed", "full name", "contact person", "contact", "signed by"),
    *("submitted by", "requested by", "approved by", "ship to"),
    *("bill to", "deliver to", "name on card", "insured", "policyholder", "tenant", "kunde", "kundin", "kundenname"),
    *("empfänger", "karteninhaber", "kontoinhaber", "ansprechpartner", "unterzeichnet von", "patientin", "mieter"),
    *("cliente", "paciente", "titular", "destinatario", "beneficiario", "empleado", "destinataire", "bénéficiaire"),
    *("titulaire", "salarié", "paziente", "intestatario", "titolare", "beneficiário", "destinatário", "klant"),
    *("ontvanger", "rekeninghouder", "patiënt", "nombre completo", "nom complet", "nome completo", "volledige naam"),
)
# After these stands a person, or what the words below tell from one, without a colon and whatever the given name.
_ADDRESSED = (
    *("contact person", "contact name", "attn", "attention of", "for the attention of", "c/o", "care of"),
    *("on behalf of", "signed by", "countersigned by", "witnessed by", "in the name of", "authorised by"),
    *("authorized by", "ansprechpartner", "ansprechpartnerin", "kontaktperson", "unterzeichnet von"),
    *("unterschrieben von", "im auftrag von", "im namen von", "zu händen", "zu händen von", "z. hd", "z.hd"),
    *("firmado por", "en nombre de", "por cuenta de", "a la atención de", "persona de contacto", "signé par"),
    *("au nom de", "pour le compte de", "à l'attention de", "personne de contact", "personne à contacter"),
    *("firmato da", "a nome di", "per conto di", "all'attenzione di", "alla cortese attenzione di", "c.a"),
    *("persona di contatto", "referente", "assinado por", "em nome de", "por conta de", "aos cuidados de"),
    *("à atenção de", "pessoa de contato", "pessoa de contacto", "ondertekend door", "namens", "t.a.v"),
    *("ter attentie van", "contactpersoon", "podpisane przez", "podpisano przez", "w imieniu", "do rąk"),
    *("osoba kontaktowa", "undertecknad av", "underskrevet af", "på vegne af", "på vegne av"),
    *("my name is", "my name s", "ich heiße"),
    *("mein name ist", "gesprochen mit", "je m'appelle", "mon nom est", "me llamo"),
    *("mi nombre es", "hablé con", "mi chiamo", "il mio nome è", "parlato con", "meu nome é", "chamo-me"),
    *("me chamo", "falei com", "mijn naam is", "ik heet", "gesproken met", "nazywam się", "jag heter"),
    *("mitt namn är", "jeg hedder", "mit navn er", "jeg heter", "navnet mitt er", "nimeni on", "benim adım", "adım"),
    *("kind regards", "best regards", "regards", "sincerely", "yours truly", "freundlichen grüßen", "viele grüße"),
    *("liebe grüße", "cordialement", "sincères salutations", "saludos", "atentamente", "cordiali saluti"),
    *("distinti saluti", "atenciosamente", "cumprimentos", "vriendelijke groet", "vriendelijke groeten"),
    *("pozdrawiam", "hälsningar", "vennlig hilsen", "venlig hilsen", "saygılarımla"),
)
# Words in capitals that follow a title, a salutation or a label and are no name.
_OTHER_WORDS = """
Account Accounts Admin All Applicant Associates Association Bank Benefits Benutzer Board Both Candidate Care Cliente
Clients Colleague Colleagues Company Corp Corporation Council Court Customer Customers Damen Data Department Dept Desk
Developer Division Everybody Everyone Experience Finance Foundation Friend Friends GmbH Government Group Guest Has
Herren Hiring Holding Holdings Inc Institute Insurance International Is Kunde Kundin Ladies Limited Ltd Madam Madame
Management Manager Member Members Monsieur New None Not Null Number Office Order Partner Partners Patient Pepper
Player Please Portal Premium Recipient Record Relations Required Response Sales Santa Score Segment Service Services
Shareholder Sir Sirs Status Student Subscriber Success Support Team Technologies Thanks The There This Trust Type
University Unknown User Users Valued Visitor Welcome World You
"""
_NO_PARTS = frozenset((*_OTHER_WORDS.split(), *_TITLES))


def _name(text: str) -> Optional[str]:
    parts = text.split()
    return None if any(part.strip(".,'’") in _NO_PARTS for part in parts) else " ".join(parts)


def _given(text: str) -> Optional[str]:
    """Accept a name that begins with a given name: *Name: Ada Lovelace* is a person, *Name: Blue Shirt* a product."""
    first = re.split(r"[\s-]", text, maxsplit=1)[0].lower()
    return _name(text) if first in GIVEN_NAMES else None


def _joined(stems: Tuple[str, ...]) -> str:
    return "|".join([any_case(stem) for stem in stems])


DETECTORS = (
    Detector(
        "name.title",
        "pii.name",
        linear(
            rf"(?<!\w)(?:(?:{'|'.join(_TITLES)})\.?|Sr\.|Sig\.(?:ra)?)(?: (?:Dr|Prof|med)\.){{0,3}} "
            rf"(?P<value>{_SHORT})(?![\w@])"
        ),
        _name,
        literals=(*[f"{title}{end}" for title in _TITLES for end in (". ", " ")], "Sr. ", "Sig.ra ", "Sig. "),
    ),
    Detector(
        "name.salutation",
        "pii.name",
        linear(rf"(?<!\w)(?:{'|'.join(_SALUTATIONS)}) (?P<value>{_SHORT})(?=\s?[,!:])"),
        _name,
        literals=tuple(f"{word} " for word in _SALUTATIONS),
    ),
    # Ada Lovelace <ada@example.org>, as in the headers of a mail (RFC 5322, 3.4)
    Detector(
        "name.mailbox",
        "pii.name",
        linear(rf"(?<![\w.])(?P<value>{_FULL})\"? <(?=[^\s<>@]{{1,64}}@)"),
        _name,
        literals=(" <",),
    ),
    Detector(
        "name.said",
        "pii.name",
        linear(rf"(?<![^\W_])(?:{_joined(_LABELS)})[\"']?\s{{0,2}}[:=,]?\s{{1,3}}[\"']?(?P<value>{_FULL})(?![\w@])"),
        _given,
        confidence="context",
        near=words(*_LABELS),
        gate="near",
    ),
    Detector(
        "name.label",
        "pii.name",
        linear(
            rf"(?<![^\W_])(?:{_joined(_LABELS)})[\"']?(?:\s{{0,2}}[:=]\s{{0,2}}[\"']?|\s[\"'])(?P<value>{_FULL})(?![\w@])"
        ),
        _name,
        confidence="context",
        near=words(*_LABELS),
        gate="near",
    ),
    Detector(
        "name.addressed",
        "pii.name",
        linear(
            rf"(?<![^\W_])(?:{_joined(_ADDRESSED)})\.?\s{{0,2}}[:,;=-]?\s{{1,3}}[\"']?"
            rf"(?:(?:{'|'.join(_TITLES)}|Sr|Sig|Sig\.ra|Hr)\.? ){{0,2}}(?P<value>{_FULL})(?![\w@])"
        ),
        _name,
        confidence="context",
        near=words(*_ADDRESSED),
        gate="near",
    ),
    Detector(
        "name.plain",
        "pii.name",
        linear(
            r"(?<![\w.])(?:[Nn]ame|[Uu]ser|[Nn]ombre|[Nn]om|[Nn]ome|[Nn]aam|[Aa]uthor|[Aa]utor"
            r"|[Vv]on|[Ff]rom|[Bb]y|[Ff]or|[Ff]ür)"
            rf"\s{{0,2}}[:=]?\s{{1,2}}[\"']?(?P<value>{_FULL})(?![\w@])"
        ),
        _given,
        gate="names",
    ),
)
