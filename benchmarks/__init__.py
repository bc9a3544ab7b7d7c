"""Measurements, side by side with peers in the same run; never a timed test.

`python -m benchmarks.NAME [--quick]` exits 0 only where its goals hold; its last line is the
figure in short.
"""
