"""A document and its parts by URL: asked for by what is known of them, and read anew when one of them changed."""

from __future__ import annotations

from typing import Dict, List, NamedTuple, Optional, Tuple

from .fetch import Fetched, Fetcher, FetchError, Source, Validators
from .parts import gather
from .urls import Url, checked, joined

_GONE = (404, 410)
ROOT = ""  # how the document itself is called among the files: its URL may hold a key, and is the input's own

# Each file that the document was made of, with what the server said of its version.
Files = Tuple[Tuple[str, Validators], ...]


class Document(NamedTuple):
    """``text`` is None when nothing changed. Without ``files`` nothing can be asked for by what is known."""

    text: Optional[str]
    files: Files


def read(source: Source, known: Files) -> Document:
    """Return a document as it is published now. FetchError, DocumentError and LimitExceeded name URL and remedy."""
    fetcher = Fetcher(source)
    there: Dict[str, Fetched] = {}
    if known and all(validators.headers() for _, validators in known) and _unchanged(fetcher, source, known, there):
        return Document(None, known)
    return _Reading(fetcher, source, there).document()


def _unchanged(fetcher: Fetcher, source: Source, known: Files, there: Dict[str, Fetched]) -> bool:
    """Ask for each file until one is another than before, which is kept in ``there``."""
    for name, validators in known:
        url = checked(name) if name else source.url
        if not url.same_origin(source.url):
            return False
        try:
            found = fetcher.get(url, validators)
        except FetchError as error:
            if name and error.status in _GONE:
                return False
            raise
        if found.text is not None:
            there[url.text] = found
            return False
    return True


class _Reading:
    """The files of one document, fetched without conditions."""

    def __init__(self, fetcher: Fetcher, source: Source, there: Dict[str, Fetched]) -> None:
        self._fetcher = fetcher
        self._source = source
        self._there = there
        self._files: List[Tuple[str, Validators]] = []
        self._lacks = False

    def document(self) -> Document:
        first = self._get(self._source.url, ROOT)
        text = gather(first.url.text, first.text or "", self._part, self._beside, _shown)
        # What was not there may be there the next time, and no file's version would tell.
        return Document(text, () if self._lacks else tuple(self._files))

    def _get(self, url: Url, name: str) -> Fetched:
        found = self._there.get(url.text) or self._fetcher.get(url)
        self._files.append((name, found.validators))
        return found

    def _part(self, name: str) -> Optional[str]:
        try:
            return self._get(checked(name), name).text
        except FetchError as error:
            if error.status not in _GONE:
                raise
            self._lacks = True
            return None

    def _beside(self, name: str, reference: str) -> Optional[str]:
        """Only files of the same server are read."""
        try:
            url = joined(checked(name), reference)
        except ValueError:
            return None
        return url.text if url.same_origin(self._source.url) else None


def _shown(name: str) -> str:
    return checked(name).shown
