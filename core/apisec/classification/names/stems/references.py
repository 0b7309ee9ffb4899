"""Papers and things that have a number of their own: orders, invoices, parcels, contracts, meters.

Only what says so by itself. That ``contract number`` is one follows from *number* behind a word that is no person's
and no card's (``references.numbered``).
"""

from __future__ import annotations

from typing import Dict

CONCEPTS: Dict[str, str] = {
    "reference": " invno gln pono sono requisition remittance mandate dispute chargeback quotation"
    " accession specimen rrn stan uetr pnr eticket hawb mawb hbl sscc lot stocktake picklist manifest claimno"
    " claimnumber claimref claimid casenumber caseno casenbr dealno lotno meterno meternbr meternumber"
    # SAP: documents of sales, purchase, accounting, production, stock, plants, transport; partners that are no persons
    " vbeln vbelv ebeln ebelp belnr bukrs aufnr matnr charg kunnr lifnr banfn xblnr mblnr kostl posnr vgbel"
    " qmnum equnr"
    " tplnr tknum exnum rsnum awkey zuonr prctr pspnr vkorg hkont saknr anln1 sernr1 posid bstkd bstnk"
    # ISO 20022
    " endtoendid instrid txid msgid pmtinfid mndtid clrsysref orgnlendtoendid orgnltxid orgnlmsgid"
    " orgnlinstrid cdtrschmeid"
    " acctsvcrref docnb ntryref elctrncseqnb lglseqnb endtoendidentification instructionidentification"
    # EDIFACT, X12
    " bgm beg03 isa13 gs06 st02 bgm1004 unhref ponumber interchange"
    # HL7 v2, FHIR
    " placerorder fillerorder placerordernumber fillerordernumber placergroup obr2 obr3 orc2 orc3 msh10"
    # ISO 8583, FIX, IATA
    " de11 de37 de38 arn clordid origclordid execid cstmrref awbno blno tradeid quoteid"
    # German and Dutch
    " aktenzeichen geschaeftszeichen geschaftszeichen vorgang beleg lieferschein buchung auftrag angebot"
    " frachtbrief reklamation mahnung zaehler lagerplatz kostenstelle schadennr pakbon boeking partij"
    " offerte kenmerk zaaknummer dossiernr volgnr"
    # French, Spanish, Italian, Portuguese, Romanian
    " devis bordereau reservation ecriture compteur sinistre albaran asiento"
    " remision folio medidor seguimiento lote bolla pratica contatore prenotazione preventivo"
    " scontrino tracciamento rastreio lancamento orcamento protocolo notafiscal aviz"
    " rezervare comanda"
    # Polish, Czech, Hungarian
    " zamowienia przesylki przewozowego sprawy umowy partii licznika towaru rezerwacji zlecenia transakcji objednavky"
    " faktury zasilky smlouvy zakazky sarze variabilnisymbol konstantnisymbol elektromeru rezervace doklad dokladu"
    " rendeles megrendeles bizonylat szerzodes foglalasi cikkszam ugyiratszam tetelszam"
    # Nordic, Turkish
    " kolli saksnummer avtale bokning arende saksnr"
    " irsaliye sozlesme sayac rezervasyon "
    # Russian and others in Latin letters and in their own
    " nakladnoy dogovora zayavki schetchika артикул накладной договора заявки счётчика счетчика партии"
    " chumon denpyo keiyaku kanri dingdan yundan liushui hetong gongdan pesanan resi donhang hoadon vandon hopdong"
    " giaodich 流水号 流水號 伝票 管理番号 追跡番号 契約番号 予約番号 商品コード 顧客番号 合同编号 发票号码"
    " 运单号 批次号 客户编号 工单号"
    " 송장번호 계약번호 고객번호 거래번호 예약번호 접수번호 전표번호"
}
