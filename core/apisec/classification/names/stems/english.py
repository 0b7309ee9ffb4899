"""English: what programmers write beyond the words of ``western``, and the words that turn a name into another."""

from __future__ import annotations

from typing import Dict

CONCEPTS: Dict[str, str] = {
    "number": "nb nmbr nmb numb",
    "name": "nm nme",
    "first": "fst frst 1st",
    "last": "lst surnm",
    "personname": "surnm firstname1 lastname1 frstnm lstnm fstnm fnm lnm mdlnm custnm patnm empnm"
    " beneficiaryname nameofholder contactperson middlename2 maidennm",
    "person": "addressee pat mbr benef hldr insrd drvr pax pers prsn cstmr cust clnt passngr guardian enrollee"
    " policyholder"
    " occupant householder cardmember payor remitter remittee payr rcpt rcvr",
    "birth": "dofb birthdy brthdy brthdt bthdt bdt dobdt dobirth birthdte brthdte birthon bornon bornat",
    "date": "dte dat expdt exprdt expirydt expdat expirationdt cardexp crdexp cardexpirydt cardexpdt ccexp",
    "phone": "phon fromnumber tonumber sendernumber callernumber callednumber publicfaxnumber faxnumber"
    " destinationnumber"
    " originatingnumber phn phne telephn tphn tphone telno telnbr phonenbr phnnbr phnno mobl cellno cellnbr celno"
    " phonework phonehome mobileno1 phnum telex teleno handphone hpno handphoneno contactphone"
    " e164 phonee164",
    "email": "emaddr primarysmtp smtpmail eaddr emladdr emailaddr1 emailadr mailid emid emailnm smtpaddress smtpaddr"
    " proxyaddresses"
    " electronicmailaddress electronicaddress emails inboxaddress",
    "address": "addrs adr adrs adrline addrline addrln adrln resaddr permaddr mailaddrline domicile dwelling",
    "street": "strt strnm strtnm streetnm straddr houseno housenum housenbr houseaddress bldgnm streetno"
    " streetandno streetandnumber",
    "addressline": "adr1 adr2 adr3 adrs1 adrs2 ln1 ln2 addressln1 addressln2 addrline1 adrline1",
    "postcode": "pcode pstcd postcd pstlcd postalcd zipcd zcode mailcode postalzone postalnr zip5 zip9 avszip"
    " postalareacode zipext postnr",
    "locality": "twn cty prov cntry ctry cntr",
    "cardno": "crdno crdnbr cardnbr crdnum dbtcardno ccnbr cardnr acctpan cardnumbers",
    "card": "crd cardpayment cardmember cardexp crdexp cardexpirydt cardexpdt ccexp",
    "credit": "crdt cred dbt",
    "verification": "verificationvalue validationvalue cardcheckcode cidcode amexcid fourdigitcode threedigits"
    " signaturecode csvcode cardcsv secnum seccode seccd cardseccode cardsecurityval ccv cav2 cvd cvn2 cvnum cvvalue"
    " cvvno cvcode cvdvalue"
    " cv2 cvv2value ccvv ccvnumber"
    " signaturepanelcode cardcryptogram threedigitcode",
    "verif": "verify verif vrf vrfy vrfctn vrfcn authn",
    "security": "secr",
    "expiry": "expyr expmonth expyear expirymonth expiryyear cardexpirydt cardexpdt ccexp expdt exprdt expry"
    " expirydt expmo expyr exprtn xpry expirymm expiryyy expmm expyy cardexp crdexp"
    " expdat expirationdt",
    "monthyear": "mth mnth mon expmo expirymm expiryyy expmm expyy expyr expmonth expyear expirymonth expiryyear",
    "passport": "pptno pptnbr ppno ppnumber mrz mrtd passportbooknumber passnbr passnumber passnum psprt pspt pssprt"
    " pport passprt passp passportid passportnum passportnbr pprt pasprt traveldoc"
    " traveldocument travelid traveldocno",
    "licence": "lcns lcnc lic licens",
    "driver": "drv drvr operator chauffeur",
    "licenceno": "drvlic drvlcns drvlicno dlnum dlnbr dlno dlic driverlic driverslic drivingpermit driverpermit"
    " driverslicenceno driverslicenseno dvlanumber driverlicenceno driverlicenseno licensenodriver driverpermitno",
    "sin": "natlid natid natidno natnlid ntlid ntnlid identno identitycardno taxreferencenumber taxrefno taxidno"
    " civilno civilidno citizenno citizennumber citizenid personidno personidnumber nationalregistration*"
    " nationalidcard* identitycard* nationalinsuranceno residentcard* residencecard* residentno residentnumber"
    " govidno voterid voteridno voternumber rationcard emiratesidno taxpayerno taxpayernumber"
    " identitydocno personalidentitycode personalidcode personalidno populationnumber socialno"
    " socialinsuranceno taxfileno alienregistration* alienno aliennumber greencardno electoralnumber fiscalnumber"
    " personnumber personno epicno panindia",
    "national": "gov gvt natl ntnl natnl ntl civil fiscal taxpayer alien resident residence voter personal identity",
    "mrn": "mrno medrec medrecnum medrecnbr medrcdno uhid empi emrno emrid emrnumber ehrid ehrno patno patnbr patnum"
    " patientnbr patientcode ptno mpinumber chartno chartnum chartnumber chartnbr hospitalno hospitalnumber hospno"
    " hospnum opdno opdnumber mrnumber casefileno healthrecord* medicalfile* clinicfile* patientchart*"
    " patientfile* patientrecord* patmrn medicalchart* caserecordno patientaccountnumber inpatientno outpatientno"
    " enterprisepatientid chinumber",
    "patientword": "patient pat inpatient outpatient",
    "medical": "med medcl clinic hosp emr ehr opd",
    "recordword": "rec rcd recd records charts files case history",
    "insurance": "ins insrnc insur hicn medicaid",
    "insuranceno": "insno insidno inspolno inspolnbr insrncno hicn hicno medicaidid medicaidno medicaidnumber"
    " healthid healthcareid healthinsid healthplanid healthplanno insuredid subscriberidins planmemberid"
    " insuredno insurednumber healthnumber healthinsno insurancecardno abhanumber abhaid",
    "imei": "mobileequipmentidentifier internationalmobileequipmentid internationalmobileequipmentidentifier imei"
    " imeino imeinumber imeicode imei1 imei2 imeimeid mobileequipmentidentity equipmentidentity"
    " internationalmobileequipmentidentity handsetidentity mobileequipmentid pei imeinr imeinbr",
    "imsi": "mobilesubscriberid internationalmobilesubscriberid internationalmobilesubscriberidentifier imsi imsino"
    " imsinumber supi mobilesubscriberidentity subscriberidentity"
    " internationalmobilesubscriberidentity"
    " imsinr",
    "iccid": "iccid simno simnbr simiccid simcardno simcardnbr simserialnumber simserialno uicc uiccid"
    " simserialnbr eiccid",
    "mac": "nicmac apmac routermac gatewaymac hostmac radiomac sensormac devmac macadr macadres macadresse macadress"
    " macadresi macaddresses hwadr hwaddress hardwareaddress wifimacaddress"
    " ethaddr ethernetaddress btaddr btaddress bdaddr bdaddress bluetoothaddress macid mac48 eui48 eui64 deveui joineui"
    " chaddr lladdr linkaddress stationmac clientmac wlanmac lanmac nicaddress adapteraddress wirelessmac btmac"
    " physicaladdressmac bssid wifiaddress",
    "meta": "months years check checks result results failure outcome",
    "motor": "vehicle vehicles veh vhcl truck trailer motorcycle lorry van car fahrzeug kraftfahrzeug vehicule"
    " veiculo vehiculo"
    " voiture pojazd pojazdu voertuig fordon kjoretoy koretoj ajoneuvo arac vozidla coche carro",
    "privatekey": "sslkey tlskey privatepem rsakey certprivatekey serverprivatekey keypem",
    "wallet": "tronaddress",
    "seedword": "seed secret",
    "flow": "idempotency idempotent starting skip block job creation ordinal marker resume clientrequest charge"
    " charges"
    " clientrequesttoken",
    "maconly": "mac",
    "chassis": "chassis",
    # what an account of a ledger is named after, and a session that is a meeting
    "ledger": "sales expense expenses cost cash offset discount inventory cogs accrual accruals ledger general"
    " invoice revenue"
    " asset liability equity depreciation clearing suspense gl nominal",
    "meeting": "verificationsession verificationsid verifyservicesid checkout call room chat game training exam"
    " workout video conference meeting trading"
    " market tutoring"
    " therapy charging recording streaming upload import sync play viewing learning table",
    "verb": "use uses skip include includes keep exclude excludes ignore prefer",
    "role": "kontaktperson manager supervisor assignee owner author doctor teacher spouse mother father driver"
    " cardholder signer"
    " signatory guardian physician nurse reviewer approver reporter requester requestor applicant borrower tenant"
    " landlord beneficiary payee payer drawer drawee husband wife partner sponsor witness instructor tutor coach"
    " caregiver practitioner recipient sender addressee consignee consignor shipper buyer seller holder insured"
    " policyholder subscriber passenger traveller traveler guest attendee participant candidate referrer employee"
    " customer client patient student member contact contactperson ansprechpartner kunde empfanger absender inhaber"
    " mitarbeiter arzt fahrer titulaire destinataire expediteur assure conducteur titular destinatario remitente"
    " beneficiario paciente conductor intestatario mittente paziente motorista titolare",
    "sequence": "seq sequence issue",
    "macword": "nic adapter lan bt wireless mac",
    "device": "dvc handset tablet tv stb settop wearable",
    "adid": "handsetserial handsetserialnumber phoneserial phoneserialno phoneserialnumber rida tifa vida afai hwid"
    " oaid waid asid rokuid tvid androidadid googleadid googleadvertisingid"
    " appleadid idforvendor identifierforvendor idforadvertiser* identifierforadvertis* installid installationuuid"
    " appinstanceid appinstallid deviceguid devid dvcid devuuid deviceserial deviceserialno deviceserialnumber devicesn"
    " deviceimprint terminalidentifier handsetid phoneid phoneuid hardwareid hardwareuuid"
    " appsflyerid firebaseinstallationid adjustid adtrackingid advertid advertisementid iosifa deviceifa ifv"
    " devicefingerprint devicehash devicetag esn esnno meidhex clientdeviceid boardserial unitserialnumber"
    " equipmentserialnumber tabletserial deviceinstallationid fcmdeviceid uniquedevice* installreferrerid",
    "advertising": "adv advert",
    "serialno": "serial serialnbr serialnr sn sno srlno sernr sernum serno",
    "vin": "vinno vinnbr vinnum vehiclevin vehident frameno chassisnum chassisnbr vehicleidno vehicleidnumber"
    " vehidentno vhclidnbr vhclid carframenumber",
    "plate": "platenbr platenum licplate licpl lpn vrm vrn regplate platetag licenseplateno licenceplateno"
    " registrationmark carplate platetext tagnumbercar vehiclereg carreg vehplate vehreg",
    "vehicle": "veh vhcl truck trailer motorcycle motorbike lorry van taxi",
    "registration": "regn rgstrn tag",
    "password": "pword passwd pswd passwrd psswrd pswrd paswrd pwrd passphrase passcd passphr userpswd logonpwd"
    " userpasswd"
    " pwd1 pwd2 newpwd oldpwd syspwd passwordhash loginpwd",
    "otp": "dynamicpassword dynamicpasscode dynamicpin validationcode otp otpcd otpin otpno otpnumber otpkey smsotp"
    " otpsms emailotp otptoken tokenotp pinotp"
    " otppin mtan smstan"
    " pushtan phototan chiptan vcode onetimepin onetimepasscode onetimecode onetimekey"
    " oobcode signincode stepupcode verificationpin otcode totptoken totppasscode"
    " mfatoken otppassword smspin smspasscode smsverificationcode logincode",
    "time_word": "throwaway",
    "time_code": "temp temporary dynamic challenge magic twofactor secondfactor mfa tfa 2fa stepup recovery backup"
    " reset"
    " access signin twostep",
    "code": "cde kod",
    "iban": "ibanno ibannumber ibannbr ibancode",
    "accountno": "acctnr acntno acntnbr acntnum accountnbr accountnr acno bankacno bankacctno bankacctnbr"
    " bankaccno bnkacctno bnkacctnbr benefacctno ddaacctno depositaccountno",
    "account": "acnt acctnt dda",
    "bank": "bnk",
    "contact": "cntct cntc",
    "holder": "hldr hldrs",
    "geo": "lattitude longtitude latt gpslat gpslon gpslng geolon geopos latd lond geoy geox",
    "packed": "archive gzip tar compressed bundle backup download export",
    "neutral": "fld flds lbl inp vl vlu strg attrib col",
    "providerword": "provider prvdr prov prescriber",
    "checkword": "check control ctrl kontroll kontrol",
    "valueword": "value val",
    "session": "cfclearance sessionref sessionnumber sessionhandle",
    "token": "rememberme rememberuser csrf xsrf csrftoken",
    "bic": "bankidcode bankidentcode",
    "aba": "banktransit rtgno rtgnbr rtgnumber rtgnum",
    "apikey": "functionskey functionkey xfunctionskey",
}
