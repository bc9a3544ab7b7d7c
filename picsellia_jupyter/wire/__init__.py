"""The HTTP API spelled once, both ways; no I/O."""
