"""Detection of behaviour over weeks: what the engine finds in labelled events, and the models of its families."""
