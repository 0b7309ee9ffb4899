"""Shortened words by rule: skeletons of consonants (``cstmr``), truncations (``verif``) and what lies between.

A short form stands for a word with the same first letter whose letters it keeps in order. Ordinary words stand in the
list as well: what could be *product* as well as something of a person is decided by the words beside it, or not at all.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Dict, FrozenSet, Iterator, List, NamedTuple, Optional, Tuple

MIN_SHORT = 3  # letters; shorter ones are stems or nothing
MAX_COST = 0.5
MAX_COST_SHORTEST = 0.3  # of three letters: psp is no passport
BOLD = 0.48  # from which cost on every word of a name has to agree
TIE = 0.12  # costs that differ by less are equally likely
MAX_READINGS = 3

# Words of the concepts that rules ask for.
_TELLING = (
    "customer client person patient member employee passenger beneficiary insured holder driver guardian contact user"
    " account applicant subscriber participant recipient sender payee payer first last middle given family full maiden"
    " surname forename initial name birth date birthday street address line residence mailing billing shipping delivery"
    " home permanent postal post postcode zipcode city country province telephone phone mobile cellphone cellular"
    " number fax email electronic mail password passcode passphrase secret answer verification verify code security"
    " onetime temporary confirmation activation authentication challenge cardholder card credit debit payment expiry"
    " expiration month year cryptogram bank deposit routing checking savings national identity identification tax"
    " taxpayer social insurance citizen resident fiscal personal passport travel document licence license permit"
    " operator vehicle registration plate chassis truck device serial hardware advertising identifier handset terminal"
    " medical record hospital chart health subscriber diagnosis provider latitude longitude location owner numbers"
    " employer doctor physician student dependent relative spouse mother father emergency primary secondary driving"
    " android fingerprint government identity mark equipment clinic tracking unit zone refresh access national"
)
# Words that rules know nothing of, or that turn a name.
_ORDINARY = (
    "status type count total amount balance price quantity description product item order invoice department"
    " message request response reference transaction category version page limit offset default enabled group image"
    " picture process project property position past parameter period percent plan platform point policy pool port"
    " prefix previous priority private protocol public purchase partition parent part pattern pending profile program"
    " progress promotion proxy publish query queue range rating reason record region release remote report resource"
    " result retry return revenue role root route rule sample schedule schema score script search section segment"
    " sequence server service session setting shape share short signal size sort source speed stage standard start"
    " state statistics stock storage store stream string style subject success summary support switch symbol sync"
    " system table tag target task team template test text theme thread threshold ticket time timeout timestamp title"
    " token tool topic trace track traffic transfer transport trigger unit update upload upper usage value variable"
    " vector vendor view virtual visible volume warehouse warning weight width window worker workflow workspace action"
    " active adapter agent alert alias allow analysis application approval archive area array article asset attachment"
    " attribute auction audit availability average backup bandwidth batch battery block board body border branch brand"
    " browser bucket budget buffer build bundle business button cache calendar campaign cancel capacity capital caption"
    " capture cargo carrier case catalog channel character charge check checkout child class clear click cluster color"
    " column command comment commerce commission commit common company compare complete component compute condition"
    " config connection console constant container content context contract control convert coordinate copy core"
    " coupon course create criteria currency current cursor curve custom cycle damage dashboard data database dataset"
    " deal debug decimal delay delete demand deploy depth design destination detail develop difference digital"
    " dimension"
    " direct directory disable discount disk display distance distribution district division domain download draft"
    " duration dynamic edge edit education effect element enable endpoint energy engine entity entry environment error"
    " estimate event example exchange execute expense experience export expression extension external factor failure"
    " feature feed feedback field file filter final finance flag flight floor folder font force forecast format forward"
    " frame framework frequency function fund future gateway general generate genre global graph grid growth handler"
    " hash header height hidden history host hotel hour icon image impact import inbound income index industry info"
    " input insert instance integer interest interface internal interval inventory issue journal kernel keyword kind"
    " label language latency layer layout lead league lease left legacy length lesson level library lifetime link list"
    " load local locale lock login logic logo loop lower machine manager manual map margin mark market master match"
    " material matrix maximum measure media memory menu merchant merge meta method metric minimum minute mission mode"
    " model module monitor motion movement multiple network node note notice notification object offer office offline"
    " online operation option organization origin outbound outcome output outside overview package packet panel partner"
    " path peer performance permission phase photo pipeline pixel planet player point portal portfolio post power"
    " prediction premium preset pressure print production promo proof provision quality quarter question quota quote"
    " random rate ratio read receipt recent refund relation reminder render rental replica reply reset restore review"
    " reward right risk rotation round row runtime safe salary scale scan scope screen season seat second select seller"
    " sensor series severity shift shipment shop side sign signature site skill skip slot software solution space span"
    " special species sprint square stack step strategy strength structure student studio subscription suffix supplier"
    " supply surface survey swap temperature term terms tenant tier tile timer tone train training trend trial trip"
    " tunnel"
    " variant venue verb video visit visitor vote voucher wallet weather web week wheel wireless word year yield zone"
    " hold send pass mark mess ship bill deliver secure expire insure activate confirm identify own sum flat hand"
    " install house found wall add adds authentic param params stand plate plat form ware board back front hard soft"
    " fire"
    " mult inter intra info meta micro macro auto cross post fore over under sub super trans docs"
    " spec specs prop props char chars bool stat stats calc desc curr conf prod proc dest dist elem envs"
    " func impl incr init misc orig perf pref prev recv repl reqs resp seqs subj subs succ temp vals vars vers"
)
_ENDINGS = ("s", "es", "ed", "d", "ing", "er", "or", "able", "al", "ion", "ly")
_VOWELS = frozenset("aeiouy")
# Two letters say these behind others that say something; alone they are anything.
TAILS: Tuple[str, ...] = ("nm", "no", "nr", "nb", "dt", "cd", "id", "ln", "ad")


class Reading(NamedTuple):
    """A word that a short form may stand for. ``cost``: 0 is certain."""

    cost: float
    word: str


def _by_letter() -> Dict[str, Tuple[str, ...]]:
    table: Dict[str, List[str]] = {}
    for word in dict.fromkeys(f"{_TELLING} {_ORDINARY}".split()):
        if len(word) > MIN_SHORT:
            table.setdefault(word[0], []).append(word)
    return {letter: tuple(words) for letter, words in table.items()}


_WORDS = _by_letter()
TELLING: FrozenSet[str] = frozenset(_TELLING.split())
_FULL: FrozenSet[str] = TELLING | frozenset(_ORDINARY.split())


def is_word(text: str) -> bool:
    """Return whether a text is a word in full, or one of its usual forms."""
    if text in _FULL:
        return True
    return any(text.endswith(ending) and text[: -len(ending)] in _FULL for ending in _ENDINGS)


def cost(short: str, full: str) -> Optional[float]:
    """Return how far ``short`` is from a usual short form of ``full`` (0 to ``MAX_COST``), or None if it is none."""
    if not MIN_SHORT <= len(short) < len(full) or short[0] != full[0]:
        return None
    if full.startswith(short):
        return 0.3 if len(short) > MIN_SHORT else BOLD  # three letters begin too many words
    at = kept_consonants = kept_vowels = 0
    for letter in short[1:]:
        at = full.find(letter, at + 1)
        if at < 0:
            return None
        if letter in _VOWELS:
            kept_vowels += 1
        else:
            kept_consonants += 1
    if kept_vowels > (len(short) > MIN_SHORT):
        return None  # whoever keeps the vowels means another word: patent, patient
    consonants = _consonants(full)
    dropped = 1 - kept_consonants / consonants if consonants else 1.0
    found = 0.1 + 0.8 * max(0.0, dropped) + 0.12 * kept_vowels
    return found if found <= (MAX_COST if len(short) > MIN_SHORT else MAX_COST_SHORTEST) else None


@lru_cache(maxsize=2048)
def _consonants(full: str) -> int:
    """Count the consonants behind the first letter, double ones once."""
    return sum(c not in _VOWELS and c != before for before, c in zip(full, full[1:]))


@lru_cache(maxsize=4096)
def readings(short: str) -> Tuple[Reading, ...]:
    """Return the words that a short form most likely stands for, the best first, without those much less likely."""
    if len(short) < MIN_SHORT or not short.isalpha() or not short.isascii() or is_word(short):
        return ()
    found = []
    for word in _WORDS.get(short[0], ()):
        price = cost(short, word)
        if price is not None:
            found.append(Reading(price, word))
    found.sort(key=lambda one: (one.cost, one.word not in TELLING, one.word))
    return tuple([one for one in found if one.cost <= found[0].cost + TIE][:MAX_READINGS])


def _short_forms(word: str) -> Iterator[str]:
    """Yield the usual short forms of a word: what may stand inside a name that is written as one word."""
    skeleton = word[0] + "".join([c for before, c in zip(word, word[1:]) if c not in _VOWELS and c != before])
    yield skeleton
    yield word[0] + "".join([c for c in word[1:] if c not in _VOWELS])
    if len(skeleton) > 4:
        yield skeleton[:4]
    for count in (4, 5):
        if count < len(word):
            yield word[:count]


def _inside() -> FrozenSet[str]:
    forms = {form for word in TELLING for form in _short_forms(word) if len(form) >= MIN_SHORT}
    return frozenset(forms)


INSIDE: FrozenSet[str] = _inside()
_LONGEST = max(map(len, INSIDE))


def pieces(word: str, known: FrozenSet[str]) -> Optional[List[str]]:
    """Break a word into short forms, stems (``known``) and two-letter tails, the fewest there are; None without.

    Only what has few vowels is short forms written as one; else only stems and tails count.
    """
    size = len(word)
    if is_word(word):
        return None
    inside = INSIDE if sum(letter in _VOWELS for letter in word) * 3 <= size else frozenset()
    best: List[Optional[List[str]]] = [[]] + [None] * size
    for start in range(size - 1):
        head = best[start]
        if head is None:
            continue
        for end in range(start + 2, min(size, start + 24) + 1):
            before = best[end]
            if before is not None and len(before) <= len(head) + 1:
                continue
            piece = word[start:end]
            if (
                (end - start >= MIN_SHORT and piece in inside)
                or (end - start > MIN_SHORT and piece in known)
                or (piece in TAILS and start)
            ):
                best[end] = [*head, piece]
    return best[size]
