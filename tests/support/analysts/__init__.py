"""Searches as analysts write them, with an oracle in plain Python for each."""
