"""What one operation's messages differ by, what is noise, and one kind of messages with what is documented of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from apisec.endpoints.inventory.messages import Message
from apisec.openapi.drift import LOW
from apisec.openapi.model import Content


@dataclass(frozen=True)
class Limits:
    """What is noise. Shares are of the messages of one kind."""

    min_times: int = 3
    min_share: float = 0.001
    min_sensitive: int = 2  # messages with sensitive data in a field that is not documented
    min_messages: int = 200  # before something is called never seen
    max_lacking: float = 0.02  # share of messages that may lack what is required
    max_fields: int = 50  # differences of one kind that are told of one message

    def counts(self, times: int, messages: int) -> bool:
        return times >= self.min_times and times >= self.min_share * messages

    def lacking(
        self, what: str, location: str, path: str, status: str, present: int, messages: int
    ) -> Iterator[Difference]:
        """Yield what is told of something required that is in ``present`` of ``messages``."""
        lacking = messages - present
        if lacking > self.max_lacking * messages and lacking >= self.min_times:
            text = f"{lacking} of {messages} messages lack {what} {path}."
            yield Difference(
                "missing_required", LOW, text, location, path, status, expected="required", count=lacking,
                messages=messages,
            )  # fmt: skip


@dataclass
class Difference:
    """A drift of one operation, without what is the same for all of them. ``about`` tells equal ones apart."""

    kind: str
    severity: str
    reason: str
    location: str = ""
    field: str = ""
    status: str = ""
    expected: str = ""
    seen: str = ""
    about: str = ""
    count: int = 0
    messages: int = 0
    classes: Sequence[str] = ()


class Side(NamedTuple):
    """A message, what is documented of it, and its status ("" for the request)."""

    message: Message
    content: Content
    status: str

    @property
    def where(self) -> str:
        return f"answers of {self.status}" if self.status else "requests"
