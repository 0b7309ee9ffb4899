"""Polish, Czech, Slovak, Croatian and Serbian; Russian, Ukrainian and Bulgarian, in Cyrillic and romanised."""

from __future__ import annotations

from typing import Dict

CONCEPTS: Dict[str, str] = {
    "number": "cislo cisla nr numery nomera номер номера число broj stevilka",
    "name": "имя",
    "personname": "imiona imieinazwisko imienaziwsko imienazwisko drugieimie nazwiskopanienskie nazwiskorodowe"
    " imieklienta"
    " nazwiskoklienta posiadaczkarty imiepacjenta nazwiskopacjenta imieojca imiematki"
    # Czech, Slovak, Croatian
    " jmeno prijmeni jmenoaprijmeni jmenoprijmeni krestnijmeno celejmeno meno priezvisko menoapriezvisko celemeno"
    " rodnejmeno rodneprijmeni krstnemeno drzitelkarty majitelkarty prezime imeiprezime"
    # Russian, Ukrainian, Bulgarian
    " имя фамилия отчество фио полноеимя имяклиента имяпользователя девичьяфамилия держателькарты владелецкарты ім'я"
    " імя"
    " прізвище побатькові піб име презиме именнакарта familia familija imja imia otchestvo fio polnoeimya prizvyshche"
    " prizvysche pib imyaklienta imyapolzovatelya firstnameru familiyaimya derzhatelkarty familiyaio",
    "person": "клиент клиента пользователь пользователя пациент пациента сотрудник сотрудника получатель получателя"
    " заемщик вкладчик абонент водитель водителя владелец плательщик отправитель zakaznik zakaznika pacient pacienta"
    " pacjent pacjenta zamestnanec uzivatel uzivatele kupujici prijemce odesilatel vlastnik ridic vodic klienta"
    " polzovatel patsient patsienta sotrudnik poluchatel kierowca ubezpieczony ubezpieczonego kierowcy posiadacz",
    "holder": "держатель владелец posiadacz drzitel majitel",
    "birth": "dataur dtur dtururodzenia dzienurodzenia urodzony datumnarozeni narozeni narozen narodenia"
    " datumnarodenia rokurodzenia narozeniny datumrodenja datumrodjenja roden"
    " рождения датарождения деньрождения народження датанародження раждане датанараждане rozhdenia rozhdenija"
    " narodzhennia datarozhdeniya dataroždenia rozdeniya rojdeniya denrozhdeniya",
    "phone": "numertelefonu nrtelefonu nrtel telefonkomorkowy komorkowego nrkom nrkomorki numerkomorki telkom"
    " telefonnicislo telefonnecislo cislotelefonu mobilnicislo telefonni telefonne"
    " телефон телефона мобильный мобильного номертелефона моб контактныйтелефон сотовый мобільний факс"
    " telefona mobilnyy mobilnyi mobilny sotovyy sotovyi nomertelefona kontaktnyytelefon telefonu",
    "email": "adresemail adresmailowy pocztaelektroniczna poczta mejl adrespoczty emailovaadresa mailovaadresa"
    " elektronickaposta elektronickaadresa почта электроннаяпочта элпочта адресэлектроннойпочты емейл имейл емайл"
    " електроннапошта електроннапоща elektronnayapochta elektronnayapocta elpochta imeil imeyl pochty",
    "address": "adreszamieszkania adresdostawy adreskorespondencyjny adreszameldowania adresabydliste bydliste"
    " trvalebydliste trvalypobyt dorucovaciadresa fakturacniadresa adresabydliska adresadoruceni"
    " адрес адреса адресдоставки адреспроживания адресрегистрации адреспрописки прописка адресфактический"
    " adresprozhivaniya adresregistratsii adresregistracii adresdostavki propiska",
    "street": "ulicainumer ulicy nrdomu numerdomu nrmieszkania ulice uliceacislo cislopopisne cislodomu ulicaacislo"
    " улица ул улицаидом вулиця улицы ulitsa ulitca ulicadom vulytsia vulitsya",
    "postcode": "kodpoczt kodadresowy kodpocztowego postovnismerovacicislo smerovacicislo smerovaciecislo postovnikod"
    " почтовыйиндекс индекс поштовийіндекс пощенскикод pochtovyyindeks pochtovyiindeks indeks poshtovyi* pochtindeks"
    " postanskibroj poshtenskikod",
    "cardno": "numerkarty nrkarty numerkartykredytowej numerkartyplatniczej cislokarty cisloplatebnikarty"
    " номеркарты номербанковскойкарты номеркартки nomerkarty nomerbankovskoykarty nomerkartki brojkartice",
    "card": "karty kartyplatniczej kartykredytowej карта карты карту картка картки platebnikarta",
    "verification": "kodzabezpieczajacy kodbezpieczenstwa kodcvv kodcvc kodweryfikacyjnykarty bezpecnostnikod"
    " kontrolnikodkarty bezpecnostnykod кодбезопасности защитныйкод защитныйкодкарты кодкарты kodbezopasnosti"
    " kodkarty cvvkod",
    "security": "bezpieczenstwa bezpecnostni bezopasnosti безопасности",
    "verif": "weryfikacyjny potwierdzenia potwierdzajacy autoryzacyjny aktywacyjny aktywacji uwierzytelniajacy"
    " weryfikacji overovaci overeni potvrzovaci potvrdzovaci overovaciekod подтверждения проверочный проверки"
    " активации підтвердження podtverzhdeniya podtverzdeniya proverochnyy proverki aktivatsii",
    "code": "kodu код кода kody",
    "otp": "kodweryfikacyjny kodjednorazowy haslojednorazowe kodsms kodautoryzacyjny kodpotwierdzenia kodaktywacyjny"
    " koduwierzytelniajacy overovacikod jednorazovykod jednorazoveheslo potvrzovacikod overovaciekod"
    " кодподтверждения проверочныйкод одноразовыйкод одноразовыйпароль кодизсмс смскод кодсмс кодактивации"
    " kodpodtverzhdeniya kodizsms odnorazovyykod odnorazovyyparol proverochnyykod smskod odnorazovyiparol",
    "time_word": "jednorazowy jednorazowe jednorazovy jednorazove одноразовый odnorazovyy смс",
    "expiry": "datawaznosci datumplatnosti srokdeystviya datawaznosci waznosc waznosci terminwaznosci platnostdo"
    " platnost datumplatnosti platnostkarty"
    " срокдействия действительна годендо srokdeystviya srokdeistviya deystvitelnado",
    "passport": "numerpaszportu nrpaszportu seriapaszportu paszportu cestovnipas cislopasu cestovnypas cestovnydoklad"
    " паспорт паспорта паспортные* паспортныеданные загранпаспорт номерпаспорта серияпаспорта серияиномерпаспорта"
    " pasport pasporta nomerpasporta seriyapasporta seriyainomerpasporta zagranpasport putovnica pasos pasporty"
    " номерпаспорту паспорту",
    "licenceno": "prawojazdy prawajazdy numerprawajazdy seriaprawajazdy ridicskyprukaz cisloridicskehoprukazu"
    " ridicskehoprukazu vodicskypreukaz vodicskyprukaz cislovodicskeho* vozackadozvola"
    " водительскоеудостоверение водительские* водительскиеправа водудостоверение номерву посвідченняводія"
    " свідоцтвоводія voditelskoeudostoverenie voditelskieprava vodprava nomervu udostovereniyevoditelya",
    "sin": "numerdowodu dowodosobisty nrdowodu nrdowoduosobistego numerdowoduosobistego seriadowodu seriainumerdowodu"
    " dowoduosobistego numeridentyfikacjipodatkowej obcanskyprukaz obcanskehoprukazu cisloobcanskehoprukazu cisloop"
    " cisloobcanskeho* obciansky* cisloobcianskehopreukazu rodnec osobnaiskaznica"
    " инн снилс удостоверениеличности рнокпп егн ідентифікаційнийкод nomersnils nomerinn seriapasporta"
    " udostoverenielichnosti licnakarta",
    "mrn": "numerpacjenta nrpacjenta idpacjenta nrkartypacjenta kartypacjenta numerhistoriichoroby historiichoroby"
    " numerkartoteki kartoteka cislopacienta idpacienta chorobopis* zdravotnidokumentace*"
    " номеристорииболезни историяболезни номерпациента номермедкарты номермедицинскойкарты медкарта"
    " медицинскаякарта идпациента nomerpacienta nomerpatsienta nomeristoriibolezni istoriibolezni nomermedkarty"
    " medkarta nomerkartypacienta ambulatornayakarta",
    "patientword": "pacjenta pacienta пациента pacjent",
    "insurance": "ubezpieczeniowy полис страховой pojistence pojisteni poistenca polis strahovoy",
    "insuranceno": "numerubezpieczenia nrubezpieczenia numerpolisyzdrowotnej numerpolisy nrpolisy cislopojistence"
    " cislopojisteni cislopoistenca полисомс номерполиса полисдмс полис polisoms nomerpolisa polisdms",
    "device": "urzadzenia zarizeni zariadenia устройства устройство ustroystva ustroistva prybor uredaja",
    "adid": "idurzadzenia identyfikatorurzadzenia numerurzadzenia idzarizeni identifikatorzarizeni cislozarizeni"
    " идустройства идентификаторустройства идентификаторпристрою рекламныйид idustroystva identifikatorustroystva"
    " reklamnyyid идентификаторустройство",
    "identifier": "identyfikator identifikator идентификатор ид ідентифікатор",
    "serialno": "numerseryjny nrseryjny seryjny seriovecislo serijnibroj серийныйномер seriynyynomer seriynynomer"
    " seriinyinomer",
    "mac": "adresmac макадрес macadresa adresfizyczny adressprzetowy fyzickaadresa adresfizycznymac",
    "plate": "nrrejestracyjny numerrejestracyjny tablicarejestracyjna tablica rejestracjapojazdu rejestracjapojazdu"
    " spz statnipoznavaciznacka registracniznacka poznavaciznacka evc evcvozidla rzvozidla ecv registarskaoznaka"
    " госномер гosномер номеравтомобиля номеравто автономер регзнак регистрационныйномер номерныйзнак"
    " номермашины gosnomer gosudarstvennyynomer nomeravto nomeravtomobilya nomermashiny avtonomer",
    "vin": "nrnadwozia numernadwozia numervin cislokaroserie cislopodvozku вин винкод винномер номеркузова номершасси"
    " vincode vinkod nomerkuzova nomershassi",
    "vehicle": "samochod samochodu pojazdu vozidlo vozidla автомобиль автомобиля машина авто avtomobil auta",
    "password": "haslodostepu noweehaslo starehaslo nowehaslo haslouzytkownika haslem noveheslo prihlasovaciheslo"
    " zaporka"
    " пароль парольпользователя новыйпароль кодовоеслово парола parolpolzovatelya novyyparol novyiparol"
    " kodovoeslovo",
    "account": "счет счета расчетный лицевой рахунок рахунку сметка schet scheta scet uctu ucet uctet ucte",
    "accountno": "numerkonta nrkonta numerrachunku nrrachunku numerrachunkubankowego nrrachunkubankowego"
    " rachunekbankowy"
    " kontobankowe cislouctu bankovniucet bankovyucet cislobankovnihouctu номерсчета расчетныйсчет лицевойсчет"
    " номеррахунку банковскийсчет nomerscheta raschetnyyschet raschetnyischet licschet litsevoyschet nomerrahunku",
    "neutral": "nowe nowy stare nove novy stary nowego новый новая старый из для i novyy pri",
    "reference": "заказ заказа номерзаказа количество цена сумма zakaza nomerzakaza kolichestvo summa tsena"
    " ilosc cena numerzamowienia nrzamowienia objednavky cisloobjednavky mnozstvi cisloobjednavka faktury"
    " cislofaktury numerfaktury",
    "date": "datawaznosci datumplatnosti srokdeystviya",
    "session": "sesjaid idsesji",
}
