"""Peers of detection by behaviour: what a team without it would run on the same traffic."""
