"""Helpers that several tests share. None of them imports the product: they speak its wire protocols."""
