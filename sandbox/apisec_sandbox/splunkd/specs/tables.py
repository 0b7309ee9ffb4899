"""Documented keys of conf files, from the *.conf.spec pages of Splunk's Admin Manual (9.x, 10.x)."""

from __future__ import annotations


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


KEYS: dict[str, tuple[str, ...]] = {
    "alert_actions": _words(
        """maxresults hostname ttl maxtime track_alert command is_custom payload_format label description
        icon_path forceCsvResults alert.execute.cmd from to cc bcc subject subject.alert subject.report
        useNSSubject message message.alert message.report footer.text include.results_link
        include.view_link include.search include.trigger include.trigger_time include.dispatch_link format
        sendresults inline sendcsv sendpdf sendpng sendtestemail priority mailserver use_ssl use_tls
        auth_username auth_password pdfview reportServerEnabled reportServerURL reportPaperSize
        reportPaperOrientation reportIncludeSplunkLogo reportCIDFontList reportFileName width_sort_columns
        preprocess_results content_type allow_empty_attachment sslVersions sslVerifyServerCert
        sslCommonNameToCheck sslAltNameToCheck cipherSuite items_count filename append allowedDomainList
        enable_allowlist email_attachment_size _name run_as_owner param._cam"""
    ),
    "app": _words(
        """state state_change_requires_restart is_configured build install_source_checksum
        install_source_local_checksum allows_disable is_manageable label is_visible show_in_nav
        docs_section_override attribution_link setup_view supported_themes author description version
        group name id check_for_updates show_upgrade_notification remote_tab reload_when_shared passwords
        deployer_lookups_push_mode deployer_push_mode python.version timeout"""
    ),
    "authorize": _words(
        """importRoles grantableRoles srchFilter srchFilterSelecting srchTimeWin srchTimeEarliest
        srchDiskQuota srchJobsQuota rtSrchJobsQuota srchMaxTime srchIndexesDefault srchIndexesAllowed
        srchIndexesDisallowed deleteIndexesAllowed cumulativeSrchJobsQuota cumulativeRTSrchJobsQuota
        defaultApp expiration ephemeralExpiration fieldFilterExemption federatedProviders never_lockout
        never_expire"""
    ),
    "collections": _words(
        "enforceTypes replicate replication_dump_strategy replication_dump_maximum_file_size type"
        " profilingEnabled profilingThresholdMs disabled"
    ),
    "commands": _words(
        """filename type local perf_warn_limit streaming maxinputs passauth run_in_preview enableheader
        retainsevents generating generates_timeorder overrides_timeorder requires_preop streaming_preop
        required_fields supports_multivalues supports_getinfo supports_rawargs undo_scheduler_escaping
        requires_srinfo needs_empty_results changes_colorder outputheader clear_required_fields
        stderr_dest is_order_sensitive is_risky chunked maxwait maxchunksize allow_empty_input
        is_distributed"""
    ),
    "datamodels": _words(
        """acceleration acceleration.earliest_time acceleration.backfill_time acceleration.max_time
        acceleration.poll_buckets_until_maxtime acceleration.cron_schedule acceleration.manual_rebuilds
        acceleration.max_concurrent acceleration.allow_skew acceleration.schedule_priority
        acceleration.allow_old_summaries acceleration.source_guid acceleration.hunk.compression_codec
        acceleration.hunk.dfs_block_size acceleration.hunk.file_format acceleration.workload_pool
        dataset.description dataset.type dataset.commands dataset.fields dataset.display.diversity
        dataset.display.sample_ratio dataset.display.limiting dataset.display.currentCommand
        dataset.display.mode dataset.display.datasummary.earliestTime
        dataset.display.datasummary.latestTime strict_fields tags_whitelist"""
    ),
    "eventtypes": _words("search disabled priority description tags color"),
    "fields": _words("TOKENIZER INDEXED INDEXED_VALUE"),
    "indexes": _words(
        """homePath coldPath thawedPath summaryHomePath tstatsHomePath bloomHomePath remotePath datatype
        disabled deleted frozenTimePeriodInSecs maxTotalDataSizeMB maxDataSize maxHotBuckets
        maxWarmDBCount maxHotSpanSecs maxHotIdleSecs maxMemMB maxConcurrentOptimizes maxMetaEntries
        maxBloomBackfillBucketAge minRawFileSyncSecs minStreamGroupQueueSize minHotIdleSecsBeforeForceRoll
        coldToFrozenDir coldToFrozenScript createBloomfilter defaultDatabase enableDataIntegrityControl
        enableOnlineBucketRepair enableRealtimeSearch enableTsidxReduction homePath.maxDataSizeMB
        coldPath.maxDataSizeMB compressRawdata hotBucketTimeRefreshInterval journalCompression
        lastChanceIndex metric.compressionBlockSize metric.enableFloatingPointCompression
        metric.maxHotBuckets metric.splitByIndexKeys metric.stubOutRawdataJournal
        metric.timestampResolution metric.tsidxTargetSizeMB partialServiceMetaPeriod
        processTrackerServiceInterval quarantineFutureSecs quarantinePastSecs rawChunkSizeBytes repFactor
        rotatePeriodInSecs serviceInactiveIndexesPeriod serviceMetaPeriod serviceOnlyAsNeeded
        serviceSubtaskTimingPeriod streamingTargetTsidxSyncPeriodMsec suppressBannerList
        suspendHotRollByDeleteQuery sync syncMeta throttleCheckPeriod timePeriodInSecBeforeTsidxReduction
        tsidxDedupPostingsListMaxTermsLimit tsidxReductionCheckPeriodInSec tsidxTargetSizeMB
        tsidxWritingLevel tstatsHomePath warmToColdScript archiver.selfStorageProvider
        archiver.selfStorageBucket archiver.enableDataArchive archiver.maxDataArchiveRetentionPeriod
        archiver.coldStorageProvider archiver.coldStorageRetentionPeriod assureUTF8
        bucketRebuildMemoryHint indexThreads inPlaceUpdates maxBucketSizeCacheEntries maxGlobalDataSizeMB
        maxGlobalRawDataSizeMB maxRunningProcessGroups maxRunningProcessGroupsLowPriority
        maxTimeUnreplicatedNoAcks maxTimeUnreplicatedWithAcks memPoolMB malformedEventIndex path
        vix.provider maxVolumeDataSizeMB storageType federated.provider federated.dataset isReadOnly
        selfStorageThreads bucketMerging bucketMerge.minMergeSizeMB bucketMerge.maxMergeSizeMB
        bucketMerge.maxMergeTimeSpanSecs bucketMerge.minMergeCount waitPeriodInSecsForManifestWrite"""
    ),
    "inputs": _words(
        """host index source sourcetype queue disabled interval passAuth followTail whitelist blacklist
        recursive crcSalt ignoreOlderThan initCrcLength host_regex host_segment move_policy
        time_before_close alwaysOpenFile multiline_event_extra_waittime followSymlink delayReadTime
        checkFreq ignoreOlderThan connection_host acceptFrom requireHeader listenOnIPv6
        inputShutdownTimeout rawTcpDoneTimeout remote_server_queue enableS2SHeartbeat s2sHeartbeatTimeout
        compressed queueSize persistentQueueSize no_priority_stripping no_appending_timestamp _rcvbuf
        serverCert sslPassword requireClientCert sslVersions cipherSuite ecdhCurves dhFile rootCA
        sslCommonNameToCheck sslAltNameToCheck sslQuietShutdown allowSslRenegotiation token indexes useACK
        outputgroup description enableSSL port dedicatedIoThreads maxSockets maxThreads maxEventSize
        useDeploymentServer replyHeader.enable maxIdleTime channel_cookie ackIdleCleanup
        allowQueryStringAuth crossOriginSharingPolicy crossOriginSharingHeaders forceHttp10
        sendStrictTransportSecurityHeader s2s_indexes_validation run_introspection run_only_one
        start_by_shell send_index_as_argument_for_path python.version regex filters pollPeriod fullEvent
        sendEventMaxSize signedaudit hashMaxSize filesPerDelay delayInMills hostname checkpointInterval
        current_only evt_resolve_ad_obj evt_dc_name evt_dns_name start_from renderXml suppress_text
        batch_size counters instances object samplingInterval stats useEnglishOnly mode formatString
        baseline proc hive type monitorSubtree targetDc startingNode _meta _TCP_ROUTING
        _INDEX_AND_FORWARD_ROUTING _SYSLOG_ROUTING evt_exclude_fields use_old_eventlog_api event_format
        global_banner log_on_completion duration run_as_root time_before_close"""
    ),
    "limits": _words(
        """maxout maxtime ttl maxresultrows max_count max_mem_usage_mb maxvalues maxvaluesize rdigest_k
        rdigest_maxnodes tdigest_k maxchars maxcols limit indexed_kv_limit max_extractor_time
        avg_extractor_time kv_mode max_rows_per_query max_queries_per_batch max_size_per_result_mb
        max_size_per_batch_save_mb max_documents_per_batch_save max_size_per_batch_result_mb
        max_accelerations_per_collection max_fields_per_acceleration max_rows_in_memory_per_dump
        max_threads_per_outputlookup max_memtable_bytes max_matches max_reverse_matches batch_index_query
        base_max_searches max_searches_per_cpu max_searches_perc auto_summary_perc
        dispatch_dir_warning_size max_raw_size max_results_perchunk min_results_perchunk stack_size
        use_bloom_filter default_save_ttl status_buckets truncate_report fetch_remote_search_log
        batch_search_max_pipeline enable_memory_tracker search_process_memory_usage_threshold
        max_keymap_rows chunk_size default_time_bins maxbins bin_limit fieldstats_update_maxperiod
        file_tracking_db_threshold_mb max_fd time_before_close monitornohandle_max_heap_mb
        subsearch_maxout subsearch_maxtime subsearch_timeout max_content_length metric_rows list_maxsize
        extraction_cutoff extract_all maxKBps learned_sourcetypes_limit input_errors_db max_inactive
        lowater_inactive inactive_eof_age_seconds max_action_results scheduled_view_timeout maxThreads
        actions_queue_size saved_searches_disabled persistance_period
        max_continuous_scheduled_search_lookback max_lock_files max_lock_file_ttl max_per_result_alerts
        max_per_result_alerts_time shc_role_quota_enforcement shc_syswide_quota_enforcement
        action_execution_threads alerts_expire_period alerts_max_count alerts_max_history alerts_scoping
        async_saved_search_fetch max_results"""
    ),
    "macros": _words("definition args validation errormsg iseval description disabled"),
    "props": _words(
        """host source sourcetype rename priority CHARSET TRUNCATE LINE_BREAKER LINE_BREAKER_LOOKBEHIND
        SHOULD_LINEMERGE BREAK_ONLY_BEFORE_DATE BREAK_ONLY_BEFORE MUST_BREAK_AFTER MUST_NOT_BREAK_AFTER
        MUST_NOT_BREAK_BEFORE MAX_EVENTS MAX_EXPECTED_EVENT_LINES EVENT_BREAKER_ENABLE EVENT_BREAKER
        LB_CHUNK_BREAKER LB_CHUNK_BREAKER_TRUNCATE DATETIME_CONFIG TIME_PREFIX MAX_TIMESTAMP_LOOKAHEAD
        TIME_FORMAT DETERMINE_TIMESTAMP_DATE_WITH_SYSTEM_TIME TZ TZ_ALIAS MAX_DAYS_AGO MAX_DAYS_HENCE
        MAX_DIFF_SECS_AGO MAX_DIFF_SECS_HENCE ADD_EXTRA_TIME_FIELDS INDEXED_EXTRACTIONS METRICS_PROTOCOL
        STATSD-DIM-TRANSFORMS METRIC-SCHEMA-TRANSFORMS PREAMBLE_REGEX FIELD_HEADER_REGEX
        HEADER_FIELD_LINE_NUMBER FIELD_DELIMITER HEADER_FIELD_DELIMITER FIELD_QUOTE HEADER_FIELD_QUOTE
        HEADER_FIELD_ACCEPTABLE_SPECIAL_CHARACTERS TIMESTAMP_FIELDS FIELD_NAMES MISSING_VALUE_REGEX
        JSON_TRIM_BRACES_IN_ARRAY_NAMES KV_MODE MATCH_LIMIT DEPTH_LIMIT AUTO_KV_JSON KV_TRIM_SPACES
        CHECK_FOR_HEADER NO_BINARY_CHECK detect_trailing_nulls SEGMENTATION CHECK_METHOD initCrcLength
        PREFIX_SOURCETYPE is_valid force_local_processing unarchive_cmd unarchive_sourcetype
        unarchive_cmd_start_mode given_type invalid_cause maxDist pulldown_type category description
        ANNOTATE_PUNCT HEADER_MODE STRICT_FIELD_MATCH sourcetype RULESET_DESC termFrequencyWeightedDist
        LEARN_MODEL LEARN_SOURCETYPE SESSION_TIMEOUT extract_all"""
    ),
    "restmap": _words(
        """match members script scripttype handler xsl requireAuthentication authKeyStanza restReplay
        output_modes passSystemAuth driver passConf passPayload passSession passHttpHeaders
        passHttpCookies stream dynamicCompressionLevel capability acceptFrom includeInAccessLog
        allowGetAuth allowRestReplay defaultRestReplayStanza pythonHandlerPath searchFields handlertype
        handlerfile handlerpersistentmode handleractions package dispatchAs v1APIBlockGETSearchLaunch
        requireAdmin max_content_length supports_multipart maxCacheTimeInSecs maxResponseSize"""
    ),
    "savedsearches": _words(
        """search description disabled enableSched cron_schedule schedule schedule_window schedule_priority
        allow_skew max_concurrent realtime_schedule counttype relation quantity alert_condition actions
        run_on_startup run_n_times is_visible displayview vsid userid sendresults viewstate dispatchAs
        restart_on_searchpeer_add workload_pool nextrun qualifiedSearch role
        defer_scheduled_searchable_idxc federated.provider skip_scheduled_realtime_idxc schedule_as
        alert_type alert_comparator alert_threshold is_scheduled precalculate_required_fields_for_alerts
        calculate_alert_required_fields_in_search eai:acl.owner"""
    ),
    "server": _words(
        """serverName sessionTimeout pass4SymmKey guid hostnameOption trustedIP allowRemoteLogin listenOnIPv6
        connectUsingIpVersion useHTTPServerCompression defaultHTTPServerCompressionLevel
        parallelIngestionPipelines python.version enableSplunkdSSL useClientSSLCompression sslVersions
        serverCert sslPassword sslRootCAPath caCertFile sslVerifyServerCert sslVerifyServerName
        cipherSuite requireClientCert site mode minFreeSpace pollingFrequency maxSize max_content_length
        maxThreads maxSockets indexing_rate license_master master_uri manager_uri disabled exclude include
        http_proxy https_proxy no_proxy proxy_rules active_group streamInWriteTimeout replication_host
        storageEngine port oplogSize acquirementTimeout dbPath kvstoreUpgradeCheckInterval"""
    ),
    "tags": (),
    "times": _words(
        "label header_label earliest_time latest_time order disabled is_sub_menu show_advanced"
        " show_date_range show_datetime_range show_presets show_realtime show_relative sub_menu"
    ),
    "transforms": _words(
        """REGEX FORMAT MATCH_LIMIT DEPTH_LIMIT CLONE_SOURCETYPE LOOKAHEAD WRITE_META DEST_KEY DEFAULT_VALUE
        SOURCE_KEY REPEAT_MATCH INGEST_EVAL DELIMS FIELDS MV_ADD CLEAN_KEYS KEEP_EMPTY_VALS CAN_OPTIMIZE
        STOP_PROCESSING_IF filename collection max_matches min_matches default_match case_sensitive_match
        match_type external_cmd fields_list index_fields_list external_type time_field time_format
        max_offset_secs min_offset_secs batch_index_query allow_caching cache_size max_ext_batch filter
        feature_id_element check_permission replicate advisory_indexes
        reverse_lookup_honor_case_sensitive_match METRIC-SCHEMA-MEASURES METRIC-SCHEMA-WHITELIST_DIMS
        METRIC-SCHEMA-BLACKLIST_DIMS description"""
    ),
    "web": _words(
        """pattern methods oidEnabled skipCSRFProtection startwebserver httpport mgmtHostPort
        enableSplunkWebSSL privKeyPath serverCert root_endpoint static_dir tools.proxy.on tools.proxy.base
        appServerPorts splunkdConnectionTimeout tools.sessions.timeout login_content max_upload_size
        dashboard_html_allow_iframes trustedIP updateCheckerBaseURL enableInsecureLogin
        simple_xml_force_flash_charting loginBackgroundImageOption"""
    ),
}

