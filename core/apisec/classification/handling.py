"""What an operation handles, from the verdicts on its fields: a level, and flags such as *handles PCI data*."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Dict, Iterator, List, Mapping, NamedTuple, Optional, Tuple

from apisec.classification import levels
from apisec.classification.evidence import SURE
from apisec.classification.verdict import OVERRIDE, Verdict, related

if TYPE_CHECKING:
    from apisec.endpoints.inventory import OperationStats
    from apisec.endpoints.inventory.messages import Message


class Flag(NamedTuple):
    """Something that an operation does with data. ``certain`` is False where it was seen too rarely to be sure."""

    name: str
    text: str
    certain: bool
    fields: Tuple[str, ...]


@dataclass(frozen=True)
class OperationClass:
    """What an operation handles: its level, flags, the classes that count, and how many fields contradict overrides.

    ``sure`` says that at least SURE messages stand behind it, and that they were read whole.
    """

    level: str
    flags: Tuple[Flag, ...]
    classes: Tuple[str, ...]
    sure: bool
    conflicts: int

    def row(self) -> Dict[str, object]:
        return {
            "level": self.level,
            "sure": self.sure,
            "flags": [flag.text for flag in self.flags],
            "classes": list(self.classes),
            "conflicts": self.conflicts,
        }


# name: (text, and text where it was only seen)
FLAGS: Mapping[str, Tuple[str, str]] = {
    "pci": ("handles PCI data", "PCI data seen"),
    "ssn": ("handles SSNs", "SSN seen"),
    "national_id": ("handles national identity numbers", "national identity number seen"),
    "health": ("handles health data", "health data seen"),
    "credentials_in_response": ("credentials in a response", "credential seen in a response"),
    "credentials_in_url": ("credentials in a URL", "credential seen in a URL"),
}
MAX_FLAG_FIELDS = 20


def summary(found: List[Verdict], stats: Optional[OperationStats] = None) -> OperationClass:
    """Return what the verdicts of one operation make of it. A name alone, without a value, handles no data.

    With ``stats`` an operation of few messages, or of bodies that could not be read, is not called public.
    """
    asked = [one.level for one in found if one.carried]
    if any(one.seen for one in found):
        asked.append(levels.INTERNAL_LEVEL)
    sure = _is_sure(stats) if stats is not None else any(one.sure for one in found)
    if not sure:
        asked.append(levels.INTERNAL_LEVEL)
    return OperationClass(
        level=levels.highest(asked),
        flags=tuple(_flags(found)),
        classes=tuple(sorted({name for one in found for name in one.carried})),
        sure=sure,
        conflicts=sum(one.conflict is not None for one in found),
    )


def _is_sure(stats: OperationStats) -> bool:
    return all(_read(message) for _, message in stats.messages() if message.count) and stats.count >= SURE


def _read(message: Message) -> bool:
    """Whether the most messages of a kind were analysed to their end."""
    return 2 * message.partial < message.count


def _flags(found: List[Verdict]) -> Iterator[Flag]:
    for name, (certain_text, seen_text) in FLAGS.items():
        certain = [one for one in found if any(_raises(name, one, data_class) for data_class in one.carried)]
        shown = certain or [
            one for one in found if one.source != OVERRIDE and any(_raises(name, one, seen) for seen in one.seen)
        ]
        if shown:
            fields = tuple([f"{one.message} {one.location} {one.path}" for one in shown[:MAX_FLAG_FIELDS]])
            yield Flag(name, certain_text if certain else seen_text, bool(certain), fields)


def _raises(flag: str, one: Verdict, data_class: str) -> bool:
    """Whether a class in a field raises a flag."""
    if flag == "pci":
        return data_class in ("pci.pan", "pci.cvv", "pci.track")
    if flag == "ssn":
        return data_class in ("pii.ssn", "pii.itin")
    if flag == "national_id":
        return related("pii.national_id", data_class)
    if flag == "health":
        return data_class.startswith("health.")
    if not data_class.startswith("secret.") or levels.is_own_credential(data_class, one.location):
        return False
    return one.message != "request" if flag == "credentials_in_response" else one.location in ("query", "path")
