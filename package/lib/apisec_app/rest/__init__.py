"""The app's REST API under /services/apisec/v1: a table of operations, and what answers by it."""
