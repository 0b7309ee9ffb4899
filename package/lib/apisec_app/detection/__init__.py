"""Detection: windows of index time through the engine of core, exactly once, with state in the KV store."""
