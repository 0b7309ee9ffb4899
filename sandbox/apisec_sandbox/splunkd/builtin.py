"""What Splunk ships in system/default, as far as the sandbox reads it.

Source: the .conf.spec and .conf.example pages of Splunk's Admin manual; roles from "About defining roles with
capabilities".
"""

from __future__ import annotations

VERSION = "10.0.0"
BUILD = "000000000000"
PRODUCT = "enterprise"

USER_CAPABILITIES = (
    "change_own_password",
    "get_metadata",
    "get_typeahead",
    "input_file",
    "list_inputs",
    "list_tokens_own",
    "output_file",
    "request_remote_tok",
    "rest_apps_view",
    "rest_properties_get",
    "rest_properties_set",
    "run_custom_command",
    "search",
)
POWER_CAPABILITIES = ("embed_report", "rtsearch", "schedule_search")
ADMIN_CAPABILITIES = (
    "admin_all_objects",
    "change_authentication",
    "edit_authentication",
    "edit_forwarders",
    "edit_httpauths",
    "edit_indexes",
    "edit_limits",
    "edit_local_apps",
    "edit_modinput_any",
    "edit_monitor",
    "edit_roles",
    "edit_roles_grantable",
    "edit_saved_search_owner",
    "edit_scripted",
    "edit_search_schedule_priority",
    "edit_server",
    "edit_storage_passwords",
    "edit_tcp",
    "edit_tcp_token",
    "edit_udp",
    "edit_web_settings",
    "edit_tokens_all",
    "edit_token_http",
    "edit_user",
    "indexes_edit",
    "list_all_objects",
    "list_all_roles",
    "list_all_users",
    "list_settings",
    "list_storage_passwords",
    "list_tokens_all",
    "rest_apps_management",
    "restart_splunkd",
    "run_collect",
    "run_mcollect",
    "run_sendalert",
)


def _role(capabilities: tuple[str, ...], **settings: str) -> dict[str, str]:
    return {**settings, **dict.fromkeys(capabilities, "enabled")}


# Pretrained source types of web servers (Getting Data In, "List of pretrained source types") and their fields.
ACCESS_SOURCETYPES = ("access_combined", "access_combined_wcookie", "access_common")
ACCESS = (
    r"^(?<clientip>\S++)\s++(?<ident>\S++)\s++(?<user>\S++)\s++\[(?<req_time>[^\]]++)\]\s++"
    r"\"(?:(?<method>\w++)\s++)?(?<uri>(?<uri_domain>\w++://[^/\s\"]++)?"
    r"(?<uri_path>(?:/(?<root>[^\s/?\"]++)(?=/))?[^\s?\"]*?(?<file>[^\s/?\"]++)?)(?:\?(?<uri_query>[^\s\"]*+))?)"
    r"(?:\s++HTTP/(?<version>[\d.]++))?\"\s++(?<status>\S++)\s++(?<bytes>\S++)"
    r"(?:\s++\"(?<referer>(?<referer_domain>\w++://[^/\s\"]++)?[^\"]*+)\""
    r"(?:\s++\"(?<useragent>[^\"]*+)\"(?:\s++\"(?<cookie>[^\"]*+)\")?)?)?\s*+(?<other>.*)"
)

SYSTEM_DEFAULTS: dict[str, dict[str, dict[str, str]]] = {
    "authorize": {
        "role_user": _role(
            (*USER_CAPABILITIES, "run_collect", "run_sendalert"),
            srchIndexesAllowed="*",
            srchIndexesDefault="main",
            srchJobsQuota="100",
        ),
        "role_power": _role(POWER_CAPABILITIES, importRoles="user", srchIndexesAllowed="*", srchIndexesDefault="main"),
        "role_admin": _role(
            ADMIN_CAPABILITIES,
            importRoles="power;user",
            srchIndexesAllowed="*;_*",
            srchIndexesDefault="main",
        ),
        "role_can_delete": _role(("delete_by_keyword",)),
        "role_splunk-system-role": _role((), importRoles="admin"),
    },
    "indexes": {
        name: {"homePath": f"$SPLUNK_DB/{name}/db", "disabled": "0"}
        for name in ("main", "summary", "history", "_internal", "_audit", "_introspection")
    },
    "props": {
        "stash": {"KV_MODE": "auto"},
        # Splunk extracts _json at index time (INDEXED_EXTRACTIONS) and not again at search time (KV_MODE = none).
        # Here it is the other way round, so that events of a file have the same fields; both would double each.
        "_json": {"KV_MODE": "json"},
        **{name: {"REPORT-access": "access-extractions"} for name in ACCESS_SOURCETYPES},
        "syslog": {"REPORT-syslog": "syslog-extractions"},
        "linux_secure": {"REPORT-syslog": "syslog-extractions"},
    },
    "limits": {"searchresults": {"maxresultrows": "50000"}, "subsearch": {"maxout": "10000"}},
    "savedsearches": {
        "default": {
            "disabled": "0",
            "enableSched": "0",
            "dispatch.ttl": "2p",
            "dispatch.earliest_time": "",
            "dispatch.latest_time": "",
            "counttype": "always",
            "relation": "",
            "quantity": "",
            "alert.digest_mode": "1",
            "alert.severity": "3",
            "alert.suppress": "",
            "alert.suppress.fields": "",
            "alert.suppress.period": "",
            "alert.track": "auto",
            "actions": "",
            "action.summary_index": "0",
            "action.summary_index._name": "summary",
            "cron_schedule": "",
            "is_scheduled": "0",
            "is_visible": "1",
            "description": "",
        }
    },
    "alert_actions": {"summary_index": {"label": "Summary index", "_name": "summary"}},
    "transforms": {
        "access-extractions": {"REGEX": ACCESS},
        "syslog-extractions": {"REGEX": r"\s([^\s\[:]+)(?:\[(\d+)\])?:\s", "FORMAT": "process::$1 pid::$2"},
    },
    "macros": {},
    "eventtypes": {},
    "tags": {},
    "collections": {},
    "commands": {},
    "inputs": {
        "http": {
            "disabled": "0",
            "port": "8088",
            "enableSSL": "1",
            "dedicatedIoThreads": "2",
            "maxSockets": "0",
            "maxThreads": "0",
            "useDeploymentServer": "0",
        }
    },
    "passwords": {},
    "server": {"general": {"serverName": "apisec-sandbox"}, "sslConfig": {"enableSplunkdSSL": "true"}},
    "web": {"settings": {"httpport": "8000"}},
    "app": {},
    "restmap": {},
    "fields": {},
    "datamodels": {},
    "times": {},
}
