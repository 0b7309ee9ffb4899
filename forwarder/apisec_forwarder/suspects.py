"""Finds the one transaction over which a worker dies, and has it go out without its bodies.

A fault in a native library ends the process, not the transaction; the successor reads the same input again and would
die again. After two such deaths the supervisor starts the worker with ``--careful``: then each transaction is noted in
a file before it is analysed. Who finds a note at the start knows over what the one before died.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path

from apisec.model.transaction import Body, Transaction
from apisec_forwarder.files import write_private

CAREFUL_TRANSACTIONS = 2000  # after so many without a death, full speed again


class Suspects:
    """``careful`` says whether transactions are noted; ``found`` counts those that went out reduced or not at all."""

    def __init__(self, path: Path, *, careful: bool) -> None:
        self._path = path
        self._left = CAREFUL_TRANSACTIONS if careful else 0
        self._last = _load(path) if careful else {}
        self.found = 0

    @property
    def careful(self) -> bool:
        return self._left > 0

    @contextlib.contextmanager
    def noted(self, transaction: Transaction) -> Iterator[Transaction | None]:
        """Note it, and give it as it may be analysed: whole, without bodies, or (None) not at all."""
        died = self._last.get("id") == transaction.id
        again = died and bool(self._last.get("stripped"))
        note = {"version": 1, "id": transaction.id, "stripped": died}
        if died:
            self.found += 1
        with contextlib.suppress(OSError):  # a full disk; then the next one learns nothing
            write_private(self._path, json.dumps(note).encode(), durable=False)
        yield None if again else _stripped(transaction) if died else transaction
        if died:
            self._last = {}
        self._left -= 1

    def settled(self) -> None:
        """The batch is through: nobody is under suspicion."""
        if not self._last:
            self._path.unlink(missing_ok=True)


def _stripped(transaction: Transaction) -> Transaction:
    """Return it without what was captured of its bodies; their sizes tell the gap."""
    request, response = transaction.request, transaction.response
    request = dataclasses.replace(request, body=Body(b"", request.body.size))
    if response is not None:
        response = dataclasses.replace(response, body=Body(b"", response.body.size))
    return dataclasses.replace(transaction, request=request, response=response)


def _load(path: Path) -> dict[str, object]:
    try:
        document = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return document if isinstance(document, dict) else {}
