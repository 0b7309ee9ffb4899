"""Turkish, Hungarian, Greek, Indonesian, Malay, Vietnamese and Hindi; romanised Japanese, Chinese and Korean."""

from __future__ import annotations

from typing import Dict

CONCEPTS: Dict[str, str] = {
    # Turkish | Hungarian | Greek | Indonesian, Malay | Vietnamese | Hindi | Japanese | Chinese | Korean
    "number": "numarasi numarali szam szama αριθμός arithmos arithmosi no nambar bangou haoma beonho bango bianhao 号",
    "personname": "adsoyadi adisoyadi tamad musteriadi hastaadi soyisim isimsoyisim kartsahibi kartuzerindekiisim"
    " keresztnev vezeteknev csaladinev teljesnev utonev kartyabirtokos ugyfelneve"
    " onoma eponymo eponimo onomateponymo onomateponimo ονομα επωνυμο ονοματεπωνυμο"
    " namalengkap namadepan namabelakang namapelanggan namapasien namapemegangkartu namapenerima"
    " hoten hovaten hovatenlot tenkhachhang tendaydu tenbenhnhan tenchuthe hodem"
    " naam pooranaam upnaam pitakanaam matakanaam"
    " simei seikana meikana myouji onamae shimeikana kanjishimei furigana hurigana namaekana"
    " xingming kehuxingming zhenshixingming kehuming yonghuxingming chikarenxingming"
    " ireum seongmyeong gogaekmyeong",
    "person": "hasta ugyfel beteg pelatis pelanggan pasien nasabah khachhang benhnhan pelates kanja kokyaku huanzhe"
    " kehu"
    " yonghu gogaek hwanja surucu yolcu calisan",
    "birth": "dogumtarih dogumgunu dogumtar szuletesi szuletesidatum szuletesiido szuldatum gennisis"
    " imerominiagennisis ημερομηνιαγεννησης γεννησης genniseos tanggallahir tgllahir lahir ngaysinh namsinh"
    " ngaythangnamsinh janmtithi janamtithi janmdin seinengappi umaretahi tanjoubi chushengnianyue chusheng"
    " saengnyeonworil saengil",
    "phone": "telefonno ceptel cepno cepnumarasi evtelefonu istelefonu gsmno telefonszam mobilszam mobiltelefonszam"
    " tilefono kinito arithmostilefonou τηλεφωνο κινητο τηλεφωνου nomortelepon telepon nohp nomorhp ponsel nomorponsel"
    " notelp telp hape nombortelefon sodienthoai dienthoai sodt didong soddt doorbhash mobail mobailnambar"
    " denwabangou keitaibango keitaidenwa shoujihaoma dianhuahaoma lianxidianhua"
    " jeonhwabeonho hyudaepon yeonrakcheo",
    "email": "epostaadresi emailcim ilektronikotachydromeio ηλεκτρονικοταχυδρομειο surel alamatsurel alamatemail"
    " thudientu denshimeeru meiru meruado dianziyouxiang youxiangdizhi dianziyoujian imeil jeonjaupyeon emel",
    "address": "evadresi acikadres teslimatadresi faturaadresi ikametadresi lakcim szallitasicim szamlazasicim"
    " dieuthynsi dieuthinsi diefthinsi dieuthunsi διευθυνση alamat alamatrumah alamatlengkap alamatpengiriman diachi"
    " diachinha gharkapata juusho dizhi shouhuodizhi xiangxidizhi lianxidizhi jiatingzhuzhi zhuzhi juso baesongji",
    "street": "sokakno caddeno mahalle utca utcahazszam hazszam odos οδος namajalan duong banchi choume jiedao doro",
    "postcode": "postakod iranyitoszam irsz tachydromikoskodikas tachidromikoskodikas ταχυδρομικοςκωδικας kodepos"
    " poskod"
    " mabuudien mabuuchinh yuubinbangou yubinbangou yuubin youzhengbianma youzhenbianma youdiquhao upyeonbeonho"
    " dakpin pinkod",
    "cardno": "kartnumarasi kredikartino kredikartinumarasi kartyaszam bankkartyaszam arithmoskartas αριθμοσκαρτας"
    " nomorkartu nokartu nomorkartukredit sothe sothetindung kadobango kaadobangou kahao yinhangkahao xinyongkahao"
    " yinhangkahaoma kadeubeonho",
    "card": "kartin bankkartya kartya karta καρτας karti",
    "verification": "guvenlikkodu kartguvenlikkodu guvenliknumarasi biztonsagikod ellenorzokodkartya kodikosasfaleias"
    " κωδικοσασφαλειας kodekeamanan mabaomat mabaomatthe sekyuritikodo sekyuritikoodo anquanma boankodeu",
    "security": "guvenlik biztonsagi asfaleias keamanan",
    "verif": "dogrulama onay aktivasyon giris ellenorzo megerosito epalithefsis epalitheusis epivevaiosis verifikasi"
    " konfirmasi aktivasi ninsho ninshou kakunin yanzheng injeung",
    "code": "kodu kodikos κωδικος kodo koodo",
    "otp": "dogrulamakodu teksullanimlikkod tekkullanimlikkod onaykodu smskodu tekkullanimliksifre guvenlikkodusms"
    " aktivasyonkodu gecicisifre ellenorzokod egyszerijelszo megerositokod kodikosepalitheusis kodikosepalithefsis"
    " κωδικοσεπαληθευσης κωδικοσμιασχρησης kodeverifikasi kodeotp kodesekalipakai kodekonfirmasi maxacthuc maxacnhan"
    " maotp ninshokodo ninshoukoodo ninshokoodo ninshoubangou ninshobango kakuninkodo wantaimupasuwado yanzhengma"
    " duanxinyanzhengma dongtaimima yicixingmima xiaoyanma injeungbeonho injeungkodeu",
    "time_word": "tekkullanimlik egyszeri sekalipakai duanxin dongtai",
    "expiry": "sonkullanma sonkullanmatarihi gecerliliktarihi lejarat lejarati lixis imerominialixis tanggalkadaluarsa"
    " masaberlaku ngayhethan yukokigen yuukoukigen youxiaoqi",
    "passport": "pasaportno pasaportnumarasi utlevel utlevelszam diavatirio diavatiriou arithmosdiavatiriou διαβατηριο"
    " διαβατηριου paspor nomorpaspor nopaspor hochieu sohochieu paarpatra ryoken ryokenbango ryokenbangou pasupoto"
    " pasupotobango huzhaohao huzhaohaoma yeogwon yeogwonbeonho pasport",
    "licenceno": "ehliyetno surucubelgesi surucubelgesino jogositvany vezetoiengedely* diplomaodigisis adeiaodigisis"
    " διπλωμαοδηγησης αδειαοδηγησης suratizinmengemudi lesenmemandu giaypheplaixe banglaixe gplx menkyo"
    " menkyosho menkyoshobango menkyobango untenmenkyo* jiazhao jiashizheng* jiazhaohao unjeonmyeonheo*",
    "sin": "adoazonositojel kimliknumarasi vatandasliknumarasi vatandaslikno vergikimlik* szemelyiszam"
    " szemelyiigazolvany*"
    " adoazonosito*"
    " tajszam arithmostautotitas tautotita tautotitas afm amka αφμ αμκα αριθμοσταυτοτητας ταυτοτητα ταυτοτητας nik"
    " nomorktp nomorinduk* npwp nonpwp nomornpwp kadpengenalan nokp cmnd cccd socmnd socccd cancuoc* cancuoccongdan"
    " chungminhnhandan mananba mainanba mainanbaa kojinbangou shenfenzhenghao shenfenzheng shenfenzhenghaoma"
    " zhengjianhao zhengjianhaoma zjhm sfzhm jumindeungnok* juminbeonho iqama iqamano hawiya raqmhawiya teudatzehut"
    " misparzehut batprachachon votarid bitaqa",
    "mrn": "hastano hastanumarasi hastakimlik hastadosyano dosyanohasta protokolno betegazonosito"
    " nomorrekammedis norekammedis rekammedis normpasien mabenhnhan sobenhan kanjabango kanjabangou karutebango"
    " binglihao bingan* binganhao menzhenhao zhuyuanhao bingrenid huanzhebianhao hwanjabeonho",
    "patientword": "hasta beteg pasien kanja huanzhe bingren hwanja",
    "insurance": "sigorta sgk biztositas asuransi bpjs baohiem hoken yibao shebao",
    "insuranceno": "sigortano sigortanumarasi sgkno nomorbpjs nobpjs nomorasuransi mabaohiem sobhyt hokenshobango"
    " hihokenshabango yibaokahao shebaohao shebaokahao geongangboheom*",
    "device": "keszulek eszkoz syskeui perangkat thietbi tanmatsu shebei gigi",
    "adid": "cihazkimligi cihazid cihazno reklamkimligi keszulekazonosito eszkozazonosito idperangkat mathietbi"
    " idthietbi tanmatsuid shebeiid shebeihao shebeibianhao shebeibiaoshi shebeima gigiid danmalgiid",
    "serialno": "serino serinumarasi gyariszam sorozatszam seriakosarithmos nomorseri soseri shiriarubango xuliehao",
    "mac": "fizikseladres fizikseladresmac maccim macdizhi wulidizhi alamatmac macadoresu diachimac",
    "plate": "plakano plakanumarasi aracplakasi aracplaka rendszam pinakida arithmoskykloforias αριθμοσκυκλοφοριας"
    " πινακιδα nomorpolisi nopol platnomor platno nomorplat bienso biensoxe nanbapureto sharyobango chepaihao chepai"
    " chepaihaoma beonhopan charyangbeonho torokubango nomborplat",
    "vin": "sasino sasinumarasi alvazszam nomorrangka norangka sokhung shadaibango chejiahao chadaebeonho",
    "vehicle": "arac gepjarmu ochima kendaraan sharyo cheliang charyang",
    "password": "sifreniz yenisifre eskisifre kullanicisifresi jelszo ujjelszo jelszava kodikosprosvasis"
    " κωδικοσπροσβασης συνθηματικο synthimatiko katasandi sandi katakunci katalaluan matkhau mkhau kootshabd pasuwado"
    " pasuwaado anshobango anshoubangou denglumima xinmima zhifumima mima bimilbeonho amho sisma",
    "account": "rekening hesap szamla logariasmos logariasmou λογαριασμου",
    "accountno": "bankahesapno bankahesap szamlaszam bankszamlaszam arithmoslogariasmou αριθμοσλογαριασμου"
    " nomorrekening"
    " norekening norek sotaikhoan kozabango kouzabangou yinhangzhanghao yinhangzhanghu kaihuzhanghao"
    " gyejwabeonho",
    "neutral": "yeni eski uj baru moi cua",
    "reference": "siparisno rendelesszam nomorpesanan jumlah harga madonhang soluong dingdanhao jumunbeonho",
    "thing": "urunadi sirketadi dosyaadi urun sirket dosya",
    "token": "erisimtokeni erisimjetonu",
}
