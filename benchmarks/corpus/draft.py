"""A transaction being put together, with the labels of what is planted in it."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from benchmarks.corpus.split import Item


@dataclass(frozen=True)
class Label:
    """Where an item stands. ``path`` is the event's field path; None says that any field of that place may tell.

    ``shown`` is what a reader of the decoded message sees of it: the peers are given that.
    """

    side: str  # request or response
    place: str  # body, query, path, header, cookie
    path: str | None
    item: Item
    carrier: str
    scored: bool = True  # False: its field is not listed in an event, only the leak counts

    def document(self) -> dict[str, Any]:
        return {
            "side": self.side,
            "in": self.place,
            "path": self.path,
            "class": self.item.data_class,
            "value": self.item.value,
            "format": self.item.key,
            "name": "/".join(self.item.name),
            "stratum": self.item.stratum,
            "accept": list(self.item.accept),
            "strict": list(self.item.strict),
            "carrier": self.carrier,
            "scored": self.scored,
        }


@dataclass
class Message:
    """Headers and body of one side."""

    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""
    shown: str = ""  # the body as a reader sees it, decoded

    def document(self) -> dict[str, Any]:
        out: dict[str, Any] = {"headers": [list(pair) for pair in self.headers]}
        if self.body:
            try:
                out["body"] = self.body.decode("ascii")
            except UnicodeDecodeError:
                out["body"], out["body_encoding"] = base64.b64encode(self.body).decode(), "base64"
        return out


@dataclass
class Draft:
    """``segments`` and ``query`` are already encoded for the wire."""

    identifier: str
    time: float
    carrier: str = ""
    method: str = "POST"
    host: str = "api.example"
    segments: list[str] = field(default_factory=list)
    query: list[str] = field(default_factory=list)
    request: Message = field(default_factory=Message)
    response: Message = field(default_factory=Message)
    status: int = 200
    labels: list[Label] = field(default_factory=list)

    def label(self, side: str, place: str, path: str | None, item: Item, *, scored: bool = True) -> None:
        self.labels.append(Label(side, place, path, item, self.carrier, scored))

    def side(self, side: str) -> Message:
        return self.request if side == "request" else self.response

    def line(self) -> str:
        """Return the line that ``replay`` reads."""
        url = f"https://{self.host}/{'/'.join(self.segments)}" + (f"?{'&'.join(self.query)}" if self.query else "")
        document = {
            "id": self.identifier,
            "time": self.time,
            "client": {"address": "192.0.2.77", "port": 40000},
            "request": {"method": self.method, "url": url, **self.request.document()},
            "response": {"status": self.status, **self.response.document()},
            "duration": 12.5,
        }
        return json.dumps(document)

    def answers(self) -> str:
        """Return the labels, and the texts that a reader of the decoded message would look at for each."""
        texts: list[str] = []
        documents = []
        for label in self.labels:
            text = self._reading(label)
            if text not in texts:
                texts.append(text)
            documents.append({**label.document(), "text": texts.index(text)})
        return json.dumps({"id": self.identifier, "texts": texts, "labels": documents}, ensure_ascii=False)

    def _reading(self, label: Label) -> str:
        if label.path is not None:
            return f"{label.path}: {label.item.text}"
        if label.place == "body":
            return self.side(label.side).shown
        return unquote("/".join(self.segments)) if label.place == "path" else f"Authorization: {label.item.text}"
