"""``apisecabout``: one row about what runs here: the app, its Python, its model and whether that gives what it must.

The selfcheck reads it. It runs on the search head, in the same Python as the other commands.
"""

from __future__ import annotations

import platform
from collections.abc import Iterator
from typing import Any, Dict

from splunklib.searchcommands import Configuration, GeneratingCommand

import apisec
from apisec.errors import ModelError
from apisec.model.event import SCHEMA_VERSION
from apisec.scoring import default_model
from apisec.scoring.model import MODEL_VERSION

DIGEST_CHARS = 12


def about() -> Dict[str, Any]:
    """The row; ``model_state`` is "verified", or what is wrong with the model."""
    row: Dict[str, Any] = {
        "app_version": apisec.__version__,
        "python_version": platform.python_version(),
        "event_schema": SCHEMA_VERSION,
        "model_version": MODEL_VERSION,
        "model": "",
        "model_state": "verified",
    }
    try:
        row["model"] = default_model().sha256[:DIGEST_CHARS]  # reading it checks its digest and its golden vectors
    except ModelError as error:
        row["model_state"] = str(error)
    return row


@Configuration(type="reporting")
class ApisecAboutCommand(GeneratingCommand):  # type: ignore[misc]
    """
    ##Syntax
    apisecabout

    ##Description
    Gives one row: the versions of the app, of its Python and of its model.

    ##Example
    | apisecabout
    """

    def generate(self) -> Iterator[Dict[str, Any]]:
        yield about()
