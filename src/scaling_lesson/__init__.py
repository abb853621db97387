"""Scaling & Efficiency: the reference code behind every number of the lesson."""
