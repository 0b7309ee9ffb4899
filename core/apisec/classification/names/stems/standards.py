"""Terse names of standards and of systems that many APIs hand through as they are.

SAP tables, ISO 20022, EMV and ISO 8583, 3-D Secure, HL7 v2 and FHIR, X12, LDAP and Active Directory, vCard, SCIM and
OpenID Connect, schema.org, Salesforce, OFX and FIX, mobile advertising. Only what is no common word: a name as ``sn``
or ``NAME1`` says nothing without its parent.
"""

from __future__ import annotations

from typing import Dict

# Terse names that are this only where the value's form says so as well: exact, in lower case, without separators.
LIKELY: Dict[str, str] = {
    "health.insurance": "nam msp ihi cns",
    "pii.name": "nom nombre nome naam nimi navn namn isim nama namae imya fio sei mei myoji name1 name2 name3 name4"
    " sn cn nm nm1 formattedname displayname formatname namn1 ownernm altname"
    " knownas aka signedby preparedby approvedby createdbyname attn attention careof contactperson1 pocname poc",
    "pii.national_id": "cf rg cni nic rc adt avs ci cic ic idn idnum nrid natl ident identno numid psn",
    "pii.postcode": "cap pk cp psc tk pk pc zc zp",
    "device.id": "installationid installid installation serial sno machineid instanceid hwaddr hw unitid tid"
    " terminalid vendoruuid",
    "health.mrn": "patientid patid pid ptid chart fileno unitno hospid registrationno regno",
    "pii.vehicle": "reg regnum registration registrationno tag vehicleid",
    "pci.pan": "de2 pan2 acctn",
    "pii.phone": "mob1 tel1 no1 contactnum caller called calling callee ani dnis cli clid",
    "pii.driving_licence": "permis patente licence license licenceno licenseno",
    "pii.dob": "dtob dateb birthyr",
}

CONCEPTS: Dict[str, str] = {
    # SAP: KNA1, LFA1, ADRC, BUT000, PA0002, PA0006, KNBK
    "personname": "nachn vorna namef namel namemid namefirst namelast namelst namefst midnm rufnm"
    " kunnrname ansprechp"
    # LDAP, vCard, OIDC, schema.org
    " displaynameprintable personaltitlename gecos phoneticfirstname phoneticlastname initialsname additionalname"
    " middlenm1 familynm givennm hldrnm ownrnm cdtrnm dbtrnm ultmtdbtrnm",
    "street": "stras strasnr houseno1 houseno2 bldgnb strtnb homepostaladdress housenum1 housenum2 strsuppl1 strsuppl2",
    "address": "pstladr postaladr adrline pstladdr homepostaladdress postaladdress resadr pstadr",
    "postcode": "pstlz pstcode1 postcode1 postcode2 pstcd postlz",
    "phone": "telf1 telf2 telfx telnumber telnr mobnb phneb phnenb mobilephonenb faxnb telephonenumber homephone"
    " mobiletelephonenumber facsimiletelephonenumber othertelephone othermobile homephonenumber telf"
    " usrphone usrtelephone",
    "email": "smtpaddr smtpaddress emailadr emailadrs adsmtp proxyaddress userprincipalemail email1 intaddr usridlong",
    "birth": "gbdat gebdat birthdt dtbirth birthdtandplcofbirth gbjhr dob1 dtofbirth",
    "sin": "stcd1 stcd2 stcd3 stcd4 perid taxnum taxnumxl prvtid sczs cuitcuil ictx taxnb natlregn",
    "accountno": "bankn bankacct bkont acctid acctfrom bankacctfrom acctothrid",
    "routing": "bankl",
    "bic": "bicfi bicorbei anybic bei bicfinr swift1",
    "iban": "ibanid",
    # ISO 8583, EMV, acquirers
    "cardno": "de2 de002 pan1 tag5a cardacctid acctpan fpan dpan primaryacctnbr ccardnumber cardacctnum"
    " panentry clrpan encpan plainpan cardpan pannumber",
    "track": "track1data track2data tag57 de35 de45 trk1 trk2 magstripedata track2equivalentdata",
    "expiry": "de14 xprydt xpry expirydatecard cardexpirydt tag5f24 cardxpry",
    "verification": "cvv2cvc2 cvc2cvv2 cardsecurityval cscvalue cvdcode",
    # HL7 v2, X12, FHIR
    "mrn": "pid3 medrecnbr mrnnumber patientmrn pid18",
    "npi": "npinumber npino",
    # LDAP
    "ssn": "ssnno ssnnbr ssnnum socsecno socsecnbr ssan",
    "adid": "deviceidentifierforvendor gpsadid gpsaid androidadvertisingid googleaid aifa",
    "imei": "deviceimei imeino",
    "vin": "vehvin vinnr",
    "password": "userpassword unicodepwd userpasswd pwdhash loginpw",
}
