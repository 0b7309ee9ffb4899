"""What trades and authorities of all languages call a card's code and end, a session, a token, a place, illness."""

from __future__ import annotations

from typing import Dict

# Month or year of a card's end, as one word: both concepts at once.
_ENDING = (
    "  ablaufmonat ablaufjahr verfallmonat verfalljahr gueltigmonat gueltigjahr moisexpiration anneeexpiration"
    " mesvencimiento aniovencimiento anovencimiento mescaducidad aniocaducidad mesescadenza annoscadenza mesvalidade"
    " anovalidade mesexpiracao anoexpiracao vervalmaand vervaljaar miesiacwaznosci rokwaznosci utlopsmaned utlopsar"
    " utgangsmanad utgangsar udlobsmaned udlobsar voimassaolokuukausi voimassaolovuosi sonkullanmaayi"
    " sonkullanmayili mesicplatnosti rokplatnosti lejaratiho lejaratiev lunaexpirare anexpirare 有効期限月"
    " 有効期限年 有効期限年月 有效期年月 有效期月 有效期年 만료월 만료년 만료연도 bulankadaluarsa tahunkadaluarsa"
    " thanghethan namhethan expmth expmnth expyear2 xpmth xpyr"
)

CONCEPTS: Dict[str, str] = {
    "monthyear": _ENDING
    + "  mth mes mois monat mese miesiac rok roku mesic luna anul maned ar manad kuukausi vuosi ayi yil yili mesyats"
    " bulan tahun thang anio maend maaned ausgabemonat dzien месяц год 年月 年 月 연월 년 월",
    "expiry": _ENDING
    + "  expirationmois expirationannee caducidad vencimiento vencto expiracao scadenza validade waznosci waznosc"
    " platnost platnosti lejarat lejarati ervenyesseg expirare expirarii valabilitate valabil utlops utlopet"
    " utgangsdatum utgang voimassaolo voimassaasti gecerlilik kullanma okonchaniya окончания действия deystviya"
    " srokdeystviya срокдействия yukokigen yukigen youxiaoqi youxiaoqixian 有効期限 有效期 유효기간 만료일"
    " kadaluarsa kedaluwarsa masaberlaku berlakuhingga hethan hạn xpry xpn vldthru expiracion vence xpirn expn",
    "meta": "range ranges dauer",
    "turn": "duree duur durata duracion duracao czas sitzungsdauer dureesession",
    "thru": "vervaldatumkaart cardxpry cardxpn voimassaastikortti hanthe 카드만료일 datumplatnostikarty"
    " kartaplatnado validitacarta validitecarte datevaliditecarte kartengueltigkeit kartengultigkeit vldthru gdthru"
    " wazna masaberlakukartu srokdeystviyakarty kartygueltigbis yukokigen youxiaoqi 有効期限 カード有効期限"
    " 信用卡有效期 卡有效期 카드유효기간",
    "verification": "cvx2 cvx dcvv icvv dcvv2 spacvc fourdbc fourdigitbatchcode lastthreedigits threedigitsonback"
    " backofcard lastthreedigitsonback backofcardcode signaturestrip signaturestripcode cvvtwo cvctwo cardauthvalue"
    " cardsecretcode cardidcode troischiffresaudos troischiffres tresdigitos tresdigitosreverso trecifreretro"
    " trecifre driecijfers driecijfersachterkant dreistelligepruefnummer dreistelligeprufnummer sicherheitscode"
    " kontrolcifre kontrollsiffer turvakoodi turvaluku tarkistusnumero sikkerhedskode sikkerhetskode sakerhetskod"
    " guvenlikkodu kodbezpieczenstwa kodzabezpieczajacy bezpecnostnikod overovacikodkarty biztonsagikod"
    " kartyaellenorzokod codsecuritate codigodeseguranca cryptovisuel kodbezopasnosti кодбезопасности"
    " кодпроверкикарты セキュリティコード カード確認番号 安全码 安全碼 卡验证码 卡背三位码 카드보안코드 보안코드"
    " anquanma kodekeamanan mabaomat mabaomatthe scty cardverificationcode digitoverificador cid4 amexcid"
    " codigoverificacaocartao codverificadorcartao codigoverificaciontarjeta codeverificationcarte"
    " codiceverificacarta kodweryfikacyjnykarty kartdogrulamakodu proverochnyykodkarty cryptogramme",
    "session": "session sessions sessn sitzung* sessao sessione sesion sesiune sesji sesja sesje sesjon* sesi"
    " sessie* istunto* istunnon oturum relace sezeni munkamenet sessii sessiya сессии сессия сеанса сеанс seans 会话"
    " 會話 会话标识 セッション セッションキー セッションID 세션 세션키 세션아이디 huihua sesshon jsessionidsso"
    " ssosessid cfid cftoken phpsess jsession aspnetsession aspnetsessionid laravelsession cisession moodlesession"
    " ssosession ssocookie sessioncookie sessioncookies",
    "token": "jeton jetons gettone zeton belirtec belirteci jetonu tunniste pollett adgangsbillet маркер токен"
    " tokena tokenu トークン アクセストークン リフレッシュトークン 令牌 访问令牌 刷新令牌 存取權杖 權杖 토큰"
    " 액세스토큰 갱신토큰 접근토큰 lingpai tokun tkn tokn accesstokensecret samlresponse samlassertion saml"
    " clientassertion ltpatoken mysapsso2 loginticket ticketgrantingticket authticket serviceticket tgt accessgrant"
    " refreshgrant authtkn accstkn oneclicklogintoken",
    "kind_token": "tgc sso signed personal service oneclick acceso acesso acces accesso toegang toegangs dostepu"
    " dostepowy odswiezania erisim yenileme dostupa обновления доступа pristupovy pristupu obnovovaci hozzaferesi"
    " belepesi rafraichissement actualizacion aggiornamento atualizacao autenticacion autenticazione autenticacao"
    " authentification akses penyegaran tilgangs adgangs atkomst oppdaterings paasy kayttooikeus anmelde freigabe"
    " aktualisierungs verversings aanmeld zugriffs zugangs vault reimprospatare",
    "geo": "geografischebreite geografischelaenge geobreite gpsbreite gpslaenge dlugoscgeogr szerokoscgeogr"
    " latitudine longitudine geolaenge koordinaten koordinate* coordona* coordenad* coordinaten coordinat*"
    " breedtegraad lengtegraad breddgrad langdgrad laengdegrad breddegrad lengdegrad leveysaste pituusaste"
    " leveyspiiri koordinaat* koordinat* szerokoscgeograficzna dlugoscgeograficzna wspolrzedne wspolrzednych enlem"
    " boylam shirota dolgota широта долгота широты долготы координат* zemepisnasirka zemepisnadelka souradnice"
    " souradnic szelessegifok hosszusagifok szelessegfok hosszusagfok foldrajziszelesseg foldrajzihosszusag"
    " geografikoplatos geografikomikos γεωγραφικόπλάτος γεωγραφικόμήκος συντεταγμένες 緯度 経度 座標 位置座標 纬度"
    " 经度 經度 坐标 坐標 經緯度 경위도 위도 경도 좌표 keido weidu jingdu zuobiao garislintang garisbujur lintang"
    " bujur vido kinhdo toado tọađộ geohash pluscode northing easting xcoord ycoord coordx coordy latd lond londeg"
    " latdeg degsn gpsfix gpsposition gpslocation gpspos posgps lastknownlocation lastknownposition positiongps"
    " gpspoint geoloc geolctn geolocalizacion geolocalizacao geolocalisation geolocalizzazione geoposicion"
    " ubicaciongps posiciongps localizacaogps gpslocatie gpsposizione posizionegps pozycjagps gpskonum gpscoords",
    "diagnosis": "diagnos* diagnoz* diagnoosi* nebendiagnose hauptdiagnose huvuddiagnos bidiagnose hoofddiagnose"
    " kodmkn kodbno kodcim codecim codigocie kodmkb bnokod rozpoznanie rozpoznania choroba choroby pathologie"
    " patologia affection aandoening ziektebeeld erkrankung sykdom sjukdom sygdom sairaus hastalik hastaligi"
    " betegseg mkb мкб cim10 cie10 cid10 cidcode cidprincipal codigocid codigociddez padecimiento enfermedad doenca"
    " malattia maladie icdten icdtencm befund befundcode comorbidity comorbidities problemlist problemlistcode"
    " conditioncode healthcondition medicalcondition illness disease ailment causeofdeath pdx sdx dxcd dxcode"
    " dxcodes dg1 hi01 khdiag 診断 病名 診断名 傷病名 診断コード 诊断 診斷 诊断编码 疾病编码 疾病诊断 疾病 진단"
    " 진단명 진단코드 상병코드 질병코드 shindan byomei zhenduan jibing chandoan chẩnđoán mãbệnh mabenh диагноз*"
    " заболевание заболевания zabolevanie",
    "postcode": "zippluszip zipplusfour zipfive plzort smerovacicislo postovnismerovacicislo iranyitoszam irsz"
    " tachydromikoskodikas taxydromikos ταχυδρομικόςκώδικας poshtenskikod пощенскикод poshtovyyindeks"
    " indekspochtovyy pochtovyyindeks поштовийіндекс почтовыйиндекс индекс 郵便番号 郵便コード 邮政编码 邮编"
    " 郵遞區號 郵編 우편번호 신우편번호 kodepos kodpos mabuuchinh mabuudien mãbưuđiện รหัสไปรษณีย์ الرمزالبريدي"
    " ramzbaridi מיקוד mikud youzhengbianma postfachplz pcd postnumer postikoodi postinumer cpville capcomune"
    " capresidenza codpocztowy kodpoczt",
    "licenceno": "cdl cdlnumber oln olnnumber drlc statedl statedlnumber driverslic fuehrerausweis* fuhrerausweis*"
    " lenkberechtigung* fahrerlaubnisnr fahrerkartennummer numeropermis permisauto serpermis paseconduccion"
    " pasedeconduccion libretaconducir libretadeconducir registrodeconducir patentediguida nrpatente numeropatente"
    " prawojazdy prawajazdy nrprawajazdy korkort* kjorekort* korekort* forerkort* ajokorti* okuskirteini"
    " surucubelge* surucubelgesi* ehliyet* voditelskoe* voditelskogo* voditelskieprava водительск* vodiyske*"
    " vodiyskeposvidchennya водійськ* номерву ridicskyprukaz ridicskehoprukazu ridicskeho vodicskypreukaz"
    " vodicskehopreukazu vodicskeho jogositvany* vezetoiengedely* adeiaodigisis* άδειαοδήγησης diplomaodigisis"
    " odigisis menkyo* untenmenkyo* 運転免許* 免許証番号 免許番号 驾驶证* 驾照* 駕照* 駕駛執照* 운전면허* 면허번호"
    " jiashizheng* jiazhao* nosim simpengemudi suratizinmengemudi giaypheplaixe* banglaixe* gplx driverpermit"
    " drivercardnumber drivernumber driverlicencenumber cartaconducente carteconducteur learnerpermit* drvlicnb",
    "insuranceno": "medicarenumber medicareno medicarecard medicarecardno medicarecardnumber medicarenum medicareid"
    " medicarenbr medicareirn ohipno ohipnumber ramq ramqno mspnumber mspno phn phnno phnnumber nhi nhino ihino"
    " ihinumber dvanumber nhinumber hcn hcnno healthcardno healthcard healthcardnbr healthcardnum healthnbr healthno"
    " healthcard* carecard carecardnumber healthfundnumber healthfundno healthfundmember* provincialhealth*"
    " personalhealthno personalhealthnumber personalhealth in136 insurancecertificateno insurancecertificatenumber"
    " payermemberid subscriberidhealth healthinsuranceclaimnumber hlthcard krankenkassennr krankenkassennummer"
    " gesundheitskarte* egknummer egknr egk mitgliedsnummerkrankenkasse versichertenkartennr cartesante"
    " numcartesante cartesoleil* cartevitale* assurancemaladie* numerodemutuelle policeassurance"
    " numeropoliceassurance tarjetasanitaria* cartillasanitaria* seguridadsocialsanitaria obrasocial*"
    " afiliacionseguro* polizasanitaria* polizzasanitaria tesserasanitaria* cartaonacionaldesaude cartaosus"
    " cartaodesaude planosaude numeroplanosaude numerobeneficiarioplano carteiraplano zorgpas* zorgverzekeraar"
    " polisnummerzorg* verzekerdenr ubezpieczonego nrubezpieczonego kartyubezpieczenia nrpolisy sundhedskort*"
    " sygesikring* sjukforsakring* kelakortti* kelanumero saglik* sagliksigortano sigortali* sigortalino sgkno"
    " polisoms полисомс полис номерполиса номерполисаомс enp enppolis nomerpolisa cislopojistence pojistence"
    " cislopojistky pojistka 被保険者番号 保険証番号 保険者番号 健康保険証* hokensho* hihokensha* 医保卡号 医保号"
    " 医療保険* 医疗保险号 健保卡* yibao* 건강보험* bpjs* nobpjs nomorbpjs nomorkartubpjs membershipnumberhealth",
    "insurance": "assicurata pojistovna pojistovny zdravotnipojistovna sigorta sigortasi bpjs krankenkasse mutuelle"
    " obrasocial prepaga convenio forsakring forsikring vakuutus asuransi baohiem",
    "medicare": "medicare ohip ramq",
    "adid": "maid ssaid dpid devicefingerprintid hardwareserial machineguid machineserial machineserialno"
    " computerserial computerserialno computerserialnumber stbserial iosvendorid rokuadvertisingid fireadvertisingid"
    " smarttvid windowsdeviceid windowsadvertisingid installuuid sensorserial sensorserialnumber trackerserial"
    " trackerserialno gatewayserial gatewayserialnumber settopboxid wearableid mobileadid mobileadvertisingid"
    " advertisingidfa devicekey devserno devserial devsno endgeraetekennung endgeratekennung seriennummerdesgeraets"
    " werbeid idpubblicita identificativoapparato matricolaapparato serialedispositivo idpublicidade annonseid"
    " mainostunniste enhedensserienummer laitetunniste* laitetunnus* reklamkimligi cihazkimligi"
    " reklamnyyidentifikator reklamniid identyfikatorreklamowy vyrobnicislozarizeni 広告id 端末シリアル番号 機器番号"
    " 端末番号 端末识别号 koukokuid 设备号 设备标识 设备序列号 设备编号 广告标识符 shebei* 광고id 기기식별번호"
    " 단말기일련번호 단말기번호 рекламныйидентификатор идентификаторустройства vaid psndevice dvcserno",
    "device": "computer laptop notebook workstation wristband apparato apparat enhet enhets enhed celular komputer"
    " aparat",
    "advertising": "mobilead publicitaire publicitario publicite publicidade pubblicita reklam reklamowy reklamny"
    " annonse mainos koukoku werbe advertentie",
    "serialno": "serienummer serienr seriale xuliehao vyrobnicislo seriynyynomer numerseryjny",
    "sortcode": "sortingcode bankclearingcode srtcode srtcd sortcd sortcde gbdsc nationalsortcode branchsortcode"
    " clearingsortcode bankbranchcodeuk sortnumber sortno",
    "aba": "rdfi rdfiid odfi odfiid routno fedaba fedabanumber usaba checkrouting checkroutingnumber routingtransit*"
    " transitrouting* clrsysmmbid fedwire rtngnbr abanbr abartn transitno banktransitnumber micrrouting",
    "sin": "tajszam adoszam adoazonosito szemelyiszam szemelyiigazolvany* stateid stateidnumber populationregister*"
    " taftotitas arithmostaftotitas voterid votercard* αριθμόςταυτότητας citizenidno civilregistration* cccd"
    " cancuoc* cmnd chungminhnhandan* vatandaslik* iqama iqamanumber osobneiskaznice brojosobneiskaznice emso"
    " lichnakarta uniquetaxpayerreference dowodosobisty dowoduosobistego seriainumerdowodu dnummer samordningsnummer"
    " panindia pannumberindia panindianumber obcanskyprukaz obcanskehoprukazu",
    "neutral": "principal principale principali primaire haupt hlavni glowne glowny huvud hoved hoofd fo ana utama"
    " admitting discharge admission dimissione ingreso sortie associe aufnahme entlass secondarydx asti rf last"
    " known provisional learner state fed ios android windows web server own",
}