# Keys with a part of one's own choosing, as regular expressions.
PATTERNS: dict[str, tuple[str, ...]] = {
    "alert_actions": (
        r"param\..+",
        r"alert\.execute\.cmd\.arg\.\d+",
        r"allowlist\..+",
        r"action\..+",
        r"command\..+",
        r"reportServer.+",
        r"_name|_.+",
        r"python\..+",
    ),
    "app": (r"reload\..+", r"conf_replication.*"),
    "authorize": (r"[a-z][a-z0-9_]*", r"fieldFilter-.+", r"[A-Za-z0-9_\-]+"),
    "collections": (r"field\..+", r"accelerated_fields\..+"),
    "commands": (r"command\.arg\.\d+", r"python\..+"),
    "datamodels": (r"tags_.+",),
    "indexes": (r"remote\..+", r"vix\..+", r"archiver\..+", r"metric\..+", r"bucketMerge\..+", r"hotlist_.+"),
    "inputs": (r"(whitelist|blacklist)\d*", r"_.+", r"[a-z]+\.[A-Za-z.]+", r"replyHeader\.enable"),
    "limits": (r"[a-z][A-Za-z0-9_.]*",),
    "props": (
        r"(EXTRACT|REPORT|TRANSFORMS|FIELDALIAS|EVAL|LOOKUP|SEDCMD|RULESET|SEGMENTATION|METRICS)-.+",
        r"(MORE|LESS)_THAN_\d+",
        r"RULESET_DESC-.+",
        r"LOOKUP_.+",
    ),
    "restmap": (
        r"driver\.(arg|env)\..+",
        r"capability\.(post|get|put|delete)",
        r"python\..+",
        r"[a-z]+\.[a-z.]+",
        r"(capability|python)\..+",
        r"acl\..+",
        r"field\..+",
    ),
    "savedsearches": (
        r"(action|alert|dispatch|args|request|display|auto_summarize|durable|embed|federated|eai)\..+",
        r"auto_summarize",
        r"_.+",
    ),
    "server": (r"conf_replication_.+", r"[a-zA-Z_]+\.[A-Za-z0-9_.]+", r"[a-z][A-Za-z0-9_]*"),
    "tags": (r".+",),
    "transforms": (r"METRIC-SCHEMA-.+", r"metric\..+", r"python\..+"),
    "web": (r"[a-z_]+\.[A-Za-z0-9_.]+", r"[a-z][A-Za-z0-9_]*"),
}

