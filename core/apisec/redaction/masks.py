"""What stands for values where no key is: masks. They say a value's class and nothing of the value.

A token needs the forwarder's key, which Splunk does not have, so that text which came in by other ways is shown with
``<pci.pan>`` in place of a card's number. Equal values give equal masks: nothing can be counted or joined by one.
Tokens that a forwarder made stay as they are, and count.
"""

from __future__ import annotations

import html
from dataclasses import dataclass
from functools import lru_cache
from typing import Dict, Match, Union

from apisec.decoders import DECODERS, Document, Leaf, Limits, MediaType, decode_text
from apisec.errors import ApisecError
from apisec.redaction.echo import Echo
from apisec.redaction.keys import Key, KeyRing, Tokenizer
from apisec.redaction.labels import label
from apisec.redaction.redactor import Redactor
from apisec.redaction.tokens import DIGEST_BYTES, TOKEN, class_of
from apisec.redaction.work import unseen

MAX_TEXT = Limits().text  # characters of one value that are looked at
REMEMBERED = 256  # characters of a value whose answer is remembered: statuses, hosts, names of users
_ZERO = "0" * (2 * DIGEST_BYTES)
_NO_MEDIA = MediaType()
_NO_KEY = KeyRing(Key("00000000", "blake2b", b"\0" * 32, ""), ())


class Masker(Tokenizer):
    """Gives all values of a class the same token, in the place of which a mask is written at the end."""

    def __init__(self) -> None:
        super().__init__(_NO_KEY)

    def token(self, cls: str, value: Union[str, bytes]) -> str:  # noqa: ARG002 - a mask says nothing of the value
        return f"~{cls}~{_ZERO}~"


@dataclass(frozen=True)
class Masked:
    """What stands in a text: how many values of each class, and the text with masks in their place.

    ``skipped`` are characters that were not looked at; they are not shown either.
    """

    counts: Dict[str, int]
    text: str
    skipped: int = 0


NOTHING: Dict[str, int] = {}
_MASKER = Masker()


def masked(text: str, name: str = "", *, strict: bool = False) -> Masked:
    """Return what stands in the value of a field, whose name counts as evidence (``customer.card_number``).

    Without a name the text may be a whole event: JSON, XML, a form, or free text with pairs of names and values.
    """
    if len(text) <= REMEMBERED:
        return _remembered(text, name, strict)
    return _masked(text, name, strict)


def _masked(text: str, name: str, strict: bool) -> Masked:
    kept, rest = text[:MAX_TEXT], max(0, len(text) - MAX_TEXT)
    redactor = Redactor(_MASKER, strict=strict)
    document = _document(kept, name, truncated=rest > 0)
    part = redactor.part(document)
    tail = kept[document.end :]
    if rest:
        rest += len(tail)  # the last value may be cut in two
        tail = ""
    elif tail:  # a log writes on behind its JSON
        tail = redactor.text(tail) or tail
    if redactor.secrets:
        echo = Echo(redactor.secrets, kept)
        echo.part(part)
        tail = echo.text(tail)
    counts, shown = _counted(part.render() + tail, document.decoder.name == "xml")
    return Masked(counts, shown + unseen(rest) if rest else shown, rest + redactor.skipped)


_remembered = lru_cache(maxsize=16_384)(_masked)


def _document(text: str, name: str, truncated: bool) -> Document:
    """Return a text's document. What has a name is a value, and so is what can be read as nothing else."""
    if not name:
        try:
            return decode_text(text, _NO_MEDIA, Limits(), label, truncated=truncated)
        except (ApisecError, RecursionError):
            pass
    own, parent = names_of(name)
    plain = DECODERS["text"].decode(text, _NO_MEDIA, Limits(), label, truncated)
    leaves = [Leaf(name, own, parent, "string", text[: plain.end], 0, plain.end)] if text else []
    return Document(text, leaves, plain.end, plain.decoder, plain.incomplete)


def names_of(field: str) -> tuple[str, str]:
    """Return a Splunk field's own name and its parent's: ``customer.cards{}.number`` is ``number``, ``cards``."""
    parts = [part for part in field.replace("{}", "").replace("[]", "").split(".") if part]
    return (parts[-1] if parts else "", parts[-2] if len(parts) > 1 else "")


def _counted(rendered: str, escaped: bool) -> tuple[Dict[str, int], str]:
    """Count tokens by class, and write masks in the place of those that no forwarder made."""
    if "~" not in rendered:
        return NOTHING, rendered
    counts: Dict[str, int] = {}

    def mask(found: Match[str]) -> str:
        token = found.group()
        name = class_of(token)
        counts[name] = counts.get(name, 0) + 1
        if not token.endswith(f"~{_ZERO}~"):
            return token
        return html.escape(f"<{name}>") if escaped else f"<{name}>"

    return counts, TOKEN.sub(mask, rendered)
