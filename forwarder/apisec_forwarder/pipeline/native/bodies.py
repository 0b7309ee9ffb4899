"""JSON bodies as they are on the wire: decoded by orjson, walked by plans, scanned once; the text is never rebuilt.

What this does not cover raises ``NotHere``, and the core reads the body: members that stand twice, names that need a
label, values that stand where a replacement cannot be placed with certainty.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from functools import lru_cache

import orjson

from apisec.classification.names import NOTHING
from apisec.redaction.encodings import integral
from apisec.redaction.fields import wider
from apisec.redaction.redactor import Redactor
from apisec.redaction.work import LONG, PER_FIELD, cost, of_json
from apisec_forwarder.pipeline.native.asking import Answer, Asker, take
from apisec_forwarder.pipeline.native.gate import Gate
from apisec_forwarder.pipeline.native.plans import Kinds, Member, NotHere, Tree
from apisec_forwarder.pipeline.native.walk import Reading, read

MAX_BYTES = 512 * 1024  # larger bodies are rare and left to the core
MAX_LEAVES = 15_000
MAX_FOUND = 250  # values of a body that the gate found: each may cost the core .2 ms
MAX_TOLD = 1_500  # values under telling names: some microseconds each
MAX_SEARCHED = 20_000_000  # bytes that are searched to replace values, the body once for each
MAX_DIGITS = 18  # of a number that fits into 64 bits in any case
MIN_WHOLE = 12  # digits of a whole number that is asked in balanced mode (``Redactor.leaf``)

ANYWHERE = Member("", "", "", NOTHING, None, None)  # a value whose place is not known yet
_NUMBER = re.compile(rb"-?[0-9][0-9.eE+-]*")
_NUMBER_CHARACTERS = b"0123456789.eE+-"


class Section:
    """A body that was read: redacted text, fields with their classes, ids of objects, and values for echoes.

    ``kinds`` is shared and not to be changed; ``hay`` are decoded values as they are shown, where the text has escapes.
    """

    __slots__ = ("classes", "hay", "kinds", "objects", "text")

    def __init__(
        self, text: str, kinds: Kinds, classes: Mapping[str, set[str]], objects: list[tuple[str, str]], hay: str
    ) -> None:
        self.text = text
        self.kinds = kinds
        self.classes = classes
        self.objects = objects
        self.hay = hay


class Found:
    """What the core said of a body's values."""

    __slots__ = ("classes", "nested")

    def __init__(self) -> None:
        self.classes: dict[str, set[str]] = {}  # of the paths that have any
        self.nested: dict[str, str] = {}  # paths and kinds inside of strings

    def note(self, member: Member, answer: Answer) -> None:
        """Take an answer's classes and fields."""
        if answer.classes:
            self.classes.setdefault(member.path, set()).update(answer.classes)
        for path, nested, classes in answer.fields:
            before = self.nested.get(path)
            self.nested[path] = nested if before is None else wider(before, nested)
            if classes:
                self.classes.setdefault(path, set()).update(classes)

    def kinds(self, plain: Kinds) -> Kinds:
        """Return all fields with their kinds."""
        if not self.nested:
            return plain
        merged = {**plain, **self.nested}
        return Kinds({path: merged[path] for path in sorted(merged)})


def load(data: bytes, tree: Tree) -> Reading:
    """Read a JSON text; NotHere when it is none, or one that Python reads in its own way."""
    size = len(data)
    if size > MAX_BYTES or (size > MAX_LEAVES and data.count(b",") > MAX_LEAVES):
        raise NotHere
    try:
        document = orjson.loads(data)
    except ValueError:
        raise NotHere from None
    reading = read(tree, document)
    check(data, reading)
    return reading


def check(data: bytes, reading: Reading) -> None:
    """Raise NotHere when a member stands twice: the text has more strings than the document."""
    quotes = data.count(b'"') - 2 * reading.quotes  # of members that stand twice, and escaped ones
    if quotes and (b"\\\\" in data or quotes != data.count(b'\\"')):
        raise NotHere


