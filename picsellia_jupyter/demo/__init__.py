"""Models trained on real handwritten digits, and the pages they read."""
