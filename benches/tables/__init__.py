"""Scores of the estimators for tables compared with their peers', and what they cost."""
