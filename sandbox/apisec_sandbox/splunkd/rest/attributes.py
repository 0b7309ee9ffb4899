"""eai:attributes of the collections: what can be given when an object is made or edited.

Source: REST API Reference, the request parameters of each endpoint.
"""

from __future__ import annotations

from dataclasses import replace

from apisec_sandbox.splunkd.atom import Attributes

INPUT = ("disabled", "host", "index", "source", "sourcetype")
COLLECTIONS: dict[str, Attributes] = {
    "localapps": Attributes((), ("author", "configured", "description", "label", "version", "visible")),
    "indexes": Attributes(
        (),
        (
            "coldPath",
            "coldToFrozenDir",
            "coldToFrozenScript",
            "frozenTimePeriodInSecs",
            "homePath",
            "maxDataSize",
            "maxHotBuckets",
            "maxTotalDataSizeMB",
            "maxWarmDBCount",
            "thawedPath",
        ),
    ),
    "users": Attributes((), ("defaultApp", "email", "force-change-pass", "password", "realname", "roles", "tz")),
    "roles": Attributes(
        (),
        (
            "capabilities",
            "cumulativeRTSrchJobsQuota",
            "cumulativeSrchJobsQuota",
            "defaultApp",
            "imported_roles",
            "rtSrchJobsQuota",
            "srchDiskQuota",
            "srchFilter",
            "srchIndexesAllowed",
            "srchIndexesDefault",
            "srchJobsQuota",
            "srchTimeWin",
        ),
    ),
    "messages": Attributes((), ("capability", "role", "severity", "value")),
    "savedsearch": Attributes(
        (), ("description", "disabled", "search"), (r"action\..*", r"alert\..*", r"dispatch\..*")
    ),
    "eventtypes": Attributes((), ("color", "description", "disabled", "priority", "search", "tags")),
    "logger": Attributes((), ("level",)),
    "settings": Attributes((), ("host", "httpport", "minFreeSpace", "serverName", "sessionTimeout", "startwebserver")),
    "raw": Attributes((), (*INPUT, "connection_host", "queue", "rawTcpDoneTimeout", "restrictToHost")),
    "cooked": Attributes((), (*INPUT, "SSL", "connection_host", "restrictToHost")),
    "udp": Attributes((), (*INPUT, "connection_host", "no_appending_timestamp", "queue", "restrictToHost")),
    "monitor": Attributes((), (*INPUT, "blacklist", "followTail", "recursive", "whitelist")),
    "script": Attributes((), (*INPUT, "interval", "passAuth")),
    "http": Attributes((), (*INPUT, "description", "indexes", "token", "useACK")),
    "conf": Attributes((), (), (".*",)),
}
# The last part of a collection's address where it is not the title of its feed.
TITLES = {"local": "localapps", "searches": "savedsearch"}
REQUIRED = {"users": ("name", "password", "roles"), "savedsearch": ("name", "search"), "eventtypes": ("name", "search")}


def of(title: str) -> Attributes:
    """What an object of the collection with this title can be given."""
    return COLLECTIONS["conf"] if title.startswith("conf-") else COLLECTIONS.get(title, Attributes())


def of_new(collection: str) -> Attributes:
    """What a new object takes, of a collection named by the last part of its address."""
    title = TITLES.get(collection, collection)
    held, required = of(title), REQUIRED.get(title, ("name",))
    return replace(held, required=required, optional=tuple(name for name in held.optional if name not in required))
