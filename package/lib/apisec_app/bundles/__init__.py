"""Config bundles in Splunk: the same signed documents that forwarders take, applied to what Splunk itself reads.

``store``   releases, history, trusted keys and settings in the KV store; one change of a service at a time
``effect``  what an applied bundle is in Splunk: overrides and ownership; what differs from it afterwards
``manage``  checks, applies, takes back
``seen``    the sensitive fields that a service carried, from the inventory
"""
