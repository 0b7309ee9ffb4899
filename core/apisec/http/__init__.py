"""HTTP APIs as tables of operations: parameters, schemas, problems, ETags, pages and the OpenAPI document, all pure.

A server (the app's persistent handler, the forwarder's admin API) brings the connection and the handlers; what an
operation is called, takes, gives and refuses is said once, here.
"""
