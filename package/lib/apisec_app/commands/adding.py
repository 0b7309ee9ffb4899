"""Streaming commands that leave records as they came, add fields to them, and drop some.

The SDK takes each record apart into a dict and puts it together again, field by field, in Python; that is nearly all
that such a command costs. Here a record stays the row of CSV that it came as, and the new fields are put behind it.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Dict, List, Optional

from splunklib.searchcommands.internals import CsvDialect

from .chunks import ByLine, Chunk, lines

Row = List[str]
# Gives the cells of the new fields for a row; None drops the row.
Judge = Callable[[Row], Optional[Sequence[str]]]
_MV = "__mv_"
_ITEM = re.compile(r"\$((?:[^$]|\$\$)*)\$(?:;|\Z)")


def cells(values: Sequence[Any]) -> List[str]:
    """Return the CSV cells of field values, two each: the value, and the form of a multivalue (empty for one value).

    Lists are multivalues, in the encoding of Splunk's results: ``$a$;$b$``, a dollar doubled.
    """
    found: List[str] = []
    for value in values:
        listed = [str(one) for one in value] if isinstance(value, (list, tuple)) else [str(value)]
        found.append("\n".join(listed))
        several = len(listed) > 1
        found.append(";".join("$" + one.replace("$", "$$") + "$" for one in listed) if several else "")
    return found


def header_of(names: Sequence[str]) -> List[str]:
    """Return the header of fields, with the column for multivalues behind each."""
    return [column for name in names for column in (name, _MV + name)]


class Columns:
    """Where the fields of a chunk stand."""

    def __init__(self, header: Sequence[str]) -> None:
        self.places: Dict[str, int] = {name: place for place, name in enumerate(header)}

    def __contains__(self, name: str) -> bool:
        return name in self.places

    def record(self, row: Row) -> Dict[str, Any]:
        """Return a row as the SDK would: a dict, with lists for multivalues."""
        found: Dict[str, Any] = {}
        for name, place in self.places.items():
            if name.startswith(_MV):
                if row[place]:
                    found[name[len(_MV) :]] = _decoded(row[place])
            elif name not in found:
                found[name] = row[place]
        return found


def _decoded(text: str) -> List[str]:
    """Read ``$a$;$b$``; a doubled dollar is one."""
    return [one.replace("$$", "$") for one in _ITEM.findall(text)]


class Adding(ByLine):
    """For a class of the SDK's streaming commands, before it among the bases.

    The class gives ``added``, the names of the new fields, and ``judge``, which is asked once for each chunk.
    """

    added: Sequence[str] = ()

    def judge(self, columns: Columns) -> Judge:
        raise NotImplementedError

    def stream(self, _records: Iterator[Any]) -> Iterator[Any]:
        """The SDK asks for it; with ``chunked = true`` in commands.conf it is not called."""
        raise RuntimeError("this command reads chunks: commands.conf needs chunked = true")

    def _execute_chunk_v2(self: Any, _process: Any, chunk: Chunk) -> None:
        _, body = chunk
        reader = csv.reader(lines(body), dialect=CsvDialect)
        header = next(reader, None)
        if header is None:
            return
        self._pass(header, reader)
        body.clear()  # the SDK's loop holds the chunk while it reads the next

    def _pass(self: Any, header: List[str], rows: Iterator[Row]) -> None:
        """Write what the rows become into the SDK's buffer, which it sends as the answer to the chunk."""
        judge = self.judge(Columns(header))
        new = header_of(self.added)
        kept = [place for place, name in enumerate(header) if name not in new]
        writer = self._record_writer
        writer._fieldnames = [header[place] for place in kept] + list(self.added)
        writer._writer.writerow([header[place] for place in kept] + new)
        whole = len(kept) == len(header)
        count = 0
        for row in filter(None, rows):
            more = judge(row)
            if more is not None:
                count += 1
                writer._writer.writerow([*row, *more] if whole else [*(row[place] for place in kept), *more])
        writer._pending_record_count += count
