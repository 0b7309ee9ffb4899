"""What the stems of field names stand for: concepts, in twelve languages and their usual abbreviations.

A stem that ends in ``*`` takes the rest of its word. English, German, French, Spanish, Italian, Portuguese, Dutch,
Polish, Swedish, Danish, Norwegian, Finnish and Turkish, without accents (``words.split`` folds them), and
romanised Japanese, Chinese and Russian where they are common in names of fields.
"""

from __future__ import annotations

from typing import Dict

# A word that names an id of one country alone: concept = the class. Sources: the validators' documentation.
COUNTRY_WORDS: Dict[str, str] = {
    "ae": "emiratesid eid",
    "ar": "cuil",
    "at": "svnr sozialversicherungsnr",
    "au": "tfn taxfilenumber",
    "be": "rijksregister* registrenational numeronational",
    "bg": "egn",
    "br": "cpf",
    "ca": "socialinsurancenumber sin sinnumber",
    "ch": "ahv ahvnummer ahvnr ahvn13 navs13",
    "cl": "rut",
    "cn": "shenfenzheng* sfz sfzh",
    "cz": "rodnecislo",
    "de": "idnr idnummer steueridnr stidnr steuerid steuerident* identifikationsnummer steuernummer"
    " rentenversicherungsnummer",
    "dk": "cpr cprnummer cprnr personnummerdk",
    "ee": "isikukood",
    "fi": "hetu henkilotunnus",
    "fr": "nir numerosecu* nss numerosecuritesociale",
    "gb": "nino nationalinsurance* ninumber utr",
    "gr": "amka",
    "hk": "hkid",
    "hr": "oib",
    "id": "ktp ektp noktp",
    "ie": "ppsn ppsno pps ppsnumber",
    "il": "teudatzehut",
    "in": "aadhaar aadhar adhaar adhar aadhaarcard uidai",
    "is": "kennitala",
    "it": "codicefiscale codfiscale codfisc",
    "jp": "mynumber kojinbango",
    "kr": "rrn jumin juminbeonho",
    "kz": "iin",
    "lt": "asmenskodas",
    "lv": "personaskods",
    "mx": "curp rfc",
    "my": "mykad",
    "nl": "bsn burgerservice* sofinummer",
    "no": "fodselsnummer* fodselsnr* fnr",
    "pk": "cnic",
    "pl": "pesel",
    "ro": "cnp",
    "rs": "jmbg",
    "ru": "snils inn",
    "se": "personnummer personnr",
    "sg": "nric",
    "tr": "tckn tckimlik* tckimlikno tcno kimlikno tckimlikno",
    "ua": "rnokpp",
    "za": "saidnumber",
}

