"""data/indexes.

Source: REST API Reference, "data/indexes"; defaults from indexes.conf.spec.
"""

from __future__ import annotations

from typing import Any

from apisec_sandbox.spl.times import strftime
from apisec_sandbox.splunkd.atom import Entry, quoted
from apisec_sandbox.splunkd.confs import Stanza, is_true
from apisec_sandbox.splunkd.indexes import IndexStats, check_index_name
from apisec_sandbox.splunkd.rest.call import Call, Route
from apisec_sandbox.splunkd.web import HttpError, Reply

ISO = "%Y-%m-%dT%H:%M:%S+0000"
FROZEN_DEFAULT = 188697600  # seconds, six years
NUMBERS = {
    "frozenTimePeriodInSecs": FROZEN_DEFAULT,
    "maxBloomBackfillBucketAge": 0,
    "maxConcurrentOptimizes": 6,
    "maxHotBuckets": 3,
    "maxHotIdleSecs": 0,
    "maxHotSpanSecs": 7776000,
    "maxMemMB": 5,
    "maxMetaEntries": 1000000,
    "maxRunningProcessGroups": 8,
    "maxTimeUnreplicatedNoAcks": 300,
    "maxTimeUnreplicatedWithAcks": 60,
    "maxTotalDataSizeMB": 500000,
    "maxWarmDBCount": 300,
    "minRawFileSyncSecs": 0,
    "partialServiceMetaPeriod": 0,
    "processTrackerServiceInterval": 1,
    "quarantineFutureSecs": 2592000,
    "quarantinePastSecs": 77760000,
    "rawChunkSizeBytes": 131072,
    "rotatePeriodInSecs": 60,
    "serviceMetaPeriod": 25,
    "sync": 0,
    "throttleCheckPeriod": 15,
}
FLAGS = {
    "compressRawdata": True,
    "enableDataIntegrityControl": False,
    "enableOnlineBucketRepair": True,
    "syncMeta": True,
}
TEXTS = {
    "blockSignatureDatabase": "_blocksignature",
    "bucketRebuildMemoryHint": "auto",
    "coldPath": "",
    "coldToFrozenDir": "",
    "coldToFrozenScript": "",
    "datatype": "event",
    "homePath": "",
    "indexThreads": "auto",
    "maxDataSize": "auto",
    "repFactor": "0",
    "thawedPath": "",
    "tsidxWritingLevel": "",
    "tstatsHomePath": "",
}
KNOWN = frozenset((*NUMBERS, *FLAGS, *TEXTS, "disabled", "metric.timestampResolution", "maxGlobalRawDataSizeMB"))


def _entry(call: Call, stanza: Stanza) -> Entry:
    stats = _stats(call, stanza)
    numbers = {name: _number(stanza.get(name), default) for name, default in NUMBERS.items()}
    flags = {name: stanza.flag(name, default) for name, default in FLAGS.items()}
    texts = {name: stanza.get(name) or default for name, default in TEXTS.items()}
    texts["homePath"] = texts["homePath"] or f"$SPLUNK_DB/{stanza.name}/db"
    texts["coldPath"] = texts["coldPath"] or f"$SPLUNK_DB/{stanza.name}/colddb"
    texts["thawedPath"] = texts["thawedPath"] or f"$SPLUNK_DB/{stanza.name}/thaweddb"
    content: dict[str, Any] = {
        **numbers,
        **flags,
        **texts,
        "assureUTF8": False,
        "currentDBSizeMB": (stats.bytes + (1 << 20) - 1) >> 20 if stats else 0,
        "defaultDatabase": "main",
        "disabled": stanza.flag("disabled"),
        "isInternal": stanza.name.startswith("_"),
        "isReady": True,
        "lastInitTime": "",
        "maxTime": strftime(stats.latest, ISO) if stats and stats.latest is not None else "",
        "minTime": strftime(stats.earliest, ISO) if stats and stats.earliest is not None else "",
        "totalEventCount": stats.events if stats else 0,
    }
    for name in ("homePath", "coldPath", "thawedPath"):
        content[f"{name}_expanded"] = texts[name].replace("$SPLUNK_DB", str(call.splunkd.home.data))
    entry = Entry(stanza.name, content, f"data/indexes/{quoted(stanza.name)}", stanza.app, "nobody", "app")
    entry.removable = not stanza.name.startswith("_") and stanza.name != "main"
    return entry


