"""Verbs: pure, given ports."""
