"""The schema of ``apisec:anomaly``: one event when a campaign begins, grows or goes on.

``docs/reference/anomaly.md`` is generated from ``FIELDS``; a test holds it.
"""

from __future__ import annotations

from typing import Any, Dict, Mapping, Tuple

from apisec.model.event import Field

SCHEMA_VERSION = 1
SOURCETYPE_ANOMALY = "apisec:anomaly"

Anomaly = Dict[str, Any]

# OWASP API Security Top 10, 2023.
OWASP: Mapping[str, str] = {
    "object_enumeration": "API1:2023",
    "credential_stuffing": "API2:2023",
    "token_guessing": "API2:2023",
    "account_enumeration": "API2:2023",
    "token_theft": "API2:2023",
    "excess_data": "API3:2023",
    "mass_assignment": "API3:2023",
    "flooding": "API4:2023",
    "function_abuse": "API5:2023",
    "scraping": "API6:2023",
    "step_skipping": "API6:2023",
    "flow_automation": "API6:2023",
    "ssrf": "API7:2023",
    "injection": "API8:2023",
    "spec_violation": "API8:2023",
    "reconnaissance": "API9:2023",
}
# Lowest score of each severity, highest first: 1e-5 and 1.3e-4 ordinary ones show as much.
SEVERITIES: Tuple[Tuple[float, str], ...] = (
    (98.0, "critical"),
    (90.0, "high"),
    (70.0, "medium"),
    (40.0, "low"),
    (0.0, "informational"),
)

FIELDS: Tuple[Field, ...] = (
    Field("schema", "integer", "Version of this schema.", required=True),
    Field("id", "string", "Stable id: the same window scored again gives the same id.", required=True),
    Field("time", "number", "End of the window, seconds since the epoch.", required=True),
    Field("service", "string", "Service that was abused.", indexed=True, required=True),
    Field("team", "string", "Team that owns the service.", required=True),
    Field("family", "string", "What kind of abuse: object_enumeration, scraping …", indexed=True, required=True),
    Field("entity", "string", "principal, or operation when many principals share in it.", required=True),
    Field("principal", "string", "Token of who did it; empty when entity is operation.", indexed=True, required=True),
    Field("principal_kind", "string", "jwt, api_key, session, consumer, mtls, basic or anonymous."),
    Field("operation", "string", "Operation that it was done to; empty when it is about the whole service."),
    Field("operations", "array", "All operations of the campaign so far (at most 32).", required=True),
    Field(
        "members",
        "array",
        "Tokens of the principals of the anomaly, or of its campaign (at most 64).",
        required=True,
    ),
    Field("member_count", "integer", "How many principals the campaign has so far.", required=True),
    Field("campaign", "string", "Id of the campaign: one finding each.", indexed=True, required=True),
    Field("families", "array", "All families of the campaign so far, the first one first.", required=True),
    Field(
        "lead", "string", "Family the campaign counts as: of its finding, before that of its strongest.", required=True
    ),
    Field("new", "boolean", "True once a campaign: when its score first reaches 90.", required=True),
    Field("score", "number", "0 to 100: 18 times -log10 of p_value; 90 is 1 in 100,000.", required=True),
    Field("severity", "string", "informational, low, medium, high or critical, from the score.", required=True),
    Field("peak", "number", "Highest score of the campaign so far.", required=True),
    Field("p_value", "number", "Chance that ordinary traffic shows this much.", required=True),
    Field("seen", "number", "What was counted, in unit.", required=True),
    Field("expected", "number", "What was expected, in unit.", required=True),
    Field("unit", "string", "Of what: 'objects in an hour'.", required=True),
    Field("basis", "string", "What the expectation is made of: peers, own habit, operation, service, default."),
    Field("first_time", "number", "First event of the campaign so far, seconds since the epoch.", required=True),
    Field("last_time", "number", "Last event of the campaign so far.", required=True),
    Field("requests", "integer", "Requests that this anomaly counts.", required=True),
    Field("objects", "integer", "Different objects asked for in the window."),
    Field("unissued", "integer", "Of these, ids that no response gave to the principal."),
    Field("failures", "integer", "Requests of the window answered with 4xx or 5xx."),
    Field("accounts", "integer", "Different accounts tried in the window."),
    Field("sources", "array", "Addresses that the requests of the window came from (at most 8)."),
    Field("bytes_out", "integer", "Bytes of the window's responses."),
    Field("records", "integer", "Records (array elements) in the window's responses."),
    Field("sensitive", "integer", "Values of classified fields in the window's responses."),
    Field("reasons", "array", "Sentences: what was expected beside what was seen.", required=True),
    Field("evidence", "object", "Figures that the family has beside.", required=True),
    Field("features", "object", "Features that the family's model weighed, by name.", required=True),
    Field("examples", "array", "Ids of events to look at (at most 6).", required=True),
    Field("owasp", "string", "Item of the OWASP API Security Top 10 (2023).", required=True),
    Field("excepted", "string", "Id of the exception that covers it; then it is no finding."),
)

NAMES = frozenset(field.name for field in FIELDS)
INDEXED = tuple(field.name for field in FIELDS if field.indexed)


def severity_of(score: float) -> str:
    """Return the severity of a score of 0–100."""
    return next(name for least, name in SEVERITIES if score >= least)


def indexed_fields(anomaly: Mapping[str, Any]) -> Dict[str, str]:
    """Return the HEC ``fields`` of an anomaly."""
    return {name: str(anomaly[name]) for name in INDEXED if name in anomaly}
