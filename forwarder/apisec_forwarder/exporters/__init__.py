"""Exporters: each takes batches from the spool to one destination and says when they have arrived."""