def _number(text: str, default: int) -> int:
    return int(text) if text.isdigit() else default


def _stats(call: Call, stanza: Stanza) -> IndexStats | None:
    """What the index holds, after retention where the configuration sets one (docs: frozenTimePeriodInSecs)."""
    store = call.splunkd.store
    if stanza.name not in store.names():
        return None
    stats = store.index(stanza.name).stats()
    keep = _number(stanza.get("frozenTimePeriodInSecs"), FROZEN_DEFAULT)
    if keep != FROZEN_DEFAULT and stats.latest is not None and stats.latest < call.splunkd.clock() - keep:
        store.delete(stanza.name)
        return None
    return stats


def _stanzas(call: Call) -> dict[str, Stanza]:
    """Every index that the user may search, disabled ones too."""
    rights = call.splunkd.users.rights(call.session.user)
    held = call.splunkd.confs.stanzas("indexes").items()
    return {
        name: stanza
        for name, stanza in held
        if name not in ("default", "kvstore") and ":" not in name and rights.may_search(name)
    }


def indexes(call: Call) -> Reply:
    kind = call.params.get("datatype", "all")
    if kind not in ("all", "event", "metric"):
        raise HttpError(400, f"Invalid datatype {kind!r}; known: all, event, metric")
    entries = [_entry(call, stanza) for stanza in _stanzas(call).values()]
    return call.feed("indexes", [entry for entry in entries if kind in ("all", entry.content["datatype"])])


def _index(call: Call, name: str) -> Stanza:
    stanza = _stanzas(call).get(name)
    if stanza is None:
        raise HttpError(404, f"Could not find object id={name}")
    return stanza


def index(call: Call, name: str) -> Reply:
    return call.one("indexes", _entry(call, _index(call, name)))


def _settings(call: Call) -> dict[str, str]:
    """The arguments, checked against what an index knows.

    Raises:
        HttpError: one is unknown, or no number where one is needed.
    """
    settings = call.settings("name")
    for key, value in settings.items():
        if key not in KNOWN:
            raise HttpError(400, f'Argument "{key}" is not supported by this handler.')
        if key in NUMBERS and not value.isdigit():
            raise HttpError(400, f"In handler 'indexes': {key} must be a number, not {value!r}")
        if key in FLAGS or key == "disabled":
            settings[key] = str(int(is_true(value)))
    if settings.get("datatype", "event") not in ("event", "metric"):
        raise HttpError(400, "datatype must be event or metric")
    if settings.get("datatype") == "metric":
        raise HttpError(400, "Metric indexes are not supported")
    return settings


def create(call: Call) -> Reply:
    call.require("indexes_edit", "edit_indexes")
    name = check_index_name(call.needed("name"))
    if name in call.splunkd.confs.stanzas("indexes"):
        raise HttpError(409, f"Index name={name} already exists")
    paths = {
        "homePath": f"$SPLUNK_DB/{name}/db",
        "coldPath": f"$SPLUNK_DB/{name}/colddb",
        "thawedPath": f"$SPLUNK_DB/{name}/thaweddb",
    }
    call.splunkd.confs.write("indexes", name, {**paths, **_settings(call)}, call.target_app)
    return call.one("indexes", _entry(call, call.splunkd.confs.stanzas("indexes")[name]), 201)


def edit(call: Call, name: str) -> Reply:
    call.require("indexes_edit", "edit_indexes")
    stanza = _index(call, name)
    call.splunkd.confs.write("indexes", name, _settings(call), stanza.app)
    return index(call, name)


def delete(call: Call, name: str) -> Reply:
    call.require("indexes_edit", "edit_indexes")
    stanza = _index(call, name)
    if not call.splunkd.confs.delete("indexes", name, stanza.app):
        raise HttpError(403, f"Cannot remove index '{name}': it comes with {stanza.app}.")
    call.splunkd.store.delete(name)
    return indexes(call)


def roll(call: Call, name: str) -> Reply:
    """Events are in files at once here: only what retention takes away changes."""
    call.require("indexes_edit", "edit_indexes")
    return index(call, name)


ROUTES: tuple[Route, ...] = (
    Route("GET", "data/indexes", indexes),
    Route("POST", "data/indexes", create),
    Route("GET", "data/indexes/{name}", index),
    Route("POST", "data/indexes/{name}", edit),
    Route("DELETE", "data/indexes/{name}", delete),
    Route("POST", "data/indexes/{name}/roll-hot-buckets", roll),
)
