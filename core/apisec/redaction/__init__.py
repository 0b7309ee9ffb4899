"""Redaction: values become tokens, wherever they stand.

``keys``    key files and the tokenizer
``tokens``  what a token looks like
``values``  one value: what is sensitive in it, and what it becomes
``parts``   one decoded part of a message (query, headers, body): its fields, and the redacted text
``echo``    a value found in one place is redacted in all others of the same transaction
"""