class Bodies:
    """Reads bodies of one mode (balanced or strict)."""

    def __init__(self, asker: Asker, text_gate: Gate, number_gate: Gate) -> None:
        self._asker = asker
        self._text = text_gate
        self._long = number_gate

    def long_numbers(self, data: bytes) -> bool:
        """Return whether there may be a long number in some JSON texts, which stand in lines of their own."""
        return bool(self._long.hits(data))

    def numbers(self, data: bytes, reading: Reading) -> None:
        """Ask about long numbers; NotHere when the core finds something in one that has no telling name."""
        hits = self._long.hits(data)
        if not hits:
            return
        written = self._written(data, [end for _, end in hits])
        shown = [integral(text) for text in written]
        hit = {index for _, index in self._text.places(shown)} if shown else set()
        found = {written[i] for i in hit if not is_nothing(self._asker.ask(ANYWHERE, _kind(written[i]), written[i]))}
        if found:
            self._ask_numbers(reading, found)

    def _written(self, data: bytes, ends: Iterable[int]) -> list[str]:
        """Return the numbers in which some places stand, as they are written; those in strings are none."""
        if b"\\" in data:
            data = data.replace(b'\\"', b"''")  # so that quotes tell what is text
        found: dict[int, str] = {}
        quotes = at = 0
        for end in ends:
            quotes += data.count(b'"', at, end)
            at = end
            start = end - 1
            while start > 0 and data[start - 1] in _NUMBER_CHARACTERS:
                start -= 1
            match = None if quotes % 2 or start in found else _NUMBER.match(data, start)
            if match is None:
                continue
            text = match.group().decode()
            whole = text.lstrip("-").isdigit()
            if whole and len(text) > MAX_DIGITS:
                raise NotHere  # orjson reads it as a float
            if not whole or len(text) >= MIN_WHOLE or self._asker.strict:
                found[start] = text
        return list(found.values())

    def finish(
        self,
        data: bytes,
        reading: Reading,
        found: list[tuple[Member, str]],
        hit: set[str],
        redactor: Redactor,
        named: bool = False,
    ) -> Section:
        """Ask the core about values under telling names and those that the gate found; write the text.

        ``hit``: all values in which the gate found something, whatever their name. ``named``: objects' ids are wanted.
        """
        kinds = reading.tree.fields(reading.met)
        redactor.spent += PER_FIELD * len(kinds) + of_json(data) + self._long_texts(reading)  # no less than the core
        replaced: dict[str, dict[Member, str]] = {}  # value → place → what replaces it
        numbers: list[Member] = []
        shown: dict[str, str] = {}  # whole values, wherever they stand
        said = Found()
        if reading.asked or found:
            self._afford(data, reading, found)
            for member, value in reading.asked:
                if type(value) is str:
                    found.append((member, value))
                elif member not in numbers:
                    numbers.append(member)
            for member, value in found:
                answer = self._ask(member, "string", value, said, redactor, value not in hit)
                replaced.setdefault(value, {})[member] = value if answer is None else answer
            for member in numbers:
                data = self._numbers(data, member, reading, said, redactor)
            data = _written(data, replaced, Counter([value for _, value in found]), shown)
            kinds = said.kinds(kinds)
        objects = _objects(reading, replaced, numbers) if named and reading.named else []
        hay = "\0".join([shown.get(value, value) for value in reading.values()]) if b"\\" in data else ""
        return Section(data.decode(), kinds, said.classes, objects, hay)

    def _long_texts(self, reading: Reading) -> int:
        """Return what looking at long values costs, of which each is counted by what may stand in it."""
        longer = [texts for texts in reading.texts if max(map(len, texts), default=0) > LONG]
        return sum([cost(value, self._asker.strict) for texts in longer for value in texts if len(value) > LONG])

    @staticmethod
    def _afford(data: bytes, reading: Reading, found: list[tuple[Member, str]]) -> None:
        """Raise NotHere when so much is to be asked or replaced that the core's budget has to decide."""
        texts = {value for _, value in reading.asked if type(value) is str}.union([value for _, value in found])
        if len(found) > MAX_FOUND or len(reading.asked) > MAX_TOLD or len(texts) * len(data) > MAX_SEARCHED:
            raise NotHere

    def _ask(
        self, member: Member, kind: str, value: str, said: Found, redactor: Redactor, silent: bool = False
    ) -> str | None:
        answer = self._asker.ask(member, kind, value, silent)
        take(redactor, answer)
        said.note(member, answer)
        return answer.replacement

    def _numbers(self, data: bytes, member: Member, reading: Reading, said: Found, redactor: Redactor) -> bytes:
        """Replace numbers under a telling name, which are asked as they are written."""
        pattern = _number_of(member.name)
        written = [match.group(2).decode() for match in pattern.finditer(data)]
        places = [m for m, v in reading.asked if type(v) is not str and m.name == member.name]
        if len(written) != len(places) or any(m is not member for m in places):
            raise NotHere  # the name stands elsewhere too, or is escaped
        answers = [self._ask(member, _kind(text), text, said, redactor) for text in written]
        if not any(answers):
            return data
        following = iter(answers)

        def splice(match: re.Match[bytes]) -> bytes:
            answer = next(following)
            return match.group() if answer is None else match.group(1) + orjson.dumps(answer)

        return pattern.sub(splice, data)

    def _ask_numbers(self, reading: Reading, texts: set[str]) -> None:
        """Ask about numbers that the core may find something in; NotHere when it does under their own names."""
        numbers = reading.numbers()
        known = {str(value) for _, value in numbers}
        if not texts <= known:
            raise NotHere  # written in another way than Python writes them
        for member, value in numbers:
            text = str(value)
            if text in texts and not member.telling:
                kind = "integer" if type(value) is int else "number"
                if not is_nothing(self._asker.ask(member, kind, text)):
                    raise NotHere


