"""Search commands on the Splunk SDK, protocol version 2."""
