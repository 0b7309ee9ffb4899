"""The whole loop, live, on one machine: real Envoy, real forwarder, real app, and a stand-in for Splunk alone."""
