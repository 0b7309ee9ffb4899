"""Order: which steps of a flow ordinary principals take before which."""
