"""Kinds of options that several commands take."""

from __future__ import annotations

from typing import List, Optional

from splunklib.searchcommands import validators

from .unique import pack, unpack


class Duplicates(validators.Validator):  # type: ignore[misc]
    """Ids, as a run with ``unique=true`` gives them in ``apisec_duplicates``."""

    def __call__(self, value: Optional[str]) -> Optional[List[int]]:
        return None if value is None else unpack(str(value))

    def format(self, value: Optional[List[int]]) -> Optional[str]:
        return None if value is None else pack(value)
