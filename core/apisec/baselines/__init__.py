"""What is ordinary: mergeable sketches, and what was learned of each operation."""
