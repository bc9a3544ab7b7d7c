"""Measures how fast monitoring's figures are computed: `python -m benchmarks.monitoring`."""
