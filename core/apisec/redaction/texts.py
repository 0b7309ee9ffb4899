"""Texts at first sight: values in which nothing can stand, and names that are given a value inside a text."""

from __future__ import annotations

import re
from typing import Dict, Iterable, List

# Words with at most one short number, a timestamp, a UUID or hash: most values of ordinary traffic, and nothing
# can stand in them. A number of three digits beside a blank can be a code that the words tell of, a word with a capital
# behind a blank a name or a street (*my name is Ada Lovelace*, *at 12 Main Street*). The alternatives differ by their
# next character, so that failing costs linear time too.
_LOWER = r"(?:[a-z]{1,15}|[A-Z]{1,8}(?![a-z]))"
_WORD = r"(?:[A-Z]?[a-z]{1,15}|[A-Z]{1,8}(?![a-z]))"
_MARK = r"[,.!?/_-]"
_NEXT = rf"(?:{_MARK}{{1,2}}{_WORD}|(?: [ ,.!?/_-]?|{_MARK} ){_LOWER})"
_WORDS = rf"{_WORD}(?:{_NEXT})*"
_SEPARATOR = r"[ ,.!?/_-]{1,2}"
_NUMBER = r"(?<![A-Z]-)(?:\d{1,2}|(?<! )\d{3,6}(?! ))(?!-[A-Z])"  # AB-12-CD is a plate
DULL = re.compile(
    rf"/?(?:{_WORDS}(?:{_SEPARATOR})?|[A-Z][a-z]{{1,15}} [A-Z][a-z]{{1,15}}"
    rf"|(?:{_WORDS}{_SEPARATOR})?{_NUMBER}(?:{_NEXT})*)"
    r"|\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?(?:Z|[+-]\d\d:?\d\d)?)?"
    r"|[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}|[0-9a-f]{32}|[0-9a-f]{40}|[0-9a-f]{64}"
)

