"""Abuse of APIs: families that weigh activity rows, and campaigns that make one finding of what belongs together."""
