"""Teams: what each sees, and every door to what another team has."""
