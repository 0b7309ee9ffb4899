"""What a saved search has that says nothing: the attributes that every entry of saved/searches shows.

Source: savedsearches.conf.spec; REST API Reference, "saved/searches".
"""

from __future__ import annotations

EMAIL = ("bcc", "cc", "from", "mailserver", "subject", "to", "message.alert", "message.report")
DEFAULTS: dict[str, str] = {
    "action.email": "0",
    **{f"action.email.{name}": "" for name in EMAIL},
    "action.email.format": "table",
    "action.email.inline": "0",
    "action.email.sendresults": "",
    "action.lookup": "0",
    "action.populate_lookup": "0",
    "action.rss": "0",
    "action.script": "0",
    "action.script.filename": "",
    "action.summary_index": "0",
    "action.summary_index._name": "summary",
    "action.summary_index.inline": "1",
    "action.webhook": "0",
    "actions": "",
    "alert.digest_mode": "1",
    "alert.expires": "24h",
    "alert.managedBy": "",
    "alert.severity": "3",
    "alert.suppress": "",
    "alert.suppress.fields": "",
    "alert.suppress.group_name": "",
    "alert.suppress.period": "",
    "alert.track": "auto",
    "alert_comparator": "",
    "alert_condition": "",
    "alert_threshold": "",
    "alert_type": "always",
    "allow_skew": "0",
    "auto_summarize": "0",
    "cron_schedule": "",
    "defer_scheduled_searchable_idxc": "0",
    "description": "",
    "disabled": "0",
    "dispatch.auto_cancel": "0",
    "dispatch.auto_pause": "0",
    "dispatch.buckets": "0",
    "dispatch.earliest_time": "",
    "dispatch.index_earliest": "",
    "dispatch.index_latest": "",
    "dispatch.indexedRealtime": "",
    "dispatch.latest_time": "",
    "dispatch.lookups": "1",
    "dispatch.max_count": "500000",
    "dispatch.max_time": "0",
    "dispatch.reduce_freq": "10",
    "dispatch.rt_backfill": "0",
    "dispatch.spawn_process": "1",
    "dispatch.time_format": "%FT%T.%Q%:z",
    "dispatch.ttl": "2p",
    "dispatchAs": "owner",
    "displayview": "",
    "embed.enabled": "0",
    "is_scheduled": "0",
    "is_visible": "1",
    "max_concurrent": "1",
    "next_scheduled_time": "",
    "qualifiedSearch": "",
    "realtime_schedule": "1",
    "request.ui_dispatch_app": "",
    "request.ui_dispatch_view": "",
    "restart_on_searchpeer_add": "1",
    "run_n_times": "0",
    "run_on_startup": "0",
    "schedule_as": "auto",
    "schedule_priority": "default",
    "schedule_window": "0",
    "search": "",
    "vsid": "",
    "workload_pool": "",
}
FLAGS = frozenset(
    (
        *("alert.digest_mode", "alert.suppress", "auto_summarize", "disabled", "dispatch.lookups"),
        *("dispatch.spawn_process", "embed.enabled", "is_scheduled", "is_visible", "realtime_schedule"),
        *("restart_on_searchpeer_add", "run_on_startup", "defer_scheduled_searchable_idxc", "action.email"),
        *("action.lookup", "action.populate_lookup", "action.rss", "action.script", "action.summary_index"),
        *("action.webhook", "action.email.inline", "action.summary_index.inline"),
    )
)
# The endpoint's names for what the file calls otherwise.
ALIASES = {
    "is_scheduled": "enableSched",
    "alert_type": "counttype",
    "alert_comparator": "relation",
    "alert_threshold": "quantity",
}
PREFIXES = ("dispatch.", "action.", "alert.", "auto_summarize.", "display.", "args.", "request.", "durable.", "embed.")
EXTRA = frozenset(
    ("enableSched", "counttype", "relation", "quantity", "allow_skew", "schedule", "userid", "sendresults", "viewstate")
)


def is_known(name: str) -> bool:
    return name in DEFAULTS or name in EXTRA or name.startswith(PREFIXES)
