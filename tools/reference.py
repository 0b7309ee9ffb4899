"""Write the reference pages that are generated from code: ``python tools/reference.py`` (``--check`` to compare)."""

from __future__ import annotations

import argparse
import importlib
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import detection_page
import spl_reference
from apisec.abuse import event as anomaly
from apisec.classification import levels
from apisec.endpoints.changes import schema as changes
from apisec.http import openapi
from apisec.http.openapi import About
from apisec.http.table import Table
from apisec.model import event as schema
from apisec_forwarder.admin import handlers
from apisec_forwarder.admin import openapi as admin
from apisec_forwarder.config.published import json_schema
from apisec_forwarder.config.reader import reference
from apisec_forwarder.config.schema import SECTIONS

ROOT = Path(__file__).resolve().parent.parent


def event_page() -> str:
    rows = "\n".join(
        f"| `{field.name}` | {field.kind} | {'yes' if field.required else ''} | {'yes' if field.cim else ''} "
        f"| {'yes' if field.indexed else ''} | {field.text} |"
        for field in schema.FIELDS
    )
    return f"""# The event: `{schema.SOURCETYPE_TRANSACTION}`

Generated from `core/apisec/model/event.py` by `python tools/reference.py`; schema version
{schema.SCHEMA_VERSION}. One JSON object per request and response. *always*: present in every event. *CIM*: the
name is that of Splunk's data model Web. *indexed*: travels in HEC `fields` too, so that `tstats` can group by it
without acceleration.

| field | type | always | CIM | indexed | meaning |
|---|---|---|---|---|---|
{rows}
"""


def anomaly_page() -> str:
    rows = "\n".join(
        f"| `{field.name}` | {field.kind} | {'yes' if field.required else ''} | {'yes' if field.indexed else ''} "
        f"| {field.text} |"
        for field in anomaly.FIELDS
    )
    owasp = "\n".join(f"| `{family}` | {item} |" for family, item in anomaly.OWASP.items())
    severities = ", ".join(f"{name} from {least:g}" for least, name in anomaly.SEVERITIES)
    return f"""# The anomaly: `{anomaly.SOURCETYPE_ANOMALY}`

Generated from `core/apisec/abuse/event.py` by `python tools/reference.py`; schema version {anomaly.SCHEMA_VERSION}.
One event when a campaign begins, grows or goes on ([behaviour](../behaviour.md)). *always*: present in every event.
*indexed*: travels in HEC `fields` too. Severity by score: {severities}.

| field | type | always | indexed | meaning |
|---|---|---|---|---|
{rows}

| family | OWASP API Security Top 10 |
|---|---|
{owasp}
"""


def configuration_page() -> str:
    return f"""# Reference of the forwarder's configuration

Generated from `forwarder/apisec_forwarder/config/schema.py` by `python tools/reference.py`. The same as JSON Schema:
[forwarder.schema.json](forwarder.schema.json), which `apisec-forwarder check-config --schema` prints. An unknown key is
an error. Sizes take KiB, MiB, GiB; relative paths are relative to the file's folder.

{reference(SECTIONS).strip()}
"""


def configuration_schema() -> str:
    return json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n"


def admin_api_page() -> str:
    return admin.markdown(handlers.OPERATIONS)


def admin_api_document() -> str:
    return as_json(admin.document(handlers.OPERATIONS))


def app_api() -> tuple[Table, About, str]:
    """The table of the app's REST API, which Splunk's Python reads from package/lib."""
    lib = str(ROOT / "package/lib")
    if lib not in sys.path:
        sys.path.insert(0, lib)
    resources = importlib.import_module("apisec_app.rest.resources")
    meta = importlib.import_module("apisec_app.rest.resources.meta")
    return resources.TABLE, meta.ABOUT, meta.INTRODUCTION


def app_api_page() -> str:
    return openapi.markdown(*app_api())


def app_api_document() -> str:
    table, about, _ = app_api()
    return as_json(openapi.document(table, about))


def as_json(document: Any) -> str:
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


PAGES: dict[str, Callable[[], str]] = {
    "docs/detections.md": detection_page.page,
    "docs/reference/admin-api.json": admin_api_document,
    "docs/reference/admin-api.md": admin_api_page,
    "docs/reference/anomaly.md": anomaly_page,
    "docs/reference/app-api.json": app_api_document,
    "docs/reference/app-api.md": app_api_page,
    "docs/reference/classes.md": levels.reference,
    "docs/reference/change.md": changes.reference,
    "docs/reference/configuration.md": configuration_page,
    "docs/reference/event.md": event_page,
    "docs/reference/forwarder.schema.json": configuration_schema,
    "docs/reference/spl.md": spl_reference.page,
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 where a page is stale")
    check = parser.parse_args().check
    stale = [name for name, page in PAGES.items() if not same(ROOT / name, page())]
    for name in stale:
        if check:
            print(f"{name} is stale; run python tools/reference.py", file=sys.stderr)
        else:
            (ROOT / name).write_text(PAGES[name](), encoding="utf-8")
            print(f"wrote {name}")
    return 1 if check and stale else 0


def same(path: Path, text: str) -> bool:
    return path.is_file() and path.read_text(encoding="utf-8") == text


if __name__ == "__main__":
    sys.exit(main())
