"""What is ordinary: mergeable sketches, what was learned of each operation, and how likely a sum is (expectations)."""