# name=value and name: value inside text: error messages, logs, URLs, GraphQL, broken JSON.
ASSIGNED = re.compile(r"(?<![\w.-])([A-Za-z_][\w.-]{1,48})\\?[\"']?\]?(\s{0,2}[:=]\s{0,2})")
VALUE = re.compile(r"\\?\"([^\"\\]{1,512})|'([^'\\]{1,512})|([^\s\"'&,;}<>)\]\\]{1,512})")
# Parts of names that can say a class, in many languages: only of an assignment with one of them the name is asked.
_TELLING_PARTS = (
    "2fa _nm _op aadh aaid aandoen aba ablauf acnt ad_id ad_track addr adgang adi ado adr advert afai afil afm ahv"
    " ajok alamat alvaz amka android anquan anschr ansho aparel apell appar arithm asfal asmens assert assic assur"
    " asuran ausweis auth avenid bango bastid bdate bday bearer belirt benh beonho berlaku beteg bezpec bic bien"
    " bilhet bimil binga bingl birth bno born boylam bpjs bredd breed breit brevet brth bsb bsn btc bthd bujur"
    " burger byome cadd caduc calle card carnet cart cav2 cbu cc cedul cel cep chan_d chapa chart chass cheie chejia"
    " chepai chi_ chiave chiffres chorob chung chusheng cid cie cifre cihaz cim cislo citizen civico clabe clave"
    " cmnd cnh cni cnp cod cogn compte conduc cont_ conta_ conto contras convenio cookie coord correo courr cp crd"
    " cred crypt csc csp csrf cuenta cuil cuoc curp cv dbc dea delka denwa dev_id device deystv dg1 diag dianhua"
    " dien_thoai dirizz dispos dizhi dl dni dob docum doenca dofb dogum dolgot domic dongtai dossier dosya dowod"
    " driver drlc drv duanxin dva dvla dx1 dxc eftern egk egn ehliyet ehr ein emirat eml emr emso endere engang"
    " enlem equip ervenyes esn eth etter evc fahrer fahrz famil fax fgst fin_ fio fisc fnac fodel fodsel fodt fone"
    " fono forerk forn fors fs_ fuhr gaid gbdsc geb gecerl geheim geldig gennis geo gerae gettone giltig gosn gov_"
    " govt gplx gps grant gsm gueltig guven gyej habilit han_the handset handy hardw hasl hasta hawiy hc_ hcn health"
    " henkilo hesap hesl het_han hetu hi01 hic ho_ten hokens holder hosp hossz hp_ huihua hwid iban icd ident idf"
    " ifa ifsc imei imie immat imsi indeks indiriz inhab inmatr install insur insz ipp iqama irany irsz isiku iskaz"
    " istunt janm jazdy jednoraz jels jeton jiash jiazh jingdu jmbg jmeno jogos jumin jusho jwt kaart kadal kahao"
    " kanja karoser kart katu keaman kedalu keido keitai kela kennit kennw kennz kentek kependud kertak key khung"
    " kigen kimlik kinh kjenn klic kod kojin komork konta konto kontrol koord kootsh kort kouza koza kpn krank kto"
    " ktp kullanma kunci kuzov laeng lahir lai_xe laite lakc langd lat lejar lengd lengte lenkb leveys libreta licen"
    " lichna lingpai lng logari logra lon losen lpn ltpa mac maid mail mat_khau matka matric mbi mdp med meid menkyo"
    " menzhen meru mfa mikud mima mkb mkn mnemon mob morada morbid motorist movil mpi mr_n mrn mrz msisdn msp munkam"
    " mutuel myeonh mysap naam nachn naci nadwoz naiss name naroz nasc naster nat_ natid national natl nazw nbr"
    " ne_le ngay nhc nhi nhs nie nif nik nimi nino ninsho nip nir niss nm_ no_hp nom_ nomb nome nomor nopol norek"
    " npi nr nss ntnl num oaid odfi odigis ohip oib okonch oln onoma opd osoite otp oturum owner paasy paci pacj"
    " padec palavra pan parol pase pasien pasp pass pasuw paswrd patent pathol patient patolog payer pcd pdx perid"
    " permis pers pesel phn phone physique pin pituus placa plaka plano plaque plz pochta pochto pojist polis poliza"
    " pollett porta posic posit posiz post potil pport prenom prijm prontu prosv prvt psp pst psw pt_n publi puhel"
    " pureto pw rachun ramq ramz rangka rdfi reg_ rejestr rekam reken rekis rekkar reklam relace renavam rends rfc"
    " rib rida ridic rijbew rijks rnokpp rodn roku rozhd rozpozn rrn rtg rtn rua rue rufn rut saengn sahkop salas"
    " saml samord sandi sasi scaden schet schild scty sec_ secret secu seed seguro sekyur senha seong seri sesi sesj"
    " sess sezen sfzh sgk shebao shebei shenfen shengri shindan shirot shouji sid sifre sigort sim sin sirka sisma"
    " sitz skilt smart_tv smerov smtp snils so_dt sobren social sofi sokak soleil sort souradn soyad sozial srok srt"
    " ssaid ssn sso state_id stcd steuer straat stras stree strt subscr supi surucu suscript swift syges sykdom"
    " synth syntym szam szeless szemel szerok szulet tachy tag tai_khoan taj tan targa tarjet tax tc_ tckn tel"
    " termin teshis tessera tfn thiet thru ticket tili tin tkn tlf toa_do tok torok transit travel trk2 tunnist"
    " turva ubezp ucet udid uhid ulic upyeon urodz urzadz user ustroy utca utente utgang utlop vaid vakuut vat veh"
    " vej venc verd verfall vergi verif versich verval verzek vezet vhcl vi_do vin vitale vld vod_ vodic vodiy voert"
    " voie voimass voorn vorn voter vrm vrn wachtw waid wallet wazn weidu werbe whatsapp wohn wspol xac_thuc xingm"
    " xp xsrf yibao yinhang youb youxiang youxiao youzh yubin yuubin zariz zehut zeton zhanghao zhend zheng zhuyuan"
    " ziekteb zip znacka zorg zuobiao"
)


def _any_of(words: Iterable[str]) -> str:
    """Return a pattern of words by their common beginnings, so that one look at a letter leaves few of them."""
    by_letter: Dict[str, List[str]] = {}
    for word in words:
        by_letter.setdefault(word[0], []).append(word[1:])
    ways = [
        re.escape(letter) + ("" if "" in rests or not rests else _any_of(rests)) for letter, rests in by_letter.items()
    ]
    return ways[0] if len(ways) == 1 else f"(?:{'|'.join(ways)})"


TELLING = re.compile("(?i)" + _any_of(_TELLING_PARTS.split()))
