"""The admin API: patterns, status, metrics; bearer tokens over TLS."""
