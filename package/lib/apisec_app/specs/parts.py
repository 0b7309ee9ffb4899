"""One document made of a file and of those that it names, wherever they are read from."""

from __future__ import annotations

import json
from typing import Any, Callable, Dict, List, Optional, Set

from apisec.errors import LimitExceeded
from apisec.openapi.parts import MAX_PARTS, Beside, files_of, one_document

from .text import parse, parse_part


def gather(
    name: str, text: str, read: Callable[[str], Optional[str]], beside: Beside, shown: Callable[[str], str]
) -> str:
    """Return the text of one document; that of the file itself when it names no other.

    ``read`` gives a file's text, None for one that is not there: references to it stay as they are, and reading the
    document warns of them. Raises DocumentError and LimitExceeded, and what ``read`` raises.
    """
    documents: Dict[str, Any] = {name: parse(text, shown(name))}
    missing: Set[str] = set()
    waiting: List[str] = [name]
    while waiting:
        here = waiting.pop(0)
        for file in files_of(documents[here], shown(here)):
            target = beside(here, file)
            if target is None or target in documents or target in missing:
                continue
            if len(documents) + len(missing) > MAX_PARTS:
                raise LimitExceeded(f"{shown(name)}: more than {MAX_PARTS} other files: bundle them into one")
            found = read(target)
            if found is None:
                missing.add(target)
            else:
                documents[target] = parse_part(found, shown(target))
                waiting.append(target)
    return text if len(documents) == 1 else json.dumps(one_document(documents, beside))
