"""German and Dutch."""

from __future__ import annotations

from typing import Dict

CONCEPTS: Dict[str, str] = {
    # German
    "number": "nrn kennung",
    "personname": "rufname nachn vorn zuname vorname1 nachname1 zunamen vorzuname vorundzuname vorundnachname"
    " kundenname"
    " kdname patientenname versichertenname mitarbeitername ansprechpartnername kontaktname empfangername"
    " kundenvorname kundennachname maedchenname madchenname vollername namedespatienten namedeskunden"
    # Dutch
    " voorletters voorletter roepnaam klantnaam meisjesnaam naamklant naampatient kaarthouder volledigenaam"
    " voorvoegsel voorvoegsels geboortenaam",
    "person": "kd versicherter versicherten versicherte patientin kontakt inhaberin halter fahrzeughalter"
    " karteninhaberin"
    " patient deelnemer verzekerde bewoner huurder medewerker ontvanger afzender",
    "holder": "kaarthouder houder",
    "birth": "geboren gebdt geburtsdat geburtstag gebtag geborenam gebdatum gebdate gebam"
    " geboortedag geboren verjaardag gebdatum",
    "phone": "telefonprivat rufnr handynr mobilnr telefonisch rueckrufnummer ruckrufnummer mobilfunk* durchwahl"
    " gsmnummer mobieltje telefoonnr vastnummer",
    "email": "mailanschrift emailanschrift elektronischepost",
    "street": "strasse strassen strhausnr hausnr strassehausnr strasseundhausnummer strassenr"
    " straatenhuisnummer huisnummer huisnr straatnr",
    "address": "wohnanschrift lieferanschrift rechnungsanschrift postanschrift hausanschrift meldeadresse melde*"
    " kundenanschrift zustelladresse adresszusatz"
    " bezorgadres factuuradres postadres verzendadres adresregel afleveradres huisadres",
    "postcode": "postleitz postlz zustellplz plzort postleit postkode postcodehuisnummer",
    "cardno": "kartenr kartennumr kreditkartennummer kreditkartennr kreditkartenr bankkartennummer"
    " kaartnr creditcardnummer betaalkaartnummer bankkaartnummer",
    "card": "kart kaart",
    "verification": "kontrollnummerkarte sicherheitsnummer kartenpruf* kartenpruef* kartensicherheit* kpn prufnummer"
    " pruefnummer prufzifferkarte"
    " kaartverificatie* veiligheidscode sicherheitsnummerkarte",
    "security": "beveiliging* beveiligings",
    "verif": "bestaetigung* bestatigung* verifizierung* pruf pruef freigabe freischalt* aktivierung* anmelde*"
    " verificatie bevestiging* controle activatie",
    "code": "codes kode",
    "otp": "einmalcode einmalpin einmalpasswort einmalkennwort bestaetigungscode bestatigungscode verifizierungscode"
    " freigabecode smstan tan itan tannummer prufcode pruefcode freischaltcode aktivierungscode zweiterfaktor"
    " anmeldecode"
    " verificatiecode eenmaligecode eenmaligwachtwoord bevestigingscode eenmaligepincode tancode controlecode"
    " activatiecode",
    "time_word": "einmal einmalig einmalige eenmalig eenmalige",
    "expiry": "ablaufdatum verfallsdatum verfalldatum vervaldatum kartenablauf* ablaufkarte verfall* kartenverfall"
    " gultigbis gueltigbis"
    " geldigtot vervaldatumkaart verval* geldigheid",
    "passport": "reisepassnr passnr reisedokument* reisepassnummer paspoortnr reisdocument*",
    "licenceno": "fuhrerschein fuehrerschein rijbewijs fuhrerscheinnr fuehrerscheinnr fahrerlaubnis* fsnummer"
    " fahrerkarte* fuehrerscheinnummer"
    " rijbewijsnr rijbewijsnummer",
    "sin": "sozversnr sozversnummer sozialversnr personalausweisnr persoausweis* persoausweisnr ausweisnr persnr"
    " perso personr identitatsnummer"
    " identitaetsnummer identitatskarte* identitaetskarte* sozialversicherungsnummer svnummer svnr rvnr"
    " sozialversnr steuernr stnr steuerid steueridnummer"
    " identiteitskaart* idkaart idkaartnummer identificatienummer identiteitsnummer identiteitsbewijs* insz"
    " rijksregisternr persoonsnummer",
    "mrn": "patientennr patientenkennung patientenid patnr krankenakte* krankenaktennr patientenakte* fallnummer fallnr"
    " patientenkarteinummer"
    " dossiernummerpatient patientnr patientnummer medischdossier* patientendossier* zorgnummer dossiernummer",
    "patientword": "patienten",
    "insuranceno": "versichertennr kvnummer krankenkassennummer krankenversichertennr krankenversicherungsnr"
    " versicherungsnr versnr krankenversnr"
    " verzekeringsnummer polisnummerzorg* zorgverzekering* zorgverzekeringsnummer verzekerdennummer",
    "device": "geraete gerate endgerat endgeraet apparaat toestel",
    "adid": "geratekennung geraetekennung gerateid geraeteid gerateuuid geraeteuuid geratenummer geraetenummer"
    " geratenr geraetenr werbeid gerateidentifikation geraeteidentifikation endgeraeteid endgerateid"
    " apparaatid toestelid apparaatnummer advertentieid toestelnummer",
    "serialno": "seriennr serienr serienummer seriennummern serienum",
    "mac": "hardwareadresse hardwareadres",
    "imsi": "teilnehmerkennung",
    "plate": "kfzkennzeichen autokennzeichen fahrzeugkennzeichen amtlicheskennzeichen lkwkennzeichen kennz kfzkz"
    " polizeilicheskennzeichen"
    " kentekennummer kentekennr kentekenauto kentekenplaat",
    "vin": "fahrgestellnr fahrgestell* fgstnr fgstnummer fahrzeugident* fahrzeugidnr finnummer"
    " chassisnummer chassisnr voertuigident*",
    "vehicle": "kraftfahrzeug lkw pkw fahrzeuge voertuig wagen",
    "password": "passworter passwortneu passwortalt zugangspasswort benutzerkennwort losungswort zugangscode pwneu"
    " benutzerpasswort passworthash passwortwiederholung wachtwoorden toegangswachtwoord gebruikerswachtwoord"
    " toegangscode wachtwrd wachtzin",
    "accountno": "ktonr kontonr ktonummer bankkontonummer kontonum kto rekeningnr bankrekening bankrekeningnummer"
    " bankrekeningnr bankverbindungkonto",
    "neutral": "neu neues alt altes alte des dem und zweite nieuw nieuwe het een naar zum zur bis",
    "reference": "bestellnr rechnungsnr auftragsnr lieferdatum artikelnr menge anzahl bestelnummer factuurnummer aantal"
    " vertragsnummer vorgangsnummer",
    "date": "ablaufdatum verfallsdatum verfalldatum vervaldatum",
    "thru": "gultigbis gueltigbis geldigtot",
    "session": "sitzungskennung sitzungsid sessieid",
    "token": "zugriffstoken zugangstoken toegangstoken",
}
