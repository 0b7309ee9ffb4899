"""Receivers: each turns one source of traffic into transactions."""
