"""splunk.persistconn: handlers of REST endpoints that stay running (restmap.conf, scripttype = persist)."""
