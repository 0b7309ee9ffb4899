"""Block patterns: parse a document, match traffic, replay history."""
