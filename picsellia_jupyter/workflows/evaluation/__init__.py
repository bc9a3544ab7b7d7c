"""How well predictions agree with their reviews: pure, on numpy and a library for COCO."""
