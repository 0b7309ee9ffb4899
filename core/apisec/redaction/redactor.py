"""Redacts the values of one transaction: named ones whole, others by what stands in them, at any encoding.

One ``Redactor`` per transaction. It remembers what it found, so that ``echo`` can look for it elsewhere.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import Callable, Dict, Iterable, Iterator, List, Optional, Set, Tuple

from apisec.classification.names import NOTHING, NameEvidence, evidence
from apisec.decoders import Document, Leaf, Limits, Place, claims, embedded
from apisec.decoders.plain import place_to_cut
from apisec.detectors.base import Match
from apisec.detectors.engine import MIN_LENGTH, scan
from apisec.redaction import work
from apisec.redaction.encodings import BASE64, BASE64_TEXT, integral, layers, resolve, unbase64
from apisec.redaction.fields import FieldSeen, note
from apisec.redaction.keys import Tokenizer
from apisec.redaction.labels import label as label
from apisec.redaction.parts import Part as Part
from apisec.redaction.parts import beside
from apisec.redaction.proof import proved, says_more, spoken
from apisec.redaction.spans import Span, Taken, splice
from apisec.redaction.texts import ASSIGNED, VALUE
from apisec.redaction.texts import DULL as DULL
from apisec.redaction.texts import TELLING as TELLING
from apisec.redaction.tokens import TOKEN, class_of, is_token
from apisec.redaction.values import confirmed, refine

MAX_REFERENCE = 64  # characters of an order number, a timestamp, a hash

Forced = Callable[[str], Optional[str]]  # a field's path: the class that an override gives it, or None
NOT_SENSITIVE = "none"  # the override that lets a value through
Refined = Tuple[str, str]  # class and canonical form
_NO_LEAF = Leaf("", "", "", "string", "", 0, 0)
_SCHEME = 16  # characters before a token in a header: Bearer, a prefix


class Redactor:
    """State of one transaction: the tokens made so far by raw value, and the classes seen."""

    def __init__(
        self,
        tokenizer: Tokenizer,
        limits: Limits = Limits(),  # noqa: B008 - frozen
        strict: bool = False,
    ) -> None:
        self.limits = limits
        self.strict = strict  # a checksum alone is enough, whatever a field's name says
        self.secrets: Dict[str, str] = {}
        self.classes: Set[str] = set()
        self.spent = 0  # units of ``work``
        self.skipped = 0  # characters that were not looked at, because too much was spent
        # Whether another engine has seen that no detector fires without a name: then only those are asked that the
        # field's name speaks for. Of values up to ``work.LONG`` characters.
        self.silent = False
        self._names: Set[str] = set()  # that stood in texts
        self._fields: Set[str] = set()  # names of leaves
        self._tokenizer = tokenizer
        self._seen: Optional[Set[str]] = None  # classes found by the call that is running
        self._forced: Optional[Forced] = None  # of the part that is read

    def token(self, data_class: str, canonical: str, raw: Optional[str] = None) -> str:
        """Return a value's token and remember its raw form."""
        token = self._tokenizer.token(data_class, canonical)
        self.secrets.setdefault(canonical if raw is None else raw, token)
        self.classes.add(data_class)
        if self._seen is not None:
            self._seen.add(data_class)
        return token

    def identity(self, data_class: str, canonical: str) -> str:
        """Return a token that says who, without counting as sensitive data that was seen."""
        return self._tokenizer.token(data_class, canonical)

    @contextmanager
    def watching(self) -> Iterator[Set[str]]:
        """Collect the classes that are found inside the ``with`` block."""
        outer, seen = self._seen, set()  # type: Optional[Set[str]], Set[str]
        self._seen = seen
        try:
            yield seen
        finally:
            self._seen = outer
            if outer is not None:
                outer |= seen

    def part(self, document: Document, forced: Optional[Forced] = None) -> Part:
        """Redact all leaves of a document; ``forced`` gives the classes that overrides decide."""
        part = Part(document)
        self._forced = forced
        part.replacements.update(self._leaves(document.leaves, part.fields, 0))
        self._forced = None
        return part

    def _leaves(self, leaves: Iterable[Leaf], fields: Dict[str, FieldSeen], depth: int) -> Dict[int, str]:
        """Return what replaces leaves, by index."""
        out: Dict[int, str] = {}
        outer = self._seen
        for index, leaf in enumerate(beside(list(leaves))):
            seen: Set[str] = set()
            self._seen = seen
            forced = self._forced(leaf.path) if self._forced is not None and leaf.kind != "key" else None
            if forced is None:
                replacement = self._leaf(leaf, fields, depth)
            else:
                replacement = self.force(forced, leaf.value, leaf.kind)
            if replacement is not None:
                out[index] = replacement
            if outer is not None:
                outer |= seen
            if leaf.kind != "key":
                note(fields, leaf.path, leaf.kind, seen)
        self._seen = outer
        return out

    def force(self, data_class: str, value: str, kind: str = "string") -> Optional[str]:
        """Return a value's redacted form as an override wants it; None when it stays as it is."""
        if data_class == NOT_SENSITIVE or not value or kind in ("boolean", "null") or is_token(value):
            return None
        named, canonical = refine(data_class, value) or (data_class, value)
        child = named.startswith(f"{data_class}.")
        return self.token(named if child else data_class, canonical, value)

    def leaf(self, leaf: Leaf, fields: Dict[str, FieldSeen]) -> Optional[str]:
        """Return the redacted form of one leaf, or None; the fields of a document in it are added to ``fields``.

        Its name is not counted as work: who asks leaf by leaf counts names by himself.
        """
        self._fields.add(leaf.name)
        return self._leaf(leaf, fields, 0)

    def _leaf(self, leaf: Leaf, fields: Dict[str, FieldSeen], depth: int) -> Optional[str]:
        kind, value = leaf.kind, leaf.value
        if kind in ("boolean", "null"):
            return None
        if kind == "binary":
            return f"[binary, {len(value)} bytes]"
        if kind == "number":
            value = integral(value)
        if not self._knows(leaf.name):
            return self._unseen(len(value)) if value else None
        said = evidence(leaf.name, leaf.parent) if leaf.name else NOTHING
        if kind == "string" and said.data_class != "secret.password":
            inner = self._embedded(value, leaf, fields, depth, forms=said.data_class is None)
            if inner is not None:
                return inner if inner != value else None
            self.claims(value, leaf.path, fields, depth)
        unsaid = said.data_class is None and said.likely is None
        if unsaid and len(value) < (12 if kind == "integer" and not self.strict else MIN_LENGTH):
            return None
        return self.value(value, said, depth)

    def _knows(self, name: str) -> bool:
        """Count the work for a field's name that was not met before; return whether it may be done."""
        if not name or name in self._fields:
            return True
        self._fields.add(name)
        return self._affords(work.PER_FIELD)

    def claims(self, value: str, path: str, fields: Dict[str, FieldSeen], depth: int = 0) -> None:
        """Note the claims of a JSON Web Token as fields; their values are looked for elsewhere."""
        at = value.find("ey", 0, _SCHEME)
        if at < 0 or depth >= self.limits.nested:
            return
        document = claims(value[at:], self.limits, label)
        if document is not None:
            with self._apart():
                self._leaves(Place(0, f"{path}.claims").take(document), fields, depth + 1)

    def value(self, value: str, said: NameEvidence = NOTHING, depth: int = 0) -> Optional[str]:
        """Return the redacted form of one decoded value, or None when nothing in it is sensitive."""
        if is_token(value):
            self._meet(value)
            return None
        data_class = said.data_class
        if data_class is not None:
            for reading in dict.fromkeys((value, resolve(value))):
                refined = refine(data_class, reading)
                if refined is not None:
                    return self._named(refined, reading)
        elif said.likely is not None:
            likely = confirmed(said.likely, value)
            if likely is not None:
                return self._named(likely, value)
        # An order's number is digits alone; digits inside a sentence are not made harmless by their name.
        reference = said.reference and len(value) <= MAX_REFERENCE and " " not in value
        return self.text(value, reference, depth, data_class)

    def credential(self, value: str) -> None:
        """Note what an Authorization header holds: a JSON Web Token behind its scheme, or whatever a text may hold."""
        scheme, _, rest = value.partition(" ")
        proof = proved("secret.jwt", rest) if scheme.isalpha() and self._affords(work.most(value)) else None
        if proof is not None:
            self.token("secret.jwt", proof.canonical, rest)
        else:
            self.text(value)

    def _meet(self, token: str) -> None:
        """Count the class of a token that came in: an earlier forwarder's work."""
        self.classes.add(class_of(token))
        if self._seen is not None:
            self._seen.add(class_of(token))

    def _named(self, refined: Refined, value: str) -> str:
        """Tokenise a value whole, by the class of its shape where that says more than its name."""
        data_class, canonical = refined
        if not self._affords(work.cost(value, strict=False)):
            return self.token(data_class, canonical, value)
        proof = proved(data_class, value)
        if proof is not None:
            return self.token(data_class, proof.canonical, value)
        if self.silent and not spoken(value, data_class):
            return self.token(data_class, canonical, value)
        found = scan(value, hint=data_class)
        if len(found) == 1 and (found[0].start, found[0].end) == (0, len(value)) and says_more(found[0], data_class):
            return self.token(found[0].data_class, found[0].canonical, value)
        return self.token(data_class, canonical, value)

    def text(self, text: str, reference: bool = False, depth: int = 0, hint: Optional[str] = None) -> Optional[str]:
        """Return a text with everything sensitive in it replaced, or None when nothing is.

        ``reference`` and ``hint`` say what the field's name says: digits are no person's, values are of this class.
        """
        if len(text) < MIN_LENGTH or (hint is None and DULL.fullmatch(text)):
            return None
        if self.silent and depth == 0 and not spoken(text, hint):
            self.spent += work.most(text)
            return None
        room = work.MAX_WORK - self.spent
        if room <= 0:
            return self._unseen(len(text))
        units = work.cost(text, self.strict)
        if units > room:
            end = place_to_cut(text, len(text) * room * 3 // (units * 4))
            head = text[:end]
            redacted = self.text(head, reference, depth, hint) if head else None
            self.spent = work.MAX_WORK
            return (head if redacted is None else redacted) + self._unseen(len(text) - end)
        self.spent += units
        if depth < self.limits.nested:
            undone = self._undo(text, reference, depth, hint)
            if undone is not None:
                return undone
        if "~" in text and TOKEN.search(text):
            return self._between_tokens(text, reference, depth, hint)
        spans = list(self._found(text, reference, hint))
        if "=" in text or ":" in text:
            spans += list(self._assignments(text, Taken(spans)))
        if depth < self.limits.nested:
            spans += list(self._encoded(text, Taken(spans), depth))
        return splice(text, spans) if spans else None

    def _affords(self, units: int) -> bool:
        """Count work; return whether it may be done."""
        self.spent += units
        return self.spent <= work.MAX_WORK

    def _unseen(self, count: int) -> str:
        self.skipped += count
        return work.unseen(count)

    def _rest(self, text: str, start: int) -> Span:
        """Leave the rest of a text unseen."""
        return Span(start, len(text), self._unseen(len(text) - start))

    def _found(self, text: str, reference: bool, hint: Optional[str]) -> Iterator[Span]:
        """Find what shows itself by its shape, by a check, or by telling words before it."""
        for match in scan(text, reference=reference, strict=self.strict, hint=hint):
            if not self._affords(work.PER_MATCH):
                yield self._rest(text, match.start)
                return
            yield self._span(match, text)

    def _span(self, match: Match, text: str) -> Span:
        raw = text[match.start : match.end]
        return Span(match.start, match.end, self.token(match.data_class, match.canonical, raw))

    def _between_tokens(self, text: str, reference: bool, depth: int, hint: Optional[str]) -> Optional[str]:
        """Redact what stands around tokens; a token is never matched again."""
        pieces: List[str] = []
        changed, position = False, 0
        for token in TOKEN.finditer(text):
            self._meet(token.group())
            piece = text[position : token.start()]
            redacted = self.text(piece, reference, depth, hint)
            changed = changed or redacted is not None
            pieces += [piece if redacted is None else redacted, token.group()]
            position = token.end()
        piece = text[position:]
        redacted = self.text(piece, reference, depth, hint)
        pieces.append(piece if redacted is None else redacted)
        return "".join(pieces) if changed or redacted is not None else None

    def _undo(self, text: str, reference: bool, depth: int, hint: Optional[str]) -> Optional[str]:
        """Look below one more encoding; return the redacted text in that encoding, or None."""
        for inner, encoded in layers(text):
            found = self.text(inner, reference, depth + 1, hint)
            if found is not None:
                return encoded(found)
        return None

    def _assignments(self, text: str, taken: Taken) -> Iterator[Span]:
        end = 0
        for name in ASSIGNED.finditer(text):
            if name.start() < end or not TELLING.search(name[1]):
                continue
            if not self._affords(work.PER_KNOWN_NAME if name[1] in self._names else work.PER_NAME):
                yield self._rest(text, name.start())
                return
            self._names.add(name[1])
            value = VALUE.match(text, name.end())
            data_class = evidence(name[1]).data_class if value else None
            if value is None or data_class is None:
                continue
            start, end = value.span(value.lastindex or 0)
            if taken.overlaps(start, end):
                continue
            shown = text[start:end]
            prose = value.lastindex == 3 and name[2] not in ("=", ":") and shown.isalpha()
            refined = None if prose or is_token(shown) else refine(data_class, shown)
            if refined is not None:
                yield Span(start, end, self._named(refined, shown))

    def _encoded(self, text: str, taken: Taken, depth: int) -> Iterator[Span]:
        """Find base64 that holds something sensitive; the whole run becomes one token."""
        for match in BASE64.finditer(text):
            run = match.group()
            if run == run.lower() or not BASE64_TEXT.search(run) or taken.overlaps(*match.span()):
                continue
            if not self._affords(work.PER_RUN):
                yield self._rest(text, match.start())
                return
            for inner in unbase64(run):
                found = self._decoded(inner, depth + 1)
                if found is not None:
                    token = found if is_token(found) else self._blob(found, run)
                    yield Span(match.start(), match.end(), token)
                    break

    def _decoded(self, inner: str, depth: int) -> Optional[str]:
        nested = self._embedded(inner, _NO_LEAF, {}, depth, forms=True)
        if nested is not None:
            return nested if nested != inner else None
        return self.text(inner, False, depth)

    def _blob(self, found: str, run: str) -> str:
        token = TOKEN.search(found)
        if token is None and self.spent >= work.MAX_WORK:
            return work.unseen(len(run))
        return self.token(class_of(token.group()) if token else "secret.token", run)

    def _embedded(
        self, value: str, leaf: Leaf, fields: Dict[str, FieldSeen], depth: int, *, forms: bool
    ) -> Optional[str]:
        """Redact a document inside a string (JSON, GraphQL, XML, or a form where ``forms``); None when it is none."""
        if depth >= self.limits.nested or self.spent > work.MAX_WORK:
            return None
        document = embedded(value, leaf.name, self.limits, label, forms=forms)
        if document is None:
            return None
        self.spent += work.PER_FIELD * len(document.leaves)  # their names were looked at
        inner = Place(0, leaf.path, leaf.name, leaf.parent).take(document)
        return document.render(self._leaves(inner, fields, depth + 1))

    @contextmanager
    def _apart(self) -> Iterator[None]:
        """Count what is found inside the ``with`` block for its own fields only."""
        outer, self._seen = self._seen, None
        try:
            yield
        finally:
            self._seen = outer
