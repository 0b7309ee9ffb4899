"""Reads the path of a request: its template, and its segments by the names that their places give them."""

from __future__ import annotations

import itertools
import re

from apisec.decoders import Limits, MediaType
from apisec.decoders.path import PathDecoder
from apisec.endpoints.templating import Templated, by_shape, is_parameter, segments_of
from apisec.redaction.redactor import Part, label
from apisec_forwarder.pipeline.state import Work

_STATIC_WORD = re.compile(r"[A-Za-z][A-Za-z_-]{0,39}")
_NO_MEDIA = MediaType()


def read_path(work: Work, limits: Limits) -> None:
    """Template the path and redact its segments, each by the name that its place gives it."""
    decoder = PathDecoder()
    plain = decoder.decode(work.target.path, _NO_MEDIA, limits, label, False)
    segments = [(i, leaf) for i, leaf in enumerate(plain.leaves) if leaf.kind == "string" and not leaf.path]
    raw = [leaf.value for _, leaf in segments]
    known = work.templates.match(raw)
    names = _names_by_template(known, len(raw)) if known else _names_by_place(raw)
    document = PathDecoder(names).decode(work.target.path, _NO_MEDIA, limits, label, False)
    part = work.path = work.redactor.part(document)
    if known:
        for index, name in enumerate(names):
            if not name:
                part.replacements.pop(segments[index][0], None)
    shown = [part.replacements.get(i, leaf.value) for i, leaf in segments]
    work.templated = known or by_shape(shown)
    part.fields.pop("", None)
    if work.overrides:
        _force_path(work, part, [i for i, _ in segments])


def _names_by_template(templated: Templated, count: int) -> list[str]:
    """Return, per segment, the name of the parameter that stands there in an OpenAPI template."""
    names = [
        segment.strip("{}")
        if segment.startswith("{") and segment.endswith("}")
        else ("value" if "{" in segment else "")
        for segment in segments_of(templated.template)
    ]
    return (names + [""] * count)[:count]


def _names_by_place(segments: list[str]) -> list[str]:
    """Return, per segment, the word before it, where the segment itself is no word: /email/bob@example.com."""
    names = [""]
    for before, segment in itertools.pairwise(segments):
        telling = not _STATIC_WORD.fullmatch(segment) or is_parameter(segment)
        names.append(before if telling and _STATIC_WORD.fullmatch(before) else "")
    return names


def _force_path(work: Work, part: Part, leaves: list[int]) -> None:
    """Let overrides decide about the parameters of a path; ``leaves`` are its segments' places in the document."""
    templated, forced = work.templated, work.forced("path")
    if templated is None or forced is None:
        return
    shown: list[tuple[str, str]] = []
    values = dict(templated.params)
    for index, segment in zip(leaves, segments_of(templated.template), strict=False):
        name = segment[1:-1] if segment.startswith("{") and segment.endswith("}") else ""
        if name in values:
            _force_leaf(work, part, index, forced(name))
            shown.append((name, part.replacements.get(index, part.document.leaves[index].value)))
    if templated.source == "shape":
        params = tuple((name, dict(shown).get(name, value)) for name, value in templated.params)
        work.templated = Templated(templated.template, params, "shape")
    for index, leaf in enumerate(part.document.leaves):
        if leaf.path and leaf.kind != "key":
            _force_leaf(work, part, index, forced(leaf.path))


def _force_leaf(work: Work, part: Part, index: int, data_class: str | None) -> None:
    if data_class is None:
        return
    with work.redactor.watching() as seen:
        replacement = work.redactor.force(data_class, part.document.leaves[index].value)
    part.replacements.pop(index, None)
    if replacement is not None:
        part.replacements[index] = replacement
    path = part.document.leaves[index].path
    if path:
        part.fields[path].classes = set(seen)
