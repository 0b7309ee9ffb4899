"""Rows that pass through with fields added: as the SDK reads and writes them, whatever stands in them."""

from __future__ import annotations

import csv
import io
from typing import Any

from apisec_app.commands.adding import Columns, cells, header_of
from hypothesis import given
from hypothesis import strategies as st
from splunklib.searchcommands.internals import RecordWriterV2

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\x00"), max_size=8)
VALUES = st.one_of(TEXT, st.lists(st.one_of(TEXT, st.sampled_from(["$", "$;$", ";", "\n"])), min_size=2, max_size=4))


def as_the_sdk_writes(record: dict[str, Any]) -> tuple[list[str], list[str]]:
    writer = RecordWriterV2(io.BytesIO())
    writer.write_record(record)
    header, row = csv.reader(io.StringIO(writer._buffer.getvalue(), newline=""))
    return header, row


@given(st.dictionaries(st.sampled_from(["a", "b", "c"]), VALUES, min_size=1))
def test_cells_are_those_of_the_sdk(record: dict[str, Any]) -> None:
    header, row = as_the_sdk_writes(record)
    assert (header_of(list(record)), cells(list(record.values()))) == (header, row)


@given(st.dictionaries(st.sampled_from(["a", "b", "c"]), VALUES, min_size=1))
def test_a_row_is_read_as_it_was_written(record: dict[str, Any]) -> None:
    found = Columns(header_of(list(record))).record(cells(list(record.values())))
    assert found == record
