"""Adapters that start the other programs."""
