"""What is under way: a batch of the spool, and the parts of it that travel in one request each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from apisec_forwarder.exporters.trim import fit
from apisec_forwarder.spool import Span, SpoolReader


@dataclass(eq=False)
class Flight:
    """A batch of the spool under way; ``open`` parts of it are not done yet."""

    span: Span
    taken: float  # when it was taken out of the spool, by the shipper's clock
    open: int = 0


@dataclass(eq=False)
class Part:
    """Envelopes of one flight and one route. While it waits for its acknowledgement, only their places are kept."""

    flight: Flight
    route: str
    places: Sequence[int]  # in the batch
    limit: int  # bytes of one event; a larger one is cut down
    envelopes: tuple[bytes, ...] | None = None
    channel: str = ""
    ack_id: int | None = None
    deadline: float = 0.0
    not_before: float = 0.0
    resent: bool = False
    trimmed: int = 0

    def load(self, reader: SpoolReader) -> bool:
        """Have the envelopes in memory; False when the cap of the spool has dropped them meanwhile."""
        if self.envelopes is None:
            whole = reader.reread(self.flight.span)
            if whole is None or not self.places or self.places[-1] >= len(whole):
                return False
            self.envelopes = tuple(self._fitted(whole[place]) for place in self.places)
        return True

    def keep(self, batch: Sequence[bytes]) -> None:
        """Take the envelopes out of the batch as it was read."""
        self.envelopes = tuple(self._fitted(batch[place]) for place in self.places)

    def drop(self) -> None:
        """Free the memory; ``load`` reads them again."""
        self.envelopes = None

    def rest(self, first: int) -> None:
        """Go on from the envelope at ``first``: those before it are settled."""
        assert self.envelopes is not None
        self.places, self.envelopes = self.places[first:], self.envelopes[first:]

    def halves(self) -> Iterator[Part]:
        assert self.envelopes is not None
        middle = len(self.places) // 2
        for places, envelopes in (
            (self.places[:middle], self.envelopes[:middle]),
            (self.places[middle:], self.envelopes[middle:]),
        ):
            yield Part(self.flight, self.route, places, self.limit, envelopes, resent=self.resent)

    def shrink(self) -> bool:
        """Cut a part's only event down to half of what it is; False when nothing more can go."""
        assert self.envelopes is not None
        (envelope,) = self.envelopes
        smaller = fit(envelope, len(envelope) // 2)
        if smaller is None:
            return False
        self.limit = min(self.limit, len(smaller))
        self.envelopes = (smaller,)
        self.trimmed += 1
        return True

    def _fitted(self, envelope: bytes) -> bytes:
        if len(envelope) <= self.limit:
            return envelope
        smaller = fit(envelope, self.limit)
        if smaller is None:
            return envelope  # HEC may take it all the same; otherwise it goes to the dead letters
        self.trimmed += 1
        return smaller
