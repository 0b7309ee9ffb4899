"""splunk.clilib: configuration as scripts read it."""
