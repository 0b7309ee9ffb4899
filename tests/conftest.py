"""How hypothesis explores: the same examples in every run of the suite, new and many ones when asked.

``./build.sh test`` must say the same of the same commit, on a slow machine too. Looking for new counterexamples is a
job of its own: ``HYPOTHESIS_PROFILE=explore .venv/bin/python -m pytest tests/core``. What it finds becomes an
``@example`` or a case. ``brief`` is for a second Python, where the question is only whether the language differs.
"""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

from tests.support.splunk_selection import pytest_collection_modifyitems, pytest_terminal_summary

__all__ = ["pytest_collection_modifyitems", "pytest_terminal_summary"]
settings.register_profile("steady", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("brief", settings.get_profile("steady"), max_examples=25)
settings.register_profile("explore", max_examples=5_000, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "steady"))
