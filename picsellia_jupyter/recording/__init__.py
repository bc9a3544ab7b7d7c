"""Predictions on their way to a deployment: on disk first, then recorded, once."""
