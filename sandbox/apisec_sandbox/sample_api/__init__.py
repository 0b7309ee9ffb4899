"""A web shop with about forty operations and deliberate weaknesses, for tests and the demo (docs/sample-api.md)."""
