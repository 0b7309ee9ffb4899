"""Many ordinary users with habits, and attackers among them: one model of actors, two transports (live, offline)."""
