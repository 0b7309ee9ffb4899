"""Path templating: by the OpenAPI document first, by shape otherwise."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from apisec.endpoints.templating import MAX_SEGMENTS, Templates, by_shape, segments_of

SHAPES = yaml.safe_load((Path(__file__).parents[2] / "cases" / "templating" / "shapes.yml").read_text(encoding="utf-8"))


@pytest.mark.parametrize(("path", "template"), SHAPES.items())
def test_shape(path: str, template: str) -> None:
    assert by_shape(segments_of(path)).template == template


def test_parameters_are_named_and_valued() -> None:
    found = by_shape(segments_of("/users/7/orders/1042"))
    assert found.params == (("user_id", "7"), ("order_id", "1042"))
    assert found.source == "shape"


@given(st.lists(st.text(st.characters(exclude_characters="/{}"), min_size=1, max_size=20), max_size=8))
@example(["."])
@example(["orders", "..", "7"])
def test_templating_a_template_changes_nothing(segments: list[str]) -> None:
    """Static words stay static and parameters stay parameters: inventory keys do not drift."""
    once = by_shape(segments)
    again = by_shape(segments_of(once.template))
    kept = [part for part in segments_of(once.template) if not part.startswith("{")]
    assert [part for part in segments_of(again.template) if not part.startswith("{")] == kept
    walked = next((n for n, part in enumerate(segments) if part in (".", "..")), len(segments))  # the rest is {rest}
    assert len(once.params) + len(kept) == walked


def test_a_very_long_path_is_bounded() -> None:
    template = by_shape(["a"] * 1000).template
    assert template.endswith("/{rest}")
    assert len(segments_of(template)) == MAX_SEGMENTS + 1


SPEC = Templates(["/orders/{id}", "/orders/search", "/orders/{id}/items/{item}", "/files/{name}.json", "/{tenant}/x"])


@pytest.mark.parametrize(
    ("path", "template", "params"),
    [
        ("/orders/5", "/orders/{id}", (("id", "5"),)),
        ("/orders/search", "/orders/search", ()),
        ("/orders/abc/items/9", "/orders/{id}/items/{item}", (("id", "abc"), ("item", "9"))),
        ("/files/a.json", "/files/{name}.json", (("name", "a"),)),
        ("/acme/x", "/{tenant}/x", (("tenant", "acme"),)),
        ("/orders/x", "/orders/{id}", (("id", "x"),)),
    ],
)
def test_spec(path: str, template: str, params: tuple[tuple[str, str], ...]) -> None:
    found = SPEC.match(segments_of(path))
    assert found is not None
    assert (found.template, found.params, found.source) == (template, params, "spec")


@pytest.mark.parametrize("path", ["/", "/nothing", "/orders", "/orders/5/other", "/files/a.xml"])
def test_what_the_spec_does_not_name_is_not_matched(path: str) -> None:
    assert SPEC.match(segments_of(path)) is None


def test_parameters_of_other_names_at_the_same_place_keep_their_own_names() -> None:
    both = Templates(["/users/{user}", "/users/{id}/cards"])
    found = both.match(["users", "7", "cards"])
    assert found is not None
    assert found.template == "/users/{id}/cards"
    assert found.params == (("id", "7"),)