# Concept: stems.
CONCEPTS: Dict[str, str] = {
    "card": "card cardvalid creditcard debitcard bankcard karte karten kreditkarte kreditkarten tarjeta cartebancaire"
    " carta cartao cc crd kort kreditkort betaalkaart creditkaart karta kartu kredikarti luottokortti korttinumero"
    " ccard paymentcard bankkarte cartecredit carte",
    "credit": "credit debit kredit credito debito payment",
    "pan": "pan primaryaccountnumber primaryaccountno primaryaccountnum",
    "cardno": "kartennummer kartennr kartnr kartno kortnummer kortnr kaartnummer numerkarty ccnum ccno ccn"
    " ccnumber cardno cardnum cardnumber numerotarjeta numerocarte numerocartao kortinnumero",
    "number": "number num nums no nr nbr nummer numero digits numbr numer numara nomer numeric bango hao nomor"
    " nro nummern numeros numeri cislo ziffer zahl ziffern",
    "verification": "cvv cvv2 cvc cvc2 csc cvn cryptogram cryptogramme kartenpruf* cvvcode cvvnumber cvvno"
    " codigoseguridad codigoseguranca codicesicurezza securitycodecard",
    "cid": "cid",
    "nationality": "spanish polish german french italian dutch swedish danish norwegian finnish turkish"
    " portuguese belgian austrian swiss czech slovak hungarian romanian bulgarian greek croatian serbian slovenian"
    " estonian latvian"
    " lithuanian irish british brazilian mexican chilean argentine colombian peruvian indian chinese japanese korean"
    " thai malaysian singaporean russian ukrainian israeli african canadian australian pakistani indonesian emirati",
    "deposit": "checking savings chequing girokonto giro deposit current",
    "doc": "document documento dokument doc proof",
    "security": "security sicherheit* securite seguridad seguranca sicurezza guvenlik veiligheid* sakerhet*",
    "verif": "verification pruf pruef verif confirmation confirm login activation mfa signin twofactor",
    "code": "code codes kod codigo kode codice koodi kodu cd",
    "track": "track track1 track2 magstripe magstrip*",
    "expiry": "expiry expiration expires exp expire expired expiring expdate ablauf ablaufdatum caducidad"
    " vencimiento expiracion validade scadenza vervaldatum gultigkeit gueltigkeit validthru validuntil gultigbis"
    " goodthru expirydate expirationdate validto validthrough validtill gueltigbis gueltigkeitbis validend validity"
    " validfrom goodfrom goodto goodtill gooduntil goodthrough goodend gultigab gueltigab gultigkeitbis verfall"
    " verfallsdatum verfalldatum validohasta validahasta vence vencimento fechavencimiento caduca validezhasta"
    " valablejusqua valablejusquau validejusqua finvalidite datefinvalidite expirele validofino validafino"
    " scadenzacarta validoate validaate geldigtot geldigheid waznado waznosc datawaznosci giltigtill giltigtom"
    " gyldigtil utlopsdato utlop udlobsdato udlob voimassa voimassaolo erapaiva sonkullanma gecerlilik yukokigen"
    " cardvalid",
    # what is printed on cards, so that no card need be named
    "thru": "validthru goodthru validthrough goodthrough validtill goodtill gooduntil goodto goodend",
    "validity": "validity valid gueltig gultig gueltigkeit gultigkeit",
    "end": "end ending till thru until through",
    "monthyear": "month year mm yy yyyy mmyy yymm mmyyyy yyyymm monat jahr mes ano mois annee maand jaar mese anno mo"
    " yr",
    "ssn": "ssn socialsecurity* socsec* ssnumber ssnlast",
    "social": "social sozial sociale socialsec",
    "itin": "itin",
    "sin": "nif nie dni cedula cuit tin taxpayer* nationalid nationalidentity* nid citizenid personalid"
    " identitycard* identitynumber idcard idnumber idcardno personalausweis ausweisnummer govid govtid"
    " governmentid personalcode civilid documentoidentidad carteidentite cartaidentita bilhetedeidentidade"
    " dowodosobisty nationalinsuranceno natid taxid taxnumber fiscalcode steuernr personalnumber"
    " identificationnumber identificationno identitydocument identitydocumentnumber identificationdocument"
    " iddocument iddocumentnumber identityno idno documentidentity nationalno nationalnumber"
    " personalidentificationnumber residentid residentidentity identificationnum identificationnbr identitynum"
    " idnum idnbr identitycard contribuinte numerocontribuinte contribuyente nrcontribuinte",
    "national": "national citizen personal tax fiscal identity ausweis* steuer government govt civil identidad"
    " identite identita identidade personnel nationale nacional nazionale citizenship identification fiskal vergi",
    "passport": "passport reisepass* pasaporte passeport passaporto passaporte paspoort paszport passnummer"
    " passno passportno passnr pasaport passi pasport huzhao passporten",
    "licence": "licence license licencia fuhrerschein* fuehrerschein* permis patente habilitacao cnh rijbewijs*"
    " korkort* kjorekort* forerbevis ehliyet ajokortti lic",
    "driver": "driver driving drivers fahrer conducir conduire guida conducao drv",
    "licenceno": "dl dln dlnumber dlno driverslicense driverlicense drivinglicence drivinglicense driverslicence"
    " fuhrerscheinnummer cnh ehliyet rijbewijsnummer driverlicence",
    "email": "email mail emailaddress correo correoelectronico courriel emailaddr mailaddress mailadresse"
    " emailadresse emailadres epost epostadresse epostadress eposta sahkoposti sahkopostiosoite eml emailid"
    " adresemail adressemail mailaddr youxiang meeru meruadoresu pochta electronicmail useremail",
    "phone": "phone telephone tel telefon* telefono telefone telefoon* mobile mobil mobiltelefon mobilnummer"
    " mobilnr mobiel mobielnummer cell cellphone msisdn handy handynummer handynr fax faxes faks faxnummer celular"
    " movil cellulare telemovel rufnummer phonenumber phoneno phonenum tlf tlfnr puhelin* matkapuhelin* gsm whatsapp"
    " komorka komorkowy ceptel ceptelefonu denwa denwabango dianhua shouji shoujihao phno mob mobileno mobilenumber"
    " landline festnetz festnetznummer ph fon teleph fone telno telnr celulares telephonenumber mobilephone"
    " homephone workphone contactno contactnumber daytimephone daytimetelephone daytelephone eveningphone telefonnr",
    "contact": "contact contacto kontakt contato contatto emergency callback",
    "name": "name nome nombre nom naam nimi navn namn isim namae nombres nama",
    "first": "first given middle fore fname firstname givenname forename middlename vorname prenom primeiro"
    " primer primo eerste mname mid pre initial",
    "last": "last family sur lname lastname surname familyname nachname familienname apellido apellidos cognome"
    " sobrenome maiden paterno materno second",
    "full": "full real complete fullname completo complet vollstandig voller preferred birth",
    "display": "display legal nick screen",
    "personname": "firstname givenname fname forename middlename vorname vornamen prenom prenoms lastname surname"
    " lname familyname nachname familienname apellido apellidos cognome sobrenome fullname cardholder karteninhaber"
    " kontoinhaber accountholder voornaam achternaam tussenvoegsel naamvolledig imie nazwisko imienazwisko fornamn"
    " efternamn fornavn efternavn etternavn mellomnavn etunimi sukunimi adsoyad soyad soyadi soyisim adi"
    " nombrecompleto nomecompleto primernombre nomdefamille nomfamille nomeproprio apelido shimei seimei furigana"
    " xingming familiya imya otchestvo fio patronymic middleinitial maidenname lastnames firstnames nomcomplet"
    " holdername cardholdername personname nombreapellido nombreapellidos nomecognome mothersmaiden* birthname"
    " geburtsname realname beneficiaryname apellidopaterno apellidomaterno surnames forenames givennames familynames"
    " firstnm lastnm fullnm custname customername nameonaccount nameoncard nameoncreditcard othername othernames"
    " secondname nomemae nomepai maidensurname aliasname middlenm initials middleinitials nomedamae lnames fnames",
    "holder": "holder cardholder owner inhaber karteninhaber kontoinhaber titular titulaire intestatario"
    " accountholder policyholder rekeninghouder",
    "person": "person user customer cust client contact employee emp patient passenger guest member recipient"
    " beneficiary applicant author sender payee payer buyer shopper billing shipping subscriber spouse kunde kunden"
    " cliente clientes profile insured traveller traveler student teacher doctor emergency people consumer creditor"
    " debtor receiver consignee consignor signer signatory cosigner tenant landlord manager supervisor assignee"
    " reporter creator reviewer approver requester requestor attendee participant candidate physician practitioner"
    " nurse caregiver guardian mother father partner husband wife kin nextofkin donor voter citizen resident"
    " borrower lender investor shareholder director officer broker driver rider courier staff worker colleague host"
    " organizer organiser speaker instructor tutor pupil learner player coach referee artist actor writer editor"
    " admin administrator operator technician seller referrer referral sponsor witness claimant plaintiff defendant"
    " suspect victim nominee heir relative dependant dependent caller callee respondent winner mitarbeiter benutzer"
    " ansprechpartner empfanger absender patienten utilisateur destinataire expediteur salarie usuario empleado"
    " destinatario paciente remitente utente dipendente paziente funcionario remetente klant gebruiker werknemer"
    " klient uzytkownik pracownik odbiorca nadawca kund anvandare medarbetare bruker ansatt medarbejder asiakas"
    " kayttaja musteri kullanici calisan hasta individual human personne persona pessoa persoon osoba henkilo kisi"
    " individuo mieter vermieter versicherter versicherungsnehmer holder owner inhaber titular mae pai madre padre"
    " mere pere vater mutter guarantor appointee",
    "birth": "birth dob birthday birthdate dateofbirth birthdt geburt geburts* geb gebdat gebdatum nacimiento"
    " fechanacimiento fechanac fnac naissance datenaissance dnaiss nascimento dtnasc datanascimento nascita"
    " datanascita dtnascita born bday geboorte* geboortedatum urodzenia dataurodzenia urodzin fodelse* fodsel*"
    " fodselsdato fodselsdag syntyma* dogum* dogumtarihi seinengappi seinen tanjobi shengri chushengriqi rozhdeniya"
    " datarozhdeniya birthtime yob birthyear doby",
    "locality": "city town country ort local state province region county stadt ville district locality suburb"
    " neighbourhood neighborhood municipality borough canton bundesland ciudad citta cidade plaats miasto by kommune"
    " kaupunki sehir pais pays paese estado provincia place lugar lieu luogo",
    "date": "date expdate expirydate expirationdate day datum fecha data jour tag dato tarih dt since",
    "street": "street streetaddress strasse strassenname calle rue rua straat straatnaam ulica ul gata gatuadress"
    " gade gateadresse vej katu katuosoite sokak cadde sokakadi addressline* addrline* logradouro housenumber"
    " hausnummer streetname streetline* streetnumber strassehausnummer adresszeile* addresszeile* road avenue"
    " boulevard streetaddr numeroci",
    "address": "address addr adresse anschrift direccion endereco indirizzo domicilio morada adres adress osoite"
    " adresi jusho dizhi residence wohnort wohnadresse mailingaddress homeaddress addres adresa direccioncompleta"
    " ads shippingaddress billingaddress lieferadresse rechnungsadresse postadresse residentialaddress",
    "addressline": "address1 address2 address3 addr1 addr2 addr3 adresse1 adresse2 street1 street2 street3"
    " direccion1 line1 line2 line3 line4 lineone linetwo addresstwo addressone apartmentnumber aptnumber aptno"
    " suitenumber aptsuite",
    "line": "line zeile ligne linea linha riga",
    "postcode": "zip zipcode zipcodes postcode postalcode postal plz postleitzahl codigopostal codepostal"
    " codpostal codpostale postnummer postnr kodpocztowy postinumero postakodu eircode yubin yubinbango postkod"
    " postkode zippostal postcodes youbian poskod cep codicepostale indeks postnumber postalzip zip4 zipplus4",
    "cp": "cp",
    "cap": "cap",
    "iban": "iban",
    "account": "account acct acc konto cuenta compte conta rekening tili hesap conto kouza zhanghao schet"
    " rachunek rachunku accnt ac",
    "accountno": "kontonummer kontonr kontonum rekeningnummer rekeningnr numerocuenta numeroconta numerokonta"
    " numerkonta accountno acctno accountnumber acctnum acctnbr accountnum accno tilinumero hesapno hesapnumarasi"
    " bban numerocompte nrkonta nrb blz bankleitzahl bankaccountnumber bankaccountno clearingnumber bankgiro"
    " plusgiro kouzabango numeroconto bankaccount bankkonto bankverbindung",
    "bank": "bank banking banque banco banca banka pankki",
    "aba": "rtn aba abartn abarouting routingno routingnumber routingnum routingnbr transitnumber abanumber",
    "routing": "routing",
    "sortcode": "sortcode sortcodes bankcode",
    "sort": "sort",
    "bic": "bic swift swiftcode biccode bicswift swiftbic bicnummer biccodes bankidentifiercode"
    " bankidentificationcode businessidentifiercode",
    "clabe": "clabe",
    "ifsc": "ifsc ifsccode",
    "bsb": "bsb bsbnumber bsbcode",
    "wallet": "wallet btc bitcoin eth ethereum crypto blockchain cryptocurrency ltc litecoin erc20 trc20"
    " bep20 solana tron trx matic dogecoin usdt usdc ripple xrp cardano monero xmr onchain",
    "companytax": "ein fein vatid vatnumber vatno vatreg vatin ustid ustidnr ustidnummer umsatzsteuerid cnpj nit"
    " abn gstin gstno gstnumber siret siren partitaiva piva nip regon tva numerotva btwnummer btwnr btwid orgnr"
    " orgnumber organisationsnummer organisasjonsnummer cvrnummer cvr ytunnus eori vergino verginumarasi acn"
    " employerid* crn handelsregister* kvk kvknummer numerofiscale companyregistrationnumber companyregno"
    " companynumber taxregistrationnumber taxregistrationno taxregistration vatregistration vatregistrationnumber"
    " vatidentification vatident vatidentifier vatidnumber"
    " businessnumber businesstaxid companytaxid tradelicensenumber gstregistration salestaxid resaleno cif rif ruc",
    "company": "company business corporate corp firm organization organisation employer merchant vendor enterprise"
    " entity firma entreprise empresa azienda bedrijf unternehmen yritys sirket foretag supplier",
    "vat": "vat gst btw mwst iva ust tva moms",
    "npi": "npi",
    "dea": "dea",
    "mbi": "mbi medicarebeneficiary*",
    "medicare": "medicare",
    "nhs": "nhs nhsnumber nhsno",
    "ehic": "ehic",
    "mrn": "mrn medicalrecord* patientnumber patientno medrecno patientennummer",
    "medical": "medical health clinical hospital medizin* medico medicale salud saude sante",
    "recordword": "record chart file akte",
    "insurance": "insurance versicherung* krankenversicher* krankenkasse* seguro assurance assicurazione"
    " verzekering* ubezpieczenia insured policyholder versicherten* healthcard ohip healthplan",
    "insuranceno": "insurancenumber insuranceno insuranceid versichertennummer krankenversichertennummer kvnr"
    " krankenversicherungsnummer versicherungsnummer insurancememberid insurancepolicynumber healthcardnumber ohip"
    " healthinsurancenumber healthinsuranceid insurancecardnumber medicalcardno memberinsuranceid insurancepolicyno"
    " policynumberinsurance insurancesubscriberid insuranceidentification insuranceidentifier",
    "diagnosis": "diagnosis diagnoses diagnose diagnosen diagnostico diagnosi diagnostic icd icd10 icd9 icdcode"
    " icd10code icd10cm diagnoza dx dxcode teshis tani",
    "imei": "imei imei2 imeisv meid",
    "imsi": "imsi",
    "iccid": "iccid simnumber simserial simcardnumber",
    "mac": "macaddress macaddr hwaddr bssid ethermac wifimac bluetoothmac ethmac btmac macid",
    "macword": "mac hw hardware ethernet wifi bluetooth wlan",
    "device": "device handset gerat geraet dispositivo appareil apparaat cihaz urzadzenie laite terminal hardware",
    "adid": "idfa gaid aaid adid ifa idfv udid androidid advertisingid deviceid deviceuuid deviceuid deviceudid"
    " appleid advertiserid deviceidentifier openudid vendorid installationid gpsadid deviceuniqueid uniquedeviceid"
    " deviceguid",
    "advertising": "advertising advertiser android",
    "serialno": "serialnumber serialno serialnum seriennummer",
    "geo": "latitude lat lng lon longitude latlng latlong latlon coords coord coordinate geo geolocation gps"
    " geopoint breitengrad langengrad laengengrad latitud longitud latitudine longitudine geocoordinates geoposition"
    " koordinaten coordenadas coordonnees boylam enlem breddegrad lengdegrad gpslocation geocode coordinates lati"
    " longi geolat geolng",
    "long": "long",
    "spot": "location pickup dropoff source src dest destination start end origin position pos from to center current"
    " home work user driver rider point marker place",
    "vin": "vin fahrgestellnummer chassisnumber chassisno vinnumber vehicleidentification* bastidor vincode",
    "plate": "plate plates licenseplate licenceplate numberplate platenumber plateno kennzeichen kfzkennzeichen"
    " nummernschild immatriculation plaque targa kenteken nummerplaat rejestracyjny registreringsnummer regnr plaka"
    " rekisterinumero nrrejestracyjny registrationplate placa matricula",
    "vehicle": "vehicle car auto fahrzeug vehicule voiture veiculo vehiculo coche pojazd bil truck automobile kfz",
    "registration": "registration reg",
    "password": "password* passwd* passwort* passphrase* passcode* pwd pw pass kennwort* contrasen* senha clave"
    " motdepasse mdp userpass parole haslo wachtwoord losenord passwrd pswd psw salasana sifre parola parol mima"
    " passord adgangskode kodeord palavrapasse palavrachave pasuwado contrasenha passkey pasword pswrd lozinka heslo"
    " unlockcode masterpass userpwd psk presharedkey wpakey wifikey",
    "pin": "pin pincode pinno pinnumber geheimzahl",
    "answer": "answer antwort respuesta reponse",
    "question": "question frage pregunta",
    "secret": "secret geheim* secreto",
    "token": "token tok jwt bearer accesstoken refreshtoken idtoken authtoken csrftoken jeton",
    "kind_token": "access refresh auth oauth bearer csrf xsrf reset session api device push registration"
    " activation invite magic login security verification notification unsubscribe share preview upload download"
    " client bot app admin webhook payment card fcm apns user account customer email password change confirm",
    "authorization": "authorization authentication authorisation",
    "session": "session sess sessid sessionid sid jsessionid phpsessid aspsessionid connectsid sitzung sesion"
    " oturum sessionkey sesskey sessiontoken",
    "key": "key schlussel schluessel clave chave cle llave",
    "api": "api access client app application consumer subscription private shared encryption signing developer"
    " service master account merchant secret webhook hmac auth deploy ingest aws azure stripe openai write admin",
    "apikey": "apikey subscriptionkey accesskey authkey appkey clientsecret appsecret secretkey secretaccesskey"
    " apisecret consumerkey consumersecret clientkey sharedsecret masterkey signingkey encryptionkey cleapi claveapi"
    " chaveapi apischlussel writekey ingestkey",
    "private": "private privat privado",
    "privatekey": "privatekey privkey mnemonic seedphrase seedwords recoveryphrase privatepem walletseed",
    "seed": "seed recovery backup mnemonic",
    "phrase": "phrase words",
    "credential": "credential cred creds",
    "otp": "otp totp mfa tfa 2fa hotp onetime smscode authcode otpcode mfacode verifycode onetimepassword"
    " onetimecode einmalpasswort twofactorcode authenticatorcode otpvalue backupcode recoverycode passcodeotp"
    " loginotp",
    "time_word": "one onetime sms",
    "paging": "type next page max min limit count usage used total prompt completion cursor previous prev"
    " expires expiry expiration expire length len bucket price balance symbol sync continuation ttl timeout header"
    " name url uri endpoint remaining status state valid lifetime duration timestamp amount supply mint input"
    " output num number logo decimals",
    "username": "username usernames login loginname",
    "signature": "signature",
    "ip": "ip ipv4 ipv6 ipaddress hostname web url host server network net subnet memory contract memoryaddress"
    " bus endpoint dns bind listen gateway proxy socket",
    # what turns a sensitive name into another thing
    "meta": "type kind status state policy length len hint enabled required strength url uri link href limit"
    " usage valid verified brand scheme network level format version label template page next cursor method color"
    " colour at ttl days hours minutes attempts reset updated created rules country prompt completion class category"
    " image icon file path disabled visible visibility optional permission permissions scope scopes role preference"
    " preferences setting settings config configuration option options notification notifications notify opt subject"
    " body sent received opened clicked bounced bounce frequency campaign provider domain server port"
    " protocol model vendor manufacturer size width height delivery delivered channel consent marketing subscribed"
    " unsubscribed unsubscribe error errors message"
    " messages regex pattern validator validators rule prefix suffix extension ext area language locale timezone"
    " currency flag flags mode schema column indexes audit event events action"
    " actions reason description desc note notes comment comments help tooltip book group groups"
    " team quality score confidence precision accuracy altitude radius distance bounds zoom rotation algorithm alg"
    " hashing validated unconfirmed present supported support supports available availability"
    " needed use uses by html css js json xml csv pdf png fee fees cost price amount balance tariff plan plans age"
    " window interval delay retry retries percent percentage ratio rate per daily blacklist whitelist blocklist"
    " allowlist blocked banned issuer issuing issued issue audience grant grants revoked revoke rotate rotated"
    " renewal renew lock locked unlock lockout failed failures fail success successful starts ends started ended"
    " start end begin close closed stats statistics metrics summary titles sortable",
    # and what asks for it, or keeps it: a list of e-mail addresses is something else, a list of IBANs holds IBANs
    "asked": "search query filter list lists history example provided supplied duplicate match matches matched missing"
    " invalid unique exists log logs placeholder validity",
    # and what does so wherever it stands
    "turn": "rate is has can should must show hide allow allowed require enable disable forgot forgotten change"
    " changed update max min avg sum mean median total count used remaining masked mask last4 lastfour lastdigits"
    " last4digits first6 tipo typ art statut estado stato stan durum tila matching public",
    "thing": "product item file company organization organisation org repo repository project group team bank"
    " branch store shop merchant event course room table column field class category brand model hotel restaurant"
    " school city country state region device app application package service plan role campaign tag type template"
    " document doc folder bucket image container cluster node host server domain database db schema index queue"
    " topic task job workflow pipeline step stage environment env namespace network zone location place site"
    " building facility department dept division unit section channel list board card label policy rule permission"
    " feature property attribute parameter param variable var function method operation action module component"
    " plugin extension theme style font color colour icon layer map chart report dashboard widget page screen view"
    " menu button link form question quiz exam lesson subject book song album track playlist movie show game genre"
    " species breed pet animal plant drug medication medicine procedure test lab order invoice payment transaction"
    " currency coupon promotion discount offer deal contract agreement asset resource object entity record row cell"
    " metric alert check cron trigger hook webhook integration connector source target dataset experiment metro"
    " airport airline flight train bus ship vessel port route stop station car vehicle make tax status priority"
    " severity sprint milestone release version commit build artifact machine instance volume disk snapshot backup"
    " producto empresa archivo produkt firma datei produit entreprise fichier prodotto azienda produto bedrijf"
    " bestand nick space kind sku variant option collection supplier vendor manufacturer skill language league club"
    " tournament venue program programme scheme fund stock security exchange market instrument portfolio scope realm"
    " tenant province county district subdistrict ward village town street rue mailbox inbox issuer agency insurer"
    " business corporation trade parent mime",
    "reference": "order orders tracking track shipment invoice reference ref hash sha sha1 sha256 md5 checksum"
    " digest etag transaction txn trx batch sku serial seq sequence ean gtin isbn upc build epoch timestamp ts time"
    " datetime amount price size offset bytes nonce trace span request correlation parcel waybill barcode product"
    " item version revision commit job event message bestellung rechnung sendung iat nbf duration quantity qty"
    " bestellnummer rechnungsnummer auftragsnummer sendungsnummer artikelnummer kundennummer commande facture pedido"
    " factura ordine fattura fatura bestelling factuur zamowienie faktura siparis tilaus created updated modified"
    " deleted createdat updatedat millis millisecond milliseconds seconds unix unixtime receipt booking ticket case"
    " voucher coupon promo campaign asin mpn po rma awb crc fingerprint correlationid requestid traceid spanid"
    " counter total subtotal sum count length width height weight volume score points rank index position row page"
    " limit nanos micros ms latency uptime cents minor block blocknumber gas slot round level",
    "identifier": "id ids uuid guid uid oid pk identifier identifiers identifikator identifiant identificador"
    " identificativo kennung ident idnt",
    "neutral": "in on as is my the your our new old current repeat verify main primary secondary home work business"
    " default"
    " to from cc bcc reply x http value text field input string raw plain encrypted hashed of for and user2 info"
    " details data number2 a b 1 2 3 4 de da do del la el der die das di van von le les du des od i e y et en para"
    " por other alt alternate alternative additional extra tertiary private office day evening night mobile2 val str"
    " attr attribute prop property obj dto payload request response req res resp content original formatted"
    " normalized canonical local international intl full short long temp tmp test sample actual real preferred"
    " existing previous latest updated",
}
