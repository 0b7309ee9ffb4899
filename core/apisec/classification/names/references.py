"""Which numbers are a paper's or a thing's: what has a word for *number* in its name and no word of a person or a card.

Digits under such a name are no card's, though they pass the card's check (``detectors.engine.scan``).
"""

from __future__ import annotations

import re
from typing import FrozenSet, Sequence

from apisec.classification.names.folding import fold
from apisec.classification.names.words import meanings, split

# What may stand beside *number*, with words that nobody knows, without being a person's or a bank's.
_BESIDE = (
    "number code key identifier neutral reference thing meta person company date verb asked turn paging doc line"
    " sequence ledger meeting bank kind_token spot api vat recordword role registration track validity valueword role"
    " ip flow serialno long display address locality contact checkword verif insurance vehicle motor device name sort"
)
_HARMLESS = frozenset(_BESIDE.split())
_NUMBER = frozenset(("number", "code", "identifier", "serialno", "sequence", "key"))
_BARE = frozenset(("number", "code", "key", "neutral", "long", "paging"))
_OF_A_CARD = re.compile(
    "card|crd|kart|kort|kaart|tarj|cart[aeo]|plast|pan(?:n|_|$)|kredit|credit|cc(?:n|_)|卡|カード|카드"
)
# How a word begins or ends that is a number's and else unknown: Zaehlernummer, numeroBordereau, 伝票番号.
_AT_END = (
    "nummer nummern numer number nbr nmbr num nr szama szam cislo numero bango nomor nomer numarasi haoma bianhao code"
    " no nr kod kode kodu ref key 番号 番號 编号 編號 号码 號碼 号 番 コード 번호 코드"
)
_AT_BEGIN = "numero nummer numer nomor nomer numar cislo nro num codigo codice"
# What people write into: anything may stand there, whatever it is about.
_PROSE_WORDS = (
    "note notes memo memos remark remarks comment comments message messages msg msgs detail details text texts"
    " narrative description descr desc entry content contents body custom summary subject reason instruction"
    " instructions annotation feedback story bio about"
    " bemerkung bemerkungen notiz notizen kommentar anmerkung hinweis nachricht beschreibung betreff freitext"
    " verwendungszweck zusatz remarque commentaire libelle objet motif nota notas observacion observaciones comentario"
    " comentarios mensaje descripcion concepto texto messaggio descrizione causale testo commento observacao mensagem"
    " descricao opmerking omschrijving bericht toelichting uwagi uwaga opis tresc tytul wiadomosc kommentti viesti"
    " selite merknad beskrivelse melding anteckning meddelande beskrivning aciklama mesaj yorum primechanie kommentariy"
    " soobshchenie poznamka popis zprava megjegyzes kozlemeny leiras mentiuni observatii descriere catatan keterangan"
    " pesan ghichu примечание комментарий сообщение описание назначение 備考 メモ 摘要 备注 備註 说明 메모 비고"
)
_PROSE = frozenset(fold(_PROSE_WORDS).split())
_MIN_REST = 3  # letters of what the number is of
_ENDS, _BEGINS = tuple(_AT_END.split()), tuple(_AT_BEGIN.split())


def prose(words: Sequence[str]) -> bool:
    """Return whether the name of a field ends as one that people write into: a card may stand in any of them."""
    said = [word.rstrip("0123456789") for word in words]
    return next((word for word in reversed(said) if word), "") in _PROSE


def numbered(name: str, words: Sequence[str], found: Sequence[FrozenSet[str]], parent: str) -> bool:
    """Return whether a name that says no class is the number of a paper or a thing; a bare *number* is its parent's."""
    if not frozenset().union(*found) <= _HARMLESS or _OF_A_CARD.search(fold(f"{name}|{parent}").lower()):
        return False
    said = [known for known in found if known != {"neutral"}]
    if len(said) > 1:
        return bool(_NUMBER & (said[-1] | said[0])) or _is_number(words[-1])
    bare = bool(said) and bool(said[0]) and said[0] <= _BARE
    if _is_number(words[-1]) and not (bare and words[-1].isascii()):
        return True  # scripts without spaces have the number as the head of a longer word
    if bare:
        return _of_a_reference(parent)
    return bool(said and said[0] & _NUMBER)


def _of_a_reference(parent: str) -> bool:
    above: FrozenSet[str] = frozenset().union(*meanings(split(parent)))
    return "reference" in above and above <= _HARMLESS


def _is_number(word: str) -> bool:
    """Return whether an unknown word is one for a number with what it is of."""
    rest = _MIN_REST if word.isascii() else 1
    for end in _ENDS:
        if word.endswith(end) and len(word) >= len(end) + rest:
            return True
    return any(word.startswith(begin) and len(word) >= len(begin) + rest for begin in _BEGINS)
