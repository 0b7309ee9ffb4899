"""Paths with known templates: public OpenAPI documents, traffic made of them, and the rules of two public tools."""
