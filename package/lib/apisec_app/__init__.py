"""What the app's scripts in bin/ run: search commands, the modular input and the alert action.

Every decision is core's (``apisec``); here is what connects it to splunkd: records, searches, the KV store,
passwords and the forwarder's admin API. Python 3.9 and 3.13.
"""
