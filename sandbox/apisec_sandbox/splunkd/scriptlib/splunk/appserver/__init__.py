"""Only the helpers for paths are here."""
