"""What flows: the raw transaction, the redacted event, block patterns and decisions."""