BOOLEANS: dict[str, tuple[str, ...]] = {
    "alert_actions": _words("is_custom track_alert disabled"),
    "app": _words(
        "is_visible is_configured check_for_updates state_change_requires_restart allows_disable show_in_nav"
    ),
    "collections": _words("enforceTypes replicate disabled profilingEnabled"),
    "commands": _words(
        "chunked passauth enableheader generating supports_multivalues supports_getinfo"
        " supports_rawargs is_risky run_in_preview"
    ),
    "eventtypes": _words("disabled"),
    "fields": _words("INDEXED"),
    "indexes": _words("disabled enableRealtimeSearch createBloomfilter compressRawdata"),
    "inputs": _words("disabled useACK recursive followTail passAuth enableSSL"),
    "macros": _words("iseval disabled"),
    "props": _words(
        "SHOULD_LINEMERGE BREAK_ONLY_BEFORE_DATE NO_BINARY_CHECK AUTO_KV_JSON KV_TRIM_SPACES"
        " EVENT_BREAKER_ENABLE ADD_EXTRA_TIME_FIELDS ANNOTATE_PUNCT CHECK_FOR_HEADER"
    ),
    "restmap": _words(
        "requireAuthentication passSystemAuth passConf passSession passHttpHeaders passHttpCookies"
        " handlerpersistentmode"
    ),
    "savedsearches": _words(
        "disabled enableSched is_visible realtime_schedule run_on_startup alert.digest_mode alert.suppress"
    ),
    "transforms": _words("MV_ADD CLEAN_KEYS KEEP_EMPTY_VALS CAN_OPTIMIZE WRITE_META REPEAT_MATCH case_sensitive_match"),
}
BOOLEANS["props"] = tuple(name for name in BOOLEANS["props"] if name != "ADD_EXTRA_TIME_FIELDS")  # also none, all …

NUMBERS: dict[str, tuple[str, ...]] = {
    "eventtypes": _words("priority"),
    "indexes": _words("frozenTimePeriodInSecs maxTotalDataSizeMB maxWarmDBCount maxHotSpanSecs maxHotIdleSecs"),
    "props": _words(
        "TRUNCATE MAX_EVENTS MAX_TIMESTAMP_LOOKAHEAD MAX_DAYS_AGO MAX_DAYS_HENCE LINE_BREAKER_LOOKBEHIND"
        " HEADER_FIELD_LINE_NUMBER priority"
    ),
    "savedsearches": _words("max_concurrent alert.severity dispatch.buckets dispatch.max_count run_n_times"),
    "transforms": _words("max_matches min_matches LOOKAHEAD MATCH_LIMIT DEPTH_LIMIT max_offset_secs min_offset_secs"),
}
