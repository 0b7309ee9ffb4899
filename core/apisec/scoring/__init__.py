"""Scores with reasons: features of behaviour, weighed by a small model that anyone can read."""

from apisec.scoring.levels import SEVERITIES, severity_of
from apisec.scoring.model import Model, default_model, parse_model
from apisec.scoring.scorer import Score, Scorer

__all__ = ["SEVERITIES", "Model", "Score", "Scorer", "default_model", "parse_model", "severity_of"]
