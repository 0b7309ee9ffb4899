"""Measurements. Every figure is a ratio within one run: against a peer, the native floor, or a no-op."""
