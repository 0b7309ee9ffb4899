"""French, Spanish, Catalan, Italian, Portuguese and Romanian."""

from __future__ import annotations

from typing import Dict

CONCEPTS: Dict[str, str] = {
    "number": "numar num nro numer",
    "personname": "nomclient nomusage nomdusage nomnaissance nomdenaissance nompatient nomduclient nomdupatient"
    " nomprenom"
    " nometprenom prenomnom nomtitulaire nomdutitulaire titulairecarte titulairecompte nomdejeunefille nommarital"
    " nomcontact nomdestinataire prenomclient nomassure nomsalarie"
    # Spanish
    " nombrecliente nombretitular nombrepaciente nombredelpaciente nombreyapellido nombreyapellidos titulartarjeta"
    " nombrecontacto nombreusuario primerapellido segundoapellido segundonombre nombrebeneficiario nombreempleado"
    " appaterno apmaterno apellido1 apellido2 apepaterno apematerno cognoms primernom"
    # Italian
    " nominativo nomecliente nomepaziente cognomenome nomereferente intestatariocarta titolarecarta intestatario"
    " nomeintestatario nomebeneficiario"
    # Portuguese
    " nomecliente nometitular nomedotitular nomepaciente nomedopaciente primeironome ultimonome nomesocial"
    " nomefuncionario"
    " titularcartao nomecontato nomebeneficiario razaonome"
    # Romanian
    " nume prenume numefamilie numecomplet numesiprenume numeclient numepacient titularcard numedefamilie",
    "person": "pasager titolare referente assistito assicurato contribuente assure adherent beneficiaire locataire"
    " conducteur voyageur acheteur paciente conductor asegurado afiliado acreedor deudor inquilino comprador"
    " pasajero utente segurado motorista condutor comprador passageiro beneficiario pacient asigurat angajat"
    " cumparator salariado asociado socio",
    "holder": "titolare titularul porteur detenteur",
    "birth": "nele neele naiss datenaiss dtnaiss datedenaissance dtnaissance anniversaire journaissance"
    " fecnac fechanac fecnacimiento fchnacimiento fechadenacimiento cumpleanos natalicio nacido nacimento"
    " datadinascita dtnascita natoil compleanno nascitadata nato"
    " datadenascimento datanasc dtnascimento datnasc nasc aniversario nascto"
    " nasterii nasterea datanasterii datanastere zinastere nastere",
    "phone": "portable telport telmobile telfixe teldomicile telephoneportable numtel numerotel telecopie"
    " telefonomovil telefonofijo numerocelular celularno tfno telf nrotelefono telmovil telcasa"
    " cellulari recapitotelefonico numerocellulare telefonofisso cell cel numcellulare numcell recapito"
    " telefonecelular numerocelular fone telemoveis fonecelular contatotelefone whatsapp"
    " telefonmobil nrtelefon numartelefon",
    "email": "mel courriels adressecourriel adressemail adresseelectronique mailusuario correoe direccioncorreo"
    " postaelettronica indirizzoemail indirizzodiposta indirizzopostaelettronica pec correioeletronico correio"
    " enderecoemail correuelectronic adresaemail postaelectronica",
    "address": "direcciones domicilioparticular direccionenvio direcciondeenvio direccionfacturacion direccioncasa"
    " direccionentrega residencia indirizzoresidenza indirizzospedizione indirizzodispedizione recapitopostale"
    " indirizzofatturazione moradafiscal enderecoentrega enderecocobranca enderecoresidencial adresaentrega"
    " adresalivrare domiciliu adresafacturare ligneadresse adresseligne* adressepostale complementadresse lieudit"
    " libellevoie nomvoie numeroetrue adressedelivraison adresa direccio adreca",
    "street": "voie nomdevoie numerovoie ruenumero numeroetvoie calleynumero callenumero avenida numerocivico civico"
    " viaenumerocivico viacivico viaenumero strada logradouros ruanumero numeroporta bairro carrer avda",
    "postcode": "cpostal codpost codigopost codicepost codigodeenderecamento codigoenderecamentopostal"
    " codiceavviamentopostale codulpostal codpos codpostl cedex codepost",
    "cp": "cpost",
    "cardno": "numcarte nocarte numerodecarte numerocartebancaire numerocb numcb nrotarjeta numtarjeta numerodetarjeta"
    " numcarta numerodicarta numerocartacredito numerocartadicredito numerodellacarta numcartao nrcartao"
    " numerodocartao numarcard nrcard",
    "card": "cb cartes cartabancaria cartadicredito cartaodecredito cartaocredito tarjetacredito tarjetadecredito"
    " cartacredito cardul",
    "verification": "criptograma cryptovisuel codseg codsic codseguridad cryptogrammevisuel codesecuritecarte"
    " codeverificationcarte codigodeseguridad codseguridad"
    " codseguridadtarjeta codigoseguridadtarjeta clavedeseguridad claveseguridad codigoverificaciontarjeta"
    " codicedisicurezza codsicurezza codiceverificacarta codseguranca codigodeseguranca codigoverificadorcartao"
    " codsecuritate coddesecuritate codsecuritatecard",
    "security": "securitate",
    "verif": "verificacion validacion confirmacion activacion verifica conferma attivazione verificacao confirmacao"
    " ativacao validacao verificare confirmare activare",
    "code": "cod codi",
    "otp": "codigodeaccesounico codigoaccesounico codeverification codeusageunique codeunique codeausageunique"
    " codesms codeconfirmation codevalidation"
    " codetemporaire motdepasseunique codeactivation codigoverificacion codigodeverificacion codigosms"
    " codigounsolouso codigodeunsolouso clavetemporal codigotemporal codigoconfirmacion clavedinamica tokendinamico"
    " codigovalidacion codigoactivacion codigounico claveunica claveotp codiceverifica codicediverifica"
    " codiceusaegetta codicetemporaneo codicesms codiceconferma codicemonouso passwordmonouso codiceattivazione"
    " codigoverificacao codigotemporario codigoconfirmacao codigousounico senhadescartavel codigovalidacao tokensms"
    " senhatemporaria codigoativacao codverificare coddeunicafolosinta codconfirmare codverificacion",
    "time_word": "usageunique monouso unico unica temporal temporaire temporaneo temporario dinamica dinamico",
    "expiry": "dateexpiration dateexp datevalidite fechaexpiracion fechacaducidad fechavencimiento fecvenc"
    " datascadenza datavalidade datavencimento dataexpirarii dataexpirare finvalidite expirationcarte dateexpiration"
    " datevalidite expirecarte fechacaducidad fechavencimiento"
    " fecvencimiento fvencimiento caduca datascadenza mesescadenza scad datavalidade datavencimento vencto"
    " expira dataexpirarii dataexpirare valabil*",
    "passport": "numpasseport nopasseport numerodepasseport titredevoyage* nropasaporte numpasaporte numerodepasaporte"
    " documentoviaje* documentodeviaje* numpassaporto documentodiviaggio* nrpassaporte numpassaporte numarpasaport"
    " seriepasaport passaport",
    "licenceno": "permisdeconduire permisconduire numeropermis numpermis licenciadeconducir licenciaconducir"
    " licenciaconduccion licenciamanejo permisodeconducir permisoconducir carnetconducir carnetdeconducir brevete"
    " patenteguida patentediguida numeropatente numpatente cartadeconducao cartaconducao carteirademotorista"
    " carteiramotorista carteirahabilitacao habilitacao cartanacionalhabilitacao registrocnh numerocnh"
    " permisdeconducere permisconducere carteiranacionalhabilitacao registroconductor licenciaconductor",
    "driver": "manejo motorista condutor conductor conducere",
    "licence": "carnet carteira",
    "sin": "numeroinsee insee numeroidentite numidentite carteidentite cni numerocni identifiantnational"
    " numerofiscal numeronational"
    " numeroavs noavs pieceidentite* numeropieceidentite carteidentitenationale numeroregistrenational"
    # Spanish
    " documentoidentidad documentonacionalidentidad docidentidad numerodocumento nrodocumento"
    " numdocumento nrodoc numdoc numerodeidentificacion numeroidentificacion numeroidentidad nrocedula"
    " cedulaidentidad cedulaciudadania identificacionoficial claveelector clavedeelector cedulajuridica runrut"
    " ciudadania documentodeidentidad nroidentificacion"
    # Italian
    " cartaidentita cartadidentita documentodidentita documentoidentita numerocartaidentita codfiscal"
    # Portuguese
    " numerorg bilheteidentidade bilhetedeidentidade cartaocidadao cartaodecidadao numerobi niss registrogeral"
    " nrcontribuinte numerodecontribuinte nif titulodeeleitor tituloeleitor pispasep documentoidentidade"
    " numeroidentificacaofiscal numeroidentificacao cadastropessoafisica"
    # Romanian
    " codnumericpersonal serieci seriebuletin numarbuletin cartedeidentitate carteidentitate buletin",
    "mrn": "numeropatient numpatient nopatient dossiermedical* numerodossier* numdossier* ipp identifiantpatient"
    " identifiantpermanentpatient nodossier* numerodossierpatient historiaclinica* numerohistoria* nrohistoria*"
    " nhistoria nhc numerohc hcnumero expedienteclinico* expedientemedico* numeroexpediente numexpediente*"
    " numeropaciente nropaciente codigopaciente numpaciente cartellaclinica* numerocartella codicepaziente"
    " numeropaziente numpaziente numeroprontuario prontuario* processoclinico* numeroutente fisamedicala numarpacient"
    " fisapacient numerofichamedica fichamedica numprontuario",
    "patientword": "paciente paziente pacient",
    "medical": "medica medicale clinico clinica",
    "recordword": "dossier expediente historia cartella prontuario fisa ficha",
    "insurance": "assure mutuelle mutua assicurazione convenio sus asigurare seguradora afiliado obrasocial",
    "insuranceno": "numeroassure numassure numerodassure nassure numeromutuelle nummutuelle numeroadherent cartevitale*"
    " numeroseguro nroseguro numeroafiliado nroafiliado numafiliado tarjetasanitaria* numeropoliza nropoliza"
    " numerosegurosocial polizasalud tesserasanitaria* numerotessera* numeroassicurazione numerocarteirinha"
    " carteirinha* cartaosus numerosus numeroconvenio cartaoconvenio numarasigurare polizasanitaria"
    " numerodeafiliado",
    "device": "aparelho terminal appareils equipo periferico",
    "adid": "idappareil identifiantappareil identifiantterminal identifiantpublicitaire idterminal iddispositivo"
    " identificadordispositivo idequipo identificadorpublicitario idaparelho identificadoraparelho"
    " identificadordoaparelho identificativodispositivo idpubblicitario iddispozitiv identificadorequipo"
    " numerodispositivo numeroappareil idcelular iddoaparelho codigodispositivo",
    "serialno": "numerodeserie numeroserie numerodeserie numserie noserie nroserie numerodiserie numseriale"
    " matricoladispositivo"
    " numarserie seriale",
    "mac": "adressemac direccionmac indirizzomac enderecomac adressephysique adressematerielle direccionfisica"
    " indirizzofisico indirizzohardware enderecofisico adresamac",
    "imsi": "numeroimsi identiteabonnemobile identidadsuscriptor* codiceimsi",
    "imei": "numeroimei codiceimei codigoimei codeimei",
    "plate": "immat immatriculations numimmat numeroimmatriculation plaqueimmatriculation plaquedimmatriculation"
    " placas placavehiculo numeroplaca chapapatente patentevehiculo matriculacoche matriculavehiculo"
    " dominiovehiculo targhe targaveicolo targaauto numerotarga placaveiculo placacarro matriculaviatura"
    " numarinmatriculare nrinmatriculare placutainmatriculare inmatriculare",
    "vin": "numerochassis numerodechassis chasis numerochasis numerodechasis numerobastidor numerodebastidor telaio"
    " numerotelaio numeroditelaio chassi numerochassi renavam sasiu seriesasiu numarsasiu",
    "vehicle": "viatura veicolo vehicul masina veicoli autovettura moto camion",
    "password": "motpasse nouveaumdp ancienmdp codesecret codeacces contrasenya contrasenia contrasena clavedeacceso"
    " claveacceso claveusuario clavesecreta clavesecretas palabraclave passwordutente parolachiave parolaordine"
    " codicesegreto chiaveaccesso senhas senhaacesso senhausuario novasenha senhaatual parolanoua"
    " parole paroladordine contraseña",
    "accountno": "numcompte nocompte numerodecompte comptebancaire numerocomptebancaire rib nrocuenta numcuenta"
    " numerodecuenta cuentabancaria cuentacorriente cbu cuentaclabe numconto numerodiconto contocorrente contobancario"
    " numconta nrconta numerodaconta contabancaria contacorrente numarcont nrcont contbancar",
    "neutral": "cobranca entrega envio livraison facturation spedizione fatturazione residencial particular nouveau"
    " ancien nueva nuevo vieja nuova nuovo nova novo noua vechi del dos das nosso suo lui pentru din",
    "reference": "numerofactura numeropedido nropedido numerofacture numerocommande numeroordine numerofattura"
    " numeropedido cantidad quantite quantita quantidade cantitate numarcomanda notafiscal",
    "credit": "tarjetacredito tarjetadecredito cartaocredito cartaodecredito cartadicredito cartacredito",
    "date": "dateexpiration dateexp datevalidite fechaexpiracion fechacaducidad fechavencimiento fecvenc"
    " datascadenza datavalidade datavencimento dataexpirarii dataexpirare",
    "thru": "finvalidite validohasta validoate validofino",
    "session": "sessaoid idsessao",
}
