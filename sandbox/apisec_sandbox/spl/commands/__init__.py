"""The commands that the sandbox knows, as one explicit list."""

from __future__ import annotations

from apisec_sandbox.spl.commands import (
    bins,
    charts,
    conversions,
    datasets,
    evals,
    extract,
    facts,
    fields,
    filling,
    foreach,
    formats,
    iplocation,
    kv,
    lookups,
    multivalue,
    ordering,
    outputs,
    running,
    sources,
    stats,
    subsearches,
    tables,
    transactions,
    tstats,
)
from apisec_sandbox.spl.commands.base import Parse
from apisec_sandbox.spl.errors import SplError
from apisec_sandbox.spl.parser import Segment

MODULES = (
    *(bins, charts, conversions, datasets, evals, extract, facts, fields, filling, foreach, formats, iplocation),
    *(kv, lookups, multivalue, ordering, outputs, running, sources, stats, subsearches, tables, transactions, tstats),
)


def _registry() -> dict[str, Parse]:
    found: dict[str, Parse] = {}
    for module in MODULES:
        for name, parse in module.COMMANDS.items():
            if name in found:
                raise ValueError(f"command {name} is registered twice")
            found[name] = parse
    return found


def _options() -> dict[str, tuple[str, ...]]:
    """The documented options (``name=value``) of each command that has some."""
    found: dict[str, tuple[str, ...]] = {}
    for module in MODULES:
        found.update(getattr(module, "OPTIONS", {}))
    return found


REGISTRY = _registry()
OPTIONS = _options()
# These bring rows of their own: they stand first.
GENERATING = frozenset(("eventcount", "gentimes", "makeresults", "metadata", "multisearch", "rest", "savedsearch"))
EITHER = frozenset(("append", "datamodel", "from", "inputlookup", "search", "tstats", "union"))
# Commands of Splunk's Search Reference that the stand-in does not run: named, never silently wrong.
UNSUPPORTED = frozenset(
    (
        *("abstract", "analyzefields", "anomalies", "anomalousvalue", "anomalydetection", "arules", "associate"),
        *("audit", "bucketdir", "cefout", "cluster", "cofilter", "concurrency", "contingency"),
        *("correlate", "dbinspect", "dbxquery", "delete", "diff", "dump", "erex", "fieldsummary"),
        *("findtypes", "folderize", "fromjson", "gauge", "geom", "geomfilter", "geostats", "highlight", "history"),
        *("iconify", "inputcsv", "inputintelligence", "join", "kmeans", "kvform", "localize", "localop", "map"),
        *("mcatalog", "mcollect", "metasearch", "meventcollect", "mpreview", "msearch", "mstats", "multikv"),
        *("outlier", "outputcsv", "outputtelemetry", "outputtext", "overlap", "pivot", "predict", "rawstats"),
        *("redistribute", "relevancy", "require", "rtorder", "run", "runshellscript", "script", "scrub"),
        *("searchtxn", "selfjoin", "sendemail", "set", "setfields", "sichart", "sirare", "sistats", "sitimechart"),
        "sitop",
        *("surrounding", "timewrap", "trendline", "tojson", "tscollect", "typeahead", "typelearner", "typer"),
        *("awssnsalert", "collapse", "ctable", "datamodelsimple", "entitymerge", "findkeywords", "loadjob", "makejson"),
        *("noop", "prjob", "snowevent", "snoweventstream", "snowincident", "snowincidentstream"),
        *("uniq", "walklex", "x11", "xmlkv", "xmlunescape", "xpath"),
    )
)


INSTEAD = {
    "join": "stats … by the shared field over both searches, or lookup",
    "map": "a subsearch in the search, or foreach",
    "selfjoin": "stats … by the field",
    "set": "append and stats … by the fields",
    "sendemail": "an alert action",
    "inputcsv": "inputlookup",
    "outputcsv": "outputlookup",
    "fieldsummary": "stats of the fields",
    "uniq": "dedup … consecutive=true",
}


def unsupported(segment: Segment) -> SplError:
    instead = INSTEAD.get(segment.name)
    return SplError(
        f"Error in '{segment.name}' command: a Splunk command that this stand-in does not run."
        + (f" Instead: {instead}." if instead else ""),
        segment.text,
        segment.name_at,
    )
