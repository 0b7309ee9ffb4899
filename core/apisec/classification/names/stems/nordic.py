"""Swedish, Danish, Norwegian, Icelandic and Finnish."""

from __future__ import annotations

from typing import Dict

CONCEPTS: Dict[str, str] = {
    "personname": "tilltalsnamn mellannamn kundnamn kundenavn fuldenavn fulltnavn fulltnamn helanamn fullstandigtnamn"
    " kontaktpersonnavn mellemnavn pikenavn fodenavn kortholder kortinnehavare kortinnehaver kokonimi kutsumanimi"
    " toinennimi asiakkaannimi kortinhaltija tilinomistaja potilaannimi kundensnamn kundensnavn patientnamn"
    " pasientnavn navnpakort namnpakort nafn fornafn eftirnafn patientensnamn",
    "person": "pasient pasienten patienten kunden potilas potilaan asiakkaan innehavare innehaver haltija omistaja"
    " kontaktperson vastaanottaja mottaker mottagare modtager",
    "holder": "kortholder innehavare innehaver haltija indehaver kontoinnehavare kontohaver",
    "birth": "fodt fodd foedt foedselsdato foedselsdag fodselsdag fodelsedag syntymapvm syntymapaiva syntynyt syntyma"
    " faedingardagur fodelsear fodselsar",
    "phone": "mobiltlf telefonnr tlfnummer mobilnr puh puhnro puhelinnro matkapuh kannykka simi farsimi hjemmetelefon"
    " arbeidstelefon hemtelefon yhteysnumero",
    "email": "mejl mejladress elpost netpost epostadr netfang sahkopostios epostadressen",
    "street": "vejnavn gatenavn gatunamn gatenr gatunr vegadresse veg vei veiadresse gatuadressen katunimi husnummer"
    " husnr heimilisfang",
    "address": "bopael bopaelsadresse bostedsadresse bostadsadress bosted besoksadress besoksadresse besogsadresse"
    " utdelningsadress leveringsadresse leveransadress fakturaadresse fakturaadress lahiosoite kotiosoite"
    " toimitusosoite laskutusosoite hjemmeadresse hemadress boligadresse folkebokforingsadresse",
    "postcode": "postnumero postnumre postnummeret postinro postnrsted postnrort",
    "cardno": "kortnumret kortnummeret kortinnumero kreditkortnummer kredittkortnummer betalkortsnummer betalkortnummer"
    " betalingskortnummer maksukortinnumero luottokortinnumero",
    "card": "kredittkort betalkort betalingskort kortin kortet kortets maksukortti bankkort",
    "verification": "turvakoodi kontrollsiffer* kontrolcifre* kontrolciffer* turvakodi tarkistusnumero* sikkerhetskode*"
    " sikkerhedskode* sakerhetskod* kortkode cvckode",
    "verif": "bekraftelse* bekraeftelse* bekreftelse* verifiering* verifisering* vahvistus aktivering* aktiverings"
    " varmennus tunnistus kirjautumis pamalding",
    "otp": "engangskode engangskod engangspassord engangslosenord engangspin engangsadgangskode kertakoodi"
    " kertakayttokoodi kertakayttosalasana vahvistuskoodi tunnistuskoodi smskode smskod tekstiviestikoodi"
    " bekraftelsekod bekraftelsekode bekraeftelseskode bekreftelseskode verifieringskod verifiseringskode"
    " verificeringskode aktiveringskod aktiveringskode",
    "time_word": "engang engangs kertakaytto",
    "expiry": "utlopsdato utlopsdatum utgangsdato udlobsdato utlopsdatum utgangsdato utgangsdatum udlobsdato"
    " utlopsdato kortutlop giltighetstid gyldighedsperiode"
    " voimassaoloaika voimassaasti vanhenee utlop",
    "passport": "pasnummer pasnr passinumero passinro passnummeret vegabref* passin",
    "licenceno": "forerkort* foererkort* korkort* korekort* koerekort* ajokortti* ajokortin* okuskirteini",
    "sin": "henktunnus personnr fodselsnr dnummer dnr samordningsnummer personbeteckning personbet identitetsnummer"
    " sosiaaliturvatunnus henkilonumero cprnr identitetskort* legitimation* legitimasjon* kennitolu",
    "mrn": "pasientnummer pasientnr pasientid patientnr patientjournal* journalnummer journalnr potilasnumero"
    " potilasnro"
    " potilastunnus potilasid sairauskertomus* pasientjournal*",
    "patientword": "pasient potilas",
    "insuranceno": "forsikringsnummer forsakringsnummer vakuutusnumero sygesikring* kelanumero forsikringsnr"
    " forsakringsnr sjukforsakring* vakuutusnro helseforsikring*",
    "device": "enhed enhet enhets laitteen apparat enheds",
    "adid": "enhetsid enhedsid enhetid laitetunnus enhetsnummer enhedsnummer laiteid laitteentunniste enhetsidentitet"
    " enhetsidentifikator laitteentunnus reklameid annonsid",
    "serialno": "serienr serienummer sarjanumero sarjanro",
    "mac": "macosoite laitteenmac fysiskadresse",
    "plate": "skiltnummer skiltnr nummerskilt nummerskylt nummerplade kjennemerke registreringsskylt rekisterikilpi"
    " rekisteritunnus rekkari registreringsnr regnummer bilnummer bilregistrering* rekisterinro skraningarnumer",
    "vin": "stelnummer stelnr understellsnummer understellsnr chassinummer chassinr valmistenumero runkonumero"
    " alustanumero ajoneuvontunnus ajoneuvontunniste",
    "vehicle": "bilen fordon kjoretoy koretoj ajoneuvo ajoneuvon auton",
    "password": "losenordet passordet kodord hemligkod uusisalasana nyttpassord nyttlosenord adgangskoden lykilord"
    " salasanan tunnusluku pinkode pinkod",
    "accountno": "bankkontonr tilinro pankkitili pankkitilinumero tilinumer kontonr kontonummeret bankkontonummer"
    " reikningsnumer",
    "neutral": "nytt uusi vanha gammalt gammel och og ja pa til",
    "reference": "ordrenummer ordrenr bestillingsnummer tilausnumero tilausnro fakturanummer laskunnumero antal maara"
    " fakturanr",
    "credit": "kredittkort kreditkort",
    "date": "utlopsdato utlopsdatum utgangsdato udlobsdato",
    "thru": "giltigtill gyldigtil giltigtom",
    "session": "istunto istuntoid sesjonsid sessionsid",
    "token": "tilgangstoken atkomsttoken adgangstoken",
}
