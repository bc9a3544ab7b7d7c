"""Faults that are planted one by one, to see that the tests notice: `python -m planted`."""
