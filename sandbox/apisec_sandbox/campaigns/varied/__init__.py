"""The split *varied*: every seed draws new APIs, people with wide habits and attackers from many strategies."""