def is_nothing(answer: Answer) -> bool:
    """Return whether the core found nothing at all in a value, under any name."""
    return answer.replacement is None and not answer.classes and not answer.fields


def _kind(text: str) -> str:
    """Return the kind of a number as it is written."""
    return "integer" if text.lstrip("-").isdigit() else "number"


def _written(
    data: bytes, replaced: Mapping[str, Mapping[Member, str]], counts: Mapping[str, int], shown: dict[str, str]
) -> bytes:
    """Replace values wherever they stand, and tell ``shown``.

    NotHere when one stands at a place that was not asked, or answers differ.
    """
    for value, by_place in replaced.items():
        answers = set(by_place.values())
        if answers != {value}:
            pieces = data.split(b'"' + value.encode() + b'"')
            if len(answers) != 1 or len(pieces) != counts[value] + 1:
                raise NotHere
            (answer,) = answers
            data = orjson.dumps(answer).join(pieces)
            shown[value] = answer
    return data


@lru_cache(maxsize=1024)
def _number_of(name: str) -> re.Pattern[bytes]:
    return re.compile(rb'("' + re.escape(name.encode()) + rb'"[ \t\n\r]*:[ \t\n\r]*)(-?[0-9][0-9.eE+-]*)')


def _objects(reading: Reading, replaced: dict[str, dict[Member, str]], numbers: list[Member]) -> list[tuple[str, str]]:
    """Return the names and shown values of objects' ids, sorted, each once."""
    found: set[tuple[str, str]] = set()
    for member, value in reading.named:
        if member in numbers:
            raise NotHere  # an id under a name that says a class: its written form is what is shown
        text = value if type(value) is str else str(value)
        found.add((member.object_name or "", replaced.get(text, {}).get(member, text)))
    return sorted(found)
